"""A running system as one test sees it: what it may post, ask, kill, and look up. Opened anew for each test."""

import asyncio
import hashlib
import hmac
import io
import json
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from leadline.clients.queue import QueueClient
from leadline.contracts.operators import LeadView, Reason, SuppressionRequest
from leadline.runtime.postgres import Pool, create_pool
from leadline.runtime.settings.parts import DatabasePart
from leadline.store.clock import get_clock, set_clock
from tests.support.processes import ServiceProcess
from tests.support.simulated import Row, Simulated
from tests.support.stack import BLAND_KEY, GATEWAY_KEY, TOKENS, WEBHOOK_SECRET, Stack
from tests.support.waiting import until

NEW_YORK = ZoneInfo("America/New_York")
TUESDAY_NOON = datetime(2026, 1, 6, 12, 0, tzinfo=NEW_YORK).astimezone(UTC)


@dataclass(frozen=True)
class GatewayAnswer:
    """What the gateway answered."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class System:
    """Everything of one running system that a test has a hand on."""

    stack: Stack
    db: Pool
    queue: QueueClient
    """As an operator."""
    simulator: Simulated
    http: aiohttp.ClientSession

    # ------------------------------------------------------------ time

    async def set_clock(self, business_at: datetime, speed: float = 1.0) -> None:
        """Move business time, of the database and of the simulator alike."""
        async with self.db.acquire() as conn:
            real_at = await set_clock(conn, business_at, speed)
        await self.simulator.set_clock(real_at, business_at, speed)

    async def jump(self, business: timedelta, speed: float = 1.0) -> None:
        """Let business time pass in no time."""
        async with self.db.acquire() as conn:
            now = (await get_clock(conn)).now
        await self.set_clock(now + business, speed)

    # ------------------------------------------------------------ from outside

    async def post_lead(self, phone_number: str, **fields: str) -> tuple[int, dict[str, Any]]:
        """As Zapier posts it: status and body of the answer."""
        answer = await self.post_lead_raw(phone_number, **fields)
        return answer.status, answer.body

    async def post_lead_raw(self, phone_number: str, **fields: str) -> GatewayAnswer:
        """As Zapier posts it."""
        body = {"phone_number": phone_number, "lead_id": f"lead{phone_number}", "list_id": "1029", **fields}
        headers = {"X-Api-Key": GATEWAY_KEY}
        url = f"{self.stack.gateway_url}/webhooks/awhealth-outbound"
        async with self.http.post(url, json=body, headers=headers) as response:
            return GatewayAnswer(response.status, response.headers, await response.json(content_type=None))

    async def add_lead(self, phone_number: str, **fields: str) -> None:
        """Post a lead that is accepted."""
        status, answer = await self.post_lead(phone_number, **fields)
        assert (status, answer["status"]) == (202, "queued"), answer

    async def add_leads(self, phone_numbers: Sequence[str]) -> None:
        """Post leads at once."""
        await asyncio.gather(*(self.add_lead(number) for number in phone_numbers))

    async def post_event(self, body: dict[str, Any] | bytes, secret: str | None = WEBHOOK_SECRET) -> int:
        """As Bland posts it, signed unless `secret` is None; the status of the answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if secret is not None:
            headers["X-Webhook-Signature"] = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        url = f"{self.stack.gateway_url}/webhooks/bland-callback"
        async with self.http.post(url, data=io.BytesIO(raw), headers=headers) as response:
            await response.read()
            return response.status

    async def details_at_bland(self, call_id: str) -> dict[str, Any]:
        """A call as the provider shows it; of one that is over, that is the body of its event."""
        headers = {"Authorization": f"Bearer {BLAND_KEY}"}
        async with self.http.get(f"{self.stack.simulator_url}/v1/calls/{call_id}", headers=headers) as response:
            assert response.status == 200
            return dict(await response.json())

    async def is_listed(self, call_id: str, created_at: datetime) -> bool:
        """Whether the provider's list shows a call already; False also if a fault struck the question."""
        within = timedelta(seconds=1)
        span = {"start_date": (created_at - within).isoformat(), "end_date": (created_at + within).isoformat()}
        headers = {"Authorization": f"Bearer {BLAND_KEY}"}
        try:
            async with self.http.get(f"{self.stack.simulator_url}/v1/calls", params=span, headers=headers) as response:
                return call_id in await response.text()
        except aiohttp.ClientError:
            return False

    async def suppress(self, phone_number: str) -> None:
        """As an operator does."""
        await self.queue.put_suppression(phone_number, SuppressionRequest(reason="asked us to stop"))

    # ------------------------------------------------------------ processes

    @asynccontextmanager
    async def dialer(self, **made: Any) -> AsyncIterator[ServiceProcess]:
        """A dialer that runs, killed on leaving; arguments as of `Stack.make_dialer`."""
        async with self.stack.make_dialer(**made) as process:
            await process.wait_ready()
            yield process

    async def sweep(self, copies: int = 1) -> None:
        """Run sweeps side by side, each one pass. A broken promise fails the test."""
        sweeps = [self.stack.make_sweep() for _ in range(copies)]
        for sweep in sweeps:
            sweep.start()
        codes = [await sweep.wait() for sweep in sweeps]
        assert set(codes) <= {0, 4}, [sweep.log_tail() for sweep in sweeps]

    async def sweep_until_state(
        self, phone_number: str, *states: str, attempt: uuid.UUID | None = None
    ) -> dict[str, Any]:
        """Sweep again and again, as the CronJob does, until the number's last attempt is in one of these states.

        `attempt`: this one, whether or not the number was dialled again since.
        """

        async def look() -> dict[str, Any] | None:
            attempts = await self.attempts(phone_number)
            found: dict[str, Any] = next(a for a in reversed(attempts) if attempt in {None, a["id"]})
            if found["state"] in states:
                return found
            await self.sweep()
            return None

        return await until(look, f"after sweeps, the last attempt to {phone_number} is {' or '.join(states)}")

    # ------------------------------------------------------------ what became of it

    async def lead(self, phone_number: str) -> LeadView:
        """The one lead of a number."""
        (lead,) = (await self.queue.find_leads(phone_number)).leads
        return lead

    async def leases(self, phone_number: str) -> list[dict[str, Any]]:
        """All attempts to a number, oldest first, those that were given back unused too."""
        rows = await self.db.fetch("SELECT * FROM attempts WHERE phone_number = $1 ORDER BY leased_at", phone_number)
        return [dict(row) for row in rows]

    async def attempts(self, phone_number: str) -> list[dict[str, Any]]:
        """All attempts to a number that came to something, oldest first.

        A lease may go to a dialer of an earlier test that died while it waited, and be given back at once.
        """
        return [a for a in await self.leases(phone_number) if a["state"] != "released" or a["marked_at"] is not None]

    async def states(self, phone_number: str) -> list[str]:
        """Their states."""
        return [attempt["state"] for attempt in await self.attempts(phone_number)]

    async def until_state(self, phone_number: str, *states: str) -> dict[str, Any]:
        """Wait until the number's last attempt is in one of these states; that attempt."""

        async def look() -> dict[str, Any] | None:
            attempts = await self.attempts(phone_number)
            return attempts[-1] if attempts and attempts[-1]["state"] in states else None

        try:
            found = await until(look, f"the last attempt to {phone_number} is {' or '.join(states)}")
        except AssertionError as error:
            raise AssertionError(f"{error}; attempts: {await self.states(phone_number)}") from None
        assert found is not None
        return found

    async def until_leases(self, phone_number: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the number was leased so often, whatever became of it."""

        async def look() -> list[dict[str, Any]]:
            leases = await self.leases(phone_number)
            return leases if len(leases) >= count else []

        return await until(look, f"{count} leases of {phone_number}")

    async def until_no_longer(self, phone_number: str, *states: str) -> None:
        """Wait until no attempt to the number is in one of these states."""

        async def look() -> bool:
            return all(lease["state"] not in states for lease in await self.leases(phone_number))

        await until(look, f"no attempt to {phone_number} is {' or '.join(states)}")

    async def until_posts(self, phone_number: str, count: int = 1) -> list[Row]:
        """Wait until the simulator was asked so often for a call to a number."""

        async def look() -> list[Row]:
            posts = await self.simulator.posts(phone_number)
            return posts if len(posts) >= count else []

        return await until(look, f"{count} requests for a call to {phone_number}")

    async def count(self, query: str, *arguments: object) -> int:
        """A number out of the database."""
        return int(await self.db.fetchval(query, *arguments))

    async def assert_promises(self) -> None:
        """No promise is broken, by the database's own word and by the simulator's ledger."""
        check = await self.queue.check_promises()
        assert not check.violations, check.violations
        await self.simulator.assert_zeros()

    async def retire_leads(self) -> None:
        """Complete whatever is still planned, so that nothing of this test is dialled in the next one."""
        rows = await self.db.fetch("SELECT id FROM leads WHERE status <> 'completed'")
        for row in rows:
            await self.queue.complete_lead(row["id"], Reason(reason="the test is over"), uuid.uuid4())


@asynccontextmanager
async def system_open(stack: Stack) -> AsyncIterator[System]:
    """A hand on a stack that runs."""
    database = DatabasePart.model_validate({"database_url": stack.database_url})
    async with (
        await create_pool(database, application_name="test", max_size=4) as pool,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as http,
        QueueClient(stack.queue_urls[-1], TOKENS["operator"]) as queue,
    ):
        yield System(stack, pool, queue, Simulated(http, stack.simulator_url), http)


@contextmanager
def running(stack: Stack, business_at: datetime = TUESDAY_NOON, speed: float = 1.0) -> Iterator[Stack]:
    """Run a stack inside the block; `business_at` is set before anything can be dialled."""
    try:
        asyncio.run(_start(stack, business_at, speed))
        yield stack
    finally:
        asyncio.run(stack.stop())


async def _start(stack: Stack, business_at: datetime, speed: float) -> None:
    await stack.start()
    async with system_open(stack) as system:
        await system.set_clock(business_at, speed)
