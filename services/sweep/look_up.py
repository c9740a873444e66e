"""One look-up: which calls of the provider belong to an attempt, and what it proves if none does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from leadline.contracts.leases import ReportKind
from leadline.contracts.sweep import DoubtfulAttempt
from leadline.domain.ids import CallId, PhoneNumber
from leadline.domain.phone import normalise_any
from leadline.runtime import loose_json
from leadline.telephony.port import CallDetails, FoundCalls, ListedCall, ProviderError, ProviderNonsense
from services.sweep.asking import Asking
from services.sweep.passing import ActiveCalls

LOOK_BACK: Final = timedelta(minutes=10)
"""Business time before the send mark at which a look-up begins: more than clocks may differ."""
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """The provider has the call; more than one if it dialled again by itself. Oldest first."""

    calls: tuple[CallDetails, ...]


@dataclass(frozen=True, slots=True)
class NothingFound:
    """No such call. `kind` says what that proves: `absent`, `inconclusive` or `unreachable`."""

    kind: ReportKind


async def look_up(asking: Asking, attempt: DoubtfulAttempt, active: ActiveCalls) -> Found | NothingFound:
    """Ask for every call to the number since shortly before the mark, and compare each one's metadata.

    `active` must have been read in this pass. Raises PassOver.
    """
    phone_number = PhoneNumber(attempt.phone_number)
    try:
        listed = await asking.find(phone_number, attempt.marked_at - LOOK_BACK)
    except ProviderError as error:
        return NothingFound(_proves(error))
    candidates = dict.fromkeys(call.call_id for call in (*listed.calls, *calls_to(phone_number, active.calls)))
    ours: list[CallDetails] = []
    readable = True
    for call_id in candidates:
        call = await _read(asking, call_id)
        if call is not None and call.parsed.attempt_id == attempt.attempt_id:
            ours.append(call)
        readable &= call is not None and not could_be_anyones(call)
    if ours:
        return Found(tuple(sorted(ours, key=lambda call: call.parsed.created_at or _BEFORE_ALL)))
    return NothingFound(_verdict(asking, listed, active, readable=readable))


def calls_to(phone_number: PhoneNumber, calls: Iterable[ListedCall]) -> list[ListedCall]:
    """Those to this number, in whatever spelling; a number that cannot be read may be any."""
    return [call for call in calls if normalise_any(call.to_number) in {None, phone_number}]


def could_be_anyones(call: CallDetails) -> bool:
    """Whether the details name nobody: an outbound call without any metadata. Ours always carry an attempt's id."""
    if call.parsed.inbound or call.parsed.attempt_id is not None:
        return False
    return not loose_json.mapping(loose_json.mapping(loose_json.loads(call.raw)).get("metadata"))


async def _read(asking: Asking, call_id: CallId) -> CallDetails | None:
    """The details, None if they cannot be read: a listed call without details is one that nobody can identify."""
    try:
        return await asking.details(call_id)
    except ProviderError:
        return None


def _verdict(asking: Asking, listed: FoundCalls, active: ActiveCalls, *, readable: bool) -> ReportKind:
    if asking.silent:
        return ReportKind.UNREACHABLE
    if active.error is not None:
        return _proves(active.error)
    return ReportKind.ABSENT if listed.complete and readable else ReportKind.INCONCLUSIVE


def _proves(error: ProviderError) -> ReportKind:
    """The provider did not answer, or answered what cannot be read."""
    return ReportKind.INCONCLUSIVE if isinstance(error, ProviderNonsense) else ReportKind.UNREACHABLE
