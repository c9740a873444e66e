"""What a process shows at its /metrics, as the families of the reference."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.processes import ServiceProcess

_OF_THE_TYPE = frozenset({"le", "quantile"})
_EXEMPLAR = re.compile(r'^(\w+)_bucket\{.*\} \S+ # \{trace_id="[0-9a-f]{32}"\}', re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """One family, as it is shown now."""

    type: str
    meaning: str
    label_sets: frozenset[tuple[str, ...]]
    """The names of labels that its samples have; empty if it has no sample now."""


async def scraped(process: ServiceProcess) -> Mapping[str, Shown]:
    """All families of a process by their names in queries."""
    text = await _metrics(process, "text/plain")
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: Shown(
            family.type,
            family.documentation,
            frozenset(tuple(sorted(set(sample.labels) - _OF_THE_TYPE)) for sample in family.samples),
        )
        for family in text_string_to_metric_families(text)
    }


async def with_exemplars(process: ServiceProcess) -> set[str]:
    """The histograms of a process that show a trace to whoever asks for OpenMetrics."""
    return set(_EXEMPLAR.findall(await _metrics(process, "application/openmetrics-text; version=1.0.0")))


async def _metrics(process: ServiceProcess, accept: str) -> str:
    url = f"http://127.0.0.1:{process.metrics_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Accept": accept}) as response:
        assert response.status == 200
        assert response.content_type == accept.partition(";")[0]
        return await response.text()
