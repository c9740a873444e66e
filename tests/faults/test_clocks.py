"""Row 18: closing times, midnights and clock changes, with pods whose own clocks are ten minutes wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from leadline.contracts.leases import Lease, MarkAnswer
from leadline.contracts.operators import Reason
from leadline.domain.campaign import Campaign, LegalProfile
from leadline.domain.rules.hours import parse_calling_hours
from leadline.runtime.postgres import Pool
from tests.services.queue_service.desk import CAMPAIGN, NEW_YORK, Desk, desk_open, make_policy
from tests.support.phones import fresh_phones
from tests.support.skewed import SKEW_VARIABLE, STEP_VARIABLE
from tests.support.stack import Stack
from tests.support.system import System, running
from tests.support.waiting import until

SKEWED = "tests.support.skewed"
HOURS = "Mon-Thu 00:00-24:00, Fri 00:00-20:00"
RULES = {"calling_hours": HOURS, "legal_profile": "none", "max_daily_attempts": 1}
FLOOD = 250
"""More leads than can be called in the seconds before the boundary."""
BEFORE = timedelta(seconds=4)
AFTER = timedelta(seconds=2)
SETTINGS = {
    "LEADLINE_CALLING_HOURS": HOURS,
    "LEADLINE_LEGAL_PROFILE": "none",
    "REDIAL_MAX_DAILY_ATTEMPTS": "1",
    "REDIAL_PROGRESSIVE_INTERVALS": "0",
    "LEADLINE_CALLS_PER_SECOND": "30",
    SKEW_VARIABLE: "600",
}


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A queue-service whose clock is ten minutes fast; midnights of the week close nothing, Friday ends at 20:00."""
    folder = tmp_path_factory.mktemp("stack")
    with running(Stack(module_database_url, folder, SETTINGS, queue_module=SKEWED)) as made:
        yield made


async def _dial_across(system: System, boundary: datetime, phones: list[str]) -> None:
    """Let a flood of due leads meet a boundary, with two dialers whose clocks are slow, or step to and fro."""
    await system.queue.pause_account(Reason(reason="until shortly before the boundary"))
    await system.set_clock(boundary - timedelta(minutes=5))
    await system.add_leads(phones)
    slow = {SKEW_VARIABLE: "-600"}
    steps = {SKEW_VARIABLE: "-600", STEP_VARIABLE: "0.3"}
    async with (
        system.dialer(module=SKEWED, arguments=("services.dialer",), **slow) as one,
        system.dialer(module=SKEWED, arguments=("services.dialer",), **steps) as other,
    ):
        await system.set_clock(boundary - BEFORE)
        await system.queue.resume_account(Reason(reason="now"))
        await until(lambda: _is_past(system, boundary + AFTER), f"it is past {boundary}")
        assert [await one.terminate(), await other.terminate()] == [0, 0]


async def _is_past(system: System, instant: datetime) -> bool:
    past: bool = await system.db.fetchval("SELECT business_now() > $1", instant)
    return past


async def test_row_18_midnight(system: System) -> None:
    phones, midnight = fresh_phones(FLOOD), datetime(2026, 1, 7, tzinfo=NEW_YORK)
    await _dial_across(system, midnight, phones)
    async with system.dialer():
        await system.jump(timedelta(seconds=15))
        await until(lambda: _all_called_today(system, midnight, phones), "everybody is called on the second day")
    days = {_received_at(row).day for row in await system.simulator.rows()}
    assert days == {6, 7}, "there were calls on both sides of midnight"
    await system.simulator.assert_zeros({"default": RULES})
    assert not (await system.queue.check_promises()).violations


async def _all_called_today(system: System, midnight: datetime, phones: list[str]) -> bool:
    return {r["phone_number"] for r in await system.simulator.rows() if _received_at(r) >= midnight} >= set(phones)


async def test_row_18_closing_time(system: System) -> None:
    phones, closing = fresh_phones(FLOOD), datetime(2026, 1, 9, 20, 0, tzinfo=NEW_YORK)
    monday = datetime(2026, 1, 12, tzinfo=NEW_YORK)
    await _dial_across(system, closing, phones)
    received = [_received_at(row) for row in await system.simulator.rows() if row["phone_number"] in phones]
    assert 0 < len(received) < len(phones), "the flood met the closing time"
    assert max(received) < closing
    await until(lambda: _all_due_at(system, monday, phones), "whoever was not called is due on Monday")
    await system.simulator.assert_zeros({"default": RULES})
    assert not (await system.queue.check_promises()).violations


async def _all_due_at(system: System, instant: datetime, phones: list[str]) -> bool:
    query = "SELECT count(*) FROM due_leads WHERE phone_number = ANY($1) AND due_at <> $2"
    return await system.count(query, phones, instant) == 0


def _received_at(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["received_business_at"]).astimezone(NEW_YORK)


# ---------------------------------------------------------------- the send mark at the boundary, to the millisecond

OFFSETS = (-3.2, -2.2, -1.3, -0.45, 0.0, 1.0)
"""Business seconds. Half a second before the boundary the answer turns, and each may be some 0.4 s late on its way."""


async def _leases(desk: Desk, count: int, *, at: datetime) -> list[Lease]:
    await desk.set_now(at)
    for phone in fresh_phones(count):
        await desk.post_lead(phone)
    leases = (await desk.lease(count, 2)).leases
    assert len(leases) == count
    return leases


async def _marks_around(desk: Desk, boundary: datetime, leases: list[Lease]) -> list[bool]:
    """Ask `go?` at each offset; whether it was given. No send window may reach beyond the boundary it began before."""
    given: list[bool] = []
    for lease, offset in zip(leases, OFFSETS, strict=True):
        await desk.set_now(boundary + timedelta(seconds=offset))
        (mark,) = await desk.mark(lease.attempt_id)
        given.append(mark.answer is MarkAnswer.GO)
        if mark.answer is MarkAnswer.GO:
            (row,) = await desk.fetch("SELECT marked_at, send_within_ms FROM attempts WHERE id = $1", lease.attempt_id)
            ends = row["marked_at"] + timedelta(milliseconds=row["send_within_ms"])
            assert (row["marked_at"] < boundary) == (ends <= boundary), offset
    return given


async def _due_of(desk: Desk, lease: Lease) -> datetime:
    (row,) = await desk.fetch("SELECT due_at FROM due_leads WHERE lead_id = $1", lease.lead_id)
    due_at: datetime = row["due_at"]
    return due_at


async def test_row_18_marks_at_the_closing_time(pool: Pool) -> None:
    closing = datetime(2026, 1, 6, 20, 0, tzinfo=NEW_YORK)
    async with desk_open(pool, make_policy()) as desk:
        leases = await _leases(desk, len(OFFSETS), at=closing - timedelta(seconds=10))
        assert await _marks_around(desk, closing, leases) == [True, True, True, False, False, False]
        for lease in leases[3:]:
            assert await _due_of(desk, lease) == datetime(2026, 1, 7, 11, 0, tzinfo=NEW_YORK)


async def test_row_18_marks_at_midnight(pool: Pool) -> None:
    midnight, always = datetime(2026, 1, 7, tzinfo=NEW_YORK), _campaign("Mon-Sun 00:00-24:00")
    async with desk_open(pool, make_policy(campaigns={CAMPAIGN: always})) as desk:
        leases = await _leases(desk, len(OFFSETS), at=midnight - timedelta(seconds=10))
        assert await _marks_around(desk, midnight, leases) == [True, True, True, False, True, True]
        for lease in leases[3:4]:
            assert await _due_of(desk, lease) == midnight


def _campaign(hours: str) -> Campaign:
    parsed = parse_calling_hours(hours, "America/New_York", ())
    return Campaign(name=CAMPAIGN, hours=parsed, legal_profile=LegalProfile.NONE)


@pytest.mark.parametrize(
    ("hours", "closing", "next_opening"),
    [
        # The night that has no 02:30: 04:00 in New York is 08:00 in UTC, an hour sooner than the week before.
        ("Sun 00:30-04:00", datetime(2026, 3, 8, 8, 0, tzinfo=UTC), datetime(2026, 3, 15, 4, 30, tzinfo=UTC)),
        # The night that has 01:30 twice: 04:00 is 09:00 in UTC.
        ("Sun 00:30-04:00", datetime(2026, 11, 1, 9, 0, tzinfo=UTC), datetime(2026, 11, 8, 5, 30, tzinfo=UTC)),
        # The weekend between: Friday's closing counts by the old offset, Monday's opening by the new one.
        ("Mon-Fri 11:00-20:00", datetime(2026, 3, 7, 1, 0, tzinfo=UTC), datetime(2026, 3, 9, 15, 0, tzinfo=UTC)),
        ("Mon-Fri 11:00-20:00", datetime(2026, 10, 31, 0, 0, tzinfo=UTC), datetime(2026, 11, 2, 16, 0, tzinfo=UTC)),
    ],
)
async def test_row_18_clock_changes(pool: Pool, hours: str, closing: datetime, next_opening: datetime) -> None:
    async with desk_open(pool, make_policy(campaigns={CAMPAIGN: _campaign(hours)})) as desk:
        leases = await _leases(desk, len(OFFSETS), at=closing - timedelta(seconds=10))
        assert await _marks_around(desk, closing, leases) == [True, True, True, False, False, False]
        for lease in leases[3:]:
            assert await _due_of(desk, lease) == next_opening
