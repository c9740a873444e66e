"""A dialer that the test plays itself, step by step, against real queue-services and the real simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from leadline.clients.queue import QueueClient
from leadline.contracts.leases import (
    AttemptReport,
    Lease,
    LeaseRequest,
    MarkAnswer,
    ReportAnswer,
    ReportKind,
    ReportRequest,
    SendMark,
    SendMarkRequest,
)
from tests.support.stack import BLAND_KEY, TOKENS, Stack
from tests.support.waiting import until

NAME = "acting"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class ActingDialer:
    """Asks each question once: what goes wrong is the test's to see."""

    queue: QueueClient
    http: aiohttp.ClientSession
    bland_url: str
    webhook_url: str | None

    async def lease(self, slots: int = 1, wait_seconds: float = 1.0) -> list[Lease]:
        """One poll."""
        request = LeaseRequest(dialer=NAME, slots=slots, wait_seconds=wait_seconds)
        return (await self.queue.lease(request)).leases

    async def lease_of(self, phone_number: str) -> Lease:
        """Poll until this number is leased; no other is expected."""
        (lease,) = await until(self.lease, f"a lease of {phone_number}")
        assert lease.phone_number == phone_number
        return lease

    async def mark(self, *attempt_ids: UUID, operation_id: UUID | None = None) -> list[SendMark]:
        """Ask `go?`."""
        request = SendMarkRequest(operation_id=operation_id or uuid4(), dialer=NAME, attempt_ids=list(attempt_ids))
        return (await self.queue.mark(request, deadline_seconds=0)).answers

    async def report(self, attempt_id: UUID, kind: ReportKind, **fields: Any) -> ReportAnswer:
        """Report one attempt."""
        report = AttemptReport(attempt_id=attempt_id, kind=kind, **fields)
        return (await self.queue.report(ReportRequest(reporter=NAME, reports=[report]))).answers[0]

    async def post(self, lease: Lease) -> str | None:
        """Ask the provider for the call; its id if the answer has one. Raises aiohttp's errors."""
        body: dict[str, Any] = {
            "phone_number": lease.phone_number,
            "task": "Be kind.",
            "metadata": {"attempt_id": str(lease.attempt_id), "campaign": lease.campaign},
        }
        if self.webhook_url is not None:
            body["webhook"] = self.webhook_url
        headers = {"Authorization": f"Bearer {BLAND_KEY}"}
        async with self.http.post(f"{self.bland_url}/v1/calls", json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
            call_id = answer.get("call_id") if isinstance(answer, dict) else None
            return str(call_id) if call_id else None

    async def place(self, phone_number: str) -> tuple[Lease, str]:
        """All steps of a call that goes well."""
        lease = await self.lease_of(phone_number)
        (mark,) = await self.mark(lease.attempt_id)
        assert mark.answer is MarkAnswer.GO, mark
        call_id = await self.post(lease)
        assert call_id is not None
        await self.report(lease.attempt_id, ReportKind.PLACED, call_id=call_id)
        return lease, call_id


@asynccontextmanager
async def acting_dialer(
    stack: Stack, queue_url: str | None = None, *, webhooks: bool = True
) -> AsyncIterator[ActingDialer]:
    """A dialer of the test's own, at the first queue-service unless another URL is given."""
    webhook_url = f"{stack.gateway_url}/webhooks/bland-callback" if webhooks else None
    async with (
        QueueClient(
            queue_url or stack.queue_urls[0], TOKENS["dialer"], timeout_seconds=ANSWER_SECONDS, deadline_seconds=0
        ) as queue,
        aiohttp.ClientSession() as http,
    ):
        yield ActingDialer(queue, http, stack.simulator_url, webhook_url)
