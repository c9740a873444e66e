"""What may be wrong with a whole file; nothing was posted when one of these is raised."""

from pathlib import Path

from services.cli.exits import CliError, ExitCode


class BrokenFile(CliError):
    """A file is no JSON, or only the beginning of some."""

    def __init__(self, path: Path, words: str, byte: int, line: int) -> None:
        super().__init__(f"{path}: {words} at byte {byte:,} (line {line:,}); nothing was imported, from no file")


def unknown_file(path: Path, why: str = "is none of the old system's files") -> CliError:
    """A file that nobody knows what to do with."""
    return CliError(f"{path}: {why}; nothing was imported, from no file", ExitCode.USAGE)


def unreadable_file(path: Path, error: OSError) -> CliError:
    """The operating system says no."""
    why = error.strerror or type(error).__name__
    return CliError(f"{path}: cannot be read: {why}; nothing was imported, from no file", ExitCode.USAGE)
