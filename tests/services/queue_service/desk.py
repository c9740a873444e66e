"""A queue-service in this process, on a fresh database with a clock that the test moves: what dialers would ask it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from leadline.contracts.events import EventSource, EventStored
from leadline.contracts.leads import LeadAccepted, LeadSubmission
from leadline.contracts.leases import (
    AttemptReport,
    Lease,
    LeaseBatch,
    LeaseRequest,
    ReportAnswer,
    ReportKind,
    ReportRequest,
    SendMark,
    SendMarkRequest,
)
from leadline.contracts.operators import LeadView
from leadline.domain.campaign import Campaign
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.rules.hours import parse_calling_hours
from leadline.runtime.postgres import Pool
from leadline.store.clock import set_clock
from services.queue_service import reading
from services.queue_service.policy import Policy
from services.queue_service.service import QueueService

NEW_YORK = ZoneInfo("America/New_York")
TUESDAY_NOON = datetime(2026, 1, 6, 12, 12, tzinfo=NEW_YORK).astimezone(UTC)
PHONE = "+15615550123"
CAMPAIGN = CampaignName("awhealth")


def make_policy(**changes: Any) -> Policy:
    """The default campaign at its default hours; nothing paced unless the test says so."""
    hours = parse_calling_hours("Mon-Fri 11:00-20:00", "America/New_York", ())
    policy = Policy(
        campaigns={CAMPAIGN: Campaign(name=CAMPAIGN, hours=hours)},
        default_campaign=CAMPAIGN,
        callers={},
        longest_call={CAMPAIGN: timedelta(minutes=40)},
        calls_per_second=0,
    )
    return replace(policy, **changes)


class Desk:
    """Short ways to ask a QueueService, as a dialer, a gateway or a sweep would."""

    def __init__(self, service: QueueService, pool: Pool) -> None:
        self.service = service
        self.pool = pool

    async def set_now(self, at: datetime, speed: float = 1.0) -> None:
        """Move business time (never backwards)."""
        async with self.pool.acquire() as conn:
            await set_clock(conn, at, speed)

    async def post_lead(self, phone_number: str = PHONE, campaign: str = CAMPAIGN, **fields: str) -> LeadAccepted:
        """As the gateway hands it on."""
        posted = LeadSubmission(
            campaign=campaign, phone_number=phone_number, lead_id="410233", list_id="1029", fields=fields
        )
        return await self.service.submit_lead(posted, "gateway", None, b"")

    async def lease(self, slots: int = 10, wait_seconds: float = 0.5, dialer: str = "d1") -> LeaseBatch:
        """One poll."""
        request = LeaseRequest(dialer=dialer, slots=slots, wait_seconds=wait_seconds)
        return await self.service.lease(request, lambda: False)

    async def lease_one(self) -> Lease:
        """The one lead that is due."""
        batch = await self.lease(1, 2.0)
        assert len(batch.leases) == 1
        return batch.leases[0]

    async def mark(self, *attempt_ids: UUID, operation_id: UUID | None = None) -> list[SendMark]:
        """Ask `go?`."""
        request = SendMarkRequest(operation_id=operation_id or uuid4(), dialer="d1", attempt_ids=list(attempt_ids))
        return (await self.service.mark(request)).answers

    async def report(self, attempt_id: UUID, kind: ReportKind, **fields: Any) -> ReportAnswer:
        """Report one attempt."""
        report = AttemptReport(attempt_id=attempt_id, kind=kind, **fields)
        return (await self.service.report(ReportRequest(reporter="d1", reports=[report]))).answers[0]

    async def place(self, call_id: str = "call-1") -> Lease:
        """Lease, mark and place the one due lead."""
        lease = await self.lease_one()
        (mark,) = await self.mark(lease.attempt_id)
        assert mark.answer == "go", mark
        await self.report(lease.attempt_id, ReportKind.PLACED, call_id=call_id)
        return lease

    async def event(self, body: dict[str, Any] | bytes, source: EventSource = EventSource.WEBHOOK) -> EventStored:
        """What the gateway hands on."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.service.store_event(source, raw)

    async def lead(self, lead_id: UUID) -> LeadView:
        """As an operator sees it."""
        async with self.pool.acquire() as conn:
            return (await reading.read_leads(conn, self.service.policy, [LeadId(lead_id)]))[0]

    async def leads_of(self, phone_number: str) -> list[LeadView]:
        """Every lead of a number, as an operator sees them."""
        async with self.pool.acquire() as conn:
            return await reading.find_leads(conn, self.service.policy, PhoneNumber(phone_number))

    async def alarms(self) -> list[str]:
        """What should not have happened, in order."""
        return [row["kind"] for row in await self.fetch("SELECT kind FROM alarms ORDER BY id")]

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Look into the database."""
        return list(await self.pool.fetch(query, *arguments))


def result(attempt_id: UUID | None, call_id: str = "call-1", *, to: str = PHONE, **fields: Any) -> dict[str, Any]:
    """A post-call event as the provider posts it: nobody answered, unless the test says otherwise."""
    return {
        "call_id": call_id,
        "to": to,
        "from": "+15615550900",
        "inbound": False,
        "completed": True,
        "queue_status": "complete",
        "status": "no-answer",
        "answered_by": "no-answer",
        "metadata": {"attempt_id": str(attempt_id)} if attempt_id else {},
        **fields,
    }


@asynccontextmanager
async def desk_open(pool: Pool, policy: Policy, now: datetime | None = TUESDAY_NOON) -> AsyncIterator[Desk]:
    """Open a desk at a business time (None: whatever time the database has, as a second service finds it)."""
    service = QueueService(pool, pool, pool, policy)
    desk = Desk(service, pool)
    if now is not None:
        await desk.set_now(now)
    async with service.running():
        yield desk
