"""A business day of `leadline up --demo` with a Prometheus beside it, and what was seen at its end."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.house.tree import ROOT
from tests.observability.dashboards.queries import PanelQuery, panel_queries
from tests.observability.prometheus import NAMESPACE, Prometheus, QueryFailed, Target, prometheus
from tests.services.up.running import Up, ask
from tests.support.simulated import Row, Simulated
from tests.support.waiting import until

RULES: Final = ROOT / "deploy/helm/leadline/files/rules"
PEOPLE: Final = 150
SPEED: Final = 600
BALANCE: Final = 5000
"""Dollars of the simulated account when it begins; the first calls go out before anybody can ask."""
STARTS_AT: Final = "2026-01-05T10:58-05:00"
ENDS_AT: Final = datetime.fromisoformat("2026-01-05T20:10-05:00")
CAMPAIGN: Final = "awhealth"
_OF_A_FAULT: Final = "leadline:provider_refusals:increase1d"
SETTLING_SECONDS: Final = 120.0
HISTORY_FROM: Final = datetime(2025, 12, 29, 17, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figure:
    """One sample of an exposition."""

    component: str
    name: str
    labels: dict[str, str]
    value: float


@dataclass(slots=True)
class Day:
    """What was seen when the day was over and nothing was on its way any more."""

    figures: list[Figure] = field(default_factory=list)
    posts: list[Row] = field(default_factory=list)
    """The simulator's ledger: every request for a call."""
    spent_dollars: float = 0.0
    """By the simulated Bland's own account."""
    sql: dict[str, Any] = field(default_factory=dict)
    answers: dict[PanelQuery, int | str] = field(default_factory=dict)
    """How many series each panel's query gave; or the error."""
    recorded: dict[str, int] = field(default_factory=dict)
    """Series of each recording rule."""
    troubles: list[str] = field(default_factory=list)
    firing: set[str] = field(default_factory=set)

    def total(self, name: str, **labels: str) -> float:
        """Sum of a metric's samples that have these labels."""
        return sum(f.value for f in self._of(name) if all(f.labels.get(k) == v for k, v in labels.items()))

    def by(self, name: str, *labels: str) -> Counter[tuple[str, ...]]:
        """Sums of a metric by labels; zeros left out."""
        sums: Counter[tuple[str, ...]] = Counter()
        for figure in self._of(name):
            if figure.value:
                sums[tuple(figure.labels[label] for label in labels)] += figure.value  # type: ignore[assignment]  # a Counter of floats
        return sums

    def _of(self, name: str) -> Iterable[Figure]:
        found = [figure for figure in self.figures if figure.name == name]
        assert found, f"nobody shows {name}"
        return found


async def live(folder: Path) -> Day:
    """Run it."""
    day = Day()
    options = ("--demo", str(PEOPLE), "--start-at", STARTS_AT, "--speed", str(SPEED))
    settings = {"LEADLINE_BLAND_PLAN": "scale", "LEADLINE_SIMULATOR_BALANCE_DOLLARS": str(BALANCE)}
    up = Up(folder, *options, **settings)
    await up.start()
    try:
        connection = await up.ready()
        async with (
            aiohttp.ClientSession() as http,
            prometheus(folder.parent, targets=targets(folder), rules=sorted(RULES.glob("*.yaml"))) as seen,
        ):
            simulated = Simulated(http, connection["bland_base_url"])
            await _backfill(simulated, folder)
            await until(lambda: _is_over(connection), "the day is over", 300)
            await until(lambda: _is_quiet(connection), "nothing is on its way", SETTLING_SECONDS)
            await asyncio.sleep(3)  # two more scrapes, and gauges that are read in the background
            day.posts = [row for row in await simulated.rows() if row["origin"] == "post"]
            day.spent_dollars = BALANCE - await _balance(http, connection)
            day.sql = await _ask_database(up)
            day.figures = await _read_all(http, folder)
            await _ask_prometheus(day, seen)
        assert await up.interrupt() == 0
    finally:
        await up.kill()
    return day


def targets(folder: Path) -> list[Target]:
    """What `leadline up` tells a Prometheus to scrape."""
    groups = json.loads((folder / "targets.json").read_text(encoding="utf-8"))
    return [
        Target(int(group["targets"][0].rpartition(":")[2]), {**group["labels"], "namespace": NAMESPACE})
        for group in groups
    ]


async def _backfill(simulated: Simulated, folder: Path) -> None:
    """A short run over invented history, so that its figures are seen too."""
    await simulated.make_history(60, HISTORY_FROM, HISTORY_FROM + timedelta(days=1))
    days = ("--from", "2025-12-29", "--to", "2025-12-31", "--window", "1d", "--pace", "none", "--details-pace", "none")
    environ = {**os.environ, "LEADLINE_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *(str(ROOT / ".venv/bin/leadline"), "backfill", *days, "--json"), env=environ, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said


async def _balance(http: aiohttp.ClientSession, connection: dict[str, str]) -> float:
    headers = {"Authorization": f"Bearer {connection['bland_api_key']}"}
    async with http.get(f"{connection['bland_base_url']}/v1/me", headers=headers) as answer:
        return float((await answer.json())["billing"]["current_balance"])


async def _is_over(connection: dict[str, str]) -> bool:
    return datetime.fromisoformat((await ask(connection, "/v1/stats"))["as_of"]) > ENDS_AT


async def _is_quiet(connection: dict[str, str]) -> bool:
    stats = await ask(connection, "/v1/stats")
    return not any(stats["open_attempts"].values()) and not stats["unapplied_events"] and not stats["crm_waiting"]


async def _read_all(http: aiohttp.ClientSession, folder: Path) -> list[Figure]:
    figures = []
    for target in targets(folder):
        async with http.get(f"http://127.0.0.1:{target.port}/metrics") as answer:
            text = await answer.text()
        component = target.labels["app_kubernetes_io_component"]
        for family in text_string_to_metric_families(text):
            figures += [Figure(component, s.name, dict(s.labels), s.value) for s in family.samples]
    return figures


QUERIES: Final = {
    "sent": "SELECT count(*) FROM attempts WHERE origin = 'leadline' AND marked_at IS NOT NULL"
    " AND state NOT IN ('released', 'sending')",
    "talk": "SELECT coalesce(sum(talk_seconds), 0) FROM attempts WHERE origin = 'leadline'",
    "price": "SELECT coalesce(sum(price_dollars), 0) FROM attempts WHERE origin = 'leadline'",
    "leads": "SELECT count(*) FROM leads WHERE NOT EXISTS"
    " (SELECT FROM attempts a WHERE a.lead_id = leads.id AND origin <> 'leadline')",
    "suppressions": "SELECT count(*) FROM suppressions",
}
GROUPS: Final = {
    "outcomes": "SELECT outcome, least(attempt_no, 9)::text, count(*) FROM attempts"
    " WHERE origin = 'leadline' AND outcome IS NOT NULL GROUP BY 1, 2",
    "statuses": "SELECT status, count(*) FROM leads GROUP BY 1",
    "completed": "SELECT status_reason, count(*) FROM leads WHERE status = 'completed' GROUP BY 1",
}


async def _ask_database(up: Up) -> dict[str, Any]:
    environ = Path(f"/proc/{up.child('services.queue_service')}/environ").read_bytes().split(b"\0")
    url = next(entry for entry in environ if entry.startswith(b"LEADLINE_DATABASE_URL=")).partition(b"=")[2].decode()
    connection = await asyncpg.connect(url)
    try:
        found: dict[str, Any] = {name: await connection.fetchval(query) for name, query in QUERIES.items()}
        for name, query in GROUPS.items():
            found[name] = {tuple(row)[:-1]: row[-1] for row in await connection.fetch(query)}
        return found
    finally:
        await connection.close()


async def _ask_prometheus(day: Day, seen: Prometheus) -> None:
    for query in panel_queries():
        if query.looks_back:  # by a week, which no test lasts
            continue
        try:
            day.answers[query] = len(
                await seen.query(query.resolved(namespace=NAMESPACE, rate_interval="30s", range_="5m"))
            )
        except QueryFailed as error:
            day.answers[query] = str(error)
    for group in yaml.safe_load((RULES / "recording.yaml").read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            if ":past7d_" in rule["record"] or rule["record"] == _OF_A_FAULT:
                continue  # promtool's tests have a week, and the test of faults has a refused key
            day.recorded[rule["record"]] = len(await seen.query(rule["record"]))
    day.troubles = await seen.rule_troubles()
    day.firing = await seen.firing()
