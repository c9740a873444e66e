"""What the CRM is told: written by the transaction that decides, and only where there is a CRM.

Nothing here changes a decision. The ADR on what the CRM is never told says why it does not hear its own words.
"""

from collections.abc import Iterable
from typing import Final

from leadline.contracts.crm import OutboxKind
from leadline.domain.attempt import AttemptOrigin
from leadline.domain.ids import LeadId, PhoneNumber
from leadline.domain.outcome import Outcome
from leadline.store.changes import Changes
from leadline.store.numbers import AttemptRow, NumberState
from leadline.store.records import NewCrmMessage
from services.queue_service.policy import Policy

CRM_SOURCE: Final = "crm"
"""Source of a suppression that the CRM told us of."""
_LONGEST_REASON: Final = 500


def tell_suppression(changes: Changes, policy: Policy, phone_number: PhoneNumber, reason: str, *, source: str) -> None:
    """A number said stop: the CRM is to know, unless it said so itself."""
    if policy.has_crm and source != CRM_SOURCE:
        said = reason[:_LONGEST_REASON]
        changes.crm.append(NewCrmMessage(OutboxKind.SUPPRESSION, phone_number, phone_number, reason=said))


def tell_attempt(
    changes: Changes,
    policy: Policy,
    number: NumberState,
    attempt: AttemptRow,
    outcome: Outcome,
    event_id: int | None = None,
) -> None:
    """A call came out; one that somebody else made is theirs to tell. `event_id`: whose body knows more of it."""
    if policy.has_crm and attempt.origin is not AttemptOrigin.ELSEWHERE:
        changes.crm.append(_result(number, attempt.lead_id, outcome, event_id, attempt))


def tell_inbound(
    changes: Changes,
    policy: Policy,
    number: NumberState,
    lead_ids: Iterable[LeadId],
    outcome: Outcome,
    event_id: int,
) -> None:
    """The person phoned us: news of each of these leads. A number that phoned us works, whatever the error says."""
    if policy.has_crm:
        heard = Outcome.UNKNOWN if outcome is Outcome.BAD_NUMBER else outcome
        changes.crm += [_result(number, lead_id, heard, event_id, None) for lead_id in lead_ids]


def _result(
    number: NumberState, lead_id: LeadId, outcome: Outcome, event_id: int | None, attempt: AttemptRow | None
) -> NewCrmMessage:
    return NewCrmMessage(
        OutboxKind.RESULT,
        str(lead_id),
        number.phone_number,
        lead_id=lead_id,
        attempt_id=None if attempt is None else attempt.id,
        event_id=event_id,
        outcome=outcome,
    )
