"""What a scrape gets of a reading that was just made."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry

from leadline.domain.ids import CampaignName
from services.queue_service.measuring.gauges import Gauge
from services.queue_service.measuring.keeping import read_fast, read_slow
from services.queue_service.measuring.showing import Figures
from services.queue_service.policy import Policy
from tests.services.queue_service.desk import CAMPAIGN, Desk

Shown = dict[tuple[str, ...], float]
"""Values by the gauge's name and its labels' values in order."""


def shown(figures: Figures) -> Shown:
    """Every sample."""
    registry = CollectorRegistry()
    registry.register(figures)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


async def fast(desk: Desk, policy: Policy | None = None) -> Shown:
    """The fast gauges as they would be shown now."""
    figures = Figures()
    async with desk.pool.acquire() as conn:
        figures.fast.note(await read_fast(conn, policy or desk.service.policy))
    return shown(figures)


async def slow(desk: Desk, policy: Policy | None = None) -> Shown:
    """The slow gauges as they would be shown now."""
    figures = Figures()
    figures.slow.note(await read_slow(desk.pool, policy or desk.service.policy))
    return shown(figures)


def of(values: Shown, gauge: Gauge, *labels: str) -> float | None:
    """The value of a gauge for these labels; None if it is absent."""
    return values.get((gauge.name, *labels))


def spread(values: Shown, gauge: Gauge) -> dict[str, float]:
    """A gauge with one label: its values by that, but those that are 0."""
    return {name[1]: value for name, value in values.items() if name[0] == gauge.name and value}


AGE = "SELECT extract(epoch FROM business_now() - $1)::float8 / coalesce((SELECT speed FROM clock), 1) AS seconds"
REAL = "SELECT extract(epoch FROM real_at + ($1 - business_at) / speed)::float8 AS unix FROM clock"


async def has_age(
    desk: Desk, at: datetime, gauge: Gauge, *labels: str, read: Callable[[Desk], Awaitable[Shown]] = fast
) -> None:
    """The gauge says how many real seconds ago an instant of business time was; asked before and after, SQL says so."""
    (before,) = await desk.fetch(AGE, at)
    value = of(await read(desk), gauge, *labels)
    (after,) = await desk.fetch(AGE, at)
    assert value is not None
    assert before["seconds"] <= value <= after["seconds"]


async def real(desk: Desk, at: datetime) -> float:
    """An instant of business time as real unix time, by the clock that the desk has set."""
    (row,) = await desk.fetch(REAL, at)
    return float(row["unix"])


def in_campaign(values: Shown, gauges: Sequence[Gauge], campaign: CampaignName = CAMPAIGN) -> list[float | None]:
    """Several gauges of one campaign."""
    return [of(values, gauge, campaign) for gauge in gauges]
