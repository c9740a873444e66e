"""The routes of backfills."""

from typing import Any, Final

from leadline.contracts.backfill import (
    BackfillRun,
    BackfillRunList,
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
from leadline.contracts.openapi import Route
from services.queue_service.route_parts import AUTH, ID, MISSING, NOT_TAKEN

_TAKEN: Final = {**MISSING, 409: "Another process holds the run, or windows of it are missing"}


def _step(path: str, operation_id: str, summary: str, answer: type[Any], model: type[Any]) -> Route:
    return Route(
        "POST", f"/v1/backfill/runs/{{id}}/{path}", operation_id, summary, answer, model,
        problems={**_TAKEN, 413: "Too large"}, auth=AUTH, parameters=(ID,),
    )  # fmt: skip  # a table is read in columns


BACKFILL_ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", "/v1/backfill/runs", "start_backfill", "Begin a backfill, or go on with it", BackfillRun,
          BackfillStart, problems=_TAKEN, auth=AUTH),
    Route("GET", "/v1/backfill/runs", "list_backfills", "The last backfills", BackfillRunList, problems=NOT_TAKEN,
          auth=AUTH),
    _step("windows/next", "next_backfill_windows", "The next windows of history to read", WindowBatch, NextWindows),
    _step("windows/finish", "finish_backfill_window", "A window was read, or could not be", BackfillStep, WindowDone),
    _step("sift", "sift_backfill_calls", "Which of these calls are news?", Sifted, SiftRequest),
    _step("calls", "record_backfill_calls", "Record calls as history", BackfillStep, RecordRequest),
    _step("candidates", "list_backfill_candidates", "Leads that wait for a decision", CandidateBatch, CandidateRequest),
    _step("decisions", "decide_backfill_candidates", "End or plan leads", BackfillStep, DecideRequest),
    _step("finish", "finish_backfill", "End a backfill", BackfillRun, RunFinished),
)  # fmt: skip  # a table is read in columns
