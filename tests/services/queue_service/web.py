"""The queue-service's HTTP application in this process: asked as a caller with a token would ask it."""

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from pydantic import SecretStr

from leadline.runtime.http.token_reviews import TokenReviews
from leadline.runtime.settings.types import SecretPair
from services.queue_service.app import create_app
from tests.services.queue_service.desk import PHONE, Desk

TOKENS = {
    name: f"token-of-{name}"
    for name in (
        "gateway",
        "dialer",
        "sweep",
        "crm-sync",
        "backfill",
        "operator",
        "second-operator",
    )
}
KEY = "Idempotency-Key"
BECAUSE = {"reason": "asked by phone"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    """Decoded, if it is JSON."""
    headers: Mapping[str, str]

    @property
    def code(self) -> str | None:
        """Of a problem document; None of any other answer."""
        return self.body["code"] if self.headers.get("Content-Type", "").startswith("application/problem") else None


class Web:
    """Asks the application."""

    def __init__(self, client: TestClient[Request, Application], desk: Desk) -> None:
        self.client = client
        self.desk = desk

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        caller: str | None = "operator",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `body` bytes go as they are, everything else as JSON."""
        sent = dict(headers or {})
        if caller is not None:
            sent["Authorization"] = f"Bearer {TOKENS[caller]}"
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        data = raw if raw is None else io.BytesIO(raw)
        async with self.client.request(method, path, data=data, headers=sent) as response:
            text = await response.text()
            decoded = json.loads(text) if "json" in response.headers.get("Content-Type", "") else text
            return Answer(response.status, decoded, response.headers)

    async def change(
        self, method: str, path: str, body: object = None, *, key: str | None = None, caller: str = "operator"
    ) -> Answer:
        """An operator's change, with an operation id of its own unless the test gives one."""
        chosen = BECAUSE if body is None else body
        return await self.ask(method, path, chosen, caller=caller, headers={KEY: key or str(uuid4())})

    async def verb(self, lead_id: UUID, verb: str, **body: Any) -> Answer:
        """One of the operators' verbs on a lead."""
        return await self.change("POST", f"/v1/leads/{lead_id}/{verb}", {**BECAUSE, **body})

    async def explain(self, lead_id: UUID) -> Any:
        """Why, or why not."""
        answer = await self.ask("GET", f"/v1/leads/{lead_id}/explanation")
        assert answer.status == 200, answer
        return answer.body


def lead_body(phone_number: str = PHONE, **changes: Any) -> dict[str, Any]:
    """A lead as the gateway hands it on."""
    given = {"campaign": "awhealth", "phone_number": phone_number, "lead_id": "410233", "list_id": "1029"}
    return {**given, **changes}


@asynccontextmanager
async def web_open(desk: Desk, reviews: TokenReviews | None = None) -> AsyncIterator[Web]:
    """Serve the desk's service."""
    app = create_app(desk.service, [SecretPair(name, SecretStr(token)) for name, token in TOKENS.items()], reviews)
    async with TestClient(TestServer(app)) as client:
        yield Web(client, desk)
