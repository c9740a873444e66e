"""One round of an import: records of different numbers, decided one by one and written in one statement per table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from leadline.contracts.imports import ImportedRecord, ImportResult
from leadline.domain.ids import LeadId
from leadline.domain.lead import LeadStatus
from leadline.runtime.ids import new_uuid7
from leadline.store import attempts, imports, suppressions
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.happenings import LeadCompleted
from leadline.store.imports import Blanks, ImportedRow, PastOfLead
from leadline.store.leads import NewLead
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from leadline.store.records import Audit
from services.queue_service.importing import merging
from services.queue_service.importing.checking import Record, words
from services.queue_service.importing.past import learn, number_calls, record_calls, unrecorded
from services.queue_service.importing.placing import Importing, place, says_stop, settle_number
from services.queue_service.policy import Policy

Checked = tuple[int, Record]
"""A record that can be taken, and its place in the request."""


@dataclass(slots=True)
class _Round:
    """What one round writes beside its `Changes`."""

    importing: Importing
    known_calls: set[str]
    """Calls that the ledger has for any number, those of this round included."""
    inserted: list[tuple[LeadRow, Record]] = field(default_factory=list)
    blanks: list[Blanks] = field(default_factory=list)
    pasts: list[PastOfLead] = field(default_factory=list)
    learned: set[LeadId] = field(default_factory=set)

    async def write(self, conn: Connection) -> None:
        """Write it all: new leads whole and with their own times, so that no later statement dates them anew."""
        changes, source = self.importing.changes, self.importing.source
        new = {lead.id for lead, _ in self.inserted}
        changes.leads = [change for change in changes.leads if change.lead_id not in new]
        changes.happened = [h for h in changes.happened if not (isinstance(h, LeadCompleted) and h.lead_id in new)]
        await imports.insert_imported(conn, [_row(lead, record, changes) for lead, record in self.inserted])
        filled = await imports.fill_blanks(conn, self.blanks, changes.now)
        await imports.set_past(conn, self.pasts, changes.now)
        changes.audit += [Audit("lead_merged", source, lead_id=lead_id) for lead_id in sorted(filled - self.learned)]
        self.learned |= filled
        await changes.flush(conn)


async def take_round(
    conn: Connection, policy: Policy, source: str, records: Sequence[Checked], actor: str
) -> dict[int, ImportedRecord]:
    """Decide and write one round inside the caller's transaction, which holds the locks of its numbers."""
    numbers = await load_numbers(conn, [record.phone_number for _, record in records])
    changes = Changes(now=(await get_clock(conn)).now, actor=actor)
    call_ids = [call.id for _, record in records for call in record.calls]
    known = set(await attempts.find_by_calls(conn, call_ids)) if call_ids else set()
    removals = await suppressions.find_removals(conn, [r.phone_number for _, r in records if says_stop(r)])
    taking = _Round(Importing(policy, changes, source), known)
    leads: dict[int, LeadRow] = {}
    for place_in_request, record in records:
        removed_at = removals.get(record.phone_number)
        # Whoever took the number off the list knew what older records say.
        stop_stands = removed_at is None or (record.said_at is not None and record.said_at > removed_at)
        leads[place_in_request] = _take(taking, numbers[record.phone_number], record, may_suppress=stop_stands)
        known.update(call.id for call in record.calls)
    await taking.write(conn)
    new = {lead.id for lead, _ in taking.inserted}
    return {place_in_request: _answer(lead, new, taking.learned) for place_in_request, lead in leads.items()}


def _take(taking: _Round, number: NumberState, record: Record, *, may_suppress: bool) -> LeadRow:
    lead = number.lead_in(record.campaign)
    if lead is None:
        return _insert(taking, number, record, may_suppress=may_suppress)
    learned, past = merging.merge(taking.importing, number, lead, record, taking.known_calls, may_suppress=may_suppress)
    taking.blanks.append(_blanks(lead.id, record))
    if learned:
        taking.learned.add(lead.id)
    if past is not None:
        taking.pasts.append(past)
    return lead


def _insert(taking: _Round, number: NumberState, record: Record, *, may_suppress: bool) -> LeadRow:
    importing = taking.importing
    settle_number(importing, number, record, may_suppress=may_suppress)
    known = _blanks(LeadId(new_uuid7()), record)
    lead = LeadRow.of_new(
        NewLead(
            known.id,
            record.campaign,
            record.phone_number,
            LeadStatus.PENDING,
            sender_lead_id=known.sender_lead_id,
            list_id=known.list_id,
            first_name=known.first_name,
            last_name=known.last_name,
            state=known.state,
        )
    )
    number.leads[lead.id] = lead
    record_calls(importing.changes, number, lead, record, taking.known_calls)
    learn(lead, record, unrecorded(record, number, lead, importing.rules(lead).hours.zone))
    number_calls(importing.changes, number, lead)
    place(importing, number, lead, record)
    taking.inserted.append((lead, record))
    return lead


def _blanks(lead_id: LeadId, record: Record) -> Blanks:
    said = record.said
    state = words(said.state)
    return Blanks(
        id=lead_id,
        sender_lead_id=words(said.lead_id),
        list_id=words(said.list_id),
        first_name=words(said.first_name),
        last_name=words(said.last_name),
        state=state.upper() if state else None,
        postal_code=record.postal_code,
        sender_fields=record.sender_fields,
        attributes=record.attributes,
    )


def _row(lead: LeadRow, record: Record, changes: Changes) -> ImportedRow:
    known, said = _blanks(lead.id, record), record.said
    return ImportedRow(
        id=lead.id,
        campaign=lead.campaign,
        phone_number=record.phone_number,
        status=lead.status,
        status_reason=lead.status_reason,
        sender_lead_id=known.sender_lead_id,
        list_id=known.list_id,
        first_name=known.first_name,
        last_name=known.last_name,
        state=known.state,
        postal_code=known.postal_code,
        sender_fields=known.sender_fields,
        attributes=known.attributes,
        scheduled_callback_at=lead.scheduled_callback_at,
        extra_attempts=lead.extra_attempts,
        attempts_before=lead.attempts_before,
        attempts_before_on=lead.attempts_before_on,
        attempts_before_that_day=lead.attempts_before_that_day,
        attempts_before_until=lead.attempts_before_until,
        outcomes_before=lead.outcomes_before,
        last_call_before=lead.last_call_before,
        times_approximate=said.times_approximate,
        created_at=min(said.created_at or changes.now, changes.now),
        updated_at=min(said.updated_at or changes.now, changes.now),
    )


def _answer(lead: LeadRow, new: set[LeadId], learned: set[LeadId]) -> ImportedRecord:
    result = ImportResult.TAKEN if lead.id in new else ImportResult.UNCHANGED
    if lead.id in learned:
        result = ImportResult.MERGED
    return ImportedRecord(result=result, lead_id=lead.id, status=lead.status, status_reason=lead.status_reason)
