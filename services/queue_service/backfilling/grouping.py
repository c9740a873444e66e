"""A request's items in one transaction; one by one when that fails, so that one bad item holds up nobody."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from leadline.contracts.backfill import BackfillStep, DecideRequest, Decision, RecordRequest
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import CampaignName
from leadline.runtime.logging import get_logger
from leadline.runtime.postgres import is_unavailable
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.records import Alarm, StateConflict
from services.queue_service.backfilling import runs
from services.queue_service.backfilling.deciding import decide_group
from services.queue_service.backfilling.recording import OTHERS_TURN, HistoryBody, Recorded, Recorder, quarantine
from services.queue_service.service import QueueService

log = get_logger(__name__)
Answer = TypeVar("Answer")
Item = TypeVar("Item")


def _is_ours(error: Exception) -> bool:
    """Whether the failure is an answer for the caller, and no fault of an item."""
    return is_unavailable(error) or (isinstance(error, LeadlineError) and not isinstance(error, StateConflict))


async def record_calls(service: QueueService, run_id: UUID, asked: RecordRequest) -> BackfillStep:
    """Record a group of calls. Raises NotFound, BackfillTaken."""
    flags = list(asked.from_details) or [False] * len(asked.bodies)
    bodies: list[HistoryBody] = []
    for body, from_details in zip(asked.bodies, flags, strict=True):
        if len(bodies) % OTHERS_TURN == 0:
            await asyncio.sleep(0)
        bodies.append(HistoryBody.read(body, from_details=from_details))
    if asked.dry_run:
        recorded = await _rehearse(service, asked, bodies)
    else:
        recorded = await _record(service, run_id, asked, bodies)
    return BackfillStep(
        counters=dict(recorded.tally),
        needs_details=recorded.needs_details,
        new_numbers=list(recorded.new_numbers) if asked.dry_run else [],
    )


async def _record(service: QueueService, run_id: UUID, asked: RecordRequest, bodies: Sequence[HistoryBody]) -> Recorded:
    async def group(items: Sequence[HistoryBody]) -> Recorded:
        async def work(conn: Connection) -> Recorded:
            run = await runs.keep(conn, run_id, asked)
            recorded = await Recorder.of_run(service.policy, run).record(conn, items)
            await _count(conn, run, recorded)
            return recorded

        return await service.transaction(work)

    async def failed(item: HistoryBody, error: Exception) -> Recorded:
        async def work(conn: Connection) -> Recorded:
            run = await runs.keep(conn, run_id, asked)
            recorded = await quarantine(conn, item, error)
            await _count(conn, run, recorded)
            return recorded

        return await service.transaction(work)

    return _sum(await _in_groups(bodies, group, failed))


def _sum(parts: Sequence[Recorded]) -> Recorded:
    done = Recorded()
    for part in parts:
        done.add(part)
    return done


async def _count(conn: Connection, run: runs.Run, recorded: Recorded) -> None:
    """What is known was counted by whoever recorded it: a window that is read again adds nothing."""
    transient = {"known", "undetermined"}
    await runs.add_counters(conn, run, {k: n for k, n in recorded.tally.items() if k not in transient})


async def _rehearse(service: QueueService, asked: RecordRequest, bodies: Sequence[HistoryBody]) -> Recorded:
    """Do everything, keep nothing."""
    recorder = Recorder.of_dry_run(service.policy, CampaignName(asked.campaign) if asked.campaign else None)

    async def group(items: Sequence[HistoryBody]) -> Recorded:
        return await service.rehearse(lambda conn: recorder.record(conn, items))

    async def failed(_item: HistoryBody, _error: Exception) -> Recorded:
        return Recorded(Counter(poison=1))

    return _sum(await _in_groups(bodies, group, failed))


async def decide(service: QueueService, run_id: UUID, asked: DecideRequest) -> BackfillStep:
    """Decide a group of candidates. Raises NotFound, BackfillTaken, WindowsMissing."""

    async def group(items: Sequence[Decision]) -> Counter[str]:
        async def work(conn: Connection) -> Counter[str]:
            run = await runs.keep_complete(conn, run_id, asked)
            tally = await decide_group(conn, service.policy, run, items)
            await runs.add_counters(conn, run, {k: n for k, n in tally.items() if k != "decided_before"})
            return tally

        return await service.transaction(work)

    async def failed(item: Decision, error: Exception) -> Counter[str]:
        """The lead stays held, and an operator hears of it."""

        async def work(conn: Connection) -> Counter[str]:
            now = (await get_clock(conn)).now
            alarm = Alarm("backfill_not_decided", details={"lead_id": str(item.lead_id), "problem": repr(error)[:500]})
            await Changes(now=now, actor="backfill", alarms=[alarm]).flush(conn)
            return Counter(undecided=1)

        return await service.transaction(work)

    tally: Counter[str] = Counter()
    for part in await _in_groups(asked.decisions, group, failed):
        tally += part
    service.claimer.poke()
    return BackfillStep(counters=dict(tally))


async def _in_groups(
    items: Sequence[Item],
    group: Callable[[Sequence[Item]], Awaitable[Answer]],
    failed: Callable[[Item, Exception], Awaitable[Answer]],
) -> list[Answer]:
    """All items in one transaction, or each in its own if that fails for another reason than the caller's."""
    try:
        return [await group(items)]
    except Exception as error:
        if _is_ours(error):
            raise
        log.warning("group_not_recorded", items=len(items), exc_info=error)
    answers: list[Answer] = []
    for item in items:
        try:
            answers.append(await group([item]))
        except Exception as error:
            if _is_ours(error):
                raise
            log.error("item_not_recorded", exc_info=error)
            answers.append(await failed(item, error))
    return answers
