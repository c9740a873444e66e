"""One backfill from its start to its end: take the run, read the windows, decide the numbers."""

import asyncio
from dataclasses import dataclass

from leadline.clients.queue_backfill import BackfillQueue
from leadline.contracts.backfill import BackfillRun, BackfillStart, BackfillState, RunFinished
from leadline.crm.port import Crm
from leadline.runtime.logging import get_logger
from leadline.runtime.settings.crm_parts import BackfillPart
from leadline.telephony.history import History
from services.backfill.asked import Range
from services.backfill.deciding import Decider, learn_statuses
from services.backfill.draft import Draft
from services.backfill.dry_run import DryRun, cut, list_windows
from services.backfill.errors import CrmTokenRefused, RunLost
from services.backfill.figures import Figures, Outcome, Phase
from services.backfill.holding import Hold, new_holder, take_run
from services.backfill.listing import TakeRows, WindowReader
from services.backfill.patience import Pacer, Patience
from services.backfill.provider import PatientProvider
from services.backfill.recording import KNOWN, BodyReader, Recorder
from services.backfill.showing import Showing
from services.backfill.windows import read_windows

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    range: Range
    campaign: str | None
    window_seconds: float
    page_interval_seconds: float | None
    details_interval_seconds: float | None
    dry_run: bool = False
    wait: bool = True


class Backfill:
    """Runs once. Killed at any moment, the next one of the same range goes on."""

    def __init__(
        self,
        queue: BackfillQueue,
        history: History,
        crm: Crm,
        asked: Asked,
        part: BackfillPart,
        *,
        has_crm: bool,
        showing: Showing,
        stop: asyncio.Event,
    ) -> None:
        """`has_crm` is False if `crm` is only the answer that nothing is known."""
        self._queue = queue
        self._crm = crm
        self._has_crm = has_crm
        self._asked = asked
        self._part = part
        self._showing = showing
        self._figures = Figures()
        self._holder = new_holder()
        self._patience = Patience(part.backfill_retry_seconds, stop)
        self._provider = PatientProvider(
            history,
            self._patience,
            pages=Pacer(asked.page_interval_seconds, self._patience),
            details=Pacer(asked.details_interval_seconds, self._patience),
        )
        self._bodies = BodyReader(self._provider, at_once=part.backfill_concurrency)

    async def run(self) -> Outcome:
        """Do all of it. Failed windows are part of the outcome.

        Raises:
            RunBusy, RunLost, ToldToStop, CrmTokenRefused, ProviderRefused, QueueError: it could not go on; what was
                recorded stays.
        """
        if self._asked.dry_run:
            return await self._dry_run()
        await self._check_crm()
        run = await take_run(self._queue, self._start(), self._patience, self._showing.say, wait=self._asked.wait)
        self._tell_beginning(run)
        self._figures.begin(run)
        hold = Hold(self._queue, run.id, self._holder, self._part.backfill_lease_seconds)
        try:
            async with self._showing.shown(self._figures):
                ended = await hold.while_kept(self._work(hold, run), self._patience)
        except RunLost:
            raise
        except BaseException:
            await hold.give_back()
            raise
        return self._outcome(ended)

    async def _work(self, hold: Hold, run: BackfillRun) -> BackfillRun:
        if run.state is not BackfillState.DECIDING:
            recorder = Recorder(hold, self._bodies, self._figures)
            await read_windows(hold, self._windows(recorder.take), self._patience, self._figures)
        if not self._figures.failed:
            self._figures.phase = Phase.DECIDING
            if self._has_crm:
                await learn_statuses(self._crm, self._queue.put_crm_statuses)
            at_once = self._part.backfill_concurrency
            await Decider(hold, self._crm, self._patience, self._figures, at_once=at_once).run()
        return await self._queue.finish(hold.run_id, RunFinished(holder=hold.holder, lease_seconds=hold.lease_seconds))

    def _windows(self, take: TakeRows) -> WindowReader:
        return WindowReader(self._provider, self._patience, take, most_calls=self._part.backfill_window_calls)

    async def _check_crm(self) -> None:
        """A wrong token shows now and not after hours of reading; the reading itself needs no CRM."""
        if not self._has_crm:
            self._showing.say("no CRM is configured: numbers that history leaves open will be held, not called")
            return
        try:
            await learn_statuses(self._crm, self._queue.put_crm_statuses)
        except CrmTokenRefused as error:
            self._showing.say(f"{error}; history is read, but nobody will be decided until the token is mended")

    async def _dry_run(self) -> Outcome:
        run = await take_run(self._queue, self._start(), self._patience, self._showing.say, wait=self._asked.wait)
        self._tell_end(run)
        figures = self._figures
        figures.windows_waiting = sum(1 for _ in cut(run.starts_at, run.ends_at, self._asked.window_seconds))
        with Draft() as draft:
            dry = DryRun(self._queue, run, draft, self._bodies, figures, holder=self._holder)
            async with self._showing.shown(figures):
                windows = cut(run.starts_at, run.ends_at, self._asked.window_seconds)
                await list_windows(windows, self._windows(dry.take), self._patience, figures)
                figures.phase = Phase.RECORDING
                await dry.try_all(self._patience)
        return Outcome(
            run_id=None,
            starts_at=run.starts_at,
            ends_at=run.ends_at,
            campaign=run.campaign,
            windows_done=figures.windows_done,
            windows_waiting=figures.windows_waiting,
            failed=tuple(figures.failed),
            listed=figures.listed,
            listed_in_run=figures.listed,
            counters=dict(figures.counters),
        )

    def _start(self) -> BackfillStart:
        return BackfillStart(
            starts_at=self._asked.range.starts_at,
            ends_at=self._asked.range.ends_at,
            campaign=self._asked.campaign,
            window_seconds=self._asked.window_seconds,
            holder=self._holder,
            lease_seconds=self._part.backfill_lease_seconds,
            dry_run=self._asked.dry_run,
        )

    def _tell_beginning(self, run: BackfillRun) -> None:
        self._tell_end(run)
        log.info("backfill_begun", run_id=run.id, resumed=run.resumed, state=run.state, windows=run.windows_waiting)
        if run.resumed:
            done = run.windows_done
            self._showing.say(f"going on with run {run.id}: {done} windows are read, {run.windows_waiting} wait")

    def _tell_end(self, run: BackfillRun) -> None:
        if run.ends_at < self._asked.range.ends_at:
            self._showing.say(f"--to is moved back to {run.ends_at.isoformat()}: later calls may not be listed yet")

    def _outcome(self, run: BackfillRun) -> Outcome:
        log.info("backfill_ended", run_id=run.id, state=run.state, failed=len(run.failed))
        return Outcome(
            run_id=str(run.id),
            starts_at=run.starts_at,
            ends_at=run.ends_at,
            campaign=run.campaign,
            windows_done=run.windows_done,
            windows_waiting=run.windows_waiting,
            failed=tuple(run.failed),
            listed=self._figures.listed,
            listed_in_run=run.counters.get("listed", self._figures.listed),
            counters=run.counters | {KNOWN: self._figures.counters[KNOWN]},
        )
