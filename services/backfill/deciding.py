"""Number after number is decided: what history leaves open the CRM is asked, and its silence is no permission."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from leadline.contracts.backfill import Candidate, CandidateRequest, DecideRequest, Decision
from leadline.contracts.crm import CrmStatusTable, Learned
from leadline.crm.port import Crm, CrmError, CrmRefused
from leadline.domain.crm import CrmStanding
from leadline.domain.ids import PhoneNumber
from leadline.runtime.logging import get_logger
from services.backfill.errors import CrmTokenRefused
from services.backfill.figures import Figures
from services.backfill.holding import Hold
from services.backfill.patience import Patience, side_by_side

log = get_logger(__name__)
CANDIDATES_AT_A_TIME: Final = 100
NO_CRM: Final = Learned(standing=CrmStanding.UNKNOWN, problem="no CRM is configured")

PutStatuses = Callable[[CrmStatusTable], Awaitable[object]]


async def learn_statuses(crm: Crm, put: PutStatuses) -> None:
    """Read the account's statuses and tell the queue-service, for the standings that it judges itself.

    Raises:
        CrmTokenRefused: no standing will ever be learned with this token.
        QueueError
    """
    try:
        statuses = await crm.statuses()
    except CrmRefused as error:
        raise CrmTokenRefused(str(error)) from None
    except CrmError as error:
        log.warning("crm_statuses_not_read", reason=str(error))
        return
    await put(CrmStatusTable.of(statuses))


class Decider:
    """Decides the candidates of a run. Raises ToldToStop and QueueError; a CRM that does not answer is an answer."""

    def __init__(self, hold: Hold, crm: Crm | None, patience: Patience, figures: Figures, *, at_once: int) -> None:
        self._hold = hold
        self._crm = crm
        self._patience = patience
        self._figures = figures
        self._at_once = at_once

    async def run(self) -> None:
        """Until there is no candidate left."""
        asked = CandidateRequest(
            holder=self._hold.holder, lease_seconds=self._hold.lease_seconds, limit=CANDIDATES_AT_A_TIME
        )
        while candidates := (await self._hold.queue.candidates(self._hold.run_id, asked)).candidates:
            await self._decide(candidates)
            asked = asked.model_copy(update={"after": candidates[-1].lead_id})

    async def _decide(self, candidates: Sequence[Candidate]) -> None:
        decisions = await side_by_side(candidates, self._decision, at_once=self._at_once)
        request = DecideRequest(holder=self._hold.holder, lease_seconds=self._hold.lease_seconds, decisions=decisions)
        self._figures.add((await self._hold.queue.decide(self._hold.run_id, request)).counters)
        self._figures.decided += len(decisions)

    async def _decision(self, candidate: Candidate) -> Decision:
        self._patience.check()
        if not candidate.ask_crm:
            return Decision(lead_id=candidate.lead_id, learned=None)
        if self._crm is None:
            return Decision(lead_id=candidate.lead_id, learned=NO_CRM)
        learned = await self._crm.standing(PhoneNumber(candidate.phone_number))
        return Decision(lead_id=candidate.lead_id, learned=learned)
