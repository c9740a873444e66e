"""What Leadline asks of a telephony provider, free of the provider's spelling."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from leadline.contracts.campaign_file import DiallingSettings
from leadline.contracts.leases import RejectionClass, StopResult
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import AttemptId, CallId, CampaignName, PhoneNumber
from leadline.telephony.bland_result import ParsedEvent


class GateClosed(LeadlineError):
    """The send window of the attempt is over: nothing may be sent any more."""

    code = "gate_closed"


class Gate:
    """The last moment at which the first byte of one request may be written, and whether one was.

    The clock is this process's monotonic one: no wall clock, so no clock step moves the gate.
    """

    def __init__(self, closes_at: float) -> None:
        """Open until `closes_at` (seconds of `time.monotonic`)."""
        self._closes_at = closes_at
        self._perhaps_sent = False

    @property
    def seconds_left(self) -> float:
        """Real seconds until the gate closes; negative once it is closed."""
        return self._closes_at - time.monotonic()

    @property
    def perhaps_sent(self) -> bool:
        """Whether a byte of the request may have been written: from then on only evidence can tell what happened."""
        return self._perhaps_sent

    def check(self) -> None:
        """Let pass while open.

        Raises:
            GateClosed: the send window is over.
        """
        left = self.seconds_left
        if left <= 0:
            raise GateClosed(f"the send window closed {-left * 1000:.0f} ms ago")

    def pass_first_byte(self) -> None:
        """Check, and from now on count the request as perhaps sent. To be called in the same step as the write."""
        self.check()
        self._perhaps_sent = True


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call to be placed, once."""

    attempt_id: AttemptId
    campaign: CampaignName
    phone_number: PhoneNumber
    dialling: DiallingSettings
    request_data: Mapping[str, str] = field(default_factory=dict)
    """What the agent may say."""
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider accepted the call."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request was written: nothing can ring."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider said no, and why."""

    rejection: RejectionClass
    message: str
    http_status: int
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Perhaps sent, perhaps accepted: only a look-up can tell."""

    reason: str
    """Stable snake_case: `timeout`, `connection_lost`, `http_500`, `no_call_id` ..."""
    http_status: int | None = None


PlaceAnswer = Placed | NotSent | Rejected | Doubt


@dataclass(frozen=True, slots=True)
class ListedCall:
    """One call as a list shows it: without metadata or result."""

    call_id: CallId
    to_number: str
    from_number: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoundCalls:
    """Calls to one number."""

    calls: tuple[ListedCall, ...]
    complete: bool
    """Whether the provider's own count says that these are all: absence proves nothing without it."""


@dataclass(frozen=True, slots=True)
class CallDetails:
    """Everything the provider knows of one call: the bytes, to be stored as an event, and what they say."""

    raw: bytes
    parsed: ParsedEvent


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """What became of a request to end a call."""

    result: StopResult
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The provider answers for our key."""

    balance_dollars: float | None


class ProviderError(LeadlineError):
    """The provider could not be asked, or its answer proves nothing."""

    code = "provider_error"


class ProviderUnreachable(ProviderError):
    """No answer, or one that says: later (timeout, connection, 429, 5xx). Ask again after a while."""

    code = "provider_unreachable"

    def __init__(self, sentence: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class ProviderRefused(ProviderError):
    """The provider refuses our key or account (401, 402, 403). Asking again helps nobody until that is mended."""

    code = "provider_refused"


class ProviderNonsense(ProviderError):
    """The provider answered something that cannot be read."""

    code = "provider_nonsense"


class Telephony(Protocol):
    """A telephony provider. Safe for use by many tasks at once; closing is the owner's business."""

    async def place(self, request: CallRequest, gate: Gate) -> PlaceAnswer:
        """Ask for one call with exactly one request, never repeated.

        Returns whatever happened; raises nothing but `asyncio.CancelledError`, after which `gate.perhaps_sent` tells
        whether the call may exist.
        """
        ...

    async def find(self, phone_number: PhoneNumber, since: datetime) -> FoundCalls:
        """All calls to a number that were created at or after `since`.

        Raises:
            ProviderError: the list could not be read.
        """
        ...

    async def history(self, since: datetime) -> FoundCalls:
        """All calls of the account that were created at or after `since`, inbound and foreign ones too.

        Raises:
            ProviderError: the list could not be read.
        """
        ...

    async def details(self, call_id: CallId) -> CallDetails | None:
        """What is known of one call; None if the provider says that there is none.

        Raises:
            ProviderError: the call could not be read.
        """
        ...

    async def active(self) -> list[ListedCall]:
        """Every call that is queued or running now.

        Raises:
            ProviderError: the list could not be read.
        """
        ...

    async def stop(self, call_id: CallId) -> StopAnswer:
        """End a call. Whatever goes wrong is an answer; may be repeated."""
        ...

    async def me(self) -> Account:
        """Probe whether the account works.

        Raises:
            ProviderError: it does not, or that cannot be known.
        """
        ...
