"""Gauges of what waits: events, stop orders, the CRM's outbox; and the schema's revision."""

from datetime import timedelta

import pytest

from leadline.contracts.crm import SendResult
from leadline.domain.ids import PhoneNumber
from leadline.runtime.postgres import Pool
from leadline.store.schema import EXPECTED_REVISION
from services.queue_service import operating
from services.queue_service.measuring import waiting
from services.queue_service.measuring.waiting import (
    COUNTED,
    EXPECTED,
    OUTBOX,
    OUTBOX_OLDEST,
    REVISION,
    UNAPPLIED,
    UNCONFIRMED,
)
from tests.services.queue_service.crm_scenes import WITH_CRM, sent, take
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk, desk_open, result
from tests.services.queue_service.measuring.shown import fast, has_age, of, spread
from tests.services.queue_service.scenes import call, due_lead
from tests.support.phones import fresh_phones


async def test_nothing_waits(desk: Desk) -> None:
    values = await fast(desk)
    assert [of(values, gauge) for gauge in (UNAPPLIED, UNCONFIRMED, OUTBOX_OLDEST)] == [0, 0, 0]
    assert [of(values, OUTBOX, state) for state in ("waiting", "dead")] == [0, 0]


async def test_events_that_are_not_applied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, phone in enumerate(fresh_phones(3)):
        await desk.event(result(None, f"call-{number}", to=phone))
    await desk.pool.execute("UPDATE events SET disposition = 'unapplied' WHERE call_id <> 'call-0'")
    assert of(await fast(desk), UNAPPLIED) == 2
    assert COUNTED >= 10_000
    monkeypatch.setattr(waiting, "COUNTED", 1)
    assert of(await fast(desk), UNAPPLIED) == 1


async def test_calls_that_are_to_be_ended(desk: Desk) -> None:
    await due_lead(desk)
    await desk.place()
    await desk.service.transaction(
        lambda conn: operating.suppress(
            conn, desk.service.policy, PhoneNumber(PHONE), "asked by mail", "operator", "operator"
        )
    )
    assert of(await fast(desk), UNCONFIRMED) == 1
    await desk.pool.execute("UPDATE stop_orders SET confirmed_at = business_now()")
    assert of(await fast(desk), UNCONFIRMED) == 0


async def test_what_the_crm_does_not_know(pool: Pool) -> None:
    async with desk_open(pool, WITH_CRM) as desk:
        for number, phone in enumerate(fresh_phones(3)):
            await due_lead(desk, phone)
            await call(desk, f"call-{number}")
            await desk.set_now(TUESDAY_NOON + timedelta(minutes=20 * (number + 1)))
        told, refused, _ = await take(desk, 3)
        await sent(desk, told)
        await sent(desk, refused, as_=SendResult.REFUSED, problem="no such lead")
        values = await fast(desk)
        in_sql = await desk.fetch("SELECT state, count(*) AS n FROM crm_outbox WHERE state <> 'sent' GROUP BY state")
        assert spread(values, OUTBOX) == {row["state"]: row["n"] for row in in_sql} == {"waiting": 1, "dead": 1}
        (oldest,) = await desk.fetch("SELECT min(created_at) AS at FROM crm_outbox WHERE state = 'waiting'")
        for speed in (1, 60):
            await desk.set_now(TUESDAY_NOON + timedelta(minutes=100 + speed), speed=speed)
            await has_age(desk, oldest["at"], OUTBOX_OLDEST)


async def test_the_schema_beside_what_is_expected(desk: Desk) -> None:
    values = await fast(desk)
    assert of(values, REVISION) == of(values, EXPECTED) == int(EXPECTED_REVISION)


@pytest.mark.parametrize(("found", "shown"), [("0099", 99), ("head", None)])
async def test_another_schema(desk: Desk, found: str, shown: float | None) -> None:
    await desk.pool.execute("UPDATE alembic_version SET version_num = $1", found)
    try:
        values = await fast(desk)
    finally:
        await desk.pool.execute("UPDATE alembic_version SET version_num = $1", EXPECTED_REVISION)
    assert (of(values, REVISION), of(values, EXPECTED)) == (shown, int(EXPECTED_REVISION))
