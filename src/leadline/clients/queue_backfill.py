"""The queue-service's routes of a backfill as methods. All may be repeated: calls and windows are recorded once."""

from typing import Final
from uuid import UUID

from leadline.clients.queue_http import QueueRefused
from leadline.clients.queue_session import QueueSession
from leadline.contracts.backfill import (
    BackfillRun,
    BackfillStart,
    BackfillStep,
    CandidateBatch,
    CandidateRequest,
    DecideRequest,
    NextWindows,
    RecordRequest,
    RunFinished,
    Sifted,
    SiftRequest,
    WindowBatch,
    WindowDone,
)
from leadline.contracts.crm import CrmStatusTable

RUN_TAKEN: Final = "backfill_taken"
_RUNS: Final = "/v1/backfill/runs"


def is_taken(error: QueueRefused) -> bool:
    """Whether the refusal means that another process holds the run."""
    return error.problem.status == 409 and error.problem.code == RUN_TAKEN


class BackfillQueue(QueueSession):
    """The routes of a backfill. Safe for use by many tasks at once.

    Every request of a run may raise QueueRefused with the code `backfill_taken`: another process holds the run now.
    """

    async def start(self, start: BackfillStart) -> BackfillRun:
        """Begin a run, or go on with the unfinished one of the same range."""
        return await self._ask("POST", _RUNS, BackfillRun, body=start)

    async def next_windows(self, run_id: UUID, asked: NextWindows) -> WindowBatch:
        """The next windows to read, ascending; none: all are read or failed."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/windows/next", WindowBatch, body=asked)

    async def sift(self, run_id: UUID, asked: SiftRequest) -> Sifted:
        """Which of these calls are news."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/sift", Sifted, body=asked)

    async def record(self, run_id: UUID, calls: RecordRequest) -> BackfillStep:
        """Record calls as history."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/calls", BackfillStep, body=calls)

    async def finish_window(self, run_id: UUID, done: WindowDone) -> BackfillStep:
        """A window was read, could not be, or is to be halved."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/windows/finish", BackfillStep, body=done)

    async def candidates(self, run_id: UUID, asked: CandidateRequest) -> CandidateBatch:
        """The next undecided leads."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/candidates", CandidateBatch, body=asked)

    async def decide(self, run_id: UUID, decisions: DecideRequest) -> BackfillStep:
        """End or plan candidates."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/decisions", BackfillStep, body=decisions)

    async def finish(self, run_id: UUID, finished: RunFinished) -> BackfillRun:
        """End the run: finished, or incomplete if windows failed."""
        return await self._ask("POST", f"{_RUNS}/{run_id}/finish", BackfillRun, body=finished)

    async def put_crm_statuses(self, table: CrmStatusTable) -> CrmStatusTable:
        """Tell what the CRM's statuses mean."""
        return await self._ask("PUT", "/v1/crm/statuses", CrmStatusTable, body=table)
