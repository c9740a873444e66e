"""Each fault is caused in a running system, and the alert for it fires in a real Prometheus.

The rules are the shipped ones, all their times a sixtieth as long. What takes an hour even so is put back.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from leadline.contracts.operators import Reason
from tests.observability.end_to_end.day import RULES
from tests.observability.hastened import hasten
from tests.observability.prometheus import Prometheus, Target, needs_prometheus, prometheus
from tests.support.acting import acting_dialer
from tests.support.phones import fresh_phones
from tests.support.processes import ServiceProcess
from tests.support.simulated import ANYBODY, crm_lead, step
from tests.support.stack import Stack
from tests.support.system import TUESDAY_NOON, System, system_open
from tests.support.waiting import until

pytestmark = [needs_prometheus, pytest.mark.slow, pytest.mark.timeout(600)]
FIRES_WITHIN_SECONDS: Final = 90.0
FASTER: Final = 60
SWEEP_PAUSE_SECONDS: Final = 4.0
QUIET_SECONDS: Final = 12
"""As twelve minutes are to the shipped rules."""


class Watched:
    """One system with a dialer and a crm-sync, and the Prometheus that watches it."""

    def __init__(self, system: System, seen: Prometheus, sweeping: "asyncio.Task[None]") -> None:
        self.system = system
        self.seen = seen
        self.sweeping = sweeping
        self.processes: dict[str, ServiceProcess] = {}

    def watch(self, processes: Mapping[str, ServiceProcess]) -> None:
        """Scrape these, by pod, from now on."""
        self.processes = dict(processes)
        self.seen.watch(
            Target(process.metrics_port, {"pod": name, "app_kubernetes_io_component": name.rpartition("-")[0]})
            for name, process in self.processes.items()
        )

    async def fires(self, *names: str) -> None:
        """Wait until these fire."""
        wanted = set(names)

        async def look() -> bool:
            return wanted <= await self.seen.firing()

        try:
            await until(look, f"{sorted(wanted)} fire", FIRES_WITHIN_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; firing: {sorted(await self.seen.firing())}") from None


@pytest.fixture
async def watched(database_url: str, tmp_path: Path) -> AsyncIterator[Watched]:
    settings = {
        "LEADLINE_BLAND_PLAN": "scale",
        "LEADLINE_SIMULATOR_PLAN": "enterprise",
        "LEADLINE_SCALE_READ_SECONDS": "0.5",
    }
    stack = Stack(database_url, tmp_path, settings, crm=True)
    (tmp_path / "rules").mkdir()
    rules = [hasten(path, by=FASTER, folder=tmp_path / "rules") for path in sorted(RULES.glob("*.yaml"))]
    async with AsyncExitStack() as opened:
        opened.push_async_callback(stack.stop)
        await stack.start()
        system = await opened.enter_async_context(system_open(stack))
        await system.set_clock(TUESDAY_NOON)
        await system.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
        dialer = await opened.enter_async_context(system.dialer())
        sync = await opened.enter_async_context(stack.make_crm_sync())
        await sync.wait_ready()
        sweeping = asyncio.create_task(_sweep_often(system))
        opened.callback(sweeping.cancel)
        seen = await opened.enter_async_context(prometheus(tmp_path, rules=rules))
        found = Watched(system, seen, sweeping)
        found.watch({"queue-0": stack.queues[0], "gateway-0": stack.gateway, "dialer-0": dialer, "crm-sync-0": sync})
        await seen.scraped()
        yield found


async def _sweep_often(system: System) -> None:
    """As the CronJob does every five minutes."""
    while True:
        sweep = system.stack.make_sweep()
        sweep.start()
        try:
            await sweep.wait()
        finally:
            await sweep.kill()
        await asyncio.sleep(SWEEP_PAUSE_SECONDS)


async def _add(system: System, count: int = 1) -> list[str]:
    """Leads that Convoso knows."""
    phones = fresh_phones(count)
    ids = [phone.removeprefix("+1") for phone in phones]
    await system.simulator.put_crm_leads(*map(crm_lead, ids, phones))
    await asyncio.gather(*map(lambda phone, lead_id: system.add_lead(phone, lead_id=lead_id), phones, ids))
    return phones


async def _until(system: System, phones: list[str], state: str) -> None:
    for phone in phones:
        await system.until_state(phone, state)


async def test_nobody_is_woken_without_a_fault_and_everybody_with_one(watched: Watched) -> None:
    await _until(watched.system, await _add(watched.system, 20), "ended")
    await until(lambda: _all_quiet(watched), "Prometheus has seen everybody")  # until then they are missed
    for _ in range(QUIET_SECONDS):
        assert await watched.seen.firing() == set()
        await asyncio.sleep(1)
    for fault in (
        calls_without_events,
        events_with_wrong_signatures,
        a_crm_that_refuses,
        leases_that_run_out,
        a_call_that_nobody_knows_of,
        a_provider_that_fails,
        another_database,
        a_promised_call_that_is_late,
        a_broken_promise,
        a_key_that_is_refused,
        another_schema,
        no_sweep,
        no_dialer,
        no_gateway,
    ):
        await fault(watched)


async def _all_quiet(watched: Watched) -> bool:
    return not await watched.seen.alerts()


async def calls_without_events(watched: Watched) -> None:
    system = watched.system
    await system.simulator.fault("webhook", "never")
    await _until(system, await _add(system, 30), "placed")
    await watched.fires("LeadlineNoEvents")
    await system.simulator.clear_faults()


async def events_with_wrong_signatures(watched: Watched) -> None:
    async def post() -> None:
        while True:
            assert await watched.system.post_event({"call_id": "x"}, secret="not ours") == 401
            await asyncio.sleep(0.2)

    posting = asyncio.create_task(post())
    try:
        await watched.fires("LeadlineSignatureFailures")
    finally:
        posting.cancel()


async def a_crm_that_refuses(watched: Watched) -> None:
    (phone,) = fresh_phones(1)
    await watched.system.add_lead(phone)  # of a lead that Convoso does not have
    await watched.fires("LeadlineCrmDeadLetters")


async def leases_that_run_out(watched: Watched) -> None:
    system = watched.system
    watched.processes["dialer-0"].pause()
    async with acting_dialer(system.stack) as forgetful:
        await _add(system, 8)

        async def lease() -> None:
            while True:
                await forgetful.lease(8, 1)
                await asyncio.sleep(0.2)

        leasing = asyncio.create_task(lease())
        try:
            await watched.fires("LeadlineLeasesExpiring")
        finally:
            leasing.cancel()
    watched.processes["dialer-0"].resume()


async def a_call_that_nobody_knows_of(watched: Watched) -> None:
    system = watched.system
    await system.simulator.fault("create", "accept_then_reset")
    await system.simulator.fault("webhook", "never")
    await system.simulator.fault("list", "refuse", status=500)
    (phone,) = await _add(system)
    await system.until_state(phone, "unknown")
    query = (
        "UPDATE attempts SET leased_at = leased_at - $2::interval, marked_at = marked_at - $2 WHERE phone_number = $1"
    )
    await system.db.execute(query, phone, timedelta(hours=1))
    await watched.fires("LeadlineUnknownAttemptsAgeing")
    await system.simulator.clear_faults()


async def a_provider_that_fails(watched: Watched) -> None:
    system = watched.system
    await system.simulator.fault("create", "refuse", status=503)
    await _add(system, 10)
    await watched.fires("LeadlineBreakerOpen")
    await system.simulator.clear_faults()
    await _until(system, await _add(system), "ended")


async def another_database(watched: Watched) -> None:
    """As after a failover; no sweep can reconcile while the provider's history cannot be read."""
    system = watched.system
    await system.simulator.fault("list", "refuse", status=500)
    await system.db.execute("UPDATE dispatch_gate SET timeline = timeline + 1")
    await watched.fires("LeadlineDispatchHeld")
    await system.simulator.clear_faults()
    await _until(system, await _add(system), "ended")


async def a_promised_call_that_is_late(watched: Watched) -> None:
    system = watched.system
    at = (TUESDAY_NOON + timedelta(hours=1)).isoformat()
    await system.simulator.clear_script()
    await system.simulator.script(ANYBODY, step("CALLBACK", callback_at=at))
    (phone,) = await _add(system)
    await system.until_state(phone, "ended")
    await system.simulator.script(ANYBODY, step("NO_ANSWER", times=1_000_000))
    dialer = watched.processes["dialer-0"]
    await dialer.kill()
    await system.jump(timedelta(hours=2))
    await watched.fires("LeadlineCallbacksOverdue")
    dialer.start()
    await dialer.wait_ready()


async def a_broken_promise(watched: Watched) -> None:
    system = watched.system
    await system.queue.pause_campaign("awhealth", Reason(reason="so that it is not dialled"))
    (phone,) = await _add(system)
    async with system.db.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")  # no rule of the database holds now
        await conn.execute("DELETE FROM due_leads WHERE phone_number = $1", phone)
    await watched.fires("LeadlinePromiseBroken")
    await system.queue.resume_campaign("awhealth", Reason(reason="seen"))


async def another_schema(watched: Watched) -> None:
    await watched.system.db.execute("UPDATE alembic_version SET version_num = '0099'")
    await watched.fires("LeadlineSchemaMismatch")


async def a_key_that_is_refused(watched: Watched) -> None:
    system = watched.system
    async with system.dialer(LEADLINE_BLAND_API_KEY="revoked") as wrong:
        watched.watch({**watched.processes, "dialer-1": wrong})
        watched.processes["dialer-0"].pause()
        await _add(system, 3)
        await watched.fires("LeadlineProviderRefusing")
        watched.processes["dialer-0"].resume()
    watched.watch({name: process for name, process in watched.processes.items() if name != "dialer-1"})
    await system.queue.resume_account(Reason(reason="the key is mended"))


async def no_sweep(watched: Watched) -> None:
    watched.sweeping.cancel()
    await watched.fires("LeadlineSweepNotSucceeding")


async def no_dialer(watched: Watched) -> None:
    system = watched.system
    await watched.processes["dialer-0"].kill()
    phones = await _add(system, 5)
    query = "UPDATE due_leads SET due_at = due_at - $2::interval WHERE phone_number = ANY($1)"
    await system.db.execute(query, phones, timedelta(minutes=20))
    await watched.fires("LeadlineDialerMissing", "LeadlineQueueStalled", "LeadlineQueueLate", "LeadlineTargetDown")


async def no_gateway(watched: Watched) -> None:
    await watched.system.stack.gateway.kill()

    async def look() -> bool:
        alerts = await watched.seen.alerts()
        down = [a for a in alerts if a.name == "LeadlineTargetDown" and a.state == "firing"]
        return any(a.labels.get("app_kubernetes_io_component") == "gateway" for a in down)

    await until(look, "the gateway is missed", FIRES_WITHIN_SECONDS)
