"""One lead of nobody's through a running installation: suppressed first, so that no phone can ring.

Gateway, queue-service, PostgreSQL and the operators' view each have their part in it. It can be run again and again:
the number stays suppressed, and its one lead gets another sender's id every time.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar

from leadline.clients.queue import QueueClient
from leadline.contracts.leads import LeadAnswerStatus
from leadline.contracts.operators import LeadView, SuppressionRequest
from leadline.domain.lead import LeadStatus
from leadline.domain.phone import masked
from leadline.runtime.ids import new_uuid7
from leadline.runtime.settings.access_parts import SmokePart
from services.cli.connection import Connection
from services.cli.exits import CliError
from services.cli.smoke.posting import post_lead
from services.cli.talking import talk_to

PATIENCE_SECONDS: Final = 20.0
"""How long a step is repeated while a process is away: pods may be replaced while the test runs."""
_TRIES: Final = 3
"""Another test at the same moment gives the lead its own id between our post and our reading."""
_REASON: Final = "nobody's number, used by leadline smoke"
_LIST_ID: Final = "smoke"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried."""

    step: str
    ok: bool
    milliseconds: float
    says: str


@dataclass(slots=True)
class Smoke:
    """The test and what it found. Use once."""

    settings: SmokePart
    connection: Connection
    tell: Callable[[Step], None]
    """Hears of every step that was done."""
    steps: list[Step] = field(default_factory=list)
    lead_id: str | None = None

    def run(self) -> None:
        """Do every step. Raises CliError at the first one that fails: what failed, and what to look at."""
        self._suppress()
        for _ in range(_TRIES):
            self._post()
            if self._read_back():
                return
        raise CliError("read_back: the lead was posted again by somebody else each time; run the test again")

    def document(self, problem: str | None) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": problem is None,
            "gateway_url": self.settings.gateway_url,
            "queue_url": self.connection.queue_url,
            "campaign": self.settings.smoke_campaign,
            "phone_number": masked(self.settings.smoke_phone_number),
            "lead_id": self.lead_id,
            "steps": [asdict(step) for step in self.steps],
            "problem": problem,
        }

    def _suppress(self) -> None:
        number, wish = self.settings.smoke_phone_number, SuppressionRequest(reason=_REASON, source="smoke")
        with self._timed("suppress", f"{masked(number)} is on the suppression list"):
            self._ask(lambda queue: queue.put_suppression(number, wish))

    def _post(self) -> None:
        self.lead_id = f"smoke-{new_uuid7()}"
        with self._timed("post", f"the gateway took lead {self.lead_id}: its number is suppressed"):
            received = post_lead(
                f"{self.settings.gateway_url}/webhooks/{self.settings.smoke_campaign}-outbound",
                self.settings.smoke_gateway_key.get_secret_value(),
                {"phone_number": self.settings.smoke_phone_number, "lead_id": self.lead_id, "list_id": _LIST_ID},
                within_seconds=PATIENCE_SECONDS,
            )
            if received.status is not LeadAnswerStatus.SUPPRESSED:
                raise CliError(
                    f"the gateway answered {received.status} for a number that is suppressed at"
                    f" {self.connection.queue_url}; does it hand leads to another queue-service?"
                )

    def _read_back(self) -> bool:
        """Whether the lead is still as we posted it. Raises CliError if it is not as it must be."""
        number, campaign = self.settings.smoke_phone_number, self.settings.smoke_campaign
        with self._timed("read_back", "an operator sees it: completed, no attempt"):
            leads = self._ask(lambda queue: queue.find_leads(number)).leads
            found = next((lead for lead in leads if lead.campaign == campaign), None)
            if found is None:
                raise CliError(
                    f"the gateway took the lead, and there is none of {masked(number)} in {campaign} at"
                    f" {self.connection.queue_url}; does the gateway hand leads to another queue-service?"
                )
            _check(found)
        return found.lead_id == self.lead_id

    def _ask(self, question: Callable[[QueueClient], Awaitable[Answer]]) -> Answer:
        return talk_to(self.connection, QueueClient, question, patience_seconds=PATIENCE_SECONDS)

    @contextmanager
    def _timed(self, name: str, words: str) -> Iterator[None]:
        began_at = time.perf_counter()
        try:
            yield
        except CliError as error:
            self._note(name, began_at, str(error), ok=False)
            raise CliError(f"{name}: {error}") from None
        self.tell(self._note(name, began_at, words, ok=True))

    def _note(self, name: str, began_at: float, says: str, *, ok: bool) -> Step:
        step = Step(name, ok, round((time.perf_counter() - began_at) * 1000, 1), says)
        self.steps.append(step)
        return step


def _check(lead: LeadView) -> None:
    if lead.status != LeadStatus.COMPLETED or lead.attempts:
        raise CliError(
            f"the lead of a suppressed number is {lead.status} with {lead.attempts} attempts;"
            f" ask `leadline leads explain {lead.id}`"
        )
