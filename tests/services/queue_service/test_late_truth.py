"""The design's table of messages and states, cell by cell, through the store: late truth is never refused."""

from uuid import uuid4

import pytest

from leadline.contracts.leases import Lease, MarkAnswer, RejectionClass, ReportKind
from leadline.domain.attempt import COUNTED_STATES, AttemptState
from tests.services.queue_service.desk import Desk, result
from tests.services.queue_service.scenes import (
    bring_to,
    call_of,
    end_doubt,
    end_lease,
    end_quiet_time,
    lease_all,
    state_of,
)
from tests.support.phones import fresh_phones

L, S, U, P, E = (
    AttemptState.LEASED,
    AttemptState.SENDING,
    AttemptState.UNKNOWN,
    AttemptState.PLACED,
    AttemptState.ENDED,
)
R, J, N, A = AttemptState.RELEASED, AttemptState.REJECTED, AttemptState.NOT_PLACED, AttemptState.ABANDONED
STATES = (L, S, U, P, E, R, J, N, A)
CLOSED_WITHOUT_A_CALL = (R, J, N, A)
ALARM = True

TABLE: dict[str, dict[AttemptState, tuple[AttemptState, bool]]] = {
    # message: {state before: (state after, is an operator told)}
    "placed": {
        L: (P, ALARM),
        S: (P, False),
        U: (P, False),
        P: (P, False),
        E: (E, False),
        **dict.fromkeys(CLOSED_WITHOUT_A_CALL, (P, ALARM)),
    },
    "placed with another call": {P: (P, ALARM), E: (E, ALARM)},
    "not_sent": {L: (R, False), S: (R, False), U: (R, False), P: (P, ALARM)},
    "rejected": {L: (L, ALARM), S: (J, False), U: (J, False), P: (P, ALARM)},
    "returned": {L: (R, False), S: (R, False), U: (R, False), P: (P, ALARM)},
    "doubt": {L: (U, ALARM), S: (U, False), R: (R, ALARM), J: (J, ALARM), N: (N, ALARM)},
    "absent too early": {},
    "absent": {U: (N, False)},
    "inconclusive": {},
    "inconclusive for too long": {U: (A, ALARM)},
    "unreachable": {},
    "lost": {P: (E, ALARM)},
    "time": {L: (R, False), S: (U, False)},
    "result": {
        **dict.fromkeys((L, S, U, P, E), (E, False)),
        **dict.fromkeys(CLOSED_WITHOUT_A_CALL, (E, ALARM)),
    },
    "result of another call": {P: (P, ALARM), E: (E, ALARM)},
}
"""What is not listed keeps the state, and nobody is told. A second call can only be told from one that is known."""


def expected(message: str, state: AttemptState) -> tuple[AttemptState, bool]:
    return TABLE[message].get(state, (state, False))


async def say(desk: Desk, message: str, lease: Lease) -> None:
    attempt_id, call_id, phone = lease.attempt_id, call_of(lease), lease.phone_number
    match message:
        case "placed":
            await desk.report(attempt_id, ReportKind.PLACED, call_id=call_id)
        case "placed with another call":
            await desk.report(attempt_id, ReportKind.PLACED, call_id=f"{call_id}-b")
        case "rejected":
            await desk.report(attempt_id, ReportKind.REJECTED, rejection=RejectionClass.CAPACITY)
        case "result":
            await desk.event(result(attempt_id, call_id, to=phone, status="busy", answered_by=None))
        case "result of another call":
            await desk.event(result(attempt_id, f"{call_id}-b", to=phone))
        case "time":
            await end_lease(desk, lease)
            await desk.service.expire()
        case _:
            await report_of_the_sweep(desk, message, lease)


async def report_of_the_sweep(desk: Desk, message: str, lease: Lease) -> None:
    kind, _, when = message.partition(" ")
    if kind == "absent" and not when:
        await end_quiet_time(desk, lease)
    if when == "for too long":
        await end_doubt(desk, lease)
    await desk.report(lease.attempt_id, ReportKind(kind))


@pytest.mark.parametrize("state", STATES)
async def test_every_message_to_an_attempt_that_is(desk: Desk, state: AttemptState) -> None:
    """One lead for each message; each is checked by itself."""
    phones = dict(zip(TABLE, fresh_phones(len(TABLE)), strict=True))
    for phone in phones.values():
        await desk.post_lead(phone)
    leases = await lease_all(desk, len(phones))
    wrong: dict[str, object] = {}
    for message, phone in phones.items():
        lease = leases[phone]
        known_call = message not in {"placed with another call", "result of another call"}
        if not known_call and state not in {P, E}:
            continue
        await bring_to(desk, lease, state)
        before = len(await desk.alarms())
        await say(desk, message, lease)
        after = await state_of(desk, lease.attempt_id)
        alarmed = len(await desk.alarms()) > before
        if (after, alarmed) != expected(message, state):
            wrong[message] = (after, alarmed, "expected", expected(message, state))
    assert wrong == {}
    await holds_together(desk)


async def holds_together(desk: Desk) -> None:
    """Whatever was said, every number is held by at most one call, what was placed counts, and no promise is broken."""
    rows = await desk.fetch("SELECT state, counted FROM attempts")
    assert all(row["counted"] is (AttemptState(row["state"]) in COUNTED_STATES) for row in rows)
    broken = (await desk.service.check_promises(100)).violations
    # A second call under one attempt is a broken promise and is reported as one.
    assert {violation.promise for violation in broken} <= {2}


@pytest.mark.parametrize("state", STATES)
async def test_go_is_only_given_to_a_lease(desk: Desk, state: AttemptState) -> None:
    await desk.post_lead()
    lease = await desk.lease_one()
    await bring_to(desk, lease, state)
    (answer,) = await desk.mark(lease.attempt_id)
    if state is L:
        assert (answer.answer, await state_of(desk, lease.attempt_id)) == (MarkAnswer.GO, S)
    else:
        assert (answer.answer, answer.reason) == (MarkAnswer.NO, f"attempt_{state}")
        assert await state_of(desk, lease.attempt_id) is state


async def test_a_message_repeated_changes_nothing_more(desk: Desk) -> None:
    await desk.post_lead()
    lease = await desk.lease_one()
    await bring_to(desk, lease, P)
    for _ in range(3):
        await say(desk, "placed", lease)
        await say(desk, "placed with another call", lease)
    assert await desk.alarms() == ["second_call_of_one_attempt"]
    for _ in range(3):
        await say(desk, "result", lease)
    rows = await desk.fetch("SELECT origin, state FROM attempts ORDER BY origin")
    assert [tuple(row) for row in rows] == [("leadline", "ended"), ("provider_retry", "ended")]


async def test_a_report_of_an_attempt_that_is_not_ours_is_answered_and_forgotten(desk: Desk) -> None:
    stranger = uuid4()
    answer = await desk.report(stranger, ReportKind.LOST)
    assert (answer.attempt_id, answer.state, answer.changed) == (stranger, None, False)
