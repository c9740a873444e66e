"""Which leads are meant on a command line: by telephone number in any spelling, or by our id."""

from uuid import UUID

from leadline.clients.queue import QueueClient
from leadline.contracts.operators import LeadView
from services.cli.exits import not_found, wrong_usage

_UUID_LENGTH = 36


async def find_ids(client: QueueClient, who: str, campaign: str | None) -> list[UUID]:
    """The leads that are meant, by our id or by number. Raises CliError if there is none, and the client's errors."""
    if (lead_id := _uuid(who)) is not None:
        return [lead_id]
    leads = (await client.find_leads(who)).leads
    fitting = [lead.id for lead in leads if campaign in {None, lead.campaign}]
    if fitting:
        return fitting
    if leads:
        raise not_found(f"that number has no lead in {campaign!r}, but in {_campaigns(leads)}")
    raise not_found("no lead has that number; `leadline suppress check` tells whether it may be called at all")


async def find_one_id(client: QueueClient, who: str, campaign: str | None) -> UUID:
    """As `find_ids`, for what may be done to one lead only."""
    ids = await find_ids(client, who, campaign)
    if len(ids) > 1:
        raise wrong_usage(
            f"that number has {len(ids)} leads; add --campaign, or name one by its id (`leadline leads show`)"
        )
    return ids[0]


def _campaigns(leads: list[LeadView]) -> str:
    return ", ".join(sorted({lead.campaign for lead in leads}))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == _UUID_LENGTH else None
    except ValueError:
        return None
