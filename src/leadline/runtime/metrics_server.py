"""Health and metrics on a port of their own: `/healthz` (alive), `/readyz` (fit for traffic), `/metrics`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from leadline.runtime.build_info import show_build
from leadline.runtime.http.server import serving

ReadyCheck = Callable[[], Awaitable[list[str]]]
"""Answers with the reasons why the process is not ready; an empty list means that it is."""

READY_CHECK_SECONDS = 2.0


async def always_ready() -> list[str]:
    """For processes that are ready when they run."""
    return []


@asynccontextmanager
async def metrics_serving(
    port: int,
    ready: ReadyCheck = always_ready,
    *,
    host: str = "127.0.0.1",
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[int]:
    """Serve health and metrics inside the block; yields the port. Port 0 is off: nothing listens and 0 is yielded."""
    if port == 0:
        yield 0
        return
    async with serving(metrics_app(ready, registry), host=host, port=port, drain_seconds=1, name="metrics") as bound:
        yield bound


def metrics_app(ready: ReadyCheck, registry: CollectorRegistry = REGISTRY) -> web.Application:
    """The application alone, for a caller that serves it in its own way.

    Series `..._created` are left out of what this process shows: one more for each counter and histogram, and nobody
    reads them.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives it no types
    show_build()
    app = web.Application()
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz(ready))
    app.router.add_get("/metrics", _metrics(registry))
    return app


async def _healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _readyz(ready: ReadyCheck) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(_request: web.Request) -> web.Response:
        try:
            reasons = await asyncio.wait_for(ready(), READY_CHECK_SECONDS)
        except TimeoutError:
            reasons = [f"the check itself took longer than {READY_CHECK_SECONDS:g} s"]
        status = "not ready" if reasons else "ready"
        return web.json_response({"status": status, "reasons": reasons}, status=503 if reasons else 200)

    return handler


def _metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return handler
