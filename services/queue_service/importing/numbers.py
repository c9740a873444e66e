"""Numbers that must not be called: suppressed, bad, or those of leads that the sender has blocked."""

from collections.abc import Mapping, Sequence

from leadline.contracts.imports import NumberResult, NumbersKind, NumbersRequest
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.store import imports, phones
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.numbers import NumberState, load_numbers
from leadline.store.records import Audit
from services.queue_service.policy import Policy
from services.queue_service.service import QueueService
from services.queue_service.settle import bad_number, suppress_number

CAUSE = "number_imported"


async def import_numbers(service: QueueService, request: NumbersRequest, actor: str) -> list[NumberResult]:
    """Take the numbers of a request in one transaction; results in its order. Doing it twice changes nothing.

    Any valid number may be named, also one that is never called. Raises what the database raises.
    """

    async def work(conn: Connection) -> list[NumberResult]:
        meant = await _meant(conn, request)
        wanted = sorted({number for numbers in meant for number in numbers})
        await phones.ensure_phones(conn, wanted)
        await phones.lock_phones(conn, wanted)
        numbers = await load_numbers(conn, wanted)
        changes = Changes(now=(await get_clock(conn)).now, actor=actor)
        results = [_take(changes, service.policy, numbers, request, place, those) for place, those in enumerate(meant)]
        await changes.flush(conn)
        return results

    return await service.carry_out(work, dry_run=request.dry_run)


async def _meant(conn: Connection, request: NumbersRequest) -> list[list[PhoneNumber]]:
    """The numbers that each entry means; none if it is no number, or nobody's lead."""
    texts = [entry.phone_number.strip() for entry in request.numbers]
    if request.kind is NumbersKind.BLOCKED_LEADS:
        by_sender = await imports.find_by_senders(conn, texts)
        return [by_sender.get(text, []) for text in texts]
    read = [normalise_any(text) for text in texts]
    return [[number] if number is not None else [] for number in read]


def _take(
    changes: Changes,
    policy: Policy,
    numbers: Mapping[PhoneNumber, NumberState],
    request: NumbersRequest,
    place: int,
    meant: Sequence[PhoneNumber],
) -> NumberResult:
    if not meant:
        unmatched = request.kind is NumbersKind.BLOCKED_LEADS
        return NumberResult.UNMATCHED if unmatched else NumberResult.INVALID
    stop = _mark_bad if request.kind is NumbersKind.BAD_NUMBER else _suppress
    reason = request.numbers[place].reason
    added = [stop(changes, policy, numbers[number], reason, request.source) for number in meant]
    return NumberResult.ADDED if any(added) else NumberResult.KNOWN


def _suppress(changes: Changes, policy: Policy, number: NumberState, reason: str, source: str) -> bool:
    if number.suppression_reason is not None:
        return False
    suppress_number(changes, policy, number, reason, source=source)
    live = number.open_attempt
    if live is not None and live.state is AttemptState.LEASED:
        changes.audit.append(Audit("suppressed_while_leased", reason, attempt_id=live.id))
    return True


def _mark_bad(changes: Changes, _: Policy, number: NumberState, reason: str, source: str) -> bool:
    if number.bad_number_reason is not None:
        return False
    bad_number(changes, number, reason, cause=CAUSE)
    details = {"source": source}
    changes.audit.append(Audit(CAUSE, reason, phone_number=number.phone_number, details=details))
    return True
