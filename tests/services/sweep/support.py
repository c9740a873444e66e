"""One simulated Bland, one queue-service in memory, and passes between them."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp

from leadline.clients.queue import QueueClient
from leadline.runtime.settings.parts import SweepPart
from leadline.telephony.bland import BlandClient
from services.sweep.one_pass import PassResult, Sweeper
from tests.services.sweep.fake_queue import TOKEN, FakeAttempt, FakeQueue

NUMBER = "+15615550123"
OTHER_NUMBER = "+15615550177"
KEY = "sweep-test-key"


@dataclass
class Bland:
    """The simulator, steered over HTTP."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def call(
        self, attempt: FakeAttempt | UUID | None, *, number: str | None = None, metadata: dict[str, Any] | None = None
    ) -> str:
        """Have a call with this attempt's metadata; it rings until `end_all`."""
        if isinstance(attempt, FakeAttempt):
            number, attempt = number or attempt.phone_number, attempt.id
        metadata = metadata or ({"attempt_id": str(attempt)} if attempt else {})
        step = {"outcome": "VOICEMAIL", "talk_seconds": 600}
        body = {"phone_number": number or NUMBER, "metadata": metadata, "step": step}
        answer = await self.ask("POST", "/simulator/calls", body)
        return str(answer["call_id"])

    async def inbound(self, number: str = NUMBER) -> str:
        step = {"outcome": "CONFUSED", "talk_seconds": 600}
        body = {"phone_number": number, "inbound": True, "step": step}
        return str((await self.ask("POST", "/simulator/calls", body))["call_id"])

    async def end_all(self) -> None:
        """Let an hour pass: every call is over."""
        now = datetime.now(UTC)
        setting = {"real_at": now.isoformat(), "business_at": (now + timedelta(hours=1)).isoformat(), "speed": 1}
        await self.ask("PUT", "/simulator/clock", setting)

    async def fault(self, on: str, kind: str = "refuse", **more: Any) -> None:
        await self.ask("POST", "/simulator/faults", [{"on": on, "kind": kind, **more}])

    async def heal(self) -> None:
        await self.ask("DELETE", "/simulator/faults")

    async def live(self) -> set[str]:
        return {call["call_id"] for call in (await self.ask("GET", "/v1/calls/active"))["data"]}

    async def posts(self) -> int:
        """How many calls somebody asked for with `POST /v1/calls`."""
        rows = (await self.ask("GET", "/simulator/ledger"))["rows"]
        return sum(row["origin"] == "post" for row in rows)


@dataclass
class Scene:
    """Everything a test of a pass needs."""

    bland: Bland
    queue: FakeQueue
    queue_url: str
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def sweep(self, **bounds: Any) -> PassResult:
        """Run one pass with clients of its own, as a process would."""
        client = QueueClient(self.queue_url, TOKEN, timeout_seconds=5, deadline_seconds=1)
        bland = BlandClient(base_url=self.bland.url, api_key=KEY, timeout_seconds=5)
        async with client, bland:
            part = SweepPart.model_validate(bounds)
            return await Sweeper(client, bland, part, reporter="sweep-test", stop=self.stop).run()

    def environ(self) -> dict[str, str]:
        """The settings of a process that sweeps this scene."""
        return {
            "LEADLINE_QUEUE_URL": self.queue_url,
            "LEADLINE_QUEUE_TOKEN": TOKEN,
            "LEADLINE_BLAND_BASE_URL": self.bland.url,
            "LEADLINE_BLAND_API_KEY": KEY,
        }
