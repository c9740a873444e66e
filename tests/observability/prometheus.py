"""A real Prometheus for one test: scrapes what it is told to, evaluates rules, answers queries.

    async with prometheus(tmp_path, targets=[Target(9090, {"pod": "dialer-0"})], rules=[path], interval="1s") as p:
        await p.scraped()
        assert await p.value("sum(up)") == 1
        assert {alert.name for alert in await p.alerts()} == set()

Tests that use it carry `@needs_prometheus`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import yaml

from tests.observability.tools import ABSENT, find
from tests.support.ports import free_port
from tests.support.waiting import until

NAMESPACE: Final = "leadline-test"
"""Label `namespace` of every target that names no other."""
needs_prometheus: Final = pytest.mark.skipif(find("prometheus") is None, reason=ABSENT)
_STOPPING_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Target:
    """A process that serves `/metrics` on a port of this machine."""

    port: int
    labels: Mapping[str, str] = field(default_factory=dict)
    """As a PodMonitor would add: pod, app_kubernetes_io_component (gateway, queue, dialer, crm-sync) ..."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer, at one instant. `labels` has no `__name__` if the expression dropped it."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that is pending or firing."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class QueryFailed(AssertionError):
    """Prometheus refused a query; the message is its own."""


class Prometheus:
    """A running one. Made by `prometheus`; all methods may be used concurrently."""

    def __init__(self, folder: Path, port: int, session: aiohttp.ClientSession) -> None:
        self.url: Final = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._session = session

    def watch(self, targets: Iterable[Target]) -> None:
        """Scrape these from now on (it takes Prometheus a moment to see it); a target left out goes stale."""
        groups = [
            {
                "targets": [f"127.0.0.1:{target.port}"],
                "labels": {"namespace": NAMESPACE, "pod": f"pod-{target.port}", **target.labels},
            }
            for target in targets
        ]
        written = self._folder / "targets.json.new"
        written.write_text(json.dumps(groups), encoding="utf-8")
        written.rename(self._folder / "targets.json")

    async def get(self, path: str, **parameters: str) -> Any:
        """`data` of an answer of `/api/v1/<path>`. Raises QueryFailed."""
        async with self._session.get(f"{self.url}/api/v1/{path}", params=parameters) as response:
            answer = await response.json()
        if answer["status"] != "success":
            raise QueryFailed(f"{answer['error']}: {path} {parameters}")
        return answer["data"]

    async def query(self, expression: str, *, at: float | None = None) -> list[Sample]:
        """The series that an expression gives, now or at a unix time; a scalar is one sample without labels."""
        data = await self.get("query", query=expression, **({} if at is None else {"time": f"{at:.3f}"}))
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(series["metric"], float(series["value"][1])) for series in data["result"]]

    async def value(self, expression: str, *, at: float | None = None) -> float | None:
        """The value of an expression that gives at most one series; None if it gives none."""
        samples = await self.query(expression, at=at)
        if len(samples) > 1:
            raise QueryFailed(f"{len(samples)} series instead of one: {expression}")
        return samples[0].value if samples else None

    async def query_range(
        self, expression: str, *, seconds: float, step: float = 1
    ) -> list[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        """The series of the last `seconds`, each with its points (unix time, value)."""
        now = time.time()
        times = {"start": f"{now - seconds:.3f}", "end": f"{now:.3f}", "step": str(step)}
        data = await self.get("query_range", query=expression, **times)
        return [(series["metric"], [(at, float(value)) for at, value in series["values"]]) for series in data["result"]]

    async def alerts(self) -> list[Alert]:
        """Alerts that are pending or firing."""
        data = await self.get("alerts")
        return [
            Alert(found["labels"]["alertname"], found["state"], found["labels"], found["annotations"])
            for found in data["alerts"]
        ]

    async def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {alert.name for alert in await self.alerts() if alert.state == "firing"}

    async def names(self) -> set[str]:
        """Every metric name that it has."""
        return set(await self.get("label/__name__/values"))

    async def rule_troubles(self) -> list[str]:
        """What evaluations of rules complained of last: `name: error`."""
        data = await self.get("rules")
        rules = [rule for group in data["groups"] for rule in group["rules"]]
        return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]

    async def scraped(self) -> None:
        """Wait until every target has been scraped, successfully, at least once."""

        async def look() -> bool:
            targets = (await self.get("targets"))["activeTargets"]
            known = len(json.loads((self._folder / "targets.json").read_text(encoding="utf-8")))
            return len(targets) == known and all(target["health"] == "up" for target in targets)

        await until(look, "every target is scraped", seconds=60)

    async def _is_ready(self) -> bool:
        try:
            async with self._session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


@asynccontextmanager
async def prometheus(
    folder: Path, *, targets: Sequence[Target] = (), rules: Sequence[Path] = (), interval: str = "1s"
) -> AsyncIterator[Prometheus]:
    """Start one; its data, configuration and log lie in `folder`/prometheus. Stopped when the block is left.

    Scrapes and evaluates every `interval`. Placeholder NAMESPACE in rule files becomes this module's NAMESPACE.
    """
    binary = find("prometheus")
    assert binary is not None, ABSENT
    folder = folder / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = _configure(folder, rules, interval)
    port = free_port()
    options = {
        "--config.file": configuration,
        "--storage.tsdb.path": folder / "data",
        "--web.listen-address": f"127.0.0.1:{port}",
        "--enable-feature": "exemplar-storage",
        "--log.level": "warn",
    }
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        running = Prometheus(folder, port, session)
        running.watch(targets)
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                str(binary), *(f"{name}={value}" for name, value in options.items()), stdout=log, stderr=log
            )
        try:
            await _until_ready(running, process, folder / "log")
            yield running
        finally:
            await _stop(process)


def _configure(folder: Path, rules: Sequence[Path], interval: str) -> Path:
    copies = []
    for number, path in enumerate(rules):
        copy = folder / f"{number}-{path.name}"
        text = path.read_text(encoding="utf-8").replace('"NAMESPACE"', f'"{NAMESPACE}"')
        copy.write_text(text, encoding="utf-8")
        copies.append(str(copy))
    configuration = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": copies,
        "scrape_configs": [
            {"job_name": "leadline", "file_sd_configs": [{"files": [str(folder / "targets.json")]}]},
        ],
    }
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return path


async def _until_ready(running: Prometheus, process: asyncio.subprocess.Process, log: Path) -> None:
    async def look() -> bool:
        if process.returncode is not None:
            said = log.read_text(encoding="utf-8").strip()
            raise AssertionError(f"Prometheus ended with {process.returncode}:\n{said}")
        return await running._is_ready()

    await until(look, "Prometheus is ready", seconds=60)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOPPING_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
