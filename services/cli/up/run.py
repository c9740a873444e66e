"""One run from beginning to end: everything is started, leads are posted, it is watched, and everything stops."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp

from leadline.contracts.campaigns import DEFAULT_CAMPAIGN
from leadline.domain.campaign import Campaign
from services.cli.up import welcome
from services.cli.up.closing import score, wait_for_calls
from services.cli.up.errors import EXIT_INTERRUPTED, EXIT_OK, UpError, UpRefused
from services.cli.up.figures import Snapshot, StatsReader, has_moved, windows_in_words
from services.cli.up.folder import DataFolder
from services.cli.up.ledger import LedgerReader, rulebook
from services.cli.up.machine import Machine
from services.cli.up.options import Options
from services.cli.up.people import MOST_PEOPLE, Person, people
from services.cli.up.plan import Plan, Ports
from services.cli.up.posting import Poster, fill_crm
from services.cli.up.screen import Screen
from services.cli.up.settings import Configured

_STATS_SECONDS = 1.0
_BOARD_SECONDS = 0.25
_LINE_SECONDS = 10.0
_LEAST_LINE_SECONDS = 1.0
_QUIET_LINE_SECONDS = 60.0


class Run:
    """One `leadline up`. Used once, by one task."""

    def __init__(self, configured: Configured, options: Options, folder: DataFolder, screen: Screen) -> None:
        self._configured = configured
        self._options = options
        self._folder = folder
        self._screen = screen
        self._state = folder.read_state()
        self._refuse_another_kind()
        self._plan = Plan(configured, folder, Ports.choose(configured))
        self._campaigns: list[Campaign] = [config.rules for config in configured.campaigns.values()]
        self._zone = configured.campaigns[DEFAULT_CAMPAIGN].rules.hours.zone
        self._note = ""

    async def run(self, stop: asyncio.Event) -> int:
        """Run until `--until` or until `stop` is set; the exit code. Raises UpError. Cancelled, it stops at once."""
        life = asyncio.create_task(self._live(), name="up")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({life, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                return life.result()
            self._screen.say("stopping: what was begun is finished, the rest is given back ...")
        finally:
            stopping.cancel()
            life.cancel()
            await asyncio.wait({life})
        return self._interrupted(life)

    def _interrupted(self, life: "asyncio.Task[int]") -> int:
        if not life.cancelled() and (error := life.exception()) is not None:
            raise error
        self._screen.say(f"stopped; everything is kept in {self._folder.path}")
        if self._options.until is None:
            return EXIT_OK
        self._screen.say("interrupted before --until: no scoreboard")
        return EXIT_INTERRUPTED

    def _refuse_another_kind(self) -> None:
        """One folder never mixes simulated and real calls."""
        if self._state.simulated in {None, self._configured.simulated}:
            return
        had, now = ("simulated", "real") if self._state.simulated else ("real", "simulated")
        msg = f"{self._folder.path} holds {had} calls and Bland is {now} now; name another folder with --data-dir"
        raise UpRefused(msg)

    async def _live(self) -> int:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            plan, configured, folder = self._plan, self._configured, self._folder
            machine = Machine(configured, self._options, folder, self._screen, plan, self._state)
            await machine.start(stack)
            self._refuse_late_end(machine)
            welcome.greet(self._screen, configured, plan, folder, machine.clock)
            invited = self._invite(machine)
            posting = asyncio.create_task(self._post(session, invited), name="post-demo")
            stack.callback(posting.cancel)
            await self._watch(machine, posting)
            return await self._close(session, machine, invited)

    def _refuse_late_end(self, machine: Machine) -> None:
        until = self._options.until
        if until is not None and until <= machine.clock.now():
            shows = machine.clock.now().isoformat(timespec="seconds")
            msg = f"--until {until.isoformat()} is past: business time shows {shows}"
            raise UpRefused(msg)

    # sample leads

    def _invite(self, machine: Machine) -> list[Person]:
        """The sample people of this run, who have not been in this folder before."""
        wanted = self._options.demo
        if not wanted:
            return []
        state = self._folder.read_state()
        if state.demo_leads + wanted > MOST_PEOPLE:
            msg = (
                f"{self._folder.path} has had {state.demo_leads} of {MOST_PEOPLE} sample leads; use another --data-dir"
            )
            raise UpRefused(msg)
        self._folder.write_state(replace(state, demo_leads=state.demo_leads + wanted))
        for line in welcome.opening_hint(self._campaigns[:1], machine.clock, wanted):
            self._screen.say(line)
        return list(people(state.demo_leads, wanted))

    async def _post(self, session: aiohttp.ClientSession, invited: list[Person]) -> None:
        if not invited:
            return
        api_key = self._configured.api_key
        if api_key is None:
            msg = "--demo posts leads with a key, and LEADLINE_GATEWAY_API_KEYS holds only digests; give it a plain key"
            raise UpRefused(msg)

        def progress(answered: int) -> None:
            self._note = f"posting sample leads: {answered} of {len(invited)}"

        if self._configured.own_convoso:
            await fill_crm(session, self._plan.bland_url, invited)
        poster = Poster(session, self._plan.gateway_url, DEFAULT_CAMPAIGN, api_key)
        posted = await poster.post_all(invited, progress)
        self._note = ""
        self._screen.say(f"sample leads posted: {posted.words()}")

    # watching

    async def _watch(self, machine: Machine, posting: "asyncio.Task[None]") -> None:
        """Show the board until `--until`; without it, for ever. Raises what posting raised."""
        reader = StatsReader(machine.client)
        reading = asyncio.create_task(_read_now_and_then(reader), name="read-stats")
        try:
            with self._screen.showing():
                if self._screen.is_live:
                    await self._show_board(machine, reader, posting)
                else:
                    await self._print_lines(machine, reader, posting)
        finally:
            reading.cancel()

    async def _show_board(self, machine: Machine, reader: StatsReader, posting: "asyncio.Task[None]") -> None:
        while not self._is_over(machine, posting):
            self._screen.show(self._snapshot(machine, reader))
            await asyncio.sleep(min(_BOARD_SECONDS, self._seconds_left(machine)))
        self._screen.show(self._snapshot(machine, reader))

    async def _print_lines(self, machine: Machine, reader: StatsReader, posting: "asyncio.Task[None]") -> None:
        """A line at every business hour, and now and then at a slow clock; hardly any while nothing happens."""
        loop = asyncio.get_running_loop()
        last_at, last_hour, last_stats = loop.time(), machine.clock.now().hour, reader.stats
        while not self._is_over(machine, posting):
            await asyncio.sleep(min(_BOARD_SECONDS, self._seconds_left(machine)))
            hour, since = machine.clock.now().hour, loop.time() - last_at
            wait_seconds = _LEAST_LINE_SECONDS if hour != last_hour else _LINE_SECONDS
            if since >= (wait_seconds if has_moved(last_stats, reader.stats) else _QUIET_LINE_SECONDS):
                last_at, last_hour, last_stats = loop.time(), hour, reader.stats
                self._screen.show(self._snapshot(machine, reader))

    def _is_over(self, machine: Machine, posting: "asyncio.Task[None]") -> bool:
        if posting.done():
            posting.result()
        return self._seconds_left(machine) <= 0

    def _seconds_left(self, machine: Machine) -> float:
        """Real seconds until `--until`."""
        until = self._options.until
        return float("inf") if until is None else max(0.0, machine.clock.real_seconds_until(until))

    def _snapshot(self, machine: Machine, reader: StatsReader) -> Snapshot:
        is_open, windows = windows_in_words(self._campaigns, machine.clock)
        return Snapshot(
            now=machine.clock.now(),
            zone=self._zone,
            speed=machine.clock.speed,
            moved=machine.clock.moved,
            windows=windows,
            is_open=is_open,
            stats=reader.stats,
            is_stale=reader.is_stale,
            calls_per_minute=reader.calls_per_minute(),
            processes=machine.states,
            simulated=self._configured.simulated,
            note=self._note,
        )

    async def _close(self, session: aiohttp.ClientSession, machine: Machine, invited: list[Person]) -> int:
        """No new calls, the last ones end, the ledger is judged; the exit code."""
        until = self._options.until
        if until is None:
            msg = "a run without --until ends by itself only through a fault"
            raise UpError(msg)
        with self._screen.progress("the end: waiting for the last calls"):
            await machine.stop_dialling()
            await wait_for_calls(machine.client)
        everybody = people(0, self._folder.read_state().demo_leads)
        verdict = await score(
            LedgerReader(session, self._plan.bland_url),
            machine.client,
            rulebook(self._configured.campaigns, everybody, self._configured.settings.pace.bland_plan),
            invited,
            until,
            ledger_is_whole=machine.ledger_is_whole,
            screen=self._screen,
        )
        self._screen.say("stopping ...")
        return verdict.exit_code


async def _read_now_and_then(reader: StatsReader) -> None:
    while True:
        await reader.read()
        await asyncio.sleep(_STATS_SECONDS)
