"""Which processes run, where they listen, and what each of them is given."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from leadline.runtime.settings import ProcessSettings
from services.cli.up.children import child_environment
from services.cli.up.folder import DataFolder
from services.cli.up.ports import choose_port
from services.cli.up.processes import Program
from services.cli.up.settings import SIMULATOR_API_KEY, SIMULATOR_SECRET, Configured
from services.dialer.settings import DialerSettings
from services.migrate.settings import MigrateSettings
from services.queue_service.settings import QueueSettings
from services.simulator.settings import SimulatorSettings
from services.sweep.settings import SweepSettings
from services.webhook_gateway.settings import GatewaySettings

LOOPBACK = "127.0.0.1"
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
        return self._program("simulator", "services.simulator", SimulatorSettings, own)

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
            "LEADLINE_METRICS_PORT": str(self.ports.dialer_metrics),
        }
        return self._program("dialer", "services.dialer", DialerSettings, own)

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

    def simulator_probe(self) -> str:
        """Answers when the simulated Bland takes requests."""
        return f"{self.bland_url}/simulator/clock"

    def _as_caller(self, name: str) -> dict[str, str]:
        return {"LEADLINE_QUEUE_URL": self.queue_url, "LEADLINE_QUEUE_TOKEN": self._configured.tokens[name]}

    def _bland(self) -> dict[str, str]:
        given = self._configured.environ
        public_url = self.gateway_url if self._configured.makes_public_url else given["LEADLINE_PUBLIC_URL"]
        return {"LEADLINE_BLAND_BASE_URL": self.bland_url, "LEADLINE_PUBLIC_URL": public_url}

    def _program(
        self, name: str, module: str, settings: type[ProcessSettings], own: Mapping[str, str], *arguments: str
    ) -> Program:
        own = {"LEADLINE_LOG_FORMAT": self._configured.environ.get("LEADLINE_LOG_FORMAT") or "console", **own}
        environment = child_environment(settings, self._configured.environ, own)
        return Program(name, module, environment, self._folder.log_path(name), arguments)

    def _url(self, port: int) -> str:
        host = f"[{self._here}]" if ":" in self._here else self._here
        return f"http://{host}:{port}"
