"""`python -m services.backfill` as a process: options, exit codes, the word on stderr, the summary on stdout."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from leadline.runtime.http.server import serving
from leadline.runtime.settings.crm_parts import BackfillOptionsPart
from services.backfill.arguments import command_again, make_parser
from services.simulator.app import create_app
from services.simulator.settings import SimulatedWorldPart
from tests.services.backfill.fake_history import START
from tests.services.backfill.fake_queue import TOKEN, FakeQueue
from tests.support.environment import clean_environ

KEY = "backfill-test-key"
FAST = ("--pace", "none", "--details-pace", "none", "--window", "6h")
DAY = ("--from", "2026-01-05", "--to", "2026-01-05", *FAST)


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str

    def line(self) -> str:
        """Its one line on stderr that is no log."""
        lines = [line for line in self.stderr.splitlines() if not line.startswith("{")]
        assert len(lines) == 1, lines
        return lines[0]


@dataclass
class Place:
    """A queue-service in memory and a simulated Bland."""

    queue: FakeQueue
    environ: dict[str, str]
    bland_url: str
    session: aiohttp.ClientSession

    async def ask(self, path: str, body: Any) -> None:
        async with self.session.post(f"{self.bland_url}/simulator/{path}", json=body) as response:
            assert response.status == 200, await response.text()

    async def make_history(self, calls: int) -> None:
        ends_at = "2026-01-06T04:00:00Z"
        order = {"calls": calls, "numbers": 20, "starts_at": START.isoformat(), "ends_at": ends_at}
        await self.ask("history", {**order, "shares": {"running": 0}})

    async def start(self, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "services.backfill", *arguments),
            env=clean_environ(self.environ | settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str, **settings: str) -> Done:
        return await ended(await self.start(*arguments, **settings))


async def ended(process: asyncio.subprocess.Process) -> Done:
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, stdout.decode(), stderr.decode())


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    queue = FakeQueue()
    async with (
        serving(create_app(SimulatedWorldPart()), host="127.0.0.1", port=0, drain_seconds=0.1) as bland_port,
        serving(queue.app(), host="127.0.0.1", port=0, drain_seconds=0.1) as queue_port,
        aiohttp.ClientSession() as session,
    ):
        bland_url = f"http://127.0.0.1:{bland_port}"
        environ = {
            "LEADLINE_QUEUE_URL": f"http://127.0.0.1:{queue_port}",
            "LEADLINE_QUEUE_TOKEN": TOKEN,
            "LEADLINE_BLAND_BASE_URL": bland_url,
            "LEADLINE_BLAND_API_KEY": KEY,
            "LEADLINE_BACKFILL_RETRY_SECONDS": "0,0",
            "LEADLINE_LOG_FORMAT": "json",
        }
        yield Place(queue, environ, bland_url, session)


async def test_a_day_is_read_and_summed_up_as_json(place: Place) -> None:
    await place.make_history(120)
    done = await place.run(*DAY, "--json")
    assert done.code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["range"] == {"starts_at": "2026-01-05T05:00:00+00:00", "ends_at": "2026-01-06T05:00:00+00:00"}
    assert summary["windows"] == {"done": 4, "failed": 0, "waiting": 0}
    assert summary["calls"]["recorded"] == summary["calls"]["listed"] == len(place.queue.bodies) == 120
    assert summary["missing"] == []


async def test_people_get_a_table(place: Place) -> None:
    await place.make_history(10)
    done = await place.run(*DAY)
    assert done.code == 0
    assert re.search(r"calls +listed +10\b", done.stdout)
    assert "missing" not in done.stdout


async def test_a_dry_run_says_that_nothing_was_changed(place: Place) -> None:
    await place.make_history(10)
    done = await place.run(*DAY, "--dry-run")
    assert done.code == 0
    assert "Nothing was changed" in done.stdout
    assert place.queue.bodies == {}


async def test_missing_windows_have_their_own_exit_code_and_the_command_to_read_them(place: Place) -> None:
    await place.ask("faults", {"on": "list", "kind": "refuse", "status": 500, "count": 3})
    done = await place.run(*DAY)
    assert done.code == 4
    assert "1 windows could not be read; nobody is decided" in done.stdout
    assert "Bland answered 500" in done.stdout
    assert f"leadline backfill {' '.join(DAY)}" in done.stdout
    again = await place.run(*DAY, "--json")
    assert again.code == 0
    assert json.loads(again.stdout)["windows"]["done"] == 4


async def test_another_copy_is_waited_for_or_left_alone(place: Place) -> None:
    place.queue.take_away()
    done = await place.run(*DAY, "--no-wait")
    assert done.code == 5
    assert done.line().startswith("backfill: another copy is at work: somebody-else holds it")
    waiting = await place.start(*DAY)
    while place.queue.asked["runs"] < 2:
        await asyncio.sleep(0.01)
    place.queue.held_until = 0.0
    assert (await ended(waiting)).code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_order_to_stop_is_obeyed_and_the_next_start_goes_on(place: Place, number: signal.Signals) -> None:
    await place.make_history(40)
    process = await place.start("--from", "2026-01-05", "--to", "2026-01-05", "--pace", "1/h", "--window", "1h")
    while not place.queue.asked["finish"]:
        await asyncio.sleep(0.01)
    process.send_signal(number)
    done = await ended(process)
    assert done.code == 130
    assert "told to stop" in done.line()
    await place.ask("faults", [])
    assert (await place.run(*DAY)).code == 0
    assert len(place.queue.bodies) == 40


async def test_a_killed_one_is_followed_by_one_that_goes_on(place: Place) -> None:
    await place.make_history(40)
    process = await place.start(*DAY, "--pace", "1/h", LEADLINE_BACKFILL_LEASE_SECONDS="1")
    while not place.queue.asked["finish"]:
        await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    assert (await place.run(*DAY)).code == 0
    assert len(place.queue.bodies) == 40


async def test_a_key_without_rights_is_one_line_and_the_run_stays(place: Place) -> None:
    await place.ask("faults", {"on": "list", "kind": "refuse", "status": 401})
    done = await place.run(*DAY)
    assert done.code == 1
    assert "LEADLINE_BLAND_API_KEY" in done.line()
    assert set(place.queue.windows.values()) == {""}


async def test_a_token_without_rights_is_one_line(place: Place) -> None:
    done = await place.run(*DAY, LEADLINE_QUEUE_TOKEN="wrong")
    assert done.code == 1
    assert "LEADLINE_QUEUE_TOKEN" in done.line()


async def test_a_range_of_the_future_is_wrong_usage(place: Place) -> None:
    done = await place.run("--from", "2027-01-05", "--to", "2027-01-06")
    assert done.code == 2
    assert "surely listed" in done.line()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "backfill: which days? Say --from DATE and --to DATE, or set LEADLINE_BACKFILL_FROM and LEADLINE_BACK"),
        (("--from", "2026-01-06"), "backfill: which days? Say --to DATE, or set LEADLINE_BACKFILL_TO; see"),
        (("--from", "2026-01-06", "--to", "2026-01-05"), "backfill: --to: 2026-01-05 does not come after"),
        ((*DAY, "--pace", "fast"), "backfill: --pace: 'fast' is no pace"),
        ((*DAY, "--window", "soon"), "backfill: --window: "),
        ((*DAY, "--page", "2"), "backfill: unrecognized arguments: --page 2"),
    ],
)
async def test_wrong_options_are_one_line_and_ask_nobody(place: Place, arguments: tuple[str, ...], words: str) -> None:
    done = await place.run(*arguments)
    assert done.code == 2
    assert done.line().startswith(words)
    assert done.stdout == ""
    assert not place.queue.asked


async def test_settings_say_what_no_option_says(place: Place) -> None:
    await place.make_history(40)
    days = {"LEADLINE_BACKFILL_FROM": "2026-01-05", "LEADLINE_BACKFILL_TO": "2026-01-05"}
    pace = {"LEADLINE_BACKFILL_PACE": "none", "LEADLINE_BACKFILL_DETAILS_PACE": "none"}
    done = await place.run("--json", LEADLINE_BACKFILL_WINDOW="12h", LEADLINE_BACKFILL_DRY_RUN="true", **days, **pace)
    assert done.code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["dry_run"], summary["windows"]["done"]) == (True, 2)
    done = await place.run("--json", "--window", "6h", "--no-dry-run", LEADLINE_BACKFILL_DRY_RUN="true", **days, **pace)
    summary = json.loads(done.stdout)
    assert (summary["dry_run"], summary["windows"]["done"]) == (False, 4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"TO": "2026-01-04"},
            "LEADLINE_BACKFILL_TO: 2026-01-04 does not come after LEADLINE_BACKFILL_FROM 2026",
        ),
        ({"FROM": "soon"}, "LEADLINE_BACKFILL_FROM: 'soon' is neither a date"),
        ({"PACE": "fast"}, "LEADLINE_BACKFILL_PACE: 'fast' is no pace"),
        ({"DETAILS_PACE": "fast"}, "LEADLINE_BACKFILL_DETAILS_PACE: 'fast' is no pace"),
        ({"WINDOW": "long"}, "LEADLINE_BACKFILL_WINDOW: 'long' is no length of time"),
        ({"DRY_RUN": "perhaps"}, "LEADLINE_BACKFILL_DRY_RUN='perhaps': "),
    ],
)
async def test_a_wrong_word_in_a_setting_names_the_setting(place: Place, settings: dict[str, str], words: str) -> None:
    given = {"FROM": "2026-01-05", "TO": "2026-01-05"} | settings
    done = await place.run(**{f"LEADLINE_BACKFILL_{name}": value for name, value in given.items()})
    assert done.code == 2
    assert done.line().startswith(f"backfill: {words}")


def test_the_same_command_may_be_typed_whatever_said_it() -> None:
    part = BackfillOptionsPart.model_validate(
        {"backfill_from": "2026-01-05", "backfill_dry_run": "true", "backfill_pace": "2/s", "backfill_window": "1d"}
    )
    words = ["--to", "2026-01-06", "--window", "30m"]
    again = command_again(words, make_parser().parse_args(words), part).split()
    assert again[:6] == ["leadline", "backfill", *words]
    assert set(again[6:]) == {"--from", "2026-01-05", "--dry-run", "--pace", "2/s"}


async def test_a_wrong_setting_is_one_line(place: Place) -> None:
    done = await place.run(*DAY, LEADLINE_BACKFILL_LEASE_SECONDS="soon")
    assert done.code == 2
    assert done.line().startswith("backfill: LEADLINE_BACKFILL_LEASE_SECONDS='soon': ")
