"""How a command ends: its exit codes, and the one error that becomes one line."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; documented in `leadline --help`."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    PARTIAL = 4
    BUSY = 5
    INTERRUPTED = 130


EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 not found, 4 partly done, 5 another copy is at work,"
    " 130 interrupted."
)


class CliError(Exception):
    """A command cannot do what was asked; `str(error)` says what happened and what to do next."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def not_found(message: str) -> CliError:
    """Nothing fits what was asked for."""
    return CliError(message, ExitCode.NOT_FOUND)


def wrong_usage(message: str) -> CliError:
    """The words of the command line cannot be meant."""
    return CliError(message, ExitCode.USAGE)
