"""The gateway as a process: settings, health, and what its OpenAPI document promises."""

import json
import signal
from pathlib import Path

import aiohttp
import pytest

from services.webhook_gateway.app import create_app
from services.webhook_gateway.routes import ROUTES, openapi_document
from tests.services.webhook_gateway.conftest import KEY, LEAD, LEADS_PATH, SECRET, Gateway, signature
from tests.services.webhook_gateway.fake_queue import TOKEN, FakeQueue
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess

SETTINGS = {
    "LEADLINE_QUEUE_TOKEN": TOKEN,
    "LEADLINE_GATEWAY_API_KEYS": f"zapier:{KEY}",
    "LEADLINE_BLAND_WEBHOOK_SECRETS": SECRET.decode(),
}


async def test_a_process_takes_leads_and_events(queue: FakeQueue, tmp_path: Path) -> None:
    port = free_port()
    settings = SETTINGS | {"LEADLINE_QUEUE_URL": queue.url, "LEADLINE_GATEWAY_PORT": str(port)}
    async with (
        ServiceProcess("services.webhook_gateway", settings, tmp_path) as process,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        await process.wait_ready()
        async with session.post(LEADS_PATH, json=LEAD, headers={"X-Api-Key": KEY}) as response:
            assert response.status == 202
        headers = {"X-Webhook-Signature": signature(b"{}")}
        async with session.post("/webhooks/bland-callback", data=b"{}", headers=headers) as response:
            assert response.status == 200
        async with session.get(f"http://127.0.0.1:{process.metrics_port}/metrics") as response:
            assert 'leadline_gateway_leads_total{status="queued"} 1.0' in await response.text()
        process.send(signal.SIGTERM)
        assert await process.wait() == 0
        assert LEAD["phone_number"] not in process.log_text()


@pytest.mark.parametrize("missing", sorted(SETTINGS))
async def test_without_a_secret_it_does_not_start(tmp_path: Path, missing: str) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != missing}
    async with ServiceProcess("services.webhook_gateway", settings, tmp_path) as process:
        assert await process.wait() == 2
        (line,) = process.log_text().splitlines()
        assert missing in line


def test_an_application_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        create_app(None, api_keys=[], webhook_secrets=[])  # type: ignore[arg-type]  # not reached


async def test_openapi_is_served_and_complete(gateway: Gateway) -> None:
    async with gateway.session.get(f"{gateway.url}/openapi.json") as response:
        document = await response.json()
    assert document == json.loads(json.dumps(openapi_document()))
    assert set(document["paths"]) == {route.path for route in ROUTES}
    lead = document["paths"]["/webhooks/{campaign}-outbound"]["post"]
    assert set(lead["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    assert set(lead["responses"]) == {"202", "400", "401", "404", "408", "413", "422", "503"}
