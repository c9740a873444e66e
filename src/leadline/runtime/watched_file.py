"""A small text file that others replace while we run: tokens and certificates that are rotated."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from leadline.runtime.logging import get_logger

CHECK_SECONDS: Final = 5.0
MOST_BYTES: Final = 256 * 1024
log = get_logger(__name__)

_Stamp = tuple[int, int, int]


class WatchedFile:
    """The text of a file, stripped, read again when the file was written or replaced. For one event loop.

    A file that cannot be read, or is empty, leaves the text that was read before: whoever rotates it may be half done.
    """

    def __init__(
        self,
        path: Path,
        *,
        text: str = "",
        check_seconds: float = CHECK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet.

        Args:
            text: what the file was known to hold.
            check_seconds: least time between two looks at the file.
        """
        self.path = path
        self._text = text
        self._check_seconds = check_seconds
        self._monotonic = monotonic
        self._looked_at: float | None = None
        self._stamp: _Stamp | None = None
        self._problem = ""

    def text(self) -> str:
        """What the file held at the last look, which is not long ago. Empty if it never could be read."""
        if self._looked_at is None or self._monotonic() - self._looked_at >= self._check_seconds:
            self.look()
        return self._text

    def look(self) -> str:
        """The same, after looking now."""
        self._looked_at = self._monotonic()
        try:
            self._read()
        except (OSError, UnicodeDecodeError) as error:
            self._note(getattr(error, "strerror", None) or "it is no UTF-8 text")
        return self._text

    def _read(self) -> None:
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp == self._stamp:
            return
        with self.path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode().strip()
        if not text or len(content) > MOST_BYTES:
            self._note(f"it is empty or larger than {MOST_BYTES} bytes")
            return
        if self._text and text != self._text:
            log.info("file_read_again", path=self.path)
        self._text, self._stamp, self._problem = text, stamp, ""

    def _note(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("file_not_readable", path=self.path, problem=problem)
        self._problem = problem
