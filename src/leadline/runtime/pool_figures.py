"""How pools of connections are used, and how long it takes to get a connection out of one."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

import asyncpg
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy
from prometheus_client import REGISTRY, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    _Pool = asyncpg.Pool[asyncpg.Record]
    _Acquiring = PoolAcquireContext[asyncpg.Record]
    _Connection = PoolConnectionProxy[asyncpg.Record]
else:
    _Pool, _Acquiring, _Connection = asyncpg.Pool, PoolAcquireContext, Any

MAX_QUERIES: Final = 50_000
"""As asyncpg's own: after so many a connection is replaced."""

WAIT_SECONDS: Final = Histogram(
    "leadline_pool_wait_seconds",
    "Time until a connection of the pool was had, or the wait given up; making a new connection is part of it.",
    ("pool",),
    buckets=(0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class MeasuredPool(_Pool):
    """A pool of asyncpg's that counts how long its users wait for a connection, and is shown by `POOLS`.

    `async with pool.acquire()` is measured, and what the pool does by itself (`pool.fetch`); `await pool.acquire()` is
    not.
    """

    def __init__(self, name: str, dsn: str, **options: Any) -> None:
        """`name` is the label of its figures: a pool that is opened under the same name later takes it over."""
        super().__init__(
            dsn,
            max_queries=MAX_QUERIES,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **options,
        )
        self.waits: Final = WAIT_SECONDS.labels(name)
        POOLS.show(name, self)

    def acquire(self, *, timeout: float | None = None) -> _Acquiring:
        """As of asyncpg's."""
        return _MeasuredAcquire(self, timeout)


class _MeasuredAcquire(_Acquiring):
    pool: MeasuredPool

    async def __aenter__(self) -> _Connection:
        began = time.perf_counter()
        try:
            return await super().__aenter__()
        finally:
            self.pool.waits.observe(time.perf_counter() - began)


class PoolFigures(Collector):
    """Connections of the pools that are open."""

    def __init__(self) -> None:
        self._pools: WeakValueDictionary[str, MeasuredPool] = WeakValueDictionary()

    def show(self, name: str, pool: MeasuredPool) -> None:
        """Show this pool under its name until it is closed."""
        self._pools[name] = pool

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The family, without a value."""
        yield GaugeMetricFamily(
            "leadline_pool_connections",
            "Connections to the database by pool: idle, used, and max, which is how many there may be together.",
            labels=("pool", "state"),
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """For prometheus_client."""
        for family in self.describe():
            for name, pool in sorted(self._pools.items()):
                if not pool.is_closing():
                    idle = pool.get_idle_size()
                    family.add_metric((name, "idle"), idle)
                    family.add_metric((name, "used"), pool.get_size() - idle)
                    family.add_metric((name, "max"), pool.get_max_size())
            yield family


POOLS: Final = PoolFigures()
REGISTRY.register(POOLS)
