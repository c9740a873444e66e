"""What one transaction is about to write, gathered while deciding and written in one statement per table.

Decisions fill a `Changes`; `flush` writes it in the lock order of the protocol (phone, lead, due row, attempt).
Every change of an attempt names the state it expects: the callers hold the phone's lock, so a difference is a bug or
a row touched by hand, and the whole group is refused (`StateConflict`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from leadline.domain.attempt import OPEN_STATES
from leadline.domain.ids import AttemptId, LeadId, PhoneNumber
from leadline.store import attempts, audit, crm_outbox, leads, open_attempts, stop_orders, suppressions
from leadline.store.connection import Connection
from leadline.store.decisions import Decided
from leadline.store.happenings import AlarmRaised, Happening, SuppressionAdded
from leadline.store.leads import NewLead, insert_leads
from leadline.store.records import (
    Alarm,
    AttemptChange,
    Audit,
    CrmIdentity,
    Deadline,
    DueChange,
    LeadChange,
    NewAttempt,
    NewCrmMessage,
    NewStopOrder,
    NewSuppression,
    PhoneChange,
)
from leadline.store.transactions import note


@dataclass(slots=True)
class Changes:
    """Everything one transaction writes. `now` is business time, `actor` whoever caused it."""

    now: datetime
    actor: str
    suppressions: list[NewSuppression] = field(default_factory=list)
    phones: list[PhoneChange] = field(default_factory=list)
    new_leads: list[NewLead] = field(default_factory=list)
    leads: list[LeadChange] = field(default_factory=list)
    due: list[DueChange] = field(default_factory=list)
    calling: list[LeadId] = field(default_factory=list)
    not_due: list[LeadId] = field(default_factory=list)
    still_calling: list[LeadId] = field(default_factory=list)
    """Planned anew while their call goes on: marked again after the due rows are written."""
    new_attempts: list[NewAttempt] = field(default_factory=list)
    attempts: list[AttemptChange] = field(default_factory=list)
    retaken: list[tuple[PhoneNumber, AttemptId]] = field(default_factory=list)
    """Closed attempts that are open again, with the number they take."""
    deadlines: list[Deadline] = field(default_factory=list)
    calls: list[tuple[str, AttemptId]] = field(default_factory=list)
    stop_orders: list[NewStopOrder] = field(default_factory=list)
    audit: list[Audit] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    crm: list[NewCrmMessage] = field(default_factory=list)
    """What the CRM is to be told of this; filled only where there is one."""
    crm_identities: list[CrmIdentity] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)
    """What is counted if the transaction commits, beside the suppressions and alarms above."""
    decided: list[Decided] = field(default_factory=list)
    """What is told to logs and traces if the transaction commits."""

    async def flush(self, conn: Connection) -> None:
        """Write everything, one statement per table. Raises StateConflict; the caller rolls back."""
        for s in self.suppressions:
            await suppressions.insert_suppression(conn, s.phone_number, s.reason, s.source, self.now)
        await _write_phones(conn, self.phones)
        await insert_leads(conn, self.new_leads, self.now)
        await _write_leads(conn, self.leads, self.now)
        await leads.fill_identities(conn, self.crm_identities)
        await _write_due(conn, self)
        await _write_attempts(conn, self)
        await _write_trail(conn, self)
        await crm_outbox.insert_messages(conn, self.crm, self.now)
        note(self.happened)
        note(self.decided)
        note(SuppressionAdded(s.source) for s in self.suppressions)
        note(AlarmRaised(alarm.kind) for alarm in self.alarms)


UPDATE_PHONES: Final = """
UPDATE phones p SET
    bad_number_reason = coalesce(p.bad_number_reason, c.bad_number_reason),
    sold_outcome = coalesce(p.sold_outcome, c.sold_outcome),
    rest_until = greatest(p.rest_until, c.rest_until),
    last_sent_by = greatest(p.last_sent_by, c.last_sent_by)
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
    AS c(phone_number, bad_number_reason, sold_outcome, rest_until, last_sent_by)
WHERE p.phone_number = c.phone_number
"""


async def _write_phones(conn: Connection, changes: list[PhoneChange]) -> None:
    if changes:
        phones = _one_per_number(changes)
        await conn.execute(
            UPDATE_PHONES,
            [p.phone_number for p in phones],
            [p.bad_number_reason for p in phones],
            [p.sold_outcome for p in phones],
            [p.rest_until for p in phones],
            [p.last_sent_by for p in phones],
        )


def _one_per_number(changes: list[PhoneChange]) -> list[PhoneChange]:
    """All news of a number in one: of two rows that meet the same phone an UPDATE would take one and drop the other."""
    merged: dict[PhoneNumber, PhoneChange] = {}
    for change in changes:
        known = merged.setdefault(change.phone_number, PhoneChange(change.phone_number))
        known.bad_number_reason = known.bad_number_reason or change.bad_number_reason
        known.sold_outcome = known.sold_outcome or change.sold_outcome
        known.rest_until = _later(known.rest_until, change.rest_until)
        known.last_sent_by = _later(known.last_sent_by, change.last_sent_by)
    return list(merged.values())


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


UPDATE_LEADS: Final = """
UPDATE leads l SET
    status = c.status,
    status_reason = c.status_reason,
    scheduled_callback_at = c.scheduled_callback_at,
    extra_attempts = greatest(l.extra_attempts, c.extra_attempts),
    updated_at = $6
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::smallint[])
    AS c(id, status, status_reason, scheduled_callback_at, extra_attempts)
WHERE l.id = c.id
"""


async def _write_leads(conn: Connection, changes: list[LeadChange], now: datetime) -> None:
    if changes:
        last = list({change.lead_id: change for change in changes}.values())  # the last word on each lead counts
        await conn.execute(
            UPDATE_LEADS,
            [c.lead_id for c in last],
            [c.status for c in last],
            [c.status_reason for c in last],
            [c.scheduled_callback_at for c in last],
            [c.extra_attempts for c in last],
            now,
        )


DELETE_DUE: Final = "DELETE FROM due_leads WHERE lead_id = ANY($1::uuid[])"
SET_CALLING: Final = "UPDATE due_leads SET calling = true WHERE lead_id = ANY($1::uuid[])"
UPSERT_DUE: Final = """
INSERT INTO due_leads (lead_id, campaign, phone_number, due_at, band, not_sent_in_row)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::smallint[], $6::smallint[])
ON CONFLICT (lead_id) DO UPDATE SET
    due_at = EXCLUDED.due_at, band = EXCLUDED.band, calling = false, not_sent_in_row = EXCLUDED.not_sent_in_row
"""


async def _write_due(conn: Connection, changes: Changes) -> None:
    if changes.not_due:
        await conn.execute(DELETE_DUE, sorted(changes.not_due))
    if changes.calling:
        await conn.execute(SET_CALLING, sorted(changes.calling))
    if changes.due:
        due = sorted({d.lead_id: d for d in changes.due}.values(), key=lambda d: d.lead_id)
        await conn.execute(
            UPSERT_DUE,
            [d.lead_id for d in due],
            [d.campaign for d in due],
            [d.phone_number for d in due],
            [d.due_at for d in due],
            [int(d.band) for d in due],
            [d.not_sent_in_row for d in due],
        )
    if changes.still_calling:
        await conn.execute(SET_CALLING, sorted(changes.still_calling))


async def _write_attempts(conn: Connection, changes: Changes) -> None:
    await attempts.insert_attempts(conn, changes.new_attempts)
    await attempts.change_attempts(conn, changes.attempts)
    closed = [c.id for c in changes.attempts if c.from_state in OPEN_STATES and c.to_state not in OPEN_STATES]
    await open_attempts.free_numbers(conn, closed)
    await open_attempts.retake_numbers(conn, changes.retaken)
    await open_attempts.set_deadlines(conn, changes.deadlines)


async def _write_trail(conn: Connection, changes: Changes) -> None:
    await attempts.record_calls(conn, changes.calls, changes.now)
    over = [c.id for c in changes.attempts if c.to_state not in OPEN_STATES]
    await stop_orders.confirm_over(conn, over, changes.now)
    await stop_orders.insert_stop_orders(conn, changes.stop_orders, changes.now)
    await audit.insert_audit(conn, changes.audit, actor=changes.actor, now=changes.now)
    await audit.insert_alarms(conn, changes.alarms, now=changes.now)
