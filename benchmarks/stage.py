"""What every benchmark needs: a durable PostgreSQL, the services as processes, leads by the hundred thousand."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
import asyncpg

from services.cli.embedded_postgres import EmbeddedPostgres

ALWAYS = {"LEADLINE_CALLING_HOURS": "Mon-Sun 00:00-24:00", "LEADLINE_LEGAL_PROFILE": "none"}
TOKENS = ",".join(f"{name}:bench-{name}" for name in ("gateway", "dialer", "sweep", "crm-sync", "backfill", "operator"))
QUEUE_URL = "http://127.0.0.1:18081"
GATEWAY_URL = "http://127.0.0.1:18080"
SIMULATOR_URL = "http://127.0.0.1:18090"
API_KEY = "bench-key"
WEBHOOK_SECRET = "bench-secret"

FILL = """
WITH numbers AS MATERIALIZED (
    SELECT n, '+1' || (2125550000 + ($1::bigint + n))::text AS phone_number,
           ('01900000-0000-7000-8000-' || lpad(to_hex($1::bigint + n), 12, '0'))::uuid AS id,
           $2::timestamptz + n * make_interval(secs => $3) AS due_at
    FROM generate_series(0, $4::int - 1) AS n
), new_phones AS (
    INSERT INTO phones (phone_number) SELECT phone_number FROM numbers
), new_leads AS (
    INSERT INTO leads (id, campaign, phone_number, sender_lead_id, list_id, status, life_started_at, created_at,
                       updated_at)
    SELECT id, 'awhealth', phone_number, n::text, '1', 'pending', 'epoch', now(), now() FROM numbers
)
INSERT INTO due_leads (lead_id, campaign, band, due_at, phone_number)
SELECT id, 'awhealth', 0, due_at, phone_number FROM numbers
"""


@dataclass(slots=True)
class Stage:
    """A running system."""

    database_url: str
    http: aiohttp.ClientSession
    postgres_pid: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    filled: int = 0

    def start(self, module: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start one service as the chart would."""
        process = subprocess.Popen([sys.executable, "-m", f"services.{module}"], env=self.environ(**environment))
        self.processes.append(process)
        return process

    def environ(self, **environment: str) -> dict[str, str]:
        """What a service sees: these settings, and no others that may be set outside."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LEADLINE_", "REDIAL_"))}
        return {**inherited, "LEADLINE_METRICS_PORT": "0", "LEADLINE_LOG_LEVEL": "warning", **ALWAYS, **environment}

    def start_queue_service(self, **environment: str) -> subprocess.Popen[bytes]:
        """The queue-service on a port of its own."""
        own = {
            "LEADLINE_DATABASE_URL": self.database_url,
            "LEADLINE_QUEUE_TOKENS": TOKENS,
            "LEADLINE_QUEUE_PORT": "18081",
            "LEADLINE_CALLS_PER_SECOND": "10000",
        }
        return self.start("queue_service", **{**own, **environment})

    def start_gateway(self, **environment: str) -> subprocess.Popen[bytes]:
        """The gateway; leads are posted with `API_KEY`, events come from the simulator."""
        own = {
            "LEADLINE_GATEWAY_PORT": "18080",
            "LEADLINE_GATEWAY_API_KEYS": f"bench:{API_KEY}",
            "LEADLINE_BLAND_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "LEADLINE_QUEUE_URL": QUEUE_URL,
            "LEADLINE_QUEUE_TOKEN": "bench-gateway",
        }
        return self.start("webhook_gateway", **{**own, **environment})

    def start_simulator(self, **environment: str) -> subprocess.Popen[bytes]:
        """The simulated provider, which signs its webhooks."""
        own = {"LEADLINE_SIMULATOR_PORT": "18090", "LEADLINE_SIMULATOR_WEBHOOK_SECRET": WEBHOOK_SECRET}
        return self.start("simulator", **{**own, **environment})

    def start_dialer(self, **environment: str) -> subprocess.Popen[bytes]:
        """A dialer that calls at the simulator."""
        own = {
            "LEADLINE_QUEUE_URL": QUEUE_URL,
            "LEADLINE_QUEUE_TOKEN": "bench-dialer",
            "LEADLINE_BLAND_BASE_URL": SIMULATOR_URL,
            "LEADLINE_BLAND_API_KEY": "bench",
            "LEADLINE_PUBLIC_URL": GATEWAY_URL,
        }
        return self.start("dialer", **{**own, **environment})

    async def fill(self, leads: int, due_at: datetime, every_seconds: float = 0.0) -> list[str]:
        """Insert leads that are due at an instant, or one after the other; returns their numbers."""
        first, self.filled = self.filled, self.filled + leads
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute("SET statement_timeout = 0")
            await connection.execute(FILL, first, due_at, every_seconds, leads)
            await connection.execute("ANALYZE phones, leads, due_leads")
        finally:
            await connection.close()
        return [f"+1{2125550000 + first + n}" for n in range(leads)]

    async def wait_for(self, url: str) -> None:
        """Wait until something answers there."""
        for _ in range(200):
            try:
                async with self.http.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
        msg = f"nothing answers at {url}"
        raise TimeoutError(msg)

    async def create_database(self, name: str) -> str:
        """A further database on the same server, empty; its URL."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        return self.database_url.replace("/leadline?", f"/{name}?")

    def stop(self) -> None:
        """End every process that still runs, the last first."""
        for process in reversed(self.processes):
            process.terminate()
            process.wait(30)


@asynccontextmanager
async def stage_open() -> AsyncIterator[Stage]:
    """A fresh database at head, durable as PostgreSQL is by default."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="leadline-bench-"))
        # As root, the server runs as another user, who must be able to enter.
        os.chmod(folder, 0o755)  # noqa: PTH101 -- one call at the start; ASYNC240 refuses Path.chmod here
        postgres = await stack.enter_async_context(EmbeddedPostgres(Path(folder) / "data"))
        url = postgres.url("leadline")
        await postgres.ensure_database("leadline")
        await migrate(url)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(url, http, postgres.pid)
        stack.callback(stage.stop)
        yield stage


async def migrate(database_url: str) -> None:
    """Bring a database to head. Raises RuntimeError if that fails."""
    environment = {**os.environ, "LEADLINE_DATABASE_URL": database_url, "LEADLINE_LOG_LEVEL": "warning"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.migrate", env=environment)
    if await process.wait():
        msg = "the migration failed"
        raise RuntimeError(msg)


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(figure: str, **values: float | str) -> None:
    """Print one line of figures."""
    words = " ".join(f"{k}={v:,.1f}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items())
    sys.stdout.write(f"{figure}: {words}\n")


def options(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Sizes from the environment, for a bigger or a shorter run."""
    return {k.removeprefix("BENCH_").lower(): v for k, v in environ.items() if k.startswith("BENCH_")}
