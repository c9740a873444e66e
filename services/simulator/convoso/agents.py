"""Human agents: who is put through to one buys, or is called again; either way the lead gets a new status."""

import random
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from services.simulator.bland.call import Call
from services.simulator.bland.result import details
from services.simulator.convoso.book import Lead
from services.simulator.convoso.connect import Connect
from services.simulator.settings import SimulatedWorldPart
from services.simulator.world import World

SALE: Final = "SALE"
_NOT_SOLD: Final = ("CB", "A", "CD")
_DECISION_MINUTES: Final = (2.0, 12.0)
"""Business time from the end of the call to the status: what is sold is written up first."""


class Agents:
    """Deterministic: what an agent decides depends on the seed, the number and the how-manieth transfer it is."""

    def __init__(self, settings: SimulatedWorldPart, world: World, connect: Connect) -> None:
        """Agents of one account."""
        self._settings = settings
        self._world = world
        self._connect = connect
        self._transfers: Counter[str] = Counter()

    def take_over(self, call: Call) -> None:
        """A call has ended: if it was put through and the person has a lead, an agent will set its status."""
        if call.ended_at is None or not _was_merged(call, call.ended_at):
            return
        lead = self._lead_of(call)
        if lead is None:
            return
        self._transfers[call.number] += 1
        text = f"{self._settings.seed}|agent|{call.number}|{self._transfers[call.number]}"
        dice = random.Random(text)  # noqa: S311 -- a simulation, not a secret
        sold = dice.random() < self._settings.convoso_sale_share
        status = SALE if sold else dice.choice(_NOT_SOLD)
        when = call.ended_at + dice.uniform(*_DECISION_MINUTES) * 60
        self._world.timers.at_business(when, partial(self._decide, lead.id, status))

    def set_status(self, lead: Lead, status: str) -> None:
        """An agent gives a lead a status, and Connect tells of it."""
        self._world.convoso.set_status(lead, status, by="agent")
        self._connect.tell(lead)

    def _decide(self, lead_id: str, status: str) -> None:
        lead = self._world.convoso.get(lead_id)
        if lead is not None and lead.ended_business is None:
            self.set_status(lead, status)

    def _lead_of(self, call: Call) -> Lead | None:
        """The lead that the call named, else the person's oldest one."""
        leads = self._world.convoso.of_number(call.number)
        named = str(call.request.request_data.get("lead_id"))
        return next((lead for lead in leads if lead.id == named), leads[0] if leads else None)


def _was_merged(call: Call, now: float) -> bool:
    if not call.fate.answered:
        return False
    transfer: Any = details(call, now).get("warm_transfer_call")
    return isinstance(transfer, Mapping) and transfer.get("state") == "MERGED"
