"""Leads that come with a past: rows inserted with their own times, and what an existing lead learns from a record."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.store.connection import Connection


@dataclass(slots=True)
class ImportedRow:
    """A lead to insert with everything that is known of it."""

    id: LeadId
    campaign: CampaignName
    phone_number: PhoneNumber
    status: LeadStatus
    status_reason: str | None
    sender_lead_id: str | None
    list_id: str | None
    first_name: str | None
    last_name: str | None
    state: str | None
    postal_code: str | None
    sender_fields: dict[str, str]
    attributes: dict[str, str]
    scheduled_callback_at: datetime | None
    extra_attempts: int
    attempts_before: int
    attempts_before_on: date | None
    attempts_before_that_day: int
    attempts_before_until: datetime | None
    outcomes_before: list[str]
    last_call_before: datetime | None
    times_approximate: bool
    created_at: datetime
    updated_at: datetime


INSERT_IMPORTED: Final = """
INSERT INTO leads (id, campaign, phone_number, status, status_reason, sender_lead_id, list_id, first_name, last_name,
                   state, postal_code, sender_fields, attributes, scheduled_callback_at, extra_attempts,
                   attempts_before, attempts_before_on, attempts_before_that_day, attempts_before_until,
                   outcomes_before, last_call_before, times_approximate, created_at, updated_at, life_started_at)
SELECT c.*, 'epoch' FROM jsonb_to_recordset($1::jsonb) AS c(
    id uuid, campaign text, phone_number text, status text, status_reason text, sender_lead_id text, list_id text,
    first_name text, last_name text, state text, postal_code text, sender_fields jsonb, attributes jsonb,
    scheduled_callback_at timestamptz, extra_attempts smallint, attempts_before smallint, attempts_before_on date,
    attempts_before_that_day smallint, attempts_before_until timestamptz, outcomes_before text[],
    last_call_before timestamptz, times_approximate boolean, created_at timestamptz, updated_at timestamptz)
"""


async def insert_imported(conn: Connection, rows: Sequence[ImportedRow]) -> None:
    """Insert leads that do not exist yet; the caller holds their numbers' locks and writes the due rows after this."""
    if rows:
        await conn.execute(INSERT_IMPORTED, [_plain(row) for row in rows])


@dataclass(slots=True)
class Blanks:
    """What a record knows of a lead; fills in what is not known yet."""

    id: LeadId
    sender_lead_id: str | None = None
    list_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    state: str | None = None
    postal_code: str | None = None
    sender_fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


FILL_BLANKS: Final = """
UPDATE leads l SET
    sender_lead_id = coalesce(l.sender_lead_id, c.sender_lead_id), list_id = coalesce(l.list_id, c.list_id),
    first_name = coalesce(l.first_name, c.first_name), last_name = coalesce(l.last_name, c.last_name),
    state = coalesce(l.state, c.state), postal_code = coalesce(l.postal_code, c.postal_code),
    sender_fields = c.sender_fields || l.sender_fields, attributes = c.attributes || l.attributes, updated_at = $2
FROM jsonb_to_recordset($1::jsonb) AS c(
    id uuid, sender_lead_id text, list_id text, first_name text, last_name text, state text, postal_code text,
    sender_fields jsonb, attributes jsonb)
WHERE l.id = c.id AND (l.sender_lead_id, l.list_id, l.first_name, l.last_name, l.state, l.postal_code,
                       l.sender_fields, l.attributes)
    IS DISTINCT FROM (coalesce(l.sender_lead_id, c.sender_lead_id), coalesce(l.list_id, c.list_id),
                      coalesce(l.first_name, c.first_name), coalesce(l.last_name, c.last_name),
                      coalesce(l.state, c.state), coalesce(l.postal_code, c.postal_code),
                      c.sender_fields || l.sender_fields, c.attributes || l.attributes)
RETURNING l.id
"""


async def fill_blanks(conn: Connection, blanks: Sequence[Blanks], now: datetime) -> set[LeadId]:
    """Fill in what is missing; returns the leads that learned something. Replaces nothing that is known."""
    if not blanks:
        return set()
    rows = await conn.fetch(FILL_BLANKS, [_plain(b) for b in blanks], now)
    return {LeadId(row["id"]) for row in rows}


@dataclass(slots=True)
class PastOfLead:
    """The calls of a lead of which there is no record in the ledger."""

    id: LeadId
    attempts_before: int
    attempts_before_on: date | None
    attempts_before_that_day: int
    attempts_before_until: datetime | None
    outcomes_before: list[str]
    last_call_before: datetime | None


SET_PAST: Final = """
UPDATE leads l SET
    attempts_before = c.attempts_before, attempts_before_on = c.attempts_before_on,
    attempts_before_that_day = c.attempts_before_that_day, attempts_before_until = c.attempts_before_until,
    outcomes_before = c.outcomes_before, last_call_before = c.last_call_before, updated_at = $2
FROM jsonb_to_recordset($1::jsonb) AS c(
    id uuid, attempts_before smallint, attempts_before_on date, attempts_before_that_day smallint,
    attempts_before_until timestamptz, outcomes_before text[], last_call_before timestamptz)
WHERE l.id = c.id
"""


async def set_past(conn: Connection, pasts: Sequence[PastOfLead], now: datetime) -> None:
    """Write what was learned of calls without a record. The caller read the leads under their numbers' locks."""
    if pasts:
        await conn.execute(SET_PAST, [_plain(p) for p in pasts], now)


FIND_BY_SENDERS: Final = """
SELECT sender_lead_id, phone_number FROM leads WHERE sender_lead_id = ANY($1::text[]) ORDER BY phone_number
"""


async def find_by_senders(conn: Connection, sender_lead_ids: Iterable[str]) -> dict[str, list[PhoneNumber]]:
    """The numbers of all leads that their senders know by these ids."""
    found: dict[str, list[PhoneNumber]] = {}
    for row in await conn.fetch(FIND_BY_SENDERS, sorted(set(sender_lead_ids))):
        found.setdefault(row["sender_lead_id"], []).append(PhoneNumber(row["phone_number"]))
    return found


def _plain(row: ImportedRow | Blanks | PastOfLead) -> dict[str, object]:
    return {name: _text(value) for name, value in asdict(row).items()}


def _text(value: object) -> object:
    match value:
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            return value
