"""Leads with a history, by the hundred thousand.

The queue-service's own code writes it, from results that the simulator's own code made, with nothing but function calls
between them; `benchmarks.footprint` compares what it writes with what the processes write.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import uuid4

from leadline.contracts.campaign_file import DiallingSettings
from leadline.contracts.events import EventSource
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.leases import AttemptReport, MarkAnswer, ReportKind
from leadline.domain.ids import CampaignName
from leadline.domain.lead import PriorityBand
from leadline.runtime.ids import new_uuid7
from leadline.runtime.postgres import Pool, retry_transaction
from leadline.store.clock import get_clock, set_clock
from leadline.store.connection import Connection
from leadline.store.due import NIL, Head
from leadline.telephony.bland_request import call_body
from leadline.telephony.port import CallRequest
from services.queue_service.claimer import START
from services.queue_service.inbox import Delivery, store_group
from services.queue_service.intake import Submission, accept_group
from services.queue_service.leasing import Leased, claim
from services.queue_service.marking import MarkItem, mark_group
from services.queue_service.policy import Policy
from services.queue_service.reporting import report_group
from services.simulator.bland.call import Call
from services.simulator.bland.exchange import our_number_near
from services.simulator.bland.request import read
from services.simulator.bland.result import details
from services.simulator.carrier import Carrier, Rates
from services.simulator.ledger import LedgerRow, Origin

GROUP: Final = 100
"""What the queue-service commits together when it is busy."""
GROUPS_AT_ONCE: Final = 4
LONGEST_CALL: Final = timedelta(minutes=21)
DRAWN_AT: Final = datetime(2026, 1, 5, 16, 30, tzinfo=UTC)
"""People answer as at this hour, whatever time the clock shows."""
CAMPAIGN: Final = CampaignName("awhealth")
DIALER: Final = "leadline-dialer-7d9c5b6f4-x2x4z"
"""As long as the name of a pod."""
DIALLING: Final = DiallingSettings(task="Sell a health plan, kindly.")
AREA_CODE_NUMBERS: Final = 8_000_000
STRIDE: Final = 4_999_999
"""Shares no factor with the numbers of an area code, so that neighbours in time are strangers in every index."""

Result = TypeVar("Result")
Item = TypeVar("Item")


def phone_number(n: int) -> str:
    """The n-th number, in no order that an index could use."""
    return f"212{2_000_000 + n * STRIDE % AREA_CODE_NUMBERS}"


def posted_lead(n: int) -> dict[str, str]:
    """A lead as a lead vendor posts it."""
    return {
        "phone_number": phone_number(n),
        "lead_id": str(410_000 + n),
        "list_id": "1029",
        "first_name": "Maria",
        "last_name": "Alvarez",
        "state": "NY",
        "postal_code": "10001",
        "status": "NEW",
        "age": "61",
        "email": f"maria.alvarez.{n}@example.com",
        "utm_source": "spring",
    }


async def _on(
    work: Callable[[Connection, Sequence[Item]], Awaitable[Result]], group: Sequence[Item], conn: Connection
) -> Result:
    return await work(conn, group)


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that goes on."""

    leased: Leased
    call_id: str
    at: datetime


class History:
    """Writes leads and calls into one database, whose business clock it moves."""

    def __init__(self, pool: Pool, policy: Policy) -> None:
        """`policy` as the queue-service reads it from its settings."""
        self._pool = pool
        self._policy = policy
        self._carrier = Carrier(Rates())

    async def receive(self, first: int, count: int) -> None:
        """Take leads in, the `first` and those after it."""
        own = {"phone_number", "lead_id", "list_id"}
        posted = [posted_lead(n) for n in range(first, first + count)]
        fields = {"first_name", "last_name", "state", "postal_code", "status", "age", "email"}
        submissions = [
            Submission.check(
                self._policy,
                LeadSubmission(
                    campaign=CAMPAIGN,
                    **{name: lead[name] for name in own},
                    fields={name: value for name, value in lead.items() if name in fields},
                    attributes={name: value for name, value in lead.items() if name not in fields | own},
                ),
            )
            for lead in posted
        ]
        await self._by_group(submissions, lambda conn, group: accept_group(conn, self._policy, group, "gateway"))

    async def dial(self, most: int) -> int:
        """Dial leads that are due, about so many at most, let time pass, end the calls; how many there were."""
        leased = [one for group in await self._at_once([self._lease] * (most // GROUP + 1)) for one in group]
        placed = [one for group in await self._by_group(leased, self._mark) for one in group]
        await self._by_group(placed, self._report)
        async with self._pool.acquire() as conn:
            await set_clock(conn, (await get_clock(conn)).now + LONGEST_CALL, 1.0)
        await self._by_group([self._result(one) for one in placed], self._store)
        return len(placed)

    async def _lease(self, conn: Connection) -> list[Leased]:
        heads = [Head(CAMPAIGN, band, START, NIL) for band in PriorityBand]
        return (await claim(conn, self._policy, heads, [DIALER] * GROUP, (await get_clock(conn)).now)).leased

    async def _mark(self, conn: Connection, leased: Sequence[Leased]) -> list[Placed]:
        operation_id, at = new_uuid7(), (await get_clock(conn)).now
        items = [MarkItem(one.attempt.id, operation_id, DIALER) for one in leased]
        answers = await mark_group(conn, self._policy, items)
        marked = zip(leased, answers, strict=True)
        return [Placed(one, str(uuid4()), at) for one, mark in marked if mark.answer is MarkAnswer.GO]

    async def _report(self, conn: Connection, placed: Sequence[Placed]) -> None:
        kind = ReportKind.PLACED
        reports = [AttemptReport(attempt_id=p.leased.attempt.id, kind=kind, call_id=p.call_id) for p in placed]
        await report_group(conn, self._policy, reports)

    async def _store(self, conn: Connection, bodies: Sequence[bytes]) -> None:
        await store_group(conn, self._policy, [Delivery.read(EventSource.WEBHOOK, body) for body in bodies])

    def _result(self, placed: Placed) -> bytes:
        attempt, lead = placed.leased.attempt, placed.leased.lead
        known = {"first_name": lead.first_name, "last_name": lead.last_name, "lead_id": lead.sender_lead_id}
        said = {name: value for name, value in known.items() if value}
        traceparent = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
        request = CallRequest(attempt.id, attempt.campaign, attempt.phone_number, DIALLING, said, traceparent)
        at = placed.at.timestamp()
        fate = self._carrier.draw(attempt.phone_number, attempt.attempt_no, DRAWN_AT.timestamp())
        call = Call(
            id=placed.call_id,
            request=read(call_body(request, "https://leadline.example.com")),
            number=attempt.phone_number,
            our_number=our_number_near(attempt.phone_number),
            listed_number=attempt.phone_number,
            fate=fate,
            row=LedgerRow(seq=1, origin=Origin.POST, received_real=at, received_business=at),
            created_at=at,
            listed_real=at,
            started_at=at + fate.queue_seconds,
            price_dollars=0.04,
        )
        call.ended_at = call.planned_end
        return json.dumps(details(call, call.ended_at)).encode()

    async def _by_group(
        self, items: Sequence[Item], work: Callable[[Connection, Sequence[Item]], Awaitable[Result]]
    ) -> list[Result]:
        groups = [items[start : start + GROUP] for start in range(0, len(items), GROUP)]
        return await self._at_once([partial(_on, work, group) for group in groups])

    async def _at_once(self, works: Sequence[Callable[[Connection], Awaitable[Result]]]) -> list[Result]:
        """Run transactions, some side by side; results in order."""
        limit = asyncio.Semaphore(GROUPS_AT_ONCE)

        async def committed(work: Callable[[Connection], Awaitable[Result]]) -> Result:
            async with self._pool.acquire() as conn, conn.transaction():
                return await work(conn)

        async def bounded(work: Callable[[Connection], Awaitable[Result]]) -> Result:
            async with limit:
                return await retry_transaction(lambda: committed(work))

        return await asyncio.gather(*map(bounded, works))
