"""The file of rows that were not imported: one JSON object a line, readable by its owner alone."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from services.cli.exits import CliError, ExitCode


def default_path() -> Path:
    """A new name in the working directory: the rows of an earlier import are not written over."""
    stem = f"quarantine-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (f"{stem}{f'-{number}' if number else ''}.jsonl" for number in count())
    return next(path for path in map(Path, names) if not path.exists())


class QuarantineFile:
    """Made with its first row. A row is in the file before anything else is done."""

    def __init__(self, path: Path) -> None:
        """Nothing is made yet."""
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Nothing to do yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()

    @property
    def path(self) -> Path | None:
        """Where it is; None if there was no row."""
        return None if self._file is None else self._path

    def add(self, row: dict[str, Any]) -> None:
        """Write a row. Raises CliError."""
        self._write(json.dumps(row))

    def add_raw(self, row: str, why: dict[str, Any]) -> None:
        """Write a row that is JSON already, and why it is here. Raises CliError."""
        self._write(f'{json.dumps(why)[:-1]}, "row": {row}}}')

    def _write(self, line: str) -> None:
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                self._file = os.fdopen(os.open(self._path, flags, 0o600), "w", encoding="utf-8")
                with suppress(OSError):
                    os.fchmod(self._file.fileno(), 0o600)
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise CliError(f"--quarantine {self._path}: cannot be written: {why}", ExitCode.USAGE) from None
