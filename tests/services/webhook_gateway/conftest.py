"""The gateway over real sockets, before a queue-service in memory."""

import hashlib
import hmac
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from leadline.clients.queue import QueueClient
from leadline.runtime.http.server import serving
from leadline.runtime.settings import SecretDigest
from services.webhook_gateway.app import create_app
from tests.services.webhook_gateway.fake_queue import TOKEN, FakeQueue

KEY, OTHER_KEY = "zapier-key", "other:key"
SECRET, OLD_SECRET = b"webhook-secret", b"the-one-before"
STORE_WITHIN_SECONDS = 2.5
LEADS_PATH, EVENTS_PATH = "/webhooks/awhealth-outbound", "/webhooks/bland-callback"
LEAD = {"phone_number": "5615550123", "lead_id": "410233", "list_id": "1029"}


def signature(raw: bytes, secret: bytes = SECRET) -> str:
    return hmac.new(secret, raw, hashlib.sha256).hexdigest()


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any


@dataclass
class Gateway:
    """A gateway to post to."""

    queue: FakeQueue
    session: aiohttp.ClientSession
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def post(self, path: str, **sending: Any) -> Answer:
        async with self.session.post(self.url + path, **sending) as response:
            return Answer(response.status, await response.json(content_type=None), response.headers)

    async def post_lead(self, lead: Any = None, *, headers: dict[str, str] | None = None, **sending: Any) -> Answer:
        sent = {"json": LEAD if lead is None else lead} if "data" not in sending else {}
        return await self.post(LEADS_PATH, headers={"X-Api-Key": KEY} | (headers or {}), **sent, **sending)

    async def post_event(self, raw: bytes, secret: bytes = SECRET) -> Answer:
        headers = {"X-Webhook-Signature": signature(raw, secret), "Content-Type": "application/json"}
        return await self.post(EVENTS_PATH, data=io.BytesIO(raw), headers=headers)


@pytest.fixture
async def queue() -> AsyncIterator[FakeQueue]:
    made = FakeQueue()
    async with made.serving():
        yield made


@pytest.fixture
async def gateway(queue: FakeQueue) -> AsyncIterator[Gateway]:
    client = QueueClient(queue.url, TOKEN, deadline_seconds=STORE_WITHIN_SECONDS, timeout_seconds=5)
    keys = [
        SecretDigest("zapier", hashlib.sha256(KEY.encode()).digest()),
        SecretDigest("other", hashlib.sha256(OTHER_KEY.encode()).digest()),
    ]
    async with client:
        app = create_app(
            client,
            api_keys=keys,
            webhook_secrets=[SECRET, OLD_SECRET],
            store_within_seconds=STORE_WITHIN_SECONDS,
        )
        async with (
            serving(app, host="127.0.0.1", port=0, drain_seconds=0.05) as port,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            yield Gateway(queue, session, port)
