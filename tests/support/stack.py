"""The whole system as processes of its own: simulator, queue-services, gateway, dialers, sweeps. Bound to no loop.

Everything is Leadline's own program with its own settings; times are short, so that what takes minutes takes seconds.
"""

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.ports import free_port
from tests.support.processes import ServiceProcess

CALLERS = ("gateway", "dialer", "sweep", "crm-sync", "backfill", "operator")
TOKENS = {name: f"{name}-token" for name in CALLERS}
GATEWAY_KEY = "zapier-key"
BLAND_KEY = "bland-key"
WEBHOOK_SECRET = "webhook-secret"
CONVOSO_TOKEN = "convoso-token"
_SIMULATOR = "services.simulator"
_SIMULATOR_PREFIX = "LEADLINE_SIMULATOR_"
LEASE_SECONDS = 2.0
SEND_WITHIN_SECONDS = 1.5
QUIET_SECONDS = 6.0

SETTINGS: Mapping[str, str] = {
    "LEADLINE_LOG_LEVEL": "info",
    "LEADLINE_LEASE_SECONDS": str(LEASE_SECONDS),
    "LEADLINE_SEND_WITHIN_MS": str(round(SEND_WITHIN_SECONDS * 1000)),
    "LEADLINE_REPORT_WITHIN_SECONDS": "2",
    "LEADLINE_QUIET_SECONDS": str(QUIET_SECONDS),
    "LEADLINE_BLAND_TIMEOUT_SECONDS": "1.5",
    "LEADLINE_DRAIN_SECONDS": "6",
    "LEADLINE_CALLS_PER_SECOND": "200",
    "LEADLINE_BLAND_TASK": "Sell a health plan, kindly.",
    "REDIAL_PROGRESSIVE_INTERVALS": "0,60",
    "LEADLINE_BLAND_WEBHOOK_SECRETS": WEBHOOK_SECRET,
    "LEADLINE_GATEWAY_API_KEYS": f"zapier:{GATEWAY_KEY}",
    "LEADLINE_QUEUE_TOKENS": ",".join(f"{name}:{token}" for name, token in TOKENS.items()),
    "LEADLINE_BLAND_API_KEY": BLAND_KEY,
    "LEADLINE_SIMULATOR_API_KEY": BLAND_KEY,
    "LEADLINE_SIMULATOR_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "LEADLINE_SIMULATOR_WEBHOOK_BACKOFF_CEILING_SECONDS": "1",
    "LEADLINE_SIMULATOR_NATIONAL_FORM_SHARE": "0.5",
    "LEADLINE_SIMULATOR_LISTING_LAG_SECONDS": "1",
    "LEADLINE_SIMULATOR_CONVOSO_TOKEN": CONVOSO_TOKEN,
    "LEADLINE_BACKFILL_LEASE_SECONDS": "1",
    "LEADLINE_BACKFILL_RETRY_SECONDS": "0.05,0.1,0.2,0.4,0.8",
}
"""Silence becomes a doubt before the quiet time is over, so that a sweep can come too early. An hour lies between two
calls to one number: a test that wants the second one moves the clock."""


CRM_SETTINGS: Mapping[str, str] = {
    "LEADLINE_CRM": "convoso",
    "LEADLINE_CONVOSO_AUTH_TOKEN": CONVOSO_TOKEN,
    "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": "0",
    "LEADLINE_CONVOSO_TIMEOUT_SECONDS": "1",
    "LEADLINE_CONVOSO_RETRIES": "0",
    "LEADLINE_CRM_SYNC_POLL_SECONDS": "0.1",
}


class Stack:
    """One running system on one database. Make, `start`, and `stop` whatever happened.

    Of several queue-services the first is for dialers, the last for everybody else, unless a test says otherwise.
    """

    def __init__(
        self,
        database_url: str,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        queues: int = 1,
        queue_module: str = "services.queue_service",
        crm: bool = False,
    ) -> None:
        """`settings` go to every process, over `SETTINGS`. `crm`: the simulator's Convoso is asked and told."""
        self.database_url = database_url
        self._folder = folder
        self._settings = {**SETTINGS, **(CRM_SETTINGS if crm else {}), **(settings or {})}
        self._numbers = itertools.count(1)
        self.queue_ports = [free_port() for _ in range(queues)]
        self.queue_urls = [f"http://127.0.0.1:{port}" for port in self.queue_ports]
        self.gateway_port = free_port()
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self.simulator_port = free_port()
        self.simulator_url = f"http://127.0.0.1:{self.simulator_port}"
        self.queues = [self._queue(n, queue_module) for n in range(queues)]
        self.gateway = self.make_gateway()
        self.convoso_url = f"{self.simulator_url}/convoso/v1"
        self.simulator = self._process(_SIMULATOR, self._simulator_settings(crm=crm), "simulator")

    async def start(self, *, gateway: bool = True) -> None:
        """Start simulator, queue-services and gateway, side by side; dialers and sweeps are the tests'."""
        services = (*self.queues, self.gateway) if gateway else tuple(self.queues)
        for process in (self.simulator, *services):
            process.start()
        await asyncio.gather(*(process.wait_ready() for process in services))
        await self.simulator.wait_ready(f"{self.simulator_url}/simulator/clock")

    async def stop(self) -> None:
        """Kill what `start` started."""
        for process in (self.gateway, *self.queues, self.simulator):
            await process.kill()

    def make_gateway(self, queue_url: str | None = None, **settings: str) -> ServiceProcess:
        """A gateway on the stack's gateway port; not started."""
        own = {
            "LEADLINE_GATEWAY_PORT": str(self.gateway_port),
            "LEADLINE_QUEUE_URL": queue_url or self.queue_urls[-1],
            "LEADLINE_QUEUE_TOKEN": TOKENS["gateway"],
            **settings,
        }
        return self._process("services.webhook_gateway", own, f"gateway-{next(self._numbers)}")

    def make_dialer(
        self,
        *,
        queue_url: str | None = None,
        bland_url: str | None = None,
        convoso_url: str | None = None,
        module: str = "services.dialer",
        arguments: tuple[str, ...] = (),
        **settings: str,
    ) -> ServiceProcess:
        """A dialer; not started."""
        name = f"dialer-{next(self._numbers)}"
        own = {
            "LEADLINE_DIALER_NAME": name,
            "LEADLINE_QUEUE_URL": queue_url or self.queue_urls[0],
            "LEADLINE_QUEUE_TOKEN": TOKENS["dialer"],
            "LEADLINE_BLAND_BASE_URL": bland_url or self.simulator_url,
            "LEADLINE_CONVOSO_BASE_URL": convoso_url or self.convoso_url,
            "LEADLINE_PUBLIC_URL": self.gateway_url,
            **settings,
        }
        return self._process(module, own, name, arguments=arguments)

    def make_crm_sync(self, *, convoso_url: str | None = None, **settings: str) -> ServiceProcess:
        """Who tells Convoso and asks it again; not started."""
        own = {
            "LEADLINE_QUEUE_URL": self.queue_urls[-1],
            "LEADLINE_QUEUE_TOKEN": TOKENS["crm-sync"],
            "LEADLINE_CONVOSO_BASE_URL": convoso_url or self.convoso_url,
            **settings,
        }
        return self._process("services.crm_sync", own, f"crm-sync-{next(self._numbers)}")

    def make_backfill(self, *arguments: str, queue_url: str | None = None, **settings: str) -> ServiceProcess:
        """A backfill with these options, its summary as JSON; not started."""
        own = {
            "LEADLINE_QUEUE_URL": queue_url or self.queue_urls[-1],
            "LEADLINE_QUEUE_TOKEN": TOKENS["backfill"],
            "LEADLINE_BLAND_BASE_URL": self.simulator_url,
            "LEADLINE_CONVOSO_BASE_URL": self.convoso_url,
            **settings,
        }
        label = f"backfill-{next(self._numbers)}"
        return self._process("services.backfill", own, label, arguments=("--json", *arguments))

    def make_sweep(self, *, queue_url: str | None = None, **settings: str) -> ServiceProcess:
        """One pass of the sweep; not started."""
        own = {
            "LEADLINE_QUEUE_URL": queue_url or self.queue_urls[-1],
            "LEADLINE_QUEUE_TOKEN": TOKENS["sweep"],
            "LEADLINE_BLAND_BASE_URL": self.simulator_url,
            **settings,
        }
        return self._process("services.sweep", own, f"sweep-{next(self._numbers)}", arguments=("--json",))

    def _simulator_settings(self, *, crm: bool) -> dict[str, str]:
        own = {"LEADLINE_SIMULATOR_PORT": str(self.simulator_port)}
        if crm:
            own["LEADLINE_SIMULATOR_CONVOSO_CONNECT_URL"] = f"{self.gateway_url}/webhooks/convoso"
            own["LEADLINE_SIMULATOR_CONVOSO_CONNECT_KEY"] = GATEWAY_KEY
        return own

    def _queue(self, number: int, module: str) -> ServiceProcess:
        own = {"LEADLINE_QUEUE_PORT": str(self.queue_ports[number]), "LEADLINE_DATABASE_URL": self.database_url}
        arguments = () if module == "services.queue_service" else ("services.queue_service",)
        return self._process(module, own, f"queue-{number}", arguments=arguments)

    def _process(self, module: str, own: Mapping[str, str], label: str, **more: Any) -> ServiceProcess:
        settings = {**self._settings, **own}
        if module != _SIMULATOR:
            # No other process knows these names, and each refuses what it does not know.
            settings = {name: value for name, value in settings.items() if not name.startswith(_SIMULATOR_PREFIX)}
        return ServiceProcess(module, settings, self._folder, label=label, **more)
