"""The Prometheus that other tests rely on: it scrapes, evaluates, alerts, and is gone afterwards."""

from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.observability.prometheus import NAMESPACE, QueryFailed, Target, needs_prometheus, prometheus
from tests.support.ports import free_port
from tests.support.waiting import until

RULES = """
groups:
  - name: of-a-test
    rules:
      - {record: "leadline:double", expr: 'leadline_things{namespace="NAMESPACE"} * 2'}
      - {alert: ManyThings, expr: 'leadline:double > 80', annotations: {summary: "{{ $value }}"}}
"""


@needs_prometheus
async def test_scrapes_evaluates_and_alerts(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    registry = CollectorRegistry()
    Gauge("leadline_things", "Things.", registry=registry).set(42)
    port = free_port()
    server, thread = start_http_server(port, "127.0.0.1", registry)
    try:
        target = Target(port, {"app_kubernetes_io_component": "queue"})
        async with prometheus(tmp_path, targets=[target], rules=[rules], interval="1s") as p:
            await p.scraped()
            await until(p.firing, "the alert fires")
            assert await p.value("leadline:double") == 84
            assert [alert.annotations["summary"] for alert in await p.alerts()] == ["84"]
            (sample,) = await p.query("leadline_things")
            assert sample.labels["namespace"] == NAMESPACE
            assert sample.labels["app_kubernetes_io_component"] == "queue"
            assert await p.value("nothing_like_it") is None
            assert "leadline_things" in await p.names()
            assert await p.rule_troubles() == []
            assert await p.query_range("leadline_things", seconds=5)
            with pytest.raises(QueryFailed, match="parse error"):
                await p.query("sum(")
            p.watch([])

            async def is_gone() -> bool:
                return await p.value("leadline_things") is None

            await until(is_gone, "what is no longer scraped goes stale", seconds=30)
            url = p.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)


@needs_prometheus
async def test_a_wrong_rule_is_told_of(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: [{name: x, rules: [{record: y, expr: 'sum('}]}]", encoding="utf-8")
    with pytest.raises(AssertionError, match="parse error"):
        async with prometheus(tmp_path, rules=[rules]):
            pass
