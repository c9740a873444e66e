"""The root of the command line: whatever goes wrong is one line on stderr and an exit code, never a traceback."""

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from leadline.runtime.settings import SettingsError
from services.cli.exits import CliError, ExitCode

_PROGRAM = "leadline"


class OneLineGroup(TyperGroup):
    """A group whose errors are told in one line, for people and for tests alike."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 -- the signature is typer's
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 -- the signature is typer's
        **extra: Any,
    ) -> Any:  # noqa: ANN401 -- the signature is typer's
        """Run a command and exit with its code; without `standalone_mode` errors go to the caller, as in typer."""
        forwarded = {"complete_var": complete_var, "windows_expand_args": windows_expand_args, **extra}
        if not standalone_mode:
            return super().main(args, prog_name or _PROGRAM, standalone_mode=False, **forwarded)
        try:
            code = super().main(args, prog_name or _PROGRAM, standalone_mode=False, **forwarded)
        except CliError as error:
            sys.exit(_tell(str(error), error.exit_code))
        except SettingsError as error:
            sys.exit(_tell(str(error), ExitCode.USAGE))
        except typer.Abort:
            sys.exit(_tell("nothing was changed", ExitCode.FAILED))
        except typer.TyperException as error:
            sys.exit(_tell(_usage_words(error), ExitCode.USAGE))
        sys.exit(code if isinstance(code, int) else ExitCode.DONE)


def _usage_words(error: typer.TyperException) -> str:
    """What typer says, and where the right words stand."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else _PROGRAM
    words = error.format_message().replace("Value error, ", "")
    return f"{words if words.endswith(('.', '?')) else words + '.'} See `{command} --help`."


def _tell(message: str, exit_code: ExitCode) -> ExitCode:
    sys.stderr.write(f"{_PROGRAM}: {' '.join(message.split())}\n")
    return exit_code
