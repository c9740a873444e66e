"""Whose call is this event about? Found before anything is locked, and true for ever once found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leadline.contracts.events import EventSource
from leadline.domain.ids import AttemptId, CampaignName, PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.store import attempts
from leadline.store.connection import Connection
from leadline.telephony.bland_result import EventKind, ParsedEvent
from services.queue_service.policy import Policy


@dataclass(frozen=True, slots=True)
class Incoming:
    """One stored event, parsed, with what it is about as far as that is known."""

    event_id: int
    source: EventSource
    event: ParsedEvent
    attempt_id: AttemptId | None = None
    phone_number: PhoneNumber | None = None
    campaign: CampaignName | None = None
    """For a call that is not ours: the campaign that dials from its caller number, or the default."""


async def correlate(
    conn: Connection, policy: Policy, events: Sequence[tuple[int, EventSource, ParsedEvent]]
) -> list[Incoming]:
    """Find each event's attempt (by our id in its metadata, then by its call id) or else its customer's number."""
    by_id = await attempts.find_phones(conn, [e.attempt_id for _, _, e in events if e.attempt_id])
    by_call = await attempts.find_by_calls(conn, [e.call_id for _, _, e in events if e.call_id])
    return [_correlate(policy, Incoming(*event), by_id, by_call) for event in events]


def _correlate(
    policy: Policy,
    incoming: Incoming,
    by_id: Mapping[AttemptId, PhoneNumber],
    by_call: Mapping[str, tuple[AttemptId, PhoneNumber]],
) -> Incoming:
    event = incoming.event
    if event.call_id is not None and event.call_id in by_call:
        attempt_id, phone_number = by_call[event.call_id]
        return replace(incoming, attempt_id=attempt_id, phone_number=phone_number)
    if event.attempt_id is not None and event.attempt_id in by_id:
        return replace(incoming, attempt_id=event.attempt_id, phone_number=by_id[event.attempt_id])
    if event.kind is not EventKind.RESULT:
        return incoming
    customer = normalise_any(event.from_number if event.inbound else event.to_number)
    caller = normalise_any(event.to_number if event.inbound else event.from_number)
    campaign = policy.callers.get(caller or "", policy.default_campaign)
    return replace(incoming, phone_number=customer, campaign=campaign)
