"""Handlers of backfills: parse, call, respond."""

from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from leadline.contracts.backfill import (
    BackfillStart,
    CandidateBatch,
    CandidateRequest,
    DecideRequest,
    NextWindows,
    RecordRequest,
    RunFinished,
    Sifted,
    SiftRequest,
    WindowDone,
)
from leadline.runtime.http.bodies import parse_body, parse_path, respond
from leadline.store.connection import Connection
from services.queue_service.backfilling import deciding, grouping, runs, sifting
from services.queue_service.handling import SERVICE


class _RunPath(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: UUID


def _run_id(request: web.Request) -> UUID:
    return parse_path(request, _RunPath).id


async def start_backfill(request: web.Request) -> web.Response:
    """Begin a run, or go on with it."""
    service, asked = request.app[SERVICE], await parse_body(request, BackfillStart)
    return respond(await service.transaction(lambda conn: runs.start(conn, service.policy, asked)))


async def list_backfills(request: web.Request) -> web.Response:
    """The last runs."""
    return respond(await request.app[SERVICE].read(runs.list_runs))


async def next_backfill_windows(request: web.Request) -> web.Response:
    """What to read next."""
    run_id, asked = _run_id(request), await parse_body(request, NextWindows)
    return respond(await request.app[SERVICE].transaction(lambda conn: runs.next_windows(conn, run_id, asked)))


async def finish_backfill_window(request: web.Request) -> web.Response:
    """A window was read, could not be, or is halved."""
    run_id, done = _run_id(request), await parse_body(request, WindowDone)
    return respond(await request.app[SERVICE].transaction(lambda conn: runs.finish_window(conn, run_id, done)))


async def sift_backfill_calls(request: web.Request) -> web.Response:
    """Which calls are news."""
    run_id, asked = _run_id(request), await parse_body(request, SiftRequest)

    async def work(conn: Connection) -> Sifted:
        if not asked.dry_run:
            await runs.keep(conn, run_id, asked)
        return await sifting.sift(conn, asked.calls)

    return respond(await request.app[SERVICE].transaction(work))


async def record_backfill_calls(request: web.Request) -> web.Response:
    """Record calls as history."""
    run_id, asked = _run_id(request), await parse_body(request, RecordRequest)
    return respond(await grouping.record_calls(request.app[SERVICE], run_id, asked))


async def list_backfill_candidates(request: web.Request) -> web.Response:
    """Who waits for a decision."""
    run_id, asked = _run_id(request), await parse_body(request, CandidateRequest)
    service = request.app[SERVICE]

    async def work(conn: Connection) -> CandidateBatch:
        run = await runs.keep_complete(conn, run_id, asked)
        return await deciding.list_candidates(conn, service.policy, run, asked)

    return respond(await service.transaction(work))


async def decide_backfill_candidates(request: web.Request) -> web.Response:
    """End or plan candidates."""
    run_id, asked = _run_id(request), await parse_body(request, DecideRequest)
    return respond(await grouping.decide(request.app[SERVICE], run_id, asked))


async def finish_backfill(request: web.Request) -> web.Response:
    """End a run."""
    run_id, held = _run_id(request), await parse_body(request, RunFinished)
    return respond(await request.app[SERVICE].transaction(lambda conn: runs.finish(conn, run_id, held)))
