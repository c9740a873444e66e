"""Which processes run, where they listen, and what each of them is given."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from leadline.runtime.settings import ProcessSettings
from services.cli.up.children import child_environment
from services.cli.up.crm import CONVOSO_TOKEN, CONVOSO_URL, SIMULATED_PATH, SIMULATOR_CONVOSO_TOKEN
from services.cli.up.folder import DataFolder
from services.cli.up.ports import choose_port
from services.cli.up.processes import Program
from services.cli.up.settings import SIMULATOR_API_KEY, SIMULATOR_SECRET, Configured
from services.crm_sync.settings import CrmSyncSettings
from services.dialer.settings import DialerSettings
from services.migrate.settings import MigrateSettings
from services.queue_service.settings import QueueSettings
from services.simulator.settings import SimulatorSettings
from services.sweep.settings import SweepSettings
from services.webhook_gateway.settings import GatewaySettings

LOOPBACK = "127.0.0.1"
CRM_SYNC = "crm-sync"
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- compared with, not listened on


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of a run."""

    gateway: int
    queue: int
    simulator: int
    gateway_metrics: int
    queue_metrics: int
    dialer_metrics: int
    crm_sync_metrics: int

    @classmethod
    def choose(cls, configured: Configured) -> "Ports":
        """The usual ones where they are free; those that were set, or none (UpRefused). Metrics have any ports."""
        settings, environ, taken = configured.settings, configured.environ, set[int]()
        host = settings.listen.host

        def main(setting: str, preferred: int, on: str = host) -> int:
            return choose_port(on, preferred, setting, given=bool(environ.get(setting, "").strip()), taken=taken)

        def metrics() -> int:
            return choose_port(host, 0, "LEADLINE_METRICS_PORT", given=False, taken=taken)

        return cls(
            gateway=main("LEADLINE_GATEWAY_PORT", settings.gateway.gateway_port),
            queue=main("LEADLINE_QUEUE_PORT", settings.queue.queue_port),
            simulator=main("LEADLINE_SIMULATOR_PORT", settings.simulator.simulator_port, LOOPBACK)
            if configured.own_simulator
            else 0,
            gateway_metrics=metrics(),
            queue_metrics=metrics(),
            dialer_metrics=metrics(),
            crm_sync_metrics=metrics(),
        )


class Plan:
    """The programs of one run. Each gets the settings of its own parts, its own token, and nothing else."""

    def __init__(self, configured: Configured, folder: DataFolder, ports: Ports) -> None:
        self._configured = configured
        self._folder = folder
        self.ports = ports
        host = configured.settings.listen.host
        self._here = LOOPBACK if host in _EVERY_ADDRESS else host
        self.gateway_url = self._url(ports.gateway)
        self.queue_url = self._url(ports.queue)
        self.bland_url = (
            f"http://{LOOPBACK}:{ports.simulator}"
            if configured.own_simulator
            else configured.settings.bland.bland_base_url
        )
        self.crm_url = (
            f"{self.bland_url}{SIMULATED_PATH}"
            if configured.own_convoso
            else configured.settings.convoso.convoso_base_url
        )

    def migrate(self, database_url: SecretStr) -> Program:
        """One upgrade to head."""
        own = {"LEADLINE_DATABASE_URL": database_url.get_secret_value(), "LEADLINE_METRICS_PORT": "0"}
        return self._program("migrate", "services.migrate", MigrateSettings, own)

    def simulator(self) -> Program:
        """The simulated Bland, never heard outside of this machine."""
        settings = self._configured.settings
        secrets = settings.gateway.bland_webhook_secrets
        own = {
            "LEADLINE_HOST": LOOPBACK,
            "LEADLINE_SIMULATOR_PORT": str(self.ports.simulator),
            "LEADLINE_METRICS_PORT": "0",
            SIMULATOR_API_KEY: settings.bland.bland_api_key.get_secret_value(),
            SIMULATOR_SECRET: secrets[0].get_secret_value(),
        }
        if not self._configured.environ.get("LEADLINE_SIMULATOR_PLAN"):
            own["LEADLINE_SIMULATOR_PLAN"] = settings.pace.bland_plan
        return self._program("simulator", "services.simulator", SimulatorSettings, own | self._simulated_convoso())

    def _simulated_convoso(self) -> dict[str, str]:
        """The simulated Convoso wants our token, and tells our gateway what its agents decide."""
        token, key = self.crm_token, self._configured.api_key
        if not self._configured.own_convoso or token is None:
            return {}
        own = {SIMULATOR_CONVOSO_TOKEN: token, "LEADLINE_SIMULATOR_CONVOSO_ADOPTS": "true"}
        if key is not None:
            own["LEADLINE_SIMULATOR_CONVOSO_CONNECT_URL"] = f"{self.gateway_url}/webhooks/convoso"
            own["LEADLINE_SIMULATOR_CONVOSO_CONNECT_KEY"] = key
        return own

    def queue(self, database_url: SecretStr) -> Program:
        """The queue-service: the one with the database."""
        own = {
            "LEADLINE_DATABASE_URL": database_url.get_secret_value(),
            "LEADLINE_QUEUE_PORT": str(self.ports.queue),
            "LEADLINE_METRICS_PORT": str(self.ports.queue_metrics),
        }
        return self._program("queue", "services.queue_service", QueueSettings, own)

    def gateway(self) -> Program:
        """The door."""
        own = {
            **self._as_caller("gateway"),
            "LEADLINE_GATEWAY_PORT": str(self.ports.gateway),
            "LEADLINE_METRICS_PORT": str(self.ports.gateway_metrics),
        }
        return self._program("gateway", "services.webhook_gateway", GatewaySettings, own)

    def dialer(self) -> Program:
        """One dialer."""
        own = {
            **self._as_caller("dialer"),
            **self._bland(),
            **self._convoso(),
            "LEADLINE_METRICS_PORT": str(self.ports.dialer_metrics),
        }
        return self._program("dialer", "services.dialer", DialerSettings, own)

    def crm_sync(self) -> Program:
        """Who tells the CRM, and asks it again."""
        own = {
            **self._as_caller(CRM_SYNC),
            **self._convoso(),
            "LEADLINE_METRICS_PORT": str(self.ports.crm_sync_metrics),
        }
        return self._program(CRM_SYNC, "services.crm_sync", CrmSyncSettings, own)

    def sweep(self) -> Program:
        """One pass."""
        own = {**self._as_caller("sweep"), **self._bland(), "LEADLINE_METRICS_PORT": "0"}
        return self._program("sweep", "services.sweep", SweepSettings, own, "--json")

    def queue_probe(self) -> str:
        """Answers when the queue-service takes requests."""
        return f"{self.queue_url}/openapi.json"

    def gateway_probe(self) -> str:
        """Answers when the gateway takes requests."""
        return f"{self.gateway_url}/openapi.json"

    def dialer_probe(self) -> str:
        """Answers when the dialer runs."""
        return f"{self._url(self.ports.dialer_metrics)}/healthz"

    def crm_sync_probe(self) -> str:
        """Answers when the CRM's sync runs."""
        return f"{self._url(self.ports.crm_sync_metrics)}/healthz"

    def connection(self) -> dict[str, str]:
        """What other commands on this machine need to know; without a CRM nothing of it."""
        configured = self._configured
        found = {
            "queue_url": self.queue_url,
            "operator_token": configured.tokens["operator"],
            "gateway_url": self.gateway_url,
            "api_key": configured.api_key or "",
            "backfill_token": configured.tokens["backfill"],
            "bland_base_url": self.bland_url,
            "bland_api_key": configured.settings.bland.bland_api_key.get_secret_value(),
        }
        token = self.crm_token
        if configured.has_crm and token is not None:
            pace = configured.settings.convoso.convoso_requests_per_second
            found |= {
                "convoso_base_url": self.crm_url,
                "convoso_auth_token": token,
                "convoso_requests_per_second": f"{pace:g}",
            }
        return found

    def targets(self) -> dict[str, str]:
        """Where `/metrics` is, by component: host and port."""
        ports = {
            "gateway": self.ports.gateway_metrics,
            "queue": self.ports.queue_metrics,
            "dialer": self.ports.dialer_metrics,
            **({CRM_SYNC: self.ports.crm_sync_metrics} if self._configured.has_crm else {}),
        }
        return {component: f"{self._here}:{port}" for component, port in ports.items()}

    @property
    def crm_token(self) -> str | None:
        """Convoso's, if there is one."""
        token = self._configured.settings.convoso.convoso_auth_token
        return None if token is None else token.get_secret_value()

    def simulator_probe(self) -> str:
        """Answers when the simulated Bland takes requests."""
        return f"{self.bland_url}/simulator/clock"

    def _as_caller(self, name: str) -> dict[str, str]:
        return {"LEADLINE_QUEUE_URL": self.queue_url, "LEADLINE_QUEUE_TOKEN": self._configured.tokens[name]}

    def _bland(self) -> dict[str, str]:
        given = self._configured.environ
        public_url = self.gateway_url if self._configured.makes_public_url else given["LEADLINE_PUBLIC_URL"]
        return {"LEADLINE_BLAND_BASE_URL": self.bland_url, "LEADLINE_PUBLIC_URL": public_url}

    def _convoso(self) -> dict[str, str]:
        token = self.crm_token
        if not self._configured.has_crm or token is None:
            return {}
        return {CONVOSO_URL: self.crm_url, CONVOSO_TOKEN: token}

    def _program(
        self, name: str, module: str, settings: type[ProcessSettings], own: Mapping[str, str], *arguments: str
    ) -> Program:
        own = {"LEADLINE_LOG_FORMAT": self._configured.environ.get("LEADLINE_LOG_FORMAT") or "console", **own}
        environment = child_environment(settings, self._configured.environ, own)
        return Program(name, module, environment, self._folder.log_path(name), arguments)

    def _url(self, port: int) -> str:
        host = f"[{self._here}]" if ":" in self._here else self._here
        return f"http://{host}:{port}"
