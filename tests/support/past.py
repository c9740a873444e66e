"""A simulated account with a past, a CRM that knows some of its people, and leads that were there before."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from leadline.clients.queue import QueueClient
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.operators import Reason
from services.simulator.bland.history import HistoryOrder, people_of
from tests.support.simulated import crm_lead, past_call
from tests.support.stack import TOKENS
from tests.support.system import TUESDAY_NOON, System

STANDSTILL: Final = 1e-9
"""The database takes no speed of 0; at this one a test sees no business time pass."""
ENDS_AT: Final = TUESDAY_NOON - timedelta(days=1)
STARTS_AT: Final = ENDS_AT - timedelta(days=30)
LATE_FROM: Final = ENDS_AT - timedelta(days=2)
"""Calls that turn up while history is being read were made after this."""
OPTIONS: Final = (
    *("--from", STARTS_AT.isoformat(), "--to", ENDS_AT.isoformat()),
    *("--pace", "none", "--details-pace", "none", "--window", "6h"),
)
_CRM_STATUSES: Final = ("NEW", "SALE", "NEW", "DNC", "NI", "CB", None, "NEW")
"""By turns; None: Convoso has no such lead."""
_KNOWN: Final = 40
_OUTCOMES: Final = (
    "VOICEMAIL",
    "NO_ANSWER",
    "DO_NOT_CALL",
    "SALE",
    "CALLBACK",
    "TRANSFERRED",
    "BAD_NUMBER",
    "CONFUSED",
)


@dataclass(frozen=True)
class Past:
    """One past, the same for the same figures."""

    calls: int
    seed: int = 5

    @property
    def order(self) -> HistoryOrder:
        """As the simulator is told."""
        return HistoryOrder(
            calls=self.calls, numbers=self.calls // 3, seed=self.seed, starts_at=STARTS_AT, ends_at=ENDS_AT
        )

    @property
    def people(self) -> list[str]:
        """Whom it holds."""
        return people_of(self.order)

    def late_calls(self, count: int = 40) -> list[dict[str, Any]]:
        """Calls that turn up while history is read: of people whom it holds, and of others."""
        dice = random.Random(self.seed)
        span = (ENDS_AT - LATE_FROM).total_seconds()
        return [
            past_call(
                dice.choice(self.people) if n % 2 else f"+1786555{n:04}",
                LATE_FROM + timedelta(seconds=dice.uniform(0, span)),
                _OUTCOMES[n % len(_OUTCOMES)],
                call_id=f"late-{n}",
            )
            for n in range(count)
        ]

    def unfinished_calls(self, dice: random.Random, count: int) -> list[dict[str, Any]]:
        """Calls anywhere in the past that are not over: they are in everybody's way and are to leave no trace."""
        span = (ENDS_AT - STARTS_AT).total_seconds()
        return [
            past_call(
                dice.choice(self.people),
                STARTS_AT + timedelta(seconds=dice.uniform(0, span)),
                "CONFUSED",
                running=True,
                lag_seconds=dice.uniform(0, 0.5),
            )
            for _ in range(count)
        ]

    async def make(self, system: System, *, with_late_calls: bool) -> None:
        """Make it, with business time standing still at noon on Tuesday."""
        await system.set_clock(TUESDAY_NOON, STANDSTILL)
        await system.simulator.make_history(self.calls, STARTS_AT, ENDS_AT, seed=self.seed, numbers=self.order.numbers)
        if with_late_calls:
            await system.simulator.insert_history(*self.late_calls())
        await system.simulator.put_crm_leads(*_crm_leads(self.people))
        await _add_known_leads(system, self.people[:: max(1, len(self.people) // _KNOWN)])


def _crm_leads(people: Sequence[str]) -> list[dict[str, Any]]:
    """Convoso's leads; every tenth person has a second one, sold."""
    leads = []
    for n, number in enumerate([*people, *(f"+1786555{n:04}" for n in range(0, 40, 2))]):
        status = _CRM_STATUSES[n % len(_CRM_STATUSES)]
        if status is not None:
            leads.append(crm_lead(str(n), number, status))
        if n % 10 == 0:
            leads.append(crm_lead(str(10_000_000 + n), number, "SALE"))
    return leads


async def _add_known_leads(system: System, people: Sequence[str]) -> None:
    async with QueueClient(system.stack.queue_urls[-1], TOKENS["gateway"]) as gateway:
        for n, number in enumerate(people):
            lead = LeadSubmission(campaign="awhealth", phone_number=number, lead_id=f"known-{n}", list_id="7")
            await gateway.submit_lead(lead)
    for number in people[::10]:
        await system.suppress(number)
    for number in people[1::10]:
        await system.queue.pause_lead((await system.lead(number)).id, Reason(reason="not now"))
