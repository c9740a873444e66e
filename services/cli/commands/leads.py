"""`leadline leads ...`: one person's lead, why it is or is not called, and the operator's verbs."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from leadline.clients.queue import QueueClient
from leadline.contracts.operators import Explanation, LeadDetails, LeadView, Reason, Reschedule
from services.cli.exits import wrong_usage
from services.cli.finding import find_ids, find_one_id
from services.cli.lead_views import explanation_parts, lead_parts, lead_summary
from services.cli.options import (
    AsJson,
    InCampaign,
    PhoneOrId,
    ShowPii,
    Why,
    Yes,
    checked_reason,
    confirm,
    examples,
)
from services.cli.pii import hidden
from services.cli.printing import console, print_json, print_parts
from services.cli.talking import talk

app = typer.Typer(help="Leads: what happened, why they are or are not called, and the operator's verbs.")

Verb = Callable[[QueueClient, UUID], Awaitable[LeadView]]
At = Annotated[
    str, typer.Option("--at", metavar="ISO", help="When, in ISO 8601 with an offset: 2026-01-06T15:30-05:00.")
]


@app.command(
    epilog=examples(
        "leadline leads show +15615550123",
        "leadline leads show '(561) 555-0123' --json --show-pii",
        "leadline leads show 01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e44",
    )
)
def show(who: PhoneOrId, *, campaign: InCampaign = None, as_json: AsJson = False, show_pii: ShowPii = False) -> None:
    """Show leads with their attempts, outcomes and history.

    JSON: an object with `leads`, each as the queue-service's GET /v1/leads/{id}.
    """

    async def ask(client: QueueClient) -> list[LeadDetails]:
        return [await client.get_lead(lead_id) for lead_id in await find_ids(client, who, campaign)]

    leads = [lead if show_pii else hidden(lead) for lead in talk(ask)]
    if as_json:
        print_json({"leads": [lead.model_dump(mode="json") for lead in leads]})
    else:
        print_parts(lead_parts(lead) for lead in leads)


@app.command(
    epilog=examples("leadline leads explain +15615550123", "leadline leads explain +15615550123 -c awhealth --json")
)
def explain(who: PhoneOrId, *, campaign: InCampaign = None, as_json: AsJson = False, show_pii: ShowPii = False) -> None:
    """Say why a lead is due when it is, or why it is not called, rule by rule.

    JSON: an object with `explanations`, each as the queue-service's GET /v1/leads/{id}/explanation.
    """

    async def ask(client: QueueClient) -> list[Explanation]:
        return [await client.explain_lead(lead_id) for lead_id in await find_ids(client, who, campaign)]

    explanations = [explanation if show_pii else hidden(explanation) for explanation in talk(ask)]
    if as_json:
        print_json({"explanations": [explanation.model_dump(mode="json") for explanation in explanations]})
    else:
        print_parts(explanation_parts(explanation) for explanation in explanations)


@app.command(epilog=examples("leadline leads pause +15615550123 --reason 'in hospital until March'"))
def pause(
    who: PhoneOrId, *, reason: Why, campaign: InCampaign = None, as_json: AsJson = False, show_pii: ShowPii = False
) -> None:
    """Call a lead no more until it is resumed."""
    why = Reason(reason=checked_reason(reason))
    _change(who, campaign, lambda client, lead: client.pause_lead(lead, why), as_json=as_json, show_pii=show_pii)


@app.command(epilog=examples("leadline leads resume +15615550123 --reason 'is back home'"))
def resume(
    who: PhoneOrId, *, reason: Why, campaign: InCampaign = None, as_json: AsJson = False, show_pii: ShowPii = False
) -> None:
    """End a pause, or decide about a held lead: it is planned again."""
    why = Reason(reason=checked_reason(reason))
    _change(who, campaign, lambda client, lead: client.resume_lead(lead, why), as_json=as_json, show_pii=show_pii)


@app.command(epilog=examples("leadline leads complete +15615550123 --reason 'bought by mail'"))
def complete(
    who: PhoneOrId, *, reason: Why, campaign: InCampaign = None, as_json: AsJson = False, show_pii: ShowPii = False
) -> None:
    """Never call a lead again; only `reopen` undoes this."""
    why = Reason(reason=checked_reason(reason))
    _change(who, campaign, lambda client, lead: client.complete_lead(lead, why), as_json=as_json, show_pii=show_pii)


@app.command(
    epilog=examples("leadline leads reschedule +15615550123 --at 2026-01-06T15:30-05:00 --reason 'asked by mail'")
)
def reschedule(
    who: PhoneOrId,
    *,
    at: At,
    reason: Why,
    campaign: InCampaign = None,
    as_json: AsJson = False,
    show_pii: ShowPii = False,
) -> None:
    """Call a lead at another time, moved into calling and legal hours."""
    wish = Reschedule(due_at=_instant(at), reason=checked_reason(reason))
    _change(who, campaign, lambda client, lead: client.reschedule_lead(lead, wish), as_json=as_json, show_pii=show_pii)


@app.command(epilog=examples("leadline leads reopen +15615550123 --reason 'completed by mistake' --yes"))
def reopen(
    who: PhoneOrId,
    *,
    reason: Why,
    campaign: InCampaign = None,
    yes: Yes = False,
    as_json: AsJson = False,
    show_pii: ShowPii = False,
) -> None:
    """Undo a completion: the lead is called again and its attempts are counted anew. Asks for a confirmation."""
    why = Reason(reason=checked_reason(reason))
    confirm("Call this person again, with all attempts anew?", yes=yes)
    _change(who, campaign, lambda client, lead: client.reopen_lead(lead, why), as_json=as_json, show_pii=show_pii)


def _change(who: str, campaign: str | None, verb: Verb, *, as_json: bool, show_pii: bool) -> None:
    async def ask(client: QueueClient) -> LeadView:
        return await verb(client, await find_one_id(client, who, campaign))

    lead = talk(ask)
    lead = lead if show_pii else hidden(lead)
    if as_json:
        print_json(lead)
    else:
        console().print(lead_summary(lead))


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise wrong_usage(f"--at {text}: is no ISO 8601 time such as 2026-01-06T15:30-05:00") from None
    if found.tzinfo is None:
        raise wrong_usage(f"--at {text}: says no offset; write it with one, such as {text}-05:00")
    return found
