"""Which CRM a run has: the simulated one beside a simulated Bland, a given one, or none; who is told of it."""

from pathlib import Path

import pytest

from services.cli.connection import ConnectionFile
from services.cli.up.errors import UpRefused
from services.cli.up.folder import DataFolder
from services.cli.up.plan import Plan, Ports
from services.cli.up.processes import Program
from services.cli.up.settings import Configured, configure

REAL_BLAND = {
    "LEADLINE_BLAND_API_KEY": "sk-real",
    "LEADLINE_BLAND_WEBHOOK_SECRETS": "whsec",
    "LEADLINE_PUBLIC_URL": "https://calls.example.com",
}
TOKEN = {"LEADLINE_CONVOSO_AUTH_TOKEN": "real-token"}
PORTS = Ports(gateway=1, queue=2, simulator=3, gateway_metrics=4, queue_metrics=5, dialer_metrics=6, crm_sync_metrics=7)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path)
    made.logs.mkdir()
    return made


def plan(folder: DataFolder, environ: dict[str, str]) -> tuple[Configured, Plan]:
    configured = configure(environ, folder)
    return configured, Plan(configured, folder, PORTS)


def convoso(program: Program) -> dict[str, str]:
    return {name: value for name, value in program.environment.items() if "CONVOSO" in name}


def test_beside_a_simulated_bland_convoso_is_simulated_too(folder: DataFolder) -> None:
    configured, made = plan(folder, {})
    assert (configured.has_crm, configured.own_convoso) == (True, True)
    token = configured.made["simulated-convoso-token"]
    asked = {
        "LEADLINE_CONVOSO_BASE_URL": "http://127.0.0.1:3/convoso/v1",
        "LEADLINE_CONVOSO_AUTH_TOKEN": token,
        "LEADLINE_CONVOSO_REQUESTS_PER_SECOND": "0",
    }
    assert convoso(made.dialer()) == asked
    assert convoso(made.crm_sync()) == asked
    assert convoso(made.simulator()) == {
        "LEADLINE_SIMULATOR_CONVOSO_TOKEN": token,
        "LEADLINE_SIMULATOR_CONVOSO_ADOPTS": "true",
        "LEADLINE_SIMULATOR_CONVOSO_CONNECT_URL": "http://127.0.0.1:1/webhooks/convoso",
        "LEADLINE_SIMULATOR_CONVOSO_CONNECT_KEY": configured.api_key,
    }
    for other in (made.gateway(), made.sweep()):
        assert convoso(other) == {}
    assert made.crm_sync().environment["LEADLINE_QUEUE_TOKEN"] == configured.tokens["crm-sync"]


def test_the_token_is_kept(folder: DataFolder) -> None:
    first = configure({}, folder)
    second = configure({}, folder)
    assert second.settings.convoso.convoso_auth_token == first.settings.convoso.convoso_auth_token
    assert second.made == {}


def test_with_digests_alone_no_status_is_posted_back(folder: DataFolder) -> None:
    _, made = plan(folder, {"LEADLINE_GATEWAY_API_KEYS": "zapier:sha256:" + "0" * 64})
    assert set(convoso(made.simulator())) == {
        "LEADLINE_SIMULATOR_CONVOSO_TOKEN",
        "LEADLINE_SIMULATOR_CONVOSO_ADOPTS",
    }


def test_no_crm_may_be_asked_for(folder: DataFolder) -> None:
    configured, made = plan(folder, {"LEADLINE_CRM": "none"} | TOKEN)
    assert not configured.has_crm
    assert convoso(made.simulator()) == {}


def test_real_calls_without_a_token_have_no_crm(folder: DataFolder) -> None:
    configured, made = plan(folder, REAL_BLAND)
    assert not configured.has_crm
    assert "convoso_base_url" not in made.connection()


def test_real_calls_with_a_token_have_the_real_one(folder: DataFolder) -> None:
    configured, made = plan(folder, REAL_BLAND | TOKEN)
    assert (configured.has_crm, configured.own_convoso) == (True, False)
    assert made.crm_url == "https://api.convoso.com/v1"
    assert convoso(made.dialer()) == {
        "LEADLINE_CONVOSO_BASE_URL": "https://api.convoso.com/v1",
        "LEADLINE_CONVOSO_AUTH_TOKEN": "real-token",
    }


def test_a_real_convoso_is_never_told_of_invented_calls(folder: DataFolder) -> None:
    with pytest.raises(UpRefused, match="a real Convoso would be told of invented calls"):
        configure(TOKEN, folder)
    here = {"LEADLINE_CONVOSO_BASE_URL": "http://127.0.0.1:9/convoso/v1"}
    for environ in (here, here | TOKEN):
        configured, made = plan(folder, environ)
        assert (configured.has_crm, configured.own_convoso) == (True, False)
        assert made.crm_url == here["LEADLINE_CONVOSO_BASE_URL"]
        assert convoso(made.simulator()) == {}


def test_a_crm_without_a_token_is_refused_while_calls_are_real(folder: DataFolder) -> None:
    with pytest.raises(UpRefused, match="LEADLINE_CONVOSO_AUTH_TOKEN is not set"):
        configure(REAL_BLAND | {"LEADLINE_CRM": "convoso"}, folder)


def test_a_second_terminal_is_told_what_a_backfill_needs(folder: DataFolder) -> None:
    configured, made = plan(folder, {})
    told = made.connection()
    assert told["backfill_token"] == configured.tokens["backfill"]
    assert told["bland_base_url"] == "http://127.0.0.1:3"
    assert told["bland_api_key"] == configured.settings.bland.bland_api_key.get_secret_value()
    assert told["convoso_base_url"] == "http://127.0.0.1:3/convoso/v1"
    assert told["convoso_auth_token"] == configured.made["simulated-convoso-token"]
    assert told["convoso_requests_per_second"] == "0"
    assert ConnectionFile.model_validate(told).queue_url == "http://127.0.0.1:2"
