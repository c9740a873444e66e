"""What Leadline asks of a CRM, free of its spelling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from leadline.contracts.crm import Learned, SendResult
from leadline.domain.crm import CrmStatus
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import Outcome


class CrmError(LeadlineError):
    """The CRM could not be asked, or its answer proves nothing."""

    code = "crm_error"


class CrmUnreachable(CrmError):
    """No answer, or one that says: later (timeout, connection, 429, 5xx). Ask again after a while."""

    code = "crm_unreachable"

    def __init__(self, sentence: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class CrmRefused(CrmError):
    """The CRM refuses our token (401, 403). Asking again helps nobody until that is mended."""

    code = "crm_refused"


class CrmNonsense(CrmError):
    """The CRM answered something that cannot be read."""

    code = "crm_nonsense"


@dataclass(frozen=True, slots=True)
class CallNews:
    """How one call came out, for the CRM's lead."""

    crm_lead_id: str
    crm_list_id: str | None
    phone_number: PhoneNumber
    outcome: Outcome
    fields: Mapping[str, str] = field(default_factory=dict)
    """By our own names: `summary`, `transcript`, `answered_by`, `talk_seconds`, `state` ..."""
    keeps_status: bool = False
    """Whether the lead's status stays as it is: it is final, and this outcome is not."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of telling the CRM something."""

    result: SendResult
    problem: str | None = None
    """Says neither the token nor a number in full."""
    retry_after_seconds: float | None = None


class Crm(Protocol):
    """A CRM. Safe for use by many tasks at once; keeps the account's request rate; closing is the owner's business."""

    async def standing(self, phone_number: PhoneNumber, *, within_seconds: float | None = None) -> Learned:
        """What the CRM says of a number: the strictest of all its leads.

        Never raises: whatever goes wrong is `unknown` with the reason. `within_seconds` bounds all tries together.
        """
        ...

    async def tell_result(self, news: CallNews) -> Told:
        """Update the CRM's lead with how a call came out. Never raises; may be repeated."""
        ...

    async def suppress(self, phone_number: PhoneNumber, reason: str) -> Told:
        """Put a number on the CRM's own list of who must not be called. Never raises; may be repeated."""
        ...

    async def statuses(self) -> list[CrmStatus]:
        """The account's statuses. What was read last decides what `standing` and `tell_result` make of a code.

        Raises:
            CrmError: they could not be read.
        """
        ...
