"""A backfill as its process would drive it, and the provider's history that it reads."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from leadline.contracts.backfill import (
    BackfillRun,
    BackfillStart,
    BackfillStep,
    BackfillWindow,
    Candidate,
    CandidateBatch,
    CandidateRequest,
    DecideRequest,
    Decision,
    Held,
    HistoryCall,
    NextWindows,
    RecordRequest,
    Sifted,
    WindowDone,
)
from leadline.contracts.crm import Learned
from leadline.domain.crm import CrmStanding
from services.queue_service.backfilling import deciding, grouping, runs, sifting
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk

MONDAY: Final = TUESDAY_NOON - timedelta(days=1)
"""Monday, 2026-01-05 at 12:12 in New York."""
OPEN: Final = Learned(standing=CrmStanding.OPEN, status="NEW", crm_lead_id="410233", crm_list_id="1029")
OTHERS: Final = "+15615550901"
"""A caller that is no campaign's."""
STANDING_STILL: Final = 1e-9
"""A clock at which two ways to the same end can be compared to the microsecond."""


def listed(
    call_id: str,
    at: datetime = MONDAY,
    *,
    to: str = PHONE,
    answered_by: str = "voicemail",
    caller: str = OTHERS,
    **fields: Any,
) -> dict[str, Any]:
    """A call as the provider's list shows it."""
    return {
        "call_id": call_id,
        "created_at": at.isoformat(),
        "call_length": 0.5,
        "to": to,
        "from": caller,
        "completed": True,
        "queue_status": "complete",
        "error_message": None,
        "answered_by": answered_by,
        "batch_id": None,
        **fields,
    }


def said(call_id: str, word: str, at: datetime = MONDAY, *, to: str = PHONE, **fields: Any) -> dict[str, Any]:
    """The details of a call in which the person said something final."""
    talk = {"status": "completed", "disposition_tag": word, "started_at": at.isoformat(), "metadata": {}}
    return listed(call_id, at, to=to, answered_by="human", **{**talk, **fields})


@dataclass(slots=True)
class Backfill:
    """One process that holds a run, or tries to."""

    desk: Desk
    holder: str = "b1"
    lease_seconds: float = 60
    run_id: UUID = field(default_factory=uuid4)

    @property
    def held(self) -> Held:
        """What every request begins with."""
        return Held(holder=self.holder, lease_seconds=self.lease_seconds)

    def _and(self, **fields: Any) -> dict[str, Any]:
        return {**self.held.model_dump(), **fields}

    async def start(
        self,
        starts_at: datetime = MONDAY - timedelta(hours=2),
        ends_at: datetime = MONDAY + timedelta(hours=2),
        *,
        window: timedelta = timedelta(hours=1),
        **fields: Any,
    ) -> BackfillRun:
        """Begin, or go on."""
        given = {"starts_at": starts_at, "ends_at": ends_at, "window_seconds": window.total_seconds(), **fields}
        asked = BackfillStart(**self._and(**given))
        run = await self.desk.service.transaction(lambda conn: runs.start(conn, self.desk.service.policy, asked))
        self.run_id = run.id
        return run

    async def windows(self, limit: int = 100) -> list[BackfillWindow]:
        """What is to be read next."""
        asked = NextWindows(**self._and(limit=limit))
        batch = await self.desk.service.transaction(lambda conn: runs.next_windows(conn, self.run_id, asked))
        return batch.windows

    async def end(self, window: BackfillWindow, **fields: Any) -> dict[str, int]:
        """A window was read, unless the test says otherwise."""
        done = WindowDone(**self._and(**{"window": window, "listed": 0, **fields}))
        return (await self.desk.service.transaction(lambda conn: runs.finish_window(conn, self.run_id, done))).counters

    async def end_all(self) -> None:
        """Every window was read."""
        while windows := await self.windows():
            for window in windows:
                await self.end(window)

    async def sift(self, *calls: dict[str, Any]) -> Sifted:
        """Which are news?"""
        rows = [HistoryCall(call_id=c["call_id"], phone_number=c["to"], created_at=c["created_at"]) for c in calls]
        return await self.desk.service.transaction(lambda conn: sifting.sift(conn, rows))

    async def record(self, *bodies: dict[str, Any] | str, details: bool = False, **fields: Any) -> BackfillStep:
        """Record bodies in one request."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        asked = RecordRequest(**self._and(bodies=texts, from_details=[details] * len(texts), **fields))
        return await grouping.record_calls(self.desk.service, self.run_id, asked)

    async def candidates(self, after: UUID | None = None, limit: int = 100) -> list[Candidate]:
        """Who waits for a decision."""
        asked = CandidateRequest(**self._and(after=after, limit=limit))

        async def work(conn: Any) -> CandidateBatch:
            run = await runs.keep_complete(conn, self.run_id, asked)
            return await deciding.list_candidates(conn, self.desk.service.policy, run, asked)

        return (await self.desk.service.transaction(work)).candidates

    async def decide(self, *decisions: Decision) -> dict[str, int]:
        """Decide these."""
        asked = DecideRequest(**self._and(decisions=list(decisions)))
        return (await grouping.decide(self.desk.service, self.run_id, asked)).counters

    async def decide_all(self, learned: Learned | None = OPEN) -> dict[str, int]:
        """The CRM says the same of every number that it is asked about."""
        found = await self.candidates()
        if not found:
            return {}
        return await self.decide(*(Decision(lead_id=c.lead_id, learned=learned if c.ask_crm else None) for c in found))

    async def finish(self) -> BackfillRun:
        """End the run."""
        return await self.desk.service.transaction(lambda conn: runs.finish(conn, self.run_id, self.held))

    async def run(self, *groups: Sequence[dict[str, Any]], learned: Learned | None = OPEN) -> BackfillRun:
        """A whole run over these groups of details."""
        await self.start()
        for group in groups:
            await self.record(*group, details=True)
        await self.end_all()
        await self.decide_all(learned)
        return await self.finish()


_COLUMNS: Final = {
    "leads": "campaign, phone_number, status, status_reason, scheduled_callback_at, extra_attempts, attempts_before,"
    " attempts_before_that_day, sender_lead_id, list_id",
    "due_leads": "campaign, phone_number, due_at, band, calling, not_sent_in_row",
    "attempts": "campaign, phone_number, origin, attempt_no, state, close_reason, leased_at, closed_at, call_id,"
    " outcome, evidence, answered_by, talk_seconds, callback_at",
    "phones": "phone_number, bad_number_reason, sold_outcome, rest_until",
    "suppressions": "phone_number, source",
    "calls": "call_id",
    "events": "source, call_id, body_sha256, disposition, kind, outcome",
    "backfill_news": "lead_id",
    "backfill_runs": "starts_at, ends_at, state, counters",
    "backfill_windows": "starts_at, ends_at, state",
}


async def what_is_known(desk: Desk) -> dict[str, list[Any]]:
    """Every table without ids and without times of writing: what two ways to the same end have in common."""
    return {table: await _rows(desk, columns, table) for table, columns in _COLUMNS.items()}


async def everything(desk: Desk) -> dict[str, list[Any]]:
    """Every table, whole."""
    tables = await desk.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"]: await _rows(desk, "*", row["tablename"]) for row in tables}


async def _rows(desk: Desk, columns: str, table: str) -> list[str]:
    return sorted(str(tuple(row)) for row in await desk.fetch(f"SELECT {columns} FROM {table}"))


def of_each(numbers: Iterable[int], hour: int = 0) -> list[dict[str, Any]]:
    """One call to each of these numbers."""
    at = MONDAY + timedelta(hours=hour)
    return [listed(f"call-{n}-{hour}", at + timedelta(seconds=n), to=f"+1561555{n:04d}") for n in numbers]
