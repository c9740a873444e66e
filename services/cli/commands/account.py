"""`leadline account ...`: the switch that stops all dialling."""

import typer

from leadline.contracts.operators import Gates, Reason
from services.cli.options import AsJson, Why, checked_reason, examples
from services.cli.printing import RED, console, fields, print_json, text
from services.cli.talking import talk

app = typer.Typer(help="The account at Bland: the switch that stops all dialling.")


@app.command(epilog=examples("leadline account pause --reason 'storm in Florida'"))
def pause(*, reason: Why, as_json: AsJson = False) -> None:
    """Dial nothing at all until an operator resumes; calls that run go on."""
    why = Reason(reason=checked_reason(reason))
    _print(talk(lambda client: client.pause_account(why)), as_json=as_json)


@app.command(epilog=examples("leadline account resume --reason 'invoice is paid'"))
def resume(*, reason: Why, as_json: AsJson = False) -> None:
    """Dial again, whoever paused."""
    why = Reason(reason=checked_reason(reason))
    _print(talk(lambda client: client.resume_account(why)), as_json=as_json)


def _print(gates: Gates, *, as_json: bool) -> None:
    if as_json:
        print_json(gates)
        return
    paused = text(f"paused: {gates.account_pause_reason}", RED) if gates.account_paused else text("not paused")
    held = text(f"held: {gates.dispatch_held_reason}", RED) if gates.dispatch_held else text("not held")
    console().print(fields((("account", paused), ("dispatch", held))))
