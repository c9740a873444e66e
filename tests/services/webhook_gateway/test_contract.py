"""The gateway keeps to its own OpenAPI document, whatever it is sent."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leadline.clients.queue import QueueClient
from leadline.runtime.http.server import serving
from leadline.runtime.settings import SecretDigest
from services.webhook_gateway.app import create_app
from services.webhook_gateway.routes import openapi_document
from tests.services.webhook_gateway.conftest import KEY, SECRET
from tests.services.webhook_gateway.fake_queue import TOKEN, FakeQueue

load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


async def _serve(port: "Future[int]", stop: "Future[None]") -> None:
    queue = FakeQueue()
    async with queue.serving(), QueueClient(queue.url, TOKEN) as client:
        keys = [SecretDigest("zapier", hashlib.sha256(KEY.encode()).digest())]
        app = create_app(client, api_keys=keys, webhook_secrets=[SECRET])
        async with serving(app, host="127.0.0.1", port=0, drain_seconds=0.05) as bound:
            port.set_result(bound)
            await asyncio.wrap_future(stop)


@pytest.fixture(scope="module")
def gateway_url() -> Iterator[str]:
    """A gateway in a thread of its own: schemathesis asks from this one."""
    port: Future[int] = Future()
    stop: Future[None] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(port, stop)))
    thread.start()
    yield f"http://127.0.0.1:{port.result(30)}"
    stop.set_result(None)
    thread.join(30)


@SCHEMA.parametrize()
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_contract(case: schemathesis.Case[Any], gateway_url: str) -> None:
    case.call_and_validate(base_url=gateway_url, headers={"X-Api-Key": KEY}, checks=CHECKS)
