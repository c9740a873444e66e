"""`leadline up` as a whole: a business day with a clean scoreboard; Ctrl-C, kills and a second start lose nothing."""

import asyncio
import json
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.services.up.running import Up, ask, post_lead, that_run
from tests.support.environment import clean_environ

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOON = "2026-01-05T12:00-05:00"
NUMBER = "+12125550199"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's own user can reach, which pytest's are not."""
    parent = Path(tempfile.mkdtemp(prefix="leadline-up-"))
    parent.chmod(0o711)
    yield parent / "data"
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
async def up(folder: Path) -> AsyncIterator[Up]:
    up = Up(folder, "--start-at", NOON, "--speed", "60")
    yield up
    await up.kill()


async def business_time(connection: dict[str, str]) -> datetime:
    """What the queue-service shows; its figures are some seconds old, so those from before a move are waited away."""
    while True:
        shown = datetime.fromisoformat((await ask(connection, "/v1/stats"))["as_of"])
        if shown < datetime.fromisoformat("2026-10-01T00:00Z"):
            return shown
        await asyncio.sleep(0.1)


async def test_a_business_day_ends_with_a_clean_scoreboard(folder: Path) -> None:
    day = ("--start-at", "2026-01-05T10:58-05:00", "--speed", "1200", "--until", "2026-01-05T20:05-05:00")
    up = Up(folder, "--demo", "20", *day, "--json")
    await up.start()
    assert up.process.stdout is not None
    told = json.loads(await up.process.stdout.read())
    code = await up.wait()
    assert told["failures"] == [], up.output()
    assert code == 0
    assert told["passed"] is True
    assert told["numbers_called"] == 20
    assert told["calls"] > 20
    assert told["never_called"] == []
    assert told["ended_at"] == "2026-01-05T20:05:00-05:00"


async def test_what_was_begun_goes_on_after_ctrl_c(up: Up, folder: Path) -> None:
    await up.start()
    connection = await up.ready()
    assert stat.S_IMODE((folder / "connection.json").stat().st_mode) == 0o600
    assert await post_lead(connection, NUMBER) == "queued"
    (lead,) = (await ask(connection, f"/v1/leads?phone_number=%2B{NUMBER[1:]}"))["leads"]
    stopped_at = await business_time(connection)
    assert timedelta() <= stopped_at - datetime.fromisoformat(NOON) < timedelta(hours=8)
    assert "printed this once" in up.output()

    children = set(up.children())
    assert await up.interrupt() == 0
    assert not (folder / "connection.json").exists()
    assert that_run(children) == {}

    again = Up(folder)
    await again.start()
    try:
        connection = await again.ready()
        (same,) = (await ask(connection, f"/v1/leads?phone_number=%2B{NUMBER[1:]}"))["leads"]
        assert same["id"] == lead["id"]
        assert same["attempts"] >= lead["attempts"]
        now = await business_time(connection)
        assert stopped_at <= now < stopped_at + timedelta(hours=12)
        assert await post_lead(connection, NUMBER) in {"duplicate", "completed", "suppressed"}
        assert await again.interrupt() == 0
    finally:
        await again.kill()

    earlier = Up(folder, "--start-at", NOON)
    await earlier.start()
    assert await earlier.wait() == 2
    assert "never runs backwards" in earlier.output()


async def test_results_reach_convoso_and_a_second_terminal_reads_history(folder: Path) -> None:
    up = Up(folder, "--demo", "5", "--start-at", NOON, "--speed", "60")
    await up.start()
    try:
        connection = await up.ready()
        simulator = f"{connection['bland_base_url']}/simulator"
        async with aiohttp.ClientSession() as session:
            told = 0
            while not told:
                async with session.get(f"{simulator}/convoso/requests", params={"path": "leads/update"}) as answer:
                    told = (await answer.json())["total"]
                await asyncio.sleep(0.1)
            order = {"calls": 50, "numbers": 20, "starts_at": "2025-12-29T17:00Z", "ends_at": "2025-12-30T17:00Z"}
            async with session.post(f"{simulator}/history", json=order) as answer:
                assert answer.status == 200, await answer.text()
        days = ("--from", "2025-12-29", "--to", "2025-12-30", "--window", "1d", "--pace", "none")
        backfill = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli.main", "backfill", *days, "--details-pace", "none", "--json"),
            env=clean_environ({"LEADLINE_DATA_DIR": str(folder)}),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await backfill.communicate()
        assert backfill.returncode == 0
        assert json.loads(out)["calls"]["listed"] == 50
        assert await up.interrupt() == 0
    finally:
        await up.kill()


async def test_a_folder_has_one_owner(up: Up, folder: Path) -> None:
    await up.start()
    await up.ready()
    second = Up(folder)
    await second.start()
    assert await second.wait() == 2
    assert f"another `leadline up` (process {up.process.pid})" in second.output()
    assert (folder / "connection.json").exists()
    assert await up.interrupt() == 0


async def test_a_killed_dialer_comes_back_and_calls(up: Up) -> None:
    await up.start()
    connection = await up.ready()
    dialer = up.child("services.dialer")
    os.kill(dialer, signal.SIGKILL)
    await up.until(lambda: up.child("services.dialer") not in {0, dialer})
    await post_lead(connection, NUMBER)
    called = False
    while not called:
        (lead,) = (await ask(connection, f"/v1/leads?phone_number=%2B{NUMBER[1:]}"))["leads"]
        called = lead["attempts"] > 0
    assert "dialer was killed by SIGKILL" in up.output()
    assert await up.interrupt() == 0


async def test_a_killed_database_comes_back(up: Up) -> None:
    await up.start()
    connection = await up.ready()
    await post_lead(connection, NUMBER)
    postgres = up.child("bin/postgres -D")
    os.kill(postgres, signal.SIGKILL)
    await up.until(lambda: "PostgreSQL is back" in up.output())
    (lead,) = (await ask(connection, f"/v1/leads?phone_number=%2B{NUMBER[1:]}"))["leads"]
    assert lead["phone_number"] == NUMBER
    assert await up.interrupt() == 0


async def test_nothing_outlives_a_killed_up(up: Up, folder: Path) -> None:
    await up.start()
    connection = await up.ready()
    await post_lead(connection, NUMBER)
    children = set(up.children())
    assert len(children) >= 5
    await up.kill()
    for _ in range(600):
        if not that_run(children):
            break
        await asyncio.sleep(0.05)
    assert that_run(children) == {}

    again = Up(folder)
    await again.start()
    try:
        connection = await again.ready()
        assert len((await ask(connection, f"/v1/leads?phone_number=%2B{NUMBER[1:]}"))["leads"]) == 1
        assert await again.interrupt() == 0
    finally:
        await again.kill()


async def test_a_folder_with_leads_of_today_is_not_moved_into_the_past(folder: Path) -> None:
    today = Up(folder)
    await today.start()
    try:
        await post_lead(await today.ready(), NUMBER)
        assert await today.interrupt() == 0
    finally:
        await today.kill()
    past = Up(folder, "--start-at", NOON)
    await past.start()
    assert await past.wait() == 2
    assert "never runs backwards" in past.output()


@pytest.mark.parametrize("step", ["making a database", "starting the services"])
async def test_interrupted_while_it_starts_nothing_stays_behind(up: Up, step: str) -> None:
    await up.start()
    await up.until(lambda: step in up.output())
    children = set(up.children())
    assert await up.interrupt() == 0
    assert that_run(children) == {}
    assert "Traceback" not in up.output()


async def test_a_second_ctrl_c_ends_it_at_once(up: Up) -> None:
    await up.start()
    await up.ready()
    children = set(up.children())
    os.kill(up.child("services.dialer"), signal.SIGSTOP)  # it does not stop when it is asked to
    up.process.send_signal(signal.SIGINT)
    await up.until(lambda: "stopping" in up.output())
    assert await up.interrupt() == 130
    assert that_run(children) == {}


async def test_interrupted_before_the_end_there_is_no_scoreboard(folder: Path) -> None:
    up = Up(folder, "--start-at", NOON, "--until", "2026-01-05T13:00-05:00")
    await up.start()
    await up.ready()
    assert await up.interrupt() == 130
    assert "no scoreboard" in up.output()


REAL = {
    "LEADLINE_BLAND_API_KEY": "sk-not-a-real-key",
    "LEADLINE_BLAND_WEBHOOK_SECRETS": "secret",
    "LEADLINE_PUBLIC_URL": "https://calls.example.com",
}


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("--demo", "5"), REAL, "--demo: only with a simulated Bland"),
        (("--speed", "60"), REAL, "--speed: only with a simulated Bland"),
        (("--start-at", NOON), {"LEADLINE_BLAND_BASE_URL": "https://api.bland.ai"}, "--start-at: only with"),
        (("--start-at", "2026-01-05T12:00"), {}, "says no offset"),
        ((), {"LEADLINE_BLAND_API_KEY": "sk-not-a-real-key"}, "LEADLINE_PUBLIC_URL: is not set"),
        ((), {"LEADLINE_CALLING_HOUR": "x"}, "did you mean LEADLINE_CALLING_HOURS?"),
        ((), {"LEADLINE_CALLING_HOURS": "x"}, "LEADLINE_CALLING_HOURS"),
        ((), {"LEADLINE_HOST": "203.0.113.1"}, "LEADLINE_HOST=203.0.113.1: cannot listen there"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_line(
    folder: Path, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    up = Up(folder, *arguments, **settings)
    await up.start()
    assert await up.wait() == 2
    lines = [line for line in up.output().splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("leadline up: ")
    assert words in lines[0]
