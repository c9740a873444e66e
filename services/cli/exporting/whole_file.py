"""A file that is there whole or not at all, whatever happens while it is written."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from services.cli.exits import CliError, ExitCode


@contextmanager
def whole_file(path: Path | None) -> Iterator[TextIO]:
    """Write beside the file, put it in its place at the end of the block; stdout (None) too gets all or nothing.

    Readable by its owner alone: it holds people's names and numbers. Raises CliError.
    """
    folder = None if path is None else path.parent
    try:
        handle, name = tempfile.mkstemp(prefix=".leadline-export-", dir=folder)
    except OSError as error:
        raise _cannot_write(path, error) from None
    made = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _put(made, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        made.unlink(missing_ok=True)


def _put(made: Path, path: Path | None) -> None:
    if path is not None:
        made.replace(path)
        return
    with made.open(encoding="utf-8", newline="") as file:
        shutil.copyfileobj(file, sys.stdout)


def _cannot_write(path: Path | None, error: OSError) -> CliError:
    where = "stdout" if path is None else f"--output {path}"
    return CliError(f"{where}: cannot be written: {error.strerror or type(error).__name__}", ExitCode.USAGE)
