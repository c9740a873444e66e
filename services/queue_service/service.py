"""The queue-service as one object: pools, groups and the claimer, behind one method for each route."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from leadline.contracts.events import EventSource, EventStored
from leadline.contracts.leads import LeadAccepted, LeadSubmission
from leadline.contracts.leases import (
    AttemptReport,
    LeaseBatch,
    LeaseRequest,
    ReportAnswer,
    ReportBatch,
    ReportKind,
    ReportRequest,
    SendMark,
    SendMarkBatch,
    SendMarkRequest,
    StopReport,
    StopReported,
)
from leadline.contracts.operators import Stats
from leadline.contracts.sweep import PromiseCheck
from leadline.domain.ids import AttemptId
from leadline.runtime.logging import get_logger
from leadline.runtime.postgres import is_unavailable, retry_transaction
from leadline.store import gate, operations, pace, stop_orders
from leadline.store.clock import get_clock
from leadline.store.connection import Connection, Pool, judge_now
from services.queue_service import expiring, inbox, intake, marking, reading, reporting, scaling, sweeping
from services.queue_service.claimer import Claimer
from services.queue_service.counting.committed import counted
from services.queue_service.counting.zeros import begin_at_zero
from services.queue_service.failover import hold_after_failover
from services.queue_service.group_commit import GroupCommit
from services.queue_service.inbox import Delivery
from services.queue_service.intake import Submission
from services.queue_service.marking import MarkItem
from services.queue_service.measuring import keeping as measuring
from services.queue_service.operating import NotFound
from services.queue_service.policy import Policy

log = get_logger(__name__)
Result = TypeVar("Result")

EXPIRE_LIMIT = 500
STATS_KEPT_SECONDS = 2.0
STATS_SHARE = 0.05
"""Most of the time that may go into counting: on large tables the figures are kept for longer."""
OPERATIONS_FORGOTTEN_EVERY_SECONDS = 3600.0


class _Rehearsed(Exception, Generic[Result]):
    """Ends a transaction that is not to be kept; carries what it came to."""

    def __init__(self, result: Result) -> None:
        super().__init__("rolled back: a dry run")
        self.result = result


class QueueService:
    """Everything the routes do. One per process; any number of processes share a database."""

    def __init__(self, pool: Pool, events_pool: Pool, counting_pool: Pool, policy: Policy) -> None:
        self.policy = policy
        self._pool = pool
        self._events_pool = events_pool
        self._counting_pool = counting_pool
        self.claimer = Claimer(pool, policy, self.give_back)
        self._marks: GroupCommit[MarkItem, SendMark] = GroupCommit(
            self._commit_marks, lambda item: item.attempt_id, is_hopeless=is_unavailable
        )
        self._reports: GroupCommit[AttemptReport, ReportAnswer] = GroupCommit(
            self._commit_reports, lambda report: report.attempt_id, is_hopeless=is_unavailable
        )
        self._leads: GroupCommit[Submission, LeadAccepted] = GroupCommit(
            self._commit_leads, lambda lead: lead.phone_number, is_hopeless=is_unavailable
        )
        self._events: GroupCommit[Delivery, EventStored] = GroupCommit(
            self._commit_events, lambda event: event.group_key, is_hopeless=is_unavailable
        )
        begin_at_zero(policy)
        self._stats: tuple[float, Stats] | None = None
        self._stats_lock = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the claimer, the housekeeping and the figures of scaling inside the block."""
        async with self._pool.acquire() as conn:
            await pace.ensure_pace(conn, self.policy.account)
        claiming = asyncio.create_task(self.claimer.run())
        upkeep = [
            asyncio.create_task(self._housekeeping()),
            asyncio.create_task(scaling.keep_figures(self._counting_pool, self.policy)),
            asyncio.create_task(measuring.keep_figures(self._counting_pool, self.policy)),
        ]
        try:
            yield
        finally:
            self.claimer.close()
            for task in upkeep:
                task.cancel()
            await asyncio.gather(claiming, *upkeep, *self._background, return_exceptions=True)
            for group in (self._marks, self._reports, self._leads, self._events):
                await group.close()

    # ------------------------------------------------------------ transactions

    async def transaction(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run `work` in one transaction of the main pool, again if PostgreSQL rolled it back for others' sake."""
        return await self._in_transaction(self._pool, work)

    async def rehearse(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run `work` in one transaction that is rolled back, deferred constraints judged: what it would come to."""

        async def undone(conn: Connection) -> Result:
            result = await work(conn)
            await judge_now(conn)
            raise _Rehearsed(result)

        try:
            return await self.transaction(undone)
        except _Rehearsed as rehearsed:
            result: Result = rehearsed.result
            return result

    async def carry_out(self, work: Callable[[Connection], Awaitable[Result]], *, dry_run: bool) -> Result:
        """Run `work` in one transaction and wake the claimer, or in a dry run rehearse it."""
        if dry_run:
            return await self.rehearse(work)
        result = await self.transaction(work)
        self.claimer.poke()
        return result

    async def _in_transaction(self, pool: Pool, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        async def once() -> Result:
            async with pool.acquire() as conn, counted(conn, self.policy):
                return await work(conn)

        return await retry_transaction(once)

    async def read(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run a question on the main pool."""
        async with self._pool.acquire() as conn:
            return await work(conn)

    async def snapshot(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run a question of several statements, all of which see the same moment."""
        async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            return await work(conn)

    async def once(
        self,
        caller: str,
        operation_id: str | None,
        body_sha256: bytes,
        work: Callable[[Connection], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        """Do something once per operation id: a repetition gets the first answer. Raises OperationConflict."""

        async def claimed(conn: Connection) -> dict[str, Any]:
            if operation_id is None:
                return await work(conn)
            kept = self.policy.answers_kept_seconds
            known = await operations.claim_operation(conn, caller, operation_id, body_sha256, kept_seconds=kept)
            if known is not None:
                return dict(known)
            answer = await work(conn)
            await operations.finish_operation(conn, caller, operation_id, answer)
            return answer

        answer = await self.transaction(claimed)
        self.claimer.poke()
        return answer

    # ------------------------------------------------------------ leads and events

    async def submit_lead(
        self, posted: LeadSubmission, caller: str, operation_id: str | None, body_sha256: bytes
    ) -> LeadAccepted:
        """Store a lead. Raises UnknownCampaign, InvalidPhoneNumber, OperationConflict."""
        submission = Submission.check(self.policy, posted)
        if operation_id is None:
            accepted = await self._leads.submit(submission)
            self.claimer.poke()
            return accepted

        async def work(conn: Connection) -> dict[str, Any]:
            answers = await intake.accept_group(conn, self.policy, [submission], caller)
            return answers[0].model_dump(mode="json")

        return LeadAccepted.model_validate(await self.once(caller, operation_id, body_sha256, work))

    async def store_event(self, source: EventSource, body: bytes) -> EventStored:
        """Keep an event and apply it; it is kept even if applying fails."""
        if source is EventSource.CRM:
            stored = await self._in_transaction(
                self._events_pool, lambda conn: inbox.store_status(conn, self.policy, body)
            )
        else:
            stored = await self._events.submit(Delivery.read(source, body))
        self.claimer.poke()
        return stored

    async def _commit_leads(self, submissions: Sequence[Submission]) -> Sequence[LeadAccepted]:
        return await self.transaction(lambda conn: intake.accept_group(conn, self.policy, submissions, "gateway"))

    async def _commit_events(self, deliveries: Sequence[Delivery]) -> Sequence[EventStored]:
        async def work(conn: Connection) -> Sequence[EventStored]:
            if len(deliveries) == 1:
                return [await inbox.store_one(conn, self.policy, deliveries[0])]
            return await inbox.store_group(conn, self.policy, deliveries)

        return await self._in_transaction(self._events_pool, work)

    # ------------------------------------------------------------ the protocol of one attempt

    async def lease(self, request: LeaseRequest, is_gone: Callable[[], bool]) -> LeaseBatch:
        """Long poll for leads and stop orders; `is_gone` tells that nobody waits for the answer any more."""
        return await self.claimer.lease(request, is_gone)

    async def mark(self, request: SendMarkRequest) -> SendMarkBatch:
        """Answer `go?` for each attempt; the same operation id gets the same answers."""
        learned = {clearance.attempt_id: clearance for clearance in request.clearances}
        items = [
            MarkItem(AttemptId(a), request.operation_id, request.dialer, learned.get(a)) for a in request.attempt_ids
        ]
        return SendMarkBatch(answers=await asyncio.gather(*(self._marks.submit(item) for item in items)))

    async def report(self, request: ReportRequest) -> ReportBatch:
        """Take reports; answers in order."""
        answers = await asyncio.gather(*(self._reports.submit(report) for report in request.reports))
        self.claimer.poke()
        return ReportBatch(answers=answers)

    async def report_stop(self, order_id: UUID, report: StopReport) -> StopReported:
        """Record what became of a stop order. Raises NotFound."""

        async def work(conn: Connection) -> StopReported:
            now = (await get_clock(conn)).now
            found, at = await stop_orders.note_stop_result(conn, order_id, report.result, now)
            if not found:
                raise NotFound(f"there is no stop order {order_id}")
            return StopReported(id=order_id, confirmed_at=at)

        return await self.transaction(work)

    async def _commit_marks(self, items: Sequence[MarkItem]) -> Sequence[SendMark]:
        return await self.transaction(lambda conn: marking.mark_group(conn, self.policy, items))

    async def _commit_reports(self, reports: Sequence[AttemptReport]) -> Sequence[ReportAnswer]:
        return await self.transaction(lambda conn: reporting.report_group(conn, self.policy, reports))

    def give_back(self, batch: LeaseBatch) -> None:
        """The answer to a lease request could not be written: nobody has these leads and these stop orders."""

        async def work() -> None:
            with contextlib.suppress(Exception):  # leases run out, and orders are given out again, by themselves
                if batch.stop_orders:
                    orders = [order.id for order in batch.stop_orders]
                    await self.transaction(lambda conn: stop_orders.untake_stop_orders(conn, orders))
                    self.claimer.poke()
                for lease in batch.leases:
                    await self._reports.submit(AttemptReport(attempt_id=lease.attempt_id, kind=ReportKind.RETURNED))

        task = asyncio.create_task(work())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # ------------------------------------------------------------ upkeep

    async def expire(self) -> dict[str, int]:
        """Release leases that ran out, doubt marked attempts that nobody reported, notice a failover."""
        await self.read(self._notice_failover)
        counters = await self.transaction(lambda conn: expiring.expire(conn, self.policy, EXPIRE_LIMIT))
        self.claimer.poke()
        return counters

    async def _notice_failover(self, conn: Connection) -> None:
        state = await gate.read_gate(conn)
        if state.failover:
            await hold_after_failover(conn, self.policy, state)

    async def apply_events(self) -> dict[str, int]:
        """Apply events that are kept but not applied."""
        return await inbox.apply_unapplied(self._events_pool, self.policy, EXPIRE_LIMIT)

    async def stats(self) -> Stats:
        """The board's figures, kept for a few seconds, longer where counting takes long."""
        async with self._stats_lock:
            clock = asyncio.get_running_loop().time
            if self._stats is None or clock() > self._stats[0]:
                began = clock()
                async with self._counting_pool.acquire() as conn:
                    figures = await reading.read_stats(conn, self.policy)
                self._stats = (clock() + max(STATS_KEPT_SECONDS, (clock() - began) / STATS_SHARE), figures)
            return self._stats[1]

    async def check_promises(self, limit: int) -> PromiseCheck:
        """Run the promises."""
        return await self._in_transaction(
            self._counting_pool, lambda conn: sweeping.check_promises(conn, self.policy, limit)
        )

    async def _housekeeping(self) -> None:
        """Time alone releases leases, so that a dead dialer's numbers do not wait for the next sweep."""
        forget_at = 0.0
        kept = self.policy.answers_kept_seconds
        while True:
            await asyncio.sleep(max(0.2, self.policy.lease_seconds / 4))
            try:
                await self.expire()
                if (now := asyncio.get_running_loop().time()) > forget_at:
                    forget_at = now + OPERATIONS_FORGOTTEN_EVERY_SECONDS
                    await self.transaction(lambda conn: operations.forget_operations(conn, kept))
            except Exception as error:  # noqa: BLE001 -- upkeep goes on when the database is back
                log.warning("housekeeping_failed", error=repr(error))
