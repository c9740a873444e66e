"""JSON files of any size as streams: one element in memory at a time, and the very place where a broken one breaks."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

import ijson

from services.cli.importing.errors import BrokenFile, unreadable_file

BLOCK_BYTES: Final = 64 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

Item = TypeVar("Item")


class Source(Protocol):
    """What the JSON parser reads from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class CountingFile:
    """A file that knows how many of its bytes were handed out; a byte order mark is left out, and counted."""

    def __init__(self, file: io.BufferedIOBase, tell: Callable[[int], None] | None = None) -> None:
        """`tell` hears of each number of bytes that was read."""
        self._file = file
        self._tell = tell
        self.handed_out = 0
        self.last_block = 0

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        if size == 0:
            return b""
        block = self._file.read(size)
        if self.handed_out == 0 and block.startswith(_BYTE_ORDER_MARK):
            self.handed_out = len(_BYTE_ORDER_MARK)
            block = block[len(_BYTE_ORDER_MARK) :] or self._file.read(size)
        self.handed_out += len(block)
        self.last_block = len(block)
        if self._tell is not None and block:
            self._tell(len(block))
        return block


class _SteppingFile(CountingFile):
    """Hands out byte after byte from some place on, so that the parser stops at the very one it cannot take."""

    def __init__(self, file: io.BufferedIOBase, step_from: int) -> None:
        super().__init__(file)
        self._step_from = step_from

    def read(self, size: int = -1, /) -> bytes:
        """A block, and near the break a single byte."""
        left = self._step_from - self.handed_out
        if size == 0:
            return b""
        return super().read(min(size, left) if left > len(_BYTE_ORDER_MARK) else 1)


@contextmanager
def opened(path: Path, tell: Callable[[int], None] | None = None) -> Iterator[CountingFile]:
    """A file to be parsed. Raises CliError: for what the system refuses, and BrokenFile for what is no JSON."""
    file: CountingFile | None = None
    try:
        with path.open("rb") as raw:
            file = CountingFile(raw, tell)
            yield file
    except OSError as error:
        raise unreadable_file(path, error) from None
    except (ijson.JSONError, ValueError, RecursionError) as error:
        raise _broken(path, file.handed_out - file.last_block if file else 0, error) from None


def items(file: Source, prefix: str) -> Iterator[object]:
    """The elements under a prefix, such as `item` for those of an outermost array."""
    return iter(ijson.items(file, prefix, buf_size=BLOCK_BYTES))


def pairs(file: Source, prefix: str) -> Iterator[tuple[str, object]]:
    """Keys and values of an object; the outermost one has the empty prefix."""
    return iter(ijson.kvitems(file, prefix, buf_size=BLOCK_BYTES))


def events(file: Source) -> Iterator[tuple[str, object]]:
    """The parser's own events: nothing is built, whatever the size of an element."""
    return iter(ijson.basic_parse(file, buf_size=BLOCK_BYTES))


def _broken(path: Path, step_from: int, error: Exception) -> BrokenFile:
    """Parse once more, slowly near the break, to say where it is."""
    with path.open("rb") as raw:
        stepping = _SteppingFile(raw, step_from)
        try:
            for _ in ijson.basic_parse(stepping, buf_size=BLOCK_BYTES):
                pass
        except (ijson.JSONError, ValueError, RecursionError):
            pass
        at = stepping.handed_out
    with path.open("rb") as raw:
        line = 1 + sum(block.count(b"\n") for block in _blocks(raw, max(at - 1, 0)))
    ended = "EOF" in str(error)
    return BrokenFile(path, "the file ends in the middle of its JSON" if ended else _words(error), at, line)


def _blocks(raw: io.BufferedIOBase, until: int) -> Iterator[bytes]:
    left = until
    while left > 0 and (block := raw.read(min(left, BLOCK_BYTES))):
        left -= len(block)
        yield block


def _words(error: Exception) -> str:
    """The parser's first line, without the excerpt that may hold a person's data."""
    lines = str(error).removeprefix("b'").replace("\\n", "\n").splitlines()
    return f"is no JSON ({lines[0].rstrip('.')})" if isinstance(error, ijson.JSONError) and lines else "is no JSON"
