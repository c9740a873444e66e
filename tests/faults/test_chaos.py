"""Two dialers and two queue-services on one database, killed at random under load: every promise holds all the same."""

import os
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.clients.queue import QueueClient
from tests.support.chaos import Chaos
from tests.support.processes import ServiceProcess
from tests.support.stack import SEND_WITHIN_SECONDS, TOKENS, Stack
from tests.support.system import TUESDAY_NOON, System, system_open
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

CHAOS_SECONDS = float(os.environ.get("LEADLINE_CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("LEADLINE_CHAOS_SEED", "0")) or secrets.randbelow(2**31) + 1
SPEED = 60.0
"""A business minute in a second: leads are redialled many times."""
LONGEST_CALL = timedelta(minutes=25)
DECIDED_BEFORE = timedelta(seconds=SEND_WITHIN_SECONDS + 1)
"""A call may still go out so long after a stop, if it was decided before: then it is stopped."""
SETTLING_SECONDS = 180.0
SETTINGS = {
    "REDIAL_PROGRESSIVE_INTERVALS": "0,1,2,3",
    "LEADLINE_CALLS_PER_SECOND": "1",
    "LEADLINE_SIMULATOR_SEED": str(SEED),
}


@dataclass
class Site:
    """The running system and who may be killed."""

    system: System
    chaos: Chaos
    dialers: list[ServiceProcess]


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """Dialers, gateway and sweeps reach whichever queue-service lives, as through a Service of Kubernetes."""
    stack = Stack(database_url, tmp_path, SETTINGS, queues=2)
    async with TcpProxy(stack.queue_ports) as service:
        stack.queue_urls.append(service.url)
        stack.gateway = stack.make_gateway(service.url)
        dialers = [stack.make_dialer(queue_url=service.url) for _ in range(2)]
        try:
            await stack.start()
            async with (
                system_open(stack) as system,
                QueueClient(service.url, TOKENS["operator"], timeout_seconds=3) as operator,
            ):
                await system.set_clock(TUESDAY_NOON, SPEED)
                await system.simulator.rates(seed=SEED, bad_number_share=0.05)
                for dialer in dialers:
                    dialer.start()
                    await dialer.wait_ready()
                victims = [*dialers, *stack.queues, stack.gateway]
                yield Site(system, Chaos(system, operator, victims, SEED), dialers)
        finally:
            for dialer in dialers:
                await dialer.kill()
            await stack.stop()


@pytest.mark.slow
@pytest.mark.timeout(CHAOS_SECONDS + 2 * SETTLING_SECONDS)
async def test_processes_killed_at_random_under_load(site: Site) -> None:
    _say(f"LEADLINE_CHAOS_SEED={SEED} LEADLINE_CHAOS_SECONDS={CHAOS_SECONDS:g}")
    await site.chaos.run(CHAOS_SECONDS)
    for dialer in site.dialers:
        assert await dialer.terminate() == 0
    await site.system.jump(LONGEST_CALL, SPEED)
    await until(lambda: _is_quiet(site.system), "all is quiet after sweeps", SETTLING_SECONDS)
    rows = await site.system.simulator.rows()
    calls = [row for row in rows if row["call_id"]]
    _say(f"{len(site.chaos.accepted)} leads, {len(rows)} requests, {len(calls)} calls, {dict(site.chaos.blows)}")
    _say(f"{Counter(row['answer'] for row in rows)} {Counter(row['outcome'] for row in calls)}")
    stopped = {phone: (at + DECIDED_BEFORE).isoformat() for phone, at in site.chaos.stopped.items()}
    await site.system.simulator.assert_zeros({"stopped": stopped})
    assert not (await site.chaos.operator.check_promises()).violations
    assert await site.system.count("SELECT count(*) FROM alarms WHERE kind = 'promise_broken'") == 0
    await _assert_no_result_is_lost(site.system, calls)
    await _assert_leads_are_in_legal_states(site.system, site.chaos.accepted)
    assert len(calls) > len(site.chaos.accepted) / 2, "there was load"
    assert site.chaos.blows["killed"] > 0


def _say(line: str) -> None:
    """For whoever reads the output of a failure."""
    sys.stdout.write(f"{line}\n")


async def _is_quiet(system: System) -> bool:
    plan = await system.queue.sweep_plan(limit=1)
    late = (plan.expired_leases, plan.silent_sends, plan.unapplied_events, plan.stop_orders, plan.undetermined_calls)
    board = await system.simulator.scoreboard()
    if not any(late) and not board["live_calls"] and await system.count("SELECT count(*) FROM open_attempts") == 0:
        return True
    await system.sweep()
    return False


async def _assert_no_result_is_lost(system: System, calls: list[dict[str, Any]]) -> None:
    """Every call of the provider's is an attempt of ours that ended, with the provider's outcome, and no other is."""
    rows = await system.db.fetch("SELECT call_id, id, state, outcome FROM attempts WHERE call_id IS NOT NULL")
    ours = {row["call_id"]: (str(row["id"]), row["state"], row["outcome"]) for row in rows}
    theirs = {call["call_id"]: (call["attempt_id"], "ended", call["outcome"]) for call in calls}
    different = {call_id: (ours.get(call_id), theirs.get(call_id)) for call_id in {*ours, *theirs}}
    assert not {call_id: pair for call_id, pair in different.items() if pair[0] != pair[1]}
    counted = await system.db.fetch("SELECT id FROM attempts WHERE counted")
    assert {str(row["id"]) for row in counted} == {call["attempt_id"] for call in calls}


async def _assert_leads_are_in_legal_states(system: System, accepted: list[str]) -> None:
    rows = await system.db.fetch(
        "SELECT l.phone_number, l.status, l.status_reason, d.calling, d.due_at IS NOT NULL AS due"
        " FROM leads l LEFT JOIN due_leads d ON d.lead_id = l.id"
    )
    assert {row["phone_number"] for row in rows} >= set(accepted)
    for row in rows:
        planned = row["status"] in {"pending", "rescheduled"}
        assert (row["due"], bool(row["calling"])) == (planned, False), dict(row)
        assert planned or row["status_reason"], dict(row)
        assert row["status"] in {"pending", "rescheduled", "completed", "held"}, dict(row)
