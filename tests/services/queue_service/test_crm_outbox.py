"""The outbox: what the CRM is told, in order per lead, at least once, whatever becomes of senders and of the CRM."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from leadline.contracts.crm import OutboxKind, SendResult
from leadline.contracts.leases import RejectionClass, ReportKind
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import PhoneNumber
from leadline.runtime.postgres import Pool
from services.queue_service import operating
from tests.services.queue_service.crm_scenes import (
    TRANSFER,
    TWO_WITH_CRM,
    WITH_CRM,
    replay,
    sent,
    states,
    status,
    take,
    transfer,
    try_again_now,
)
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, make_policy, result
from tests.services.queue_service.scenes import SECOND, bring_to, call, due_lead, go, lease_all

OTHER = "+15615550124"
WAITING, SENT, DEAD, SUPERSEDED = "waiting", "sent", "dead", "superseded"


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with desk_open(pool, WITH_CRM) as opened:
        yield opened


async def three_calls(desk: Desk) -> None:
    """One lead is called three times and nobody answers."""
    await due_lead(desk)
    for n in range(3):
        await call(desk, f"call-{n}")
        await desk.set_now(TUESDAY_NOON + timedelta(minutes=20 * (n + 1)))


async def suppress(desk: Desk, source: str = "operator") -> None:
    number = PhoneNumber(PHONE)
    await desk.service.transaction(
        lambda conn: operating.suppress(conn, desk.service.policy, number, "asked by mail", source, "operator")
    )


# ---------------------------------------------------------------- what is written


async def test_without_a_crm_nothing_is_written(pool: Pool) -> None:
    async with desk_open(pool, make_policy()) as desk:
        await three_calls(desk)
        await suppress(desk)
        assert await states(desk) == []


async def test_each_ended_attempt_of_ours_is_told(desk: Desk) -> None:
    await three_calls(desk)
    assert await states(desk) == [("result", "NO_ANSWER", WAITING)] * 3


async def test_the_same_event_twice_is_told_once(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    for _ in range(3):
        await desk.event(result(lease.attempt_id))
    assert await states(desk) == [("result", "NO_ANSWER", WAITING)]


async def test_a_weightier_result_is_told_after_the_first(desk: Desk) -> None:
    await due_lead(desk)
    lease = await call(desk)
    await desk.event(result(lease.attempt_id, status="completed", answered_by="human", disposition_tag="DNC"))
    kinds = [(kind, outcome) for kind, outcome, _ in await states(desk)]
    assert kinds == [("result", "NO_ANSWER"), ("suppression", None), ("result", "DO_NOT_CALL")]


async def test_a_second_call_of_one_attempt_is_told(desk: Desk) -> None:
    await due_lead(desk)
    lease = await call(desk)
    await desk.event(result(lease.attempt_id, "call-2", status="busy", answered_by=None))
    assert [outcome for _, outcome, _ in await states(desk)] == ["NO_ANSWER", "BUSY"]


async def test_a_late_result_of_a_closed_attempt_is_told(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await bring_to(desk, lease, AttemptState.NOT_PLACED)
    assert await states(desk) == []
    await desk.event(result(lease.attempt_id))
    assert await states(desk) == [("result", "NO_ANSWER", WAITING)]


async def test_a_call_whose_result_is_lost_is_told(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    await desk.report(lease.attempt_id, ReportKind.LOST)
    assert await states(desk) == [("result", "UNKNOWN", WAITING)]


async def test_an_attempt_that_was_never_a_call_is_not_told(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.REJECTED, rejection=RejectionClass.CAPACITY)
    assert await states(desk) == []


async def test_a_call_made_elsewhere_is_not_told(desk: Desk) -> None:
    await due_lead(desk)
    await desk.event(result(None, "theirs"))
    assert await states(desk) == []


async def test_a_person_who_phoned_us_is_told_for_every_lead(pool: Pool) -> None:
    async with desk_open(pool, TWO_WITH_CRM) as desk:
        await desk.post_lead()
        await desk.post_lead(campaign=SECOND)
        inbound = {"inbound": True, "to": "+15615550900", "from": PHONE, "status": "completed", "answered_by": "human"}
        await desk.event({**result(None, "in-1"), **inbound, "summary": "asked for a price"})
        assert await states(desk) == [("result", "CONFUSED", WAITING)] * 2
        assert {message.fields["summary"] for message in await take(desk)} == {"asked for a price"}


async def test_an_inbound_call_of_a_stranger_is_told_to_nobody(desk: Desk) -> None:
    inbound = {"inbound": True, "to": "+15615550900", "from": PHONE, "status": "completed"}
    await desk.event({**result(None, "in-1"), **inbound})
    assert await states(desk) == []


@pytest.mark.parametrize("source", ["operator", "call", "provider", "import"])
async def test_a_new_suppression_is_told_once(desk: Desk, source: str) -> None:
    for _ in range(2):
        await suppress(desk, source)
    assert await states(desk) == [("suppression", None, WAITING)]
    (message,) = await take(desk)
    assert (message.kind, message.phone_number, message.reason) == (OutboxKind.SUPPRESSION, PHONE, "asked by mail")


async def test_a_suppression_that_the_crm_told_us_of_is_not_told_back(desk: Desk) -> None:
    await suppress(desk, "crm")
    await status(desk, "DNC", phone_number=OTHER)
    assert await states(desk) == []


async def test_a_provider_that_refuses_a_number_suppresses_it_in_the_crm_too(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.lease_one()
    await go(desk, lease)
    await desk.report(lease.attempt_id, ReportKind.REJECTED, rejection=RejectionClass.DNC)
    assert await states(desk) == [("suppression", None, WAITING)]


async def test_a_crm_that_is_not_told_delays_no_redial(desk: Desk) -> None:
    lead_id = await due_lead(desk)
    await call(desk)
    (message,) = await take(desk)
    await sent(desk, message, as_=SendResult.REFUSED, problem="no")
    await desk.set_now(TUESDAY_NOON + timedelta(minutes=5))
    assert (await desk.lease_one()).lead_id == lead_id


# ---------------------------------------------------------------- what a sender gets


async def test_a_result_comes_with_what_the_event_knows_of_the_call(desk: Desk) -> None:
    await due_lead(desk)
    await transfer(desk)
    (message,) = await take(desk)
    assert (message.kind, message.outcome, message.tries) == (OutboxKind.RESULT, "TRANSFERRED", 1)
    assert (message.crm_lead_id, message.crm_list_id) == ("410233", "1029")
    assert message.fields == {"answered_by": "human", "talk_seconds": "61"}
    assert not message.keeps_status


async def test_a_lead_without_an_id_of_the_crm_says_so(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    await desk.pool.execute("UPDATE leads SET sender_lead_id = NULL, list_id = ''")
    (message,) = await take(desk)
    assert (message.crm_lead_id, message.crm_list_id) == (None, None)


async def test_a_voicemail_does_not_overwrite_a_sale_of_an_agent(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    await status(desk, "SALE")
    (message,) = await take(desk)
    assert (message.outcome, message.keeps_status) == ("NO_ANSWER", True)


async def test_a_sale_of_ours_is_told_with_its_status(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk, status="completed", answered_by="human", disposition_tag="SALE")
    (message,) = await take(desk)
    assert (message.outcome, message.keeps_status) == ("SALE", False)


async def test_of_each_lead_only_the_first_that_waits_is_taken(desk: Desk) -> None:
    await three_calls(desk)
    (first,) = await take(desk)
    assert await take(desk) == []
    await sent(desk, first)
    (second,) = await take(desk)
    assert second.id > first.id
    await sent(desk, second)
    (third,) = await take(desk)
    await sent(desk, third)
    assert [state for _, _, state in await states(desk)] == [SENT] * 3
    assert await take(desk) == []


async def test_a_first_message_in_its_back_off_holds_up_its_own_lead_alone(desk: Desk) -> None:
    await three_calls(desk)
    await due_lead(desk, OTHER)
    leases = await lease_all(desk, 2)
    await bring_to(desk, leases[OTHER], AttemptState.ENDED)
    messages = {message.phone_number: message for message in await take(desk)}
    assert set(messages) == {PHONE, OTHER}
    step = await sent(desk, messages[PHONE], as_=SendResult.LATER, problem="503")
    assert step.counters == {"sent": 0, "dead": 0, "later": 1}
    await sent(desk, messages[OTHER])
    assert await take(desk) == []
    await try_again_now(desk)
    (again,) = await take(desk)
    assert (again.id, again.tries) == (messages[PHONE].id, 2)


@pytest.mark.parametrize(("tries", "least", "most"), [(1, 1.9, 3.1), (4, 15, 21), (30, 290, 376)])
async def test_the_back_off_doubles_up_to_five_minutes(desk: Desk, tries: int, least: float, most: float) -> None:
    await due_lead(desk)
    await call(desk)
    await desk.pool.execute("UPDATE crm_outbox SET tries = $1", tries - 1)
    (message,) = await take(desk)
    await sent(desk, message, as_=SendResult.LATER)
    assert least - 1 <= await seconds_until_the_next_try(desk) <= most


async def test_the_crm_may_ask_for_more_patience(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    (message,) = await take(desk)
    await sent(desk, message, as_=SendResult.LATER, retry_after_seconds=900)
    assert 800 < await seconds_until_the_next_try(desk) <= 900


async def seconds_until_the_next_try(desk: Desk) -> float:
    (row,) = await desk.fetch("SELECT extract(epoch FROM next_try_at - clock_timestamp()) AS s FROM crm_outbox")
    return float(row["s"])


async def test_two_senders_at_once_never_get_the_same_message(desk: Desk) -> None:
    numbers = [f"+1561555{n:04d}" for n in range(200, 240)]
    await asyncio.gather(*(due_lead(desk, number) for number in numbers))
    for lease in (await lease_all(desk, len(numbers))).values():
        await bring_to(desk, lease, AttemptState.ENDED)
    groups = await asyncio.gather(*(take(desk, limit=7) for _ in range(12)))
    taken = [message.id for group in groups for message in group]
    assert len(taken) == len(set(taken))
    rest = [message.id for _ in range(6) for message in await take(desk, limit=7)]
    assert sorted(taken + rest) == sorted({*taken, *rest})
    assert len(taken + rest) == len(numbers)


async def test_a_killed_senders_message_comes_back(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    (first,) = await take(desk, seconds=30)
    assert await take(desk) == []
    await try_again_now(desk)
    (again,) = await take(desk)
    assert (again.id, again.tries) == (first.id, 2)


async def test_a_report_twice_changes_nothing(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    (message,) = await take(desk)
    assert (await sent(desk, message)).counters["sent"] == 1
    assert (await sent(desk, message)).counters["sent"] == 0
    assert (await sent(desk, message, as_=SendResult.LATER)).counters["later"] == 0
    assert (await sent(desk, message, as_=SendResult.REFUSED)).counters["dead"] == 0
    assert [state for _, _, state in await states(desk)] == [SENT]


# ---------------------------------------------------------------- dead letters


async def test_a_dead_letter_keeps_nobody_waiting(desk: Desk) -> None:
    await three_calls(desk)
    (first,) = await take(desk)
    await sent(desk, first, as_=SendResult.REFUSED, problem="6001 No such Lead")
    (second,) = await take(desk)
    assert second.id > first.id
    (row,) = await desk.fetch("SELECT last_error FROM crm_outbox WHERE state = 'dead'")
    assert row["last_error"] == "6001 No such Lead"


async def test_a_dead_letter_is_sent_again_when_an_operator_says_so(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    (message,) = await take(desk)
    await sent(desk, message, as_=SendResult.REFUSED)
    assert (await replay(desk)).model_dump() == {"waiting": 1, "superseded": 0}
    (again,) = await take(desk)
    assert (again.id, again.tries) == (message.id, 1)
    assert (await desk.fetch("SELECT count(*) AS n FROM audit_log WHERE verb = 'crm_outbox_replayed'"))[0]["n"] == 1


async def test_a_dead_letter_that_later_news_overtook_is_superseded(desk: Desk) -> None:
    await three_calls(desk)
    (first,) = await take(desk)
    await sent(desk, first, as_=SendResult.REFUSED)
    (second,) = await take(desk)
    await sent(desk, second)
    assert (await replay(desk, first.id)).model_dump() == {"waiting": 0, "superseded": 1}
    assert [state for _, _, state in await states(desk)] == [SUPERSEDED, SENT, WAITING]


async def test_a_replay_while_later_news_is_with_a_sender_waits_for_it(desk: Desk) -> None:
    await three_calls(desk)
    (first,) = await take(desk)
    await sent(desk, first, as_=SendResult.REFUSED)
    (second,) = await take(desk)
    assert (await replay(desk)).waiting == 1
    assert await take(desk) == [], "the older must not arrive after the newer"
    await sent(desk, second)
    assert [state for _, _, state in await states(desk)] == [SUPERSEDED, SENT, WAITING]


async def test_a_replay_before_later_news_was_sent_keeps_the_order(desk: Desk) -> None:
    await three_calls(desk)
    (first,) = await take(desk)
    await sent(desk, first, as_=SendResult.REFUSED)
    assert (await replay(desk)).waiting == 1
    (again,) = await take(desk)
    assert again.id == first.id


async def test_only_the_dead_letters_that_are_named_are_replayed(desk: Desk) -> None:
    await three_calls(desk)
    for _ in range(2):
        (message,) = await take(desk)
        await sent(desk, message, as_=SendResult.REFUSED)
    assert (await replay(desk, message.id, 10**12)).waiting == 1
    assert [state for _, _, state in await states(desk)] == [DEAD, WAITING, WAITING]


async def test_a_suppression_is_never_overtaken(desk: Desk) -> None:
    await due_lead(desk)
    await suppress(desk)
    (message,) = await take(desk)
    await sent(desk, message, as_=SendResult.REFUSED)
    assert (await replay(desk)).model_dump() == {"waiting": 1, "superseded": 0}


# ---------------------------------------------------------------- figures and promises


async def test_the_figures_say_what_waits_and_what_is_dead(desk: Desk) -> None:
    await three_calls(desk)
    (message,) = await take(desk)
    await sent(desk, message, as_=SendResult.REFUSED)
    figures = await desk.service.stats()
    assert (figures.crm_waiting, figures.crm_dead) == (2, 1)


async def test_a_message_that_waits_for_more_than_a_day_breaks_the_eighth_promise(desk: Desk) -> None:
    await due_lead(desk)
    await call(desk)
    assert (await desk.service.check_promises(10)).violations == []
    await desk.pool.execute("UPDATE crm_outbox SET next_try_at = clock_timestamp() - interval '25 hours'")
    (broken,) = (await desk.service.check_promises(10)).violations
    assert broken.promise == 8


async def test_a_transfer_of_a_sold_lead_tells_its_notes_and_no_status(desk: Desk) -> None:
    await due_lead(desk)
    lease = await desk.place()
    await status(desk, "SALE")
    await desk.event(result(lease.attempt_id, **{**TRANSFER, "summary": "wants a plan"}))
    (message,) = await take(desk)
    assert (message.outcome, message.keeps_status, message.fields["summary"]) == ("TRANSFERRED", True, "wants a plan")
