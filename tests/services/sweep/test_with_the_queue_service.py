"""Passes over the real queue-service and PostgreSQL, with a dialer played by hand: every doubt ends, whatever died."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from leadline.clients.queue import QueueClient
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.leases import (
    AttemptReport,
    LeaseRequest,
    MarkAnswer,
    RejectionClass,
    ReportKind,
    ReportRequest,
    SendMarkRequest,
)
from leadline.contracts.operators import Stats, SuppressionRequest
from leadline.runtime.ids import new_uuid7
from leadline.runtime.postgres import Connection
from leadline.runtime.settings import load
from leadline.runtime.settings.parts import SweepPart
from leadline.telephony.bland import BlandClient
from services.queue_service.app import queue_service_running
from services.queue_service.settings import QueueSettings
from services.sweep.one_pass import PassResult, Sweeper
from tests.services.sweep.support import KEY, Bland, Scene

NUMBERS = [f"+1561555010{n}" for n in range(8)]


@dataclass
class Floor:
    """A queue-service, a simulated Bland, and the clients of a dialer, a sweep and an operator."""

    bland: Bland
    url: str
    dialer: QueueClient
    operator: QueueClient

    async def mark(self, *numbers: str) -> dict[str, UUID]:
        """Lease and mark one lead for each number; the attempts by number."""
        for number in numbers:
            await self.submit(number)
        leases: dict[str, UUID] = {}
        while len(leases) < len(numbers):
            batch = await self.dialer.lease(LeaseRequest(dialer="hand", slots=len(numbers), wait_seconds=5))
            leases |= {lease.phone_number: lease.attempt_id for lease in batch.leases}
        waiting = list(leases.values())
        while waiting:
            request = SendMarkRequest(operation_id=new_uuid7(), dialer="hand", attempt_ids=waiting)
            answers = (await self.dialer.mark(request, deadline_seconds=5)).answers
            assert MarkAnswer.NO not in {answer.answer for answer in answers}, answers
            waiting = [answer.attempt_id for answer in answers if answer.answer is MarkAnswer.WAIT]
            await asyncio.sleep(0.05)
        return leases

    async def submit(self, number: str) -> None:
        """A lead comes in and is due."""
        lead = LeadSubmission(campaign="awhealth", phone_number=number, lead_id=number, list_id="1")
        await self.operator.submit_lead(lead)

    async def report(self, kind: ReportKind, attempt: UUID, call_id: str | None = None, **more: object) -> None:
        report = AttemptReport.model_validate({"attempt_id": attempt, "kind": kind, "call_id": call_id, **more})
        await self.dialer.report(ReportRequest(reporter="hand", reports=[report]))

    async def call(self, attempt: UUID, number: str) -> str:
        return await self.bland.call(attempt, number=number)

    async def sweep(self) -> PassResult:
        bland = BlandClient(base_url=self.bland.url, api_key=KEY, timeout_seconds=5)
        async with QueueClient(self.url, "sweep-token") as queue, bland:
            part = SweepPart()
            return await Sweeper(queue, bland, part, reporter="sweep", stop=asyncio.Event()).run()

    async def attempt(self, number: str) -> tuple[str, str | None]:
        """State and outcome of the number's first attempt."""
        (lead,) = (await self.operator.find_leads(number)).leads
        first = min((await self.operator.get_lead(lead.id)).attempts, key=lambda attempt: attempt.leased_at)
        return first.state, first.outcome

    async def figures(self, shown: Callable[[Stats], bool]) -> Stats:
        """The figures once they show something: the queue-service keeps an answer for a few seconds."""
        async with asyncio.timeout(30):
            while not shown(stats := await self.operator.stats()):
                await asyncio.sleep(0.1)
        return stats


@pytest.fixture
async def floor(scene: Scene, database_url: str) -> AsyncIterator[Floor]:
    settings = load(
        QueueSettings,
        {
            "LEADLINE_DATABASE_URL": database_url,
            "LEADLINE_QUEUE_PORT": "0",
            "LEADLINE_METRICS_PORT": "0",
            "LEADLINE_QUEUE_TOKENS": "dialer:dialer-token,sweep:sweep-token,operator:operator-token",
            "LEADLINE_CALLING_HOURS": "Mon-Sun 00:00-24:00",
            "LEADLINE_LEGAL_PROFILE": "none",
            "LEADLINE_BLAND_TASK": "Say hello.",
            "LEADLINE_CALLS_PER_SECOND": "1000",
            "LEADLINE_SEND_WITHIN_MS": "500",
            "LEADLINE_REPORT_WITHIN_SECONDS": "0.1",
            "LEADLINE_QUIET_SECONDS": "0",
        },
    )
    async with queue_service_running(settings) as port:
        url = f"http://127.0.0.1:{port}"
        async with QueueClient(url, "dialer-token") as dialer, QueueClient(url, "operator-token") as operator:
            yield Floor(scene.bland, url, dialer, operator)


@pytest.mark.parametrize("copies", [1, 5])
async def test_every_doubt_ends(floor: Floor, copies: int) -> None:
    doubtful_over, silent_over, doubtful_live, absent, placed_over, placed_live = NUMBERS[:6]
    attempts = await floor.mark(*NUMBERS[:6])
    await floor.call(attempts[doubtful_over], doubtful_over)
    await floor.call(attempts[silent_over], silent_over)
    ended = await floor.call(attempts[placed_over], placed_over)
    await floor.bland.end_all()
    await floor.call(attempts[doubtful_live], doubtful_live)
    live = await floor.call(attempts[placed_live], placed_live)
    for number in (doubtful_over, doubtful_live, absent):
        await floor.report(ReportKind.DOUBT, attempts[number])
    await floor.report(ReportKind.PLACED, attempts[placed_over], ended)
    await floor.report(ReportKind.PLACED, attempts[placed_live], live)
    await asyncio.sleep(1.0)  # the send window and the time to report, both in settings above
    results = await asyncio.gather(*(floor.sweep() for _ in range(copies)))
    assert [result.violations for result in results] == [[]] * copies
    assert {number: await floor.attempt(number) for number in attempts} == {
        doubtful_over: ("ended", "VOICEMAIL"),
        silent_over: ("ended", "VOICEMAIL"),
        doubtful_live: ("placed", None),
        absent: ("not_placed", None),
        placed_over: ("placed", None),
        placed_live: ("placed", None),
    }, "a call placed a moment ago is left alone"
    assert await floor.bland.posts() == 0


async def test_a_stop_order_is_carried_out_by_the_sweep(floor: Floor) -> None:
    number = NUMBERS[0]
    attempts = await floor.mark(number)
    call_id = await floor.call(attempts[number], number)
    await floor.report(ReportKind.PLACED, attempts[number], call_id)
    await floor.operator.put_suppression(number, SuppressionRequest(reason="said stop"))
    await floor.figures(lambda stats: stats.unconfirmed_stop_orders == 1)
    result = await floor.sweep()
    assert result.counters["stop_orders.stopped"] == 1
    assert await floor.bland.live() == set()
    await floor.figures(lambda stats: stats.unconfirmed_stop_orders == 0)


async def test_an_account_paused_by_bland_is_resumed_and_the_run_is_what_status_shows(floor: Floor) -> None:
    attempts = await floor.mark(NUMBERS[0])
    await floor.report(
        ReportKind.REJECTED, attempts[NUMBERS[0]], rejection=RejectionClass.ACCOUNT, http_status=402, message="empty"
    )
    await floor.figures(lambda stats: stats.gates.account_paused)
    result = await floor.sweep()
    stats = await floor.figures(lambda stats: not stats.gates.account_paused)
    assert stats.last_sweep_counters == result.counters
    assert stats.last_sweep_counters["account.resumed"] == 1


async def test_dispatch_held_after_a_failover_is_released_once_the_history_is_reconciled(
    floor: Floor, conn: Connection
) -> None:
    over, lost = NUMBERS[:2]
    attempts = await floor.mark(over)
    await floor.call(attempts[over], over)
    await floor.call(new_uuid7(), lost)
    await floor.bland.end_all()
    await conn.execute("UPDATE dispatch_gate SET timeline = timeline + 1")
    await floor.submit(NUMBERS[2])
    assert (await floor.dialer.lease(LeaseRequest(dialer="hand", slots=1, wait_seconds=1))).leases == []
    await floor.figures(lambda stats: stats.gates.dispatch_held)
    await floor.bland.fault("details", status=500, phone_number=lost)
    result = await floor.sweep()
    assert result.counters["dispatch.still_held"] == 1
    await floor.bland.heal()
    result = await floor.sweep()
    assert result.counters["dispatch.released"] == 1
    await floor.figures(lambda stats: not stats.gates.dispatch_held)
    assert await floor.attempt(over) == ("ended", "VOICEMAIL")
    (foreign,) = (await floor.operator.find_leads(lost)).leads
    assert (foreign.status, foreign.attempts) == ("held", 1)
