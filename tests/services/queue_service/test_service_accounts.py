"""Callers known by their ServiceAccounts, at the real routes: what they may ask, beside callers with shared tokens."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadline.clients.queue import QueueClient, QueueRefused
from leadline.clients.token_source import token_source
from leadline.contracts.leases import LeaseRequest
from leadline.runtime.settings import load
from leadline.runtime.settings.access_parts import QueueClientPart
from tests.services.queue_service.desk import Desk
from tests.services.queue_service.web import Answer, Web, lead_body, web_open
from tests.support.api_server import ApiServer, api_server, make_authority
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess

ACCOUNTS = "gateway=leadline/leadline-gateway,dialer=leadline/leadline-dialer"
LEASE = {"dialer": "d1", "slots": 1, "wait_seconds": 0}


@dataclass(frozen=True, slots=True)
class Cluster:
    web: Web
    api: ApiServer

    async def ask(self, token: str, method: str, path: str, body: object = None) -> Answer:
        return await self.web.ask(method, path, body, caller=None, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def cluster(desk: Desk, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    async with (
        api_server(tmp_path, authority) as api,
        api.reviewing(ACCOUNTS) as reviews,
        web_open(desk, reviews) as web,
    ):
        yield Cluster(web, api)


async def test_each_account_has_the_routes_of_its_caller(cluster: Cluster) -> None:
    gateway, dialer = cluster.api.issue("leadline-gateway"), cluster.api.issue("leadline-dialer")
    assert (await cluster.ask(gateway, "POST", "/v1/leads", lead_body())).status == 200
    assert (await cluster.ask(dialer, "POST", "/v1/leases", LEASE)).status == 200
    for token, method, path, body in (
        (gateway, "POST", "/v1/leases", LEASE),
        (dialer, "POST", "/v1/leads", lead_body()),
        (dialer, "GET", "/v1/stats", None),
    ):
        answer = await cluster.ask(token, method, path, body)
        assert (answer.status, answer.code) == (403, "not_permitted")
    assert len(cluster.api.reviewed) == 2


async def test_what_is_changed_is_recorded_under_the_callers_name(cluster: Cluster) -> None:
    accepted = await cluster.ask(cluster.api.issue("leadline-gateway"), "POST", "/v1/leads", lead_body())
    details = (await cluster.web.ask("GET", f"/v1/leads/{accepted.body['id']}")).body
    assert [entry["actor"] for entry in details["history"]] == ["gateway"]


async def test_shared_tokens_are_good_without_the_cluster(cluster: Cluster) -> None:
    cluster.api.fails_with = 500
    assert (await cluster.web.ask("GET", "/v1/stats")).status == 200
    assert cluster.api.shown == []


async def test_a_stranger_is_refused_and_told_what_is_taken(cluster: Cluster) -> None:
    for token in (cluster.api.issue("leadline-sweep"), cluster.api.issue("leadline-gateway", audience="x"), "x", ""):
        answer = await cluster.ask(token, "POST", "/v1/leads", lead_body())
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert "LEADLINE_QUEUE_SERVICE_ACCOUNTS" in answer.body["detail"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    basic = {"Authorization": f"Basic {cluster.api.issue('leadline-gateway')}"}
    assert (await cluster.web.ask("POST", "/v1/leads", lead_body(), caller=None, headers=basic)).status == 401


async def test_while_nobody_can_say_whose_it_is_callers_come_again(cluster: Cluster) -> None:
    cluster.api.fails_with = 503
    answer = await cluster.ask(cluster.api.issue("leadline-gateway"), "POST", "/v1/leads", lead_body())
    assert (answer.status, answer.code) == (503, "tokens_not_reviewed")
    assert answer.headers["Retry-After"] == "1"
    document = await cluster.web.ask("GET", "/openapi.json", caller=None)
    assert document.status == 200


async def test_a_process_and_a_client_whose_token_is_rotated(
    database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As the chart sets it up: the settings of the one, the file of the other."""
    port, mounted = free_port(), tmp_path_factory.mktemp("account")
    async with api_server(mounted, make_authority(tmp_path_factory.mktemp("authority"))) as api:
        settings = api.settings(
            ACCOUNTS,
            LEADLINE_DATABASE_URL=database_url,
            LEADLINE_QUEUE_PORT=str(port),
            LEADLINE_QUEUE_TOKENS="operator:o",
        )
        request = LeaseRequest(dialer="d1", slots=1, wait_seconds=0)
        token = mounted / "queue-token"
        token.write_text(api.issue("leadline-dialer", seconds=-1))
        part = load(
            QueueClientPart,
            {"LEADLINE_QUEUE_URL": f"http://127.0.0.1:{port}", "LEADLINE_QUEUE_TOKEN_FILE": str(token)},
        )
        async with (
            ServiceProcess("services.queue_service", settings, tmp_path) as process,
            QueueClient(part.queue_url, token_source(part)) as client,
        ):
            await process.wait_ready()
            with pytest.raises(QueueRefused):
                await client.lease(request)
            token.write_text(api.issue("leadline-dialer"))
            assert (await client.lease(request)).leases == []
            assert "token_refused" in process.log_text()
            assert not set(api.issued) & set(re.findall(r"[\w.-]+", process.log_text()))
        assert len(set(api.reviewed)) == 2
