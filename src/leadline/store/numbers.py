"""A phone number with everything about it: its leads, attempts, suppression. Read whole, under the number's lock.

Every decision of the queue-service is about one number at a time, so this is the one thing it reads to decide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from leadline.domain.attempt import COUNTED_STATES, OPEN_STATES, AttemptOrigin, AttemptState
from leadline.domain.facts import LeadFacts, NumberFacts
from leadline.domain.ids import AttemptId, CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import KNOWN_FROM_CALLS_ALONE, LeadStatus, PriorityBand
from leadline.domain.outcome import Outcome
from leadline.store.connection import Connection, Row
from leadline.store.leads import NewLead
from leadline.store.records import NewAttempt


@dataclass(slots=True)
class LeadRow:
    """One lead of the number, with its due row if it has one."""

    id: LeadId
    campaign: CampaignName
    status: LeadStatus
    status_reason: str | None
    state: str | None
    first_name: str | None
    last_name: str | None
    sender_lead_id: str | None
    list_id: str | None
    scheduled_callback_at: datetime | None
    extra_attempts: int
    attempts_before: int
    attempts_before_on: date | None
    attempts_before_that_day: int
    attempts_before_until: datetime | None
    """The last instant that `attempts_before` covers."""
    outcomes_before: list[str]
    """How the calls came out that `attempts_before` counts, as far as that is known."""
    last_call_before: datetime | None
    life_started_at: datetime
    created_at: datetime
    updated_at: datetime
    traceparent: str | None
    due_at: datetime | None
    band: PriorityBand | None
    """Given as long as `due_at` is."""
    calling: bool
    not_sent_in_row: int
    phoned_and_transferred: bool
    """Whether the person ever phoned us and was transferred to a human agent."""
    last_marked_at: datetime | None = None
    """The last send mark of any of its attempts."""

    @property
    def is_known_from_calls_alone(self) -> bool:
        """Whether the lead waits for somebody to claim it."""
        return self.status is LeadStatus.HELD and self.status_reason in KNOWN_FROM_CALLS_ALONE

    @classmethod
    def of_new(cls, new: NewLead) -> "LeadRow":
        """A lead that this transaction inserts, as later decisions of it see it: not due yet."""
        return cls(
            id=new.id,
            campaign=new.campaign,
            status=new.status,
            status_reason=new.status_reason,
            state=new.state,
            first_name=new.first_name,
            last_name=new.last_name,
            sender_lead_id=new.sender_lead_id,
            list_id=new.list_id,
            scheduled_callback_at=None,
            extra_attempts=0,
            attempts_before=0,
            attempts_before_on=None,
            attempts_before_that_day=0,
            attempts_before_until=None,
            outcomes_before=[],
            last_call_before=None,
            life_started_at=datetime.fromtimestamp(0, UTC),
            created_at=datetime.fromtimestamp(0, UTC),
            updated_at=datetime.fromtimestamp(0, UTC),
            traceparent=new.traceparent,
            due_at=None,
            band=None,
            calling=False,
            not_sent_in_row=0,
            phoned_and_transferred=False,
        )


@dataclass(slots=True)
class AttemptRow:
    """One attempt to the number, as far as decisions need it."""

    id: AttemptId
    lead_id: LeadId
    campaign: CampaignName
    phone_number: PhoneNumber
    origin: AttemptOrigin
    parent_id: AttemptId | None
    attempt_no: int
    state: AttemptState
    leased_at: datetime
    marked_at: datetime | None
    closed_at: datetime | None
    close_reason: str | None
    call_id: str | None
    outcome: Outcome | None
    callback_at: datetime | None
    """What the person was promised in it."""
    traceparent: str | None
    """The root of its trace."""
    talk_seconds: float | None
    price_dollars: float | None
    mark_operation_id: UUID | None
    send_after_ms: int
    send_within_ms: int
    overdue: bool = False
    """Open, and past its real-time deadline."""
    quiet: bool = False
    """Open, and its quiet time is over: absence at the provider is proof."""
    asked_seconds: float = 0.0
    """Real time during which the provider could be asked about it and proved nothing."""

    @property
    def dispatched_at(self) -> datetime:
        """Business time at which the attempt counts: its mark, before that its lease."""
        return self.marked_at or self.leased_at

    @classmethod
    def of_new(cls, new: NewAttempt) -> "AttemptRow":
        """An attempt that this transaction inserts, as later decisions of it see it."""
        return cls(
            id=new.id,
            lead_id=new.lead_id,
            campaign=new.campaign,
            phone_number=new.phone_number,
            origin=new.origin,
            parent_id=new.parent_id,
            attempt_no=new.attempt_no,
            state=new.state,
            leased_at=new.leased_at,
            marked_at=None,
            closed_at=new.closed_at,
            close_reason=new.close_reason,
            call_id=new.call_id,
            outcome=new.outcome,
            callback_at=new.callback_at,
            traceparent=new.traceparent,
            talk_seconds=new.talk_seconds,
            price_dollars=new.price_dollars,
            mark_operation_id=None,
            send_after_ms=0,
            send_within_ms=0,
        )


@dataclass(slots=True)
class NumberState:
    """One number as it stands."""

    phone_number: PhoneNumber
    suppression_reason: str | None = None
    bad_number_reason: str | None = None
    sold_outcome: Outcome | None = None
    rest_until: datetime | None = None
    last_sent_by: datetime | None = None
    leads: dict[LeadId, LeadRow] = field(default_factory=dict)
    attempts: dict[AttemptId, AttemptRow] = field(default_factory=dict)

    @property
    def open_attempt(self) -> AttemptRow | None:
        """The attempt that holds the number, if any; the database allows one."""
        return next((a for a in self.attempts.values() if a.state in OPEN_STATES), None)

    def lead_in(self, campaign: CampaignName) -> LeadRow | None:
        """The number's lead in a campaign."""
        return next((lead for lead in self.leads.values() if lead.campaign == campaign), None)

    def number_facts(self, judged: AttemptId | None = None) -> NumberFacts:
        """What the rules may know of the number; `judged` is the attempt that is not to count against itself."""
        counted = [a for a in self.attempts.values() if a.state in COUNTED_STATES and a.id != judged]
        return NumberFacts(
            phone_number=self.phone_number,
            suppression_reason=self.suppression_reason,
            bad_number_reason=self.bad_number_reason,
            sold_outcome=self.sold_outcome,
            rest_until=self.rest_until,
            last_sent_by=self.last_sent_by,
            dispatches=tuple(sorted(a.dispatched_at for a in counted)),
            live_attempt=any(a.state in OPEN_STATES for a in counted),
        )

    @property
    def was_transferred(self) -> bool:
        """Whether any call of the number was transferred to a human agent, who may have sold since."""
        return any(a.outcome is Outcome.TRANSFERRED for a in self.attempts.values()) or any(
            lead.phoned_and_transferred or Outcome.TRANSFERRED in lead.outcomes_before for lead in self.leads.values()
        )

    def attempts_of(self, lead: LeadRow, judged: AttemptId | None = None) -> int:
        """Counted attempts of the lead's present life, those made elsewhere before included."""
        return lead.attempts_before + sum(
            1
            for a in self.attempts.values()
            if a.lead_id == lead.id
            and a.id != judged
            and a.state in COUNTED_STATES
            and a.dispatched_at >= lead.life_started_at
        )

    def lead_facts(self, lead: LeadRow, judged: AttemptId | None = None) -> LeadFacts:
        """What the rules may know of one of the number's leads."""
        return LeadFacts(
            id=lead.id,
            campaign=lead.campaign,
            status=lead.status,
            status_reason=lead.status_reason,
            state=lead.state,
            attempts=self.attempts_of(lead, judged),
            attempts_before_on=lead.attempts_before_on,
            attempts_before_that_day=lead.attempts_before_that_day,
            last_call_before=lead.last_call_before,
            extra_attempts=lead.extra_attempts,
            scheduled_callback_at=lead.scheduled_callback_at,
            due_at=lead.due_at,
        )


LOAD_PHONES: Final = """
SELECT p.phone_number, p.bad_number_reason, p.sold_outcome, p.rest_until, p.last_sent_by,
       s.reason AS suppression_reason
FROM phones p LEFT JOIN suppressions s USING (phone_number)
WHERE p.phone_number = ANY($1::text[])
"""

LOAD_LEADS: Final = """
SELECT l.phone_number, l.id, l.campaign, l.status, l.status_reason, l.state, l.first_name, l.last_name,
       l.sender_lead_id, l.list_id, l.scheduled_callback_at, l.extra_attempts, l.attempts_before,
       l.attempts_before_on, l.attempts_before_that_day, l.attempts_before_until, l.outcomes_before,
       l.last_call_before, l.life_started_at, l.created_at, l.updated_at, l.traceparent, d.due_at, d.band,
       coalesce(d.calling, false) AS calling, coalesce(d.not_sent_in_row, 0) AS not_sent_in_row,
       EXISTS (SELECT FROM events e WHERE e.lead_id = l.id AND e.kind = 'inbound' AND e.outcome = 'TRANSFERRED')
           AS phoned_and_transferred
FROM leads l LEFT JOIN due_leads d ON d.lead_id = l.id
WHERE l.phone_number = ANY($1::text[])
"""

LOAD_ATTEMPTS: Final = """
SELECT a.id, a.lead_id, a.campaign, a.phone_number, a.origin, a.parent_id, a.attempt_no, a.state, a.leased_at,
       a.marked_at, a.closed_at, a.close_reason, a.call_id, a.outcome, a.callback_at, a.talk_seconds, a.price_dollars,
       a.traceparent, a.mark_operation_id,
       coalesce(a.send_after_ms, 0) AS send_after_ms, coalesce(a.send_within_ms, 0) AS send_within_ms,
       coalesce(o.deadline_at <= clock_timestamp(), false) AS overdue,
       coalesce(o.quiet_until <= clock_timestamp(), false) AS quiet, coalesce(o.asked_seconds, 0) AS asked_seconds
FROM attempts a LEFT JOIN open_attempts o ON o.attempt_id = a.id
WHERE a.phone_number = ANY($1::text[])
"""


async def load_numbers(conn: Connection, phone_numbers: Sequence[PhoneNumber]) -> dict[PhoneNumber, NumberState]:
    """Read numbers whole. To decide on them, the caller holds their locks since an earlier statement."""
    wanted = list(phone_numbers)
    numbers = {PhoneNumber(row["phone_number"]): _number(row) for row in await conn.fetch(LOAD_PHONES, wanted)}
    # Sorted here: asked for an order that an index has, a planner with old statistics walks that index, whole.
    for row in sorted(await conn.fetch(LOAD_LEADS, wanted), key=lambda r: r["id"]):
        lead = _lead(row)
        numbers[row["phone_number"]].leads[lead.id] = lead
    for row in sorted(await conn.fetch(LOAD_ATTEMPTS, wanted), key=lambda r: (r["leased_at"], r["id"])):
        attempt = _attempt(row)
        number = numbers[attempt.phone_number]
        number.attempts[attempt.id] = attempt
        _note_mark(attempt, number.leads.get(attempt.lead_id))
    return numbers


def _note_mark(attempt: AttemptRow, lead: LeadRow | None) -> None:
    if attempt.marked_at is not None and lead is not None:
        lead.last_marked_at = max(attempt.marked_at, lead.last_marked_at or attempt.marked_at)


def by_attempt(numbers: Iterable[NumberState]) -> dict[AttemptId, NumberState]:
    """The number of each attempt."""
    return {attempt_id: number for number in numbers for attempt_id in number.attempts}


def _number(row: Row) -> NumberState:
    return NumberState(
        phone_number=PhoneNumber(row["phone_number"]),
        suppression_reason=row["suppression_reason"],
        bad_number_reason=row["bad_number_reason"],
        sold_outcome=Outcome(row["sold_outcome"]) if row["sold_outcome"] else None,
        rest_until=row["rest_until"],
        last_sent_by=row["last_sent_by"],
    )


def _lead(row: Row) -> LeadRow:
    values = dict(row)
    del values["phone_number"]
    values["status"] = LeadStatus(values["status"])
    values["band"] = None if values["band"] is None else PriorityBand(values["band"])
    return LeadRow(**values)


def _attempt(row: Row) -> AttemptRow:
    values = dict(row)
    values["origin"] = AttemptOrigin(values["origin"])
    values["state"] = AttemptState(values["state"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return AttemptRow(**values)
