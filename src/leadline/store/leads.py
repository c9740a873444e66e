"""Leads on their way in: inserted once, afterwards only brought up to date."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import LeadStatus
from leadline.store.connection import Connection
from leadline.store.records import CrmIdentity


@dataclass(slots=True)
class NewLead:
    """A lead to insert. A planned one gets its due row in the same transaction."""

    id: LeadId
    campaign: CampaignName
    phone_number: PhoneNumber
    status: LeadStatus
    status_reason: str | None = None
    sender_lead_id: str | None = None
    list_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    state: str | None = None
    postal_code: str | None = None
    sender_fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    traceparent: str | None = None


INSERT_LEADS: Final = """
INSERT INTO leads (id, campaign, phone_number, status, status_reason, sender_lead_id, list_id, first_name, last_name,
                   state, postal_code, sender_fields, attributes, traceparent, life_started_at, created_at, updated_at)
SELECT c.*, 'epoch', $15, $15
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::jsonb[], $13::jsonb[], $14::text[])
    AS c(id, campaign, phone_number, status, status_reason, sender_lead_id, list_id, first_name, last_name,
         state, postal_code, sender_fields, attributes, traceparent)
"""


async def insert_leads(conn: Connection, leads: Sequence[NewLead], now: datetime) -> None:
    """Insert leads that do not exist yet; the caller holds their numbers' locks."""
    if leads:
        await conn.execute(
            INSERT_LEADS,
            [x.id for x in leads],
            [x.campaign for x in leads],
            [x.phone_number for x in leads],
            [x.status for x in leads],
            [x.status_reason for x in leads],
            [x.sender_lead_id for x in leads],
            [x.list_id for x in leads],
            [x.first_name for x in leads],
            [x.last_name for x in leads],
            [x.state for x in leads],
            [x.postal_code for x in leads],
            [x.sender_fields for x in leads],
            [x.attributes for x in leads],
            [x.traceparent for x in leads],
            now,
        )


@dataclass(slots=True)
class LeadUpdate:
    """What a lead that was posted again brings: only what is not blank replaces what was."""

    id: LeadId
    sender_lead_id: str
    list_id: str
    first_name: str | None
    last_name: str | None
    state: str | None
    postal_code: str | None
    sender_fields: dict[str, str]
    attributes: dict[str, str]


UPDATE_SUBMITTED: Final = """
UPDATE leads l SET
    sender_lead_id = c.sender_lead_id, list_id = c.list_id,
    first_name = coalesce(c.first_name, l.first_name), last_name = coalesce(c.last_name, l.last_name),
    state = coalesce(c.state, l.state), postal_code = coalesce(c.postal_code, l.postal_code),
    sender_fields = l.sender_fields || c.sender_fields, attributes = l.attributes || c.attributes, updated_at = $10
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
            $9::jsonb[])
    AS c(id, sender_lead_id, list_id, first_name, last_name, state, postal_code, sender_fields, attributes)
WHERE l.id = c.id AND (l.sender_lead_id, l.list_id, l.first_name, l.last_name, l.state, l.postal_code,
                       l.sender_fields, l.attributes)
    IS DISTINCT FROM (c.sender_lead_id, c.list_id, coalesce(c.first_name, l.first_name),
                      coalesce(c.last_name, l.last_name), coalesce(c.state, l.state),
                      coalesce(c.postal_code, l.postal_code), l.sender_fields || c.sender_fields,
                      l.attributes || c.attributes)
RETURNING l.id
"""


async def update_submitted(conn: Connection, updates: Sequence[LeadUpdate], now: datetime) -> set[LeadId]:
    """Bring leads up to date; returns those that really changed. Never touches status, due time or counts."""
    if not updates:
        return set()
    rows = await conn.fetch(
        UPDATE_SUBMITTED,
        [u.id for u in updates],
        [u.sender_lead_id for u in updates],
        [u.list_id for u in updates],
        [u.first_name for u in updates],
        [u.last_name for u in updates],
        [u.state for u in updates],
        [u.postal_code for u in updates],
        [u.sender_fields for u in updates],
        [u.attributes for u in updates],
        now,
    )
    return {LeadId(row["id"]) for row in rows}


FILL_IDENTITIES: Final = """
UPDATE leads l SET sender_lead_id = c.sender_lead_id, list_id = c.list_id
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS c(id, sender_lead_id, list_id) WHERE l.id = c.id
"""


async def fill_identities(conn: Connection, identities: Sequence[CrmIdentity]) -> None:
    """Write down what the CRM calls leads. The caller read them under their numbers' locks and fills gaps alone."""
    if identities:
        last = list({identity.lead_id: identity for identity in identities}.values())
        await conn.execute(
            FILL_IDENTITIES,
            [i.lead_id for i in last],
            [i.sender_lead_id for i in last],
            [i.list_id for i in last],
        )


FIND_PHONE: Final = "SELECT phone_number FROM leads WHERE id = $1"


async def find_phone(conn: Connection, lead_id: LeadId) -> PhoneNumber | None:
    """The number of a lead, or None if there is no such lead."""
    phone: str | None = await conn.fetchval(FIND_PHONE, lead_id)
    return PhoneNumber(phone) if phone else None


LIST_PHONES: Final = "SELECT id, phone_number FROM leads WHERE id = ANY($1::uuid[])"


async def list_phones(conn: Connection, lead_ids: Sequence[LeadId]) -> dict[LeadId, PhoneNumber]:
    """The numbers of leads; leads that do not exist are missing."""
    rows = await conn.fetch(LIST_PHONES, list(lead_ids))
    return {LeadId(row["id"]): PhoneNumber(row["phone_number"]) for row in rows}


IS_KNOWN: Final = "SELECT EXISTS (SELECT FROM leads WHERE phone_number = $1)"


async def is_known(conn: Connection, phone_number: PhoneNumber) -> bool:
    """Whether any campaign has a lead with the number."""
    return bool(await conn.fetchval(IS_KNOWN, phone_number))


FIND_PHONES_OF_SENDER: Final = """
SELECT DISTINCT phone_number FROM leads WHERE sender_lead_id = $1 ORDER BY phone_number LIMIT $2
"""


async def find_phones_of_sender(conn: Connection, sender_lead_id: str, limit: int) -> list[PhoneNumber]:
    """The numbers of leads that their sender calls by an id."""
    rows = await conn.fetch(FIND_PHONES_OF_SENDER, sender_lead_id, limit)
    return [PhoneNumber(row["phone_number"]) for row in rows]


REOPEN: Final = """
UPDATE leads SET life_started_at = $2, attempts_before = 0, attempts_before_on = NULL, attempts_before_that_day = 0,
    extra_attempts = 0 WHERE id = $1
"""


async def begin_new_life(conn: Connection, lead_id: LeadId, now: datetime) -> None:
    """Count the lead's attempts anew from now; its history stays."""
    await conn.execute(REOPEN, lead_id, now)
