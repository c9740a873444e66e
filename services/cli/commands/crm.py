"""`leadline crm ...`: what the CRM is told, and what it would not take."""

from collections import Counter
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from leadline.clients.queue_crm import CrmQueue
from leadline.contracts.crm import CrmStatusTable, OutboxEntry, OutboxList, Replayed
from leadline.domain.crm import CrmStanding, CrmStatus
from services.cli.exits import not_found, wrong_usage
from services.cli.options import AsJson, ShowPii, examples
from services.cli.pii import hidden
from services.cli.printing import RED, console, counted, fields, moment, print_json, say, table, text
from services.cli.talking import talk_by

MOST_IDS: Final = 1000
PAGE: Final = 200
_DEAD, _WAITING = "dead", "waiting"

app = typer.Typer(help="The CRM: what it is told of calls, and dead letters, which it refused.")

Ids = Annotated[list[int] | None, typer.Argument(metavar="ID...", help="Ids of dead letters.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every dead letter.")]


@app.command(epilog=examples("leadline crm status", "leadline crm status --json"))
def status(*, as_json: AsJson = False) -> None:
    """Show what waits to be told, what was refused, and which statuses of the account are known."""
    outbox, statuses = talk_by(CrmQueue, _read_status)
    standings = _standings(statuses)
    if as_json:
        known = {"known": len(statuses.statuses), "by_standing": standings}
        print_json({"outbox": outbox.counts, "statuses": known})
        return
    console().print(fields((("outbox", _outbox(outbox)), ("statuses", _known(standings)))))


@app.command("dead-letters", epilog=examples("leadline crm dead-letters", "leadline crm dead-letters --json"))
def dead_letters(*, as_json: AsJson = False, show_pii: ShowPii = False) -> None:
    """List what the CRM refused and will refuse again, with its reason: mend that, then replay."""
    found = talk_by(CrmQueue, _read_dead)
    shown = found if show_pii else hidden(found)
    if as_json:
        print_json(shown)
    elif shown.entries:
        console().print(_letters(shown.entries))
    else:
        say("no dead letters")


@app.command(epilog=examples("leadline crm replay 1042 1043", "leadline crm replay --all"))
def replay(ids: Ids = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Send dead letters again; one that later news of the same lead has overtaken is closed instead."""
    named = list(dict.fromkeys(ids or []))
    if bool(named) == every:
        raise wrong_usage("name ids of dead letters, or give --all; `leadline crm dead-letters` lists them")
    if len(named) > MOST_IDS:
        raise wrong_usage(f"at most {MOST_IDS} ids at once; --all takes every one")
    replayed = talk_by(CrmQueue, lambda client: client.replay_outbox(named))
    if named and not replayed.waiting + replayed.superseded:
        raise not_found("none of these is a dead letter; `leadline crm dead-letters` lists them")
    if as_json:
        print_json(replayed)
    else:
        say(_replayed(replayed, len(named)))


async def _read_status(client: CrmQueue) -> tuple[OutboxList, CrmStatusTable]:
    return await client.list_outbox(_DEAD, 0, 1), await client.statuses()


async def _read_dead(client: CrmQueue) -> OutboxList:
    """All of them, page by page."""
    page = await client.list_outbox(_DEAD, 0, PAGE)
    entries, counts = list(page.entries), page.counts
    while len(page.entries) == PAGE:
        page = await client.list_outbox(_DEAD, page.entries[-1].id, PAGE)
        entries += page.entries
    return OutboxList(entries=entries, counts=counts)


def _standings(statuses: CrmStatusTable) -> dict[str, int]:
    """How many statuses mean what, from the strictest on."""
    found = Counter(CrmStatus(**entry.model_dump()).standing for entry in statuses.statuses)
    return {standing.value: found[standing] for standing in CrmStanding if found[standing]}


def _outbox(outbox: OutboxList) -> Text:
    waiting, dead = outbox.counts.get(_WAITING, 0), outbox.counts.get(_DEAD, 0)
    words = f"{waiting} waiting, {dead} dead"
    if not dead:
        return text(words)
    return Text.assemble(text(words, RED), "  -> leadline crm dead-letters, mend what they say, leadline crm replay")


def _known(standings: dict[str, int]) -> Text:
    known = sum(standings.values())
    if not known:
        return Text.assemble(text("none known", RED), "  -> see that `leadline crm-sync` runs and what its log says")
    return text(f"{known} known: {counted(standings)}")


def _letters(entries: list[OutboxEntry]) -> RenderableType:
    made = table("id", "at", "what", "number", "lead", "tries", "why refused", title="dead letters")
    for entry in entries:
        made.add_row(
            text(entry.id),
            text(moment(entry.created_at)),
            text(f"{entry.kind} {entry.outcome or ''}".strip()),
            text(entry.phone_number),
            text(entry.lead_id),
            text(entry.tries),
            text(entry.last_error),
        )
    return made


def _replayed(replayed: Replayed, asked: int) -> str:
    words = f"{replayed.waiting} wait again, {replayed.superseded} overtaken by later news and closed"
    missing = asked - replayed.waiting - replayed.superseded
    return f"{words}, {missing} no dead letters" if missing > 0 else words
