"""Health and metrics on their own port."""

import asyncio

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from leadline.runtime import metrics_server
from leadline.runtime.metrics_server import metrics_serving
from tests.support.ports import free_port


async def get(port: int, path: str, accept: str = "*/*") -> tuple[int, str, str]:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Accept": accept}) as response:
        return response.status, await response.text(), response.content_type


async def test_ready_tells_why_not() -> None:
    reasons = ["the schema is unknown"]

    async def ready() -> list[str]:
        return reasons

    async with metrics_serving(free_port(), ready) as port:
        assert (await get(port, "/healthz"))[0] == 200
        status, body, _ = await get(port, "/readyz")
        assert (status, "the schema is unknown" in body) == (503, True)
        reasons.clear()
        assert (await get(port, "/readyz"))[0] == 200


async def test_a_check_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "READY_CHECK_SECONDS", 0.05)

    async def hanging() -> list[str]:
        await asyncio.Event().wait()
        return []

    async with metrics_serving(free_port(), hanging) as port:
        assert (await get(port, "/readyz"))[0] == 503


async def test_metrics_speak_openmetrics_to_who_asks_for_it() -> None:
    registry = CollectorRegistry()
    Counter("leads_leased", "Leads leased.", registry=registry).inc(3)
    async with metrics_serving(free_port(), registry=registry) as port:
        _, plain, plain_type = await get(port, "/metrics")
        _, openly, open_type = await get(port, "/metrics", "application/openmetrics-text")
    assert "leads_leased_total 3.0" in plain
    assert (plain_type, open_type) == ("text/plain", "application/openmetrics-text")
    assert openly.endswith("# EOF\n")


async def test_port_0_is_off() -> None:
    async with metrics_serving(0) as port:
        assert port == 0
