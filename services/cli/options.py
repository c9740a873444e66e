"""Options that several commands share, so that they read alike everywhere."""

import sys
from typing import Annotated, Final

import typer

from services.cli.exits import wrong_usage

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ShowPii = Annotated[bool, typer.Option("--show-pii", help="Print telephone numbers and names in full.")]
Why = Annotated[str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; kept in the audit log.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")]
InCampaign = Annotated[
    str | None,
    typer.Option("--campaign", "-c", metavar="NAME", help="Only the lead of this campaign, if a number has several."),
]
PhoneOrId = Annotated[
    str,
    typer.Argument(
        metavar="PHONE_OR_ID",
        help="Telephone number in any spelling, or Leadline's id of the lead.",
        show_default=False,
    ),
]
Phone = Annotated[str, typer.Argument(metavar="PHONE", help="Telephone number in any spelling.", show_default=False)]

LONGEST_REASON = 500
HELP_NAMES: Final = {"help_option_names": ["-h", "--help"]}


def examples(*lines: str) -> str:
    """The end of a command's help: one example a line."""
    return "\n\n".join(("Examples:", *lines))


def checked_reason(reason: str) -> str:
    """A reason as the contracts take it. Raises CliError."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise wrong_usage(f"--reason: must have 1 to {LONGEST_REASON} characters")
    return reason


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that is hard to undo. Raises typer.Abort if the answer is no or nobody can answer."""
    if yes:
        return
    # Not typer's prompt, which writes its last character to stdout even when asked for stderr.
    sys.stderr.write(f"{question} [y/N, or use --yes] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    if answer.strip().lower() not in {"y", "yes"}:
        raise typer.Abort
