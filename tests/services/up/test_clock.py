"""Business time never runs backwards, stands still between two runs, and is the same for all who ask."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from leadline.runtime.postgres import Connection
from leadline.store.clock import get_clock
from services.cli.up.clock import (
    STANDSTILL,
    BusinessClock,
    ClockSetter,
    Found,
    Wanted,
    goes_back,
    plan_clock,
)
from services.cli.up.errors import UpRefused
from services.cli.up.folder import State
from services.cli.up.options import Options

MONDAY = datetime.fromisoformat("2026-01-05T10:55-05:00")


def wall() -> Found:
    return Found(datetime.now(UTC), 1.0, moved=False)


def stopped(at: datetime) -> Found:
    return Found(at, STANDSTILL, moved=True)


def test_with_no_options_a_fresh_folder_is_on_the_wall_clock() -> None:
    assert plan_clock(Options(), wall(), State()).wall


def test_a_speed_alone_begins_now() -> None:
    assert plan_clock(Options(speed=60), wall(), State()) == Wanted(None, 60)


def test_a_start_without_a_speed_runs_like_real_time() -> None:
    assert plan_clock(Options(start_at=MONDAY), wall(), State()) == Wanted(MONDAY, 1.0)


def test_a_second_start_goes_on_where_the_first_one_stopped() -> None:
    assert plan_clock(Options(), stopped(MONDAY), State(speed=120)) == Wanted(None, 120)
    assert plan_clock(Options(speed=5), stopped(MONDAY), State(speed=120)) == Wanted(None, 5)


def test_after_a_kill_the_clock_went_on() -> None:
    running = Found(MONDAY, 60, moved=True)
    assert plan_clock(Options(), running, State(speed=120)) == Wanted(None, 60)


def test_a_later_start_is_taken_and_an_earlier_one_refused() -> None:
    later = MONDAY + timedelta(days=4)
    assert plan_clock(Options(start_at=later), stopped(MONDAY), State()).start_at == later
    with pytest.raises(UpRefused, match=r"already shows 2026-01-09T.*later --start-at.*--data-dir"):
        plan_clock(Options(start_at=MONDAY), stopped(later), State())


def test_back_to_the_wall_clock_only_if_that_is_later() -> None:
    assert plan_clock(Options(back_to_wall_clock=True), stopped(MONDAY), State(speed=9)).wall
    with pytest.raises(UpRefused, match="already shows"):
        plan_clock(Options(back_to_wall_clock=True), stopped(datetime.now(UTC) + timedelta(days=1)), State())


def test_a_folder_on_the_wall_clock_may_be_moved_ahead_and_if_it_is_empty_back() -> None:
    assert goes_back(Wanted(MONDAY, 120), wall())
    assert not goes_back(Wanted(datetime.now(UTC) + timedelta(days=1), 1), wall())
    assert not goes_back(Wanted(None, 120), wall())


def test_business_time_is_reckoned_from_the_wall_clock() -> None:
    clock = BusinessClock(datetime.now(UTC) - timedelta(seconds=10), MONDAY, 60)
    assert timedelta(minutes=10) <= clock.now() - MONDAY < timedelta(minutes=60)
    assert 0 < clock.real_seconds_until(MONDAY + timedelta(hours=2)) < 120
    assert clock.real_seconds_until(MONDAY) < 0


class Told:
    """Stands where the simulator is told its clock."""

    def __init__(self) -> None:
        self.clocks: list[BusinessClock] = []

    async def __call__(self, clock: BusinessClock) -> None:
        self.clocks.append(clock)


async def test_database_and_simulator_get_the_same_clock(conn: Connection, database_url: str) -> None:
    told = Told()
    setter = ClockSetter(lambda: SecretStr(database_url), told)
    assert not (await setter.find()).moved
    await setter.repeat()
    assert told.clocks == []

    clock = await setter.set(Wanted(MONDAY, 600))
    assert told.clocks == [clock]
    assert (clock.business_at, clock.speed) == (MONDAY, 600)
    row = await conn.fetchrow("SELECT real_at, business_at, speed FROM clock")
    assert row is not None
    assert (row["real_at"], row["business_at"], row["speed"]) == (clock.real_at, clock.business_at, 600)


async def test_a_stopped_clock_stands_still_and_goes_on(conn: Connection, database_url: str) -> None:
    told = Told()
    setter = ClockSetter(lambda: SecretStr(database_url), told)
    await setter.set(Wanted(MONDAY, 1200))
    before = (await get_clock(conn)).now
    await setter.stand_still()
    stopped_at = (await get_clock(conn)).now
    assert stopped_at >= before
    assert told.clocks[-1].body()["speed"] == 0.0
    assert (await get_clock(conn)).now - stopped_at < timedelta(milliseconds=1)

    second = ClockSetter(lambda: SecretStr(database_url), told)
    found = await second.find()
    assert found.stands_still
    await second.set(plan_clock(Options(), found, State(speed=1200)))
    assert timedelta() <= (await get_clock(conn)).now - stopped_at < timedelta(hours=3)


async def test_standing_still_leaves_a_wall_clock_alone(conn: Connection, database_url: str) -> None:
    setter = ClockSetter(lambda: SecretStr(database_url), None)
    await setter.find()
    await setter.stand_still()
    assert await conn.fetchval("SELECT count(*) FROM clock") == 0


async def test_the_database_refuses_to_go_back_too(database_url: str) -> None:
    setter = ClockSetter(lambda: SecretStr(database_url), None)
    await setter.set(Wanted(datetime.now(UTC) + timedelta(days=3), 1))
    with pytest.raises(UpRefused, match="already shows"):
        await setter.set(Wanted(None, 1.0, wall=True))
