"""What the chart sets is what the processes read: their own settings are loaded from what a container would see."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
import typer
from typer.main import get_command

from leadline.contracts.campaigns import load_campaigns
from leadline.runtime.settings import ProcessSettings, SettingsError, load
from services.cli.pod import app
from services.dialer.settings import DialerSettings
from services.queue_service.settings import QueueSettings, make_policy
from services.simulator.settings import SimulatorSettings
from services.webhook_gateway.settings import GatewaySettings
from tests.deploy.chart import NAMESPACE, RELEASE, scenario, values_files
from tests.deploy.documents import Document, Pod, Rendered
from tests.deploy.environment import environment
from tests.deploy.policies.doors import container_ports
from tests.deploy.policies.ours import own_containers, runs_leadline
from tests.house.generated import process_settings

_SCENARIOS = pytest.mark.parametrize("name", values_files())


def classes() -> dict[str, type[ProcessSettings]]:
    """The settings of each command that a pod may run. (A dry sweep has fewer; no pod runs one.)"""
    return {known.process: known for known in reversed(process_settings())}


def containers(rendered: Rendered) -> Iterator[tuple[Pod, Document]]:
    """Every container of ours that runs our image."""
    for pod in rendered.pods:
        if runs_leadline(pod):
            yield from ((pod, container) for container in own_containers(rendered, pod))


def main_environment(rendered: Rendered, component: str, folder: Path) -> dict[str, str]:
    pod = rendered.component(component)[0]
    return environment(rendered, pod, pod.main, folder / component)


@_SCENARIOS
def test_every_process_loads_its_settings(name: str, tmp_path: Path) -> None:
    rendered, wrong = scenario(name), []
    for pod, container in containers(rendered):
        variables = environment(rendered, pod, container, tmp_path / pod.owner["metadata"]["name"])
        try:
            settings = load(classes()[container["args"][0]], variables)
            if isinstance(settings, QueueSettings):
                make_policy(settings)
            if isinstance(settings, DialerSettings):
                file = settings.campaigns.campaigns_file
                load_campaigns(settings.cadence, settings.calling, settings.call, file)
        except SettingsError as error:
            wrong.append(f"{pod}/{container['name']}: {error}")
    assert not wrong, "\n".join(wrong)


@_SCENARIOS
def test_every_argument_is_understood(name: str) -> None:
    command = get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    for _, container in containers(scenario(name)):
        word, *rest = container["args"]
        with (
            patch.dict(os.environ, {"LEADLINE_BACKFILL_FROM": "2026-01-05", "LEADLINE_BACKFILL_TO": "2026-01-05"}),
            command.make_context("leadline", [word, *rest]) as context,
        ):
            _, found, arguments = command.resolve_command(context, [word, *rest])
            assert found is not None
            found.make_context(word, arguments, parent=context)


@_SCENARIOS
def test_ports_are_where_the_processes_listen(name: str, tmp_path: Path) -> None:
    rendered = scenario(name)
    listening = {
        "gateway": lambda s: s.gateway.gateway_port,
        "queue": lambda s: s.server.queue_port,
        "simulator": lambda s: s.simulator.simulator_port,
    }
    for pod in rendered.pods:
        if not (pod.serves and runs_leadline(pod)):
            continue
        settings: Any = load(classes()[pod.main["args"][0]], main_environment(rendered, pod.component, tmp_path))
        wanted = {"metrics": settings.observability.metrics_port}
        if pod.component in listening:
            wanted["http"] = listening[pod.component](settings)
        assert container_ports(pod) == wanted
        assert settings.listen.host == "0.0.0.0"


@_SCENARIOS
def test_what_one_side_shows_the_other_accepts(name: str, tmp_path: Path) -> None:
    """As far as the chart makes the secrets itself."""
    rendered = scenario(name)
    auth = rendered.values["auth"]
    queue = load(QueueSettings, main_environment(rendered, "queue", tmp_path))
    accepted = {pair.token.get_secret_value(): pair.name for pair in queue.server.queue_tokens}
    for pod in rendered.pods:
        shown = environment(rendered, pod, pod.main, tmp_path / pod.component).get("LEADLINE_QUEUE_TOKEN")
        if shown is not None and not auth["existingSecret"]:
            assert accepted[shown] == ("operator" if pod.component == "smoke" else pod.component)
    if auth["mode"] == "serviceAccounts":
        assert set(accepted.values()) == {"operator"}
        known = {(given.caller, given.namespace, given.name) for given in queue.accounts.queue_service_accounts}
        callers = [
            pod for pod in rendered.pods if pod.component in {"gateway", "dialer", "sweep", "crm-sync", "backfill"}
        ]
        assert {(pod.component, NAMESPACE, pod.spec["serviceAccountName"]) for pod in callers} <= known


@pytest.mark.parametrize("name", [name for name in values_files() if scenario(name).values["simulator"]["enabled"]])
def test_the_simulated_world_fits_together(name: str, tmp_path: Path) -> None:
    rendered = scenario(name)
    simulated = load(SimulatorSettings, main_environment(rendered, "simulator", tmp_path)).world
    gateway = load(GatewaySettings, main_environment(rendered, "gateway", tmp_path)).gateway
    dialer = load(DialerSettings, main_environment(rendered, "dialer", tmp_path))
    assert simulated.api_key == dialer.bland.bland_api_key
    assert simulated.webhook_secret in gateway.bland_webhook_secrets
    assert urlsplit(dialer.bland.bland_base_url).hostname == f"{_name(rendered)}-simulator"
    if rendered.values["convoso"]["enabled"]:
        assert simulated.convoso_token == dialer.convoso.convoso_auth_token


def _name(rendered: Rendered) -> str:
    return rendered.values["fullnameOverride"] or RELEASE


@_SCENARIOS
def test_results_come_back_to_the_gateway(name: str, tmp_path: Path) -> None:
    """The address that Bland is told leads to the gateway's Service, or is the one that values give."""
    rendered = scenario(name)
    public = load(DialerSettings, main_environment(rendered, "dialer", tmp_path)).public.public_url
    if rendered.values["publicUrl"]:
        assert public == rendered.values["publicUrl"].rstrip("/")
        return
    service = rendered.named("Service", urlsplit(public).hostname or "")
    assert service is not None
    assert service["metadata"]["labels"]["app.kubernetes.io/component"] == "gateway"
    assert urlsplit(public).port in {port["port"] for port in service["spec"]["ports"]}


def test_the_development_database_knows_its_user(tmp_path: Path) -> None:
    rendered = scenario("dev")
    server = main_environment(rendered, "postgres", tmp_path)
    url = urlsplit(main_environment(rendered, "queue", tmp_path)["LEADLINE_DATABASE_URL"])
    assert (url.username, url.password, url.path.strip("/")) == (
        server["POSTGRES_USER"],
        server["POSTGRES_PASSWORD"],
        server["POSTGRES_DB"],
    )
    assert rendered.named("Service", url.hostname or "") is not None
