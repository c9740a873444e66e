"""All processes of a run: started in order, each when the one before is ready, and stopped in the reverse order.

PostgreSQL, migrate, simulator, queue-service, gateway, dialer, crm-sync, sweep loop; then business time is set.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from pydantic import SecretStr

from leadline.clients.queue import QueueClient, QueueError
from services.cli.up.clock import (
    BusinessClock,
    ClockSetter,
    Found,
    Wanted,
    backwards,
    goes_back,
    plan_clock,
    simulator_teller,
)
from services.cli.up.errors import UpError, UpRefused
from services.cli.up.folder import DataFolder, State
from services.cli.up.options import Options
from services.cli.up.plan import Plan
from services.cli.up.postgres import KeptPostgres
from services.cli.up.processes import Program, Watchdog, log_tail, run_once
from services.cli.up.screen import Screen
from services.cli.up.settings import Configured
from services.cli.up.supervisor import Child, ChildState
from services.cli.up.sweeping import SweepLoop

_DRAIN_MARGIN_SECONDS = 5.0
_ASKING_SECONDS = 10.0


class Machine:
    """Everything that runs. Used by one task; `start` once."""

    def __init__(
        self, configured: Configured, options: Options, folder: DataFolder, screen: Screen, plan: Plan, state: State
    ) -> None:
        self._configured = configured
        self._options = options
        self._folder = folder
        self._screen = screen
        self._plan = plan
        self._state = state
        self._watchdog = Watchdog()
        self._postgres = KeptPostgres(folder, configured.database_url, self._watchdog, screen.say)
        self._children: dict[str, Child] = {}
        self._sweep: SweepLoop | None = None
        self._clock: ClockSetter | None = None
        self.client = QueueClient(plan.queue_url, configured.tokens["operator"], deadline_seconds=_ASKING_SECONDS)

    @property
    def clock(self) -> BusinessClock:
        """Business time as it runs now."""
        return self._clock.current if self._clock is not None else BusinessClock.wall()

    @property
    def states(self) -> Mapping[str, ChildState]:
        """How each process is."""
        found = {"postgres": self._postgres.state} if self._postgres.is_embedded else {}
        found |= {name: child.state for name, child in self._children.items()}
        return found | ({"sweep": self._sweep.state} if self._sweep is not None else {})

    @property
    def ledger_is_whole(self) -> bool:
        """Whether the simulated Bland ran without a break: its ledger dies with it."""
        return "simulator" not in self._children or self._children["simulator"].restarts == 0

    async def start(self, stack: AsyncExitStack) -> None:
        """Start everything; the stack stops it. Raises UpError for whatever does not start."""
        stack.push_async_callback(self.client.close)
        await self._watchdog.start()
        stack.push_async_callback(self._watchdog.stop)
        with self._screen.progress("starting PostgreSQL"):
            await self._postgres.start(stack)
        with self._screen.progress("bringing the schema up to date"):
            await self._migrate()
        clock = self._clock = ClockSetter(lambda: self._postgres.url, self._teller())
        found = await clock.find()
        wanted = plan_clock(self._options, found, self._state)
        with self._screen.progress("starting the services"):
            await self._start_services(stack, clock, wanted, found)
        await self._set_clock(stack, clock, wanted, found)
        self._start_sweep(stack)
        self._folder.write_connection(self._plan.connection())
        self._folder.write_targets(self._plan.targets())
        stack.callback(self._folder.clear_connection)

    async def stop_dialling(self) -> None:
        """No new calls: end the sweep loop and the dialer, which finishes what it has begun."""
        if self._sweep is not None:
            await self._sweep.stop()
        await self._children["dialer"].stop()

    async def _migrate(self) -> None:
        program = self._plan.migrate(self._postgres.url)
        code = await run_once(program, self._watchdog)
        if code != 0:
            msg = f"the schema could not be brought up to date: {log_tail(program.log)}"
            raise UpError(msg)

    async def _start_services(self, stack: AsyncExitStack, clock: ClockSetter, wanted: Wanted, found: Found) -> None:
        plan = self._plan
        if self._configured.own_simulator:
            await self._start_child(stack, plan.simulator(), plan.simulator_probe(), on_ready=clock.repeat)
        await self._start_child(stack, plan.queue(self._postgres.url), plan.queue_probe())
        self._postgres.keep(stack, self._move_queue)
        if goes_back(wanted, found) and await self._has_leads():
            raise UpRefused(backwards(found.now, str(wanted.start_at)))
        await self._start_child(stack, plan.gateway(), plan.gateway_probe())
        await self._start_child(stack, plan.dialer(), plan.dialer_probe())
        if self._configured.has_crm:
            await self._start_child(stack, plan.crm_sync(), plan.crm_sync_probe())

    async def _start_child(
        self,
        stack: AsyncExitStack,
        program: Program,
        probe: str,
        *,
        on_ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        grace_seconds = self._configured.settings.drain.drain_seconds + _DRAIN_MARGIN_SECONDS
        child = Child(
            program, self._watchdog, self._screen.say, probe=probe, grace_seconds=grace_seconds, on_ready=on_ready
        )
        self._children[program.name] = child
        stack.push_async_callback(child.stop)
        await child.start()

    async def _move_queue(self, database_url: SecretStr) -> None:
        await self._children["queue"].restart(self._plan.queue(database_url))

    async def _has_leads(self) -> bool:
        try:
            return any((await self.client.stats()).leads_by_status.values())
        except QueueError as error:
            msg = f"the queue-service does not tell of its leads: {error}"
            raise UpError(msg) from None

    def _teller(self) -> Callable[[BusinessClock], Awaitable[None]] | None:
        return simulator_teller(self._plan.bland_url) if self._configured.simulated else None

    async def _set_clock(self, stack: AsyncExitStack, clock: ClockSetter, wanted: Wanted, found: Found) -> None:
        if found.moved or not wanted.wall:
            await clock.set(wanted)
        # Pushed after the services, so done before they stop: what drains finds no new work.
        stack.push_async_callback(self._stand_still, clock)
        state = replace(self._folder.read_state(), simulated=self._configured.simulated, speed=wanted.speed)
        self._folder.write_state(state)

    async def _stand_still(self, clock: ClockSetter) -> None:
        try:
            await clock.stand_still()
        except UpError as error:
            self._screen.say(f"business time runs on while nothing does: {error}")

    def _start_sweep(self, stack: AsyncExitStack) -> None:
        self._sweep = SweepLoop(
            self._plan.sweep(),
            self._watchdog,
            self._screen.say,
            business_seconds=self._configured.settings.up.sweep_minutes * 60,
            speed=lambda: self.clock.speed,
        )
        stack.push_async_callback(self._sweep.stop)
        self._sweep.start()
