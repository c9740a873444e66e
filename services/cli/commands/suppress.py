"""`leadline suppress ...`: numbers that nobody calls, in any campaign."""

from typing import Annotated

import typer

from leadline.contracts.operators import Reason, SuppressionRequest, SuppressionView
from services.cli.exits import ExitCode
from services.cli.options import AsJson, Phone, ShowPii, Why, Yes, checked_reason, confirm, examples
from services.cli.pii import hidden
from services.cli.printing import console, fields, moment, print_json, say
from services.cli.suppressing import ListToImport, import_list
from services.cli.talking import talk

app = typer.Typer(help="Suppressions: telephone numbers that are never called, in any campaign.")

Source = Annotated[str, typer.Option("--source", metavar="NAME", help="Where the wish came from.")]


@app.command(epilog=examples("leadline suppress add +15615550123 --reason 'asked us by mail'"))
def add(
    phone: Phone, *, reason: Why, source: Source = "operator", as_json: AsJson = False, show_pii: ShowPii = False
) -> None:
    """Never call a number again, from now on; a call that rings is ended."""
    request = SuppressionRequest(reason=checked_reason(reason), source=source.strip()[:64] or "operator")
    _print(
        talk(lambda client: client.put_suppression(phone, request)), "suppressed", as_json=as_json, show_pii=show_pii
    )


@app.command(epilog=examples("leadline suppress remove +15615550123 --reason 'wrong number was typed' --yes"))
def remove(phone: Phone, *, reason: Why, yes: Yes = False, as_json: AsJson = False, show_pii: ShowPii = False) -> None:
    """Take a number off the list. Reopens no lead. Asks for a confirmation."""
    why = Reason(reason=checked_reason(reason))
    confirm("This person said stop. Allow calls to the number again?", yes=yes)
    view = talk(lambda client: client.delete_suppression(phone, why))
    _print(view, "no longer suppressed", as_json=as_json, show_pii=show_pii)


@app.command(epilog=examples("leadline suppress check +15615550123", "leadline suppress check 5615550123 --json"))
def check(phone: Phone, *, as_json: AsJson = False, show_pii: ShowPii = False) -> None:
    """Say whether a number is on the list: exit code 0 if it is, 3 if not.

    JSON: an object with `suppressed` and `suppression` (null if it is not on the list).
    """
    view = talk(lambda client: client.get_suppression(phone))
    shown = view if view is None or show_pii else hidden(view)
    if as_json:
        entry = None if shown is None else shown.model_dump(mode="json")
        print_json({"suppressed": view is not None, "suppression": entry})
    elif shown is None:
        say("not suppressed")
    else:
        console().print(_entry(shown, "suppressed"))
    if view is None:
        raise typer.Exit(ExitCode.NOT_FOUND)


@app.command(
    "import",
    epilog=examples(
        "leadline suppress import dnc.csv",
        "leadline suppress import - --reason 'federal list of January' < numbers.txt",
        "leadline suppress import dnc.csv --dry-run --json",
    ),
)
def import_numbers(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV, or one number a line; - is stdin.", show_default=False)
    ],
    *,
    reason: Annotated[
        str, typer.Option("--reason", "-r", metavar="TEXT", help="Why, for lines that give no reason.")
    ] = "imported list",
    source: Source = "operator",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; check every line.")] = False,
    as_json: AsJson = False,
    show_pii: ShowPii = False,
) -> None:
    """Never call any number of a list again. Bad lines are listed, all others imported; exit code 1 if one is bad.

    Numbers may be spelt in any way, with a header or without. The column is found by its name (phone, number ...), else
    by what it holds; a column `reason` or `note` is kept with the number.
    """
    request = ListToImport(checked_reason(reason), source.strip()[:64] or "operator", dry_run)
    report = import_list(file, request)
    if as_json:
        print_json(report.document(show_pii=show_pii))
    else:
        for part in report.parts(show_pii=show_pii):
            console().print(part)
    if report.bad_count:
        raise typer.Exit(ExitCode.FAILED)


def _print(view: SuppressionView, status: str, *, as_json: bool, show_pii: bool) -> None:
    shown = view if show_pii else hidden(view)
    if as_json:
        print_json(shown)
    else:
        console().print(_entry(shown, status))


def _entry(view: SuppressionView, status: str) -> object:
    return fields(
        (
            ("number", view.phone_number),
            ("status", status),
            ("reason", view.reason),
            ("source", view.source),
            ("since", moment(view.created_at)),
        )
    )
