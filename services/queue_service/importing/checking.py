"""A record of an import before anything is decided: its number, its campaign, its words. Reads no database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leadline.contracts.imports import ImportedLead, ImportStatus
from leadline.contracts.leads import LEAD_FIELDS
from leadline.domain.errors import LeadlineError, RefusedPhoneNumber
from leadline.domain.ids import CampaignName, PhoneNumber
from leadline.domain.lead import CompletionReason
from leadline.domain.outcome import Outcome
from leadline.domain.phone import normalise_any, parse_phone_number
from leadline.domain.rules.outcome_names import known_names, normal_name
from services.queue_service.handlers import FIRST_YEAR, LAST_YEAR
from services.queue_service.intake import OWN_COLUMNS
from services.queue_service.policy import Policy

_SENDER_FIELDS: Final = frozenset(LEAD_FIELDS) - OWN_COLUMNS
_POSTAL_CODE: Final = "postal_code"


class UnusableRecord(LeadlineError):
    """A record cannot be taken as it is."""

    code = "unusable_record"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the record that has an id of its own."""

    id: str
    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be taken."""

    said: ImportedLead
    campaign: CampaignName
    phone_number: PhoneNumber
    refused: str | None
    """A real number that is not called: the lead is stored as completed."""
    calls: tuple[Call, ...]
    """By time; each id once."""
    outcomes: tuple[Outcome, ...]
    """Oldest first, those of `calls` included."""

    @property
    def said_at(self) -> datetime | None:
        """How new the record's word is."""
        return self.said.updated_at or self.said.last_call_at

    @property
    def said_until(self) -> datetime | None:
        """The last instant that the record's count of attempts covers."""
        return self.said.last_call_at or self.said.updated_at

    @property
    def asked_completion(self) -> CompletionReason | None:
        """The reason for which the record calls the lead completed, if it names one that is known."""
        if self.said.status is not ImportStatus.COMPLETED or self.said.status_reason not in set(CompletionReason):
            return None
        return CompletionReason(self.said.status_reason)

    @property
    def every_outcome(self) -> tuple[Outcome, ...]:
        """All outcomes that the record names, the latest last."""
        return (*(call.outcome for call in self.calls), *self.outcomes)

    @property
    def postal_code(self) -> str | None:
        """Kept among the attributes, where an export puts it."""
        return words(self.said.attributes.get(_POSTAL_CODE))

    @property
    def sender_fields(self) -> dict[str, str]:
        """Attributes that have a meaning to the senders of leads."""
        return {key: value for key, value in self.said.attributes.items() if key in _SENDER_FIELDS}

    @property
    def attributes(self) -> dict[str, str]:
        """All other attributes."""
        known = _SENDER_FIELDS | {_POSTAL_CODE}
        return {key: value for key, value in self.said.attributes.items() if key not in known}


def words(text: str | None) -> str | None:
    """A text that says something, else None."""
    return (text or "").strip() or None


def check(policy: Policy, said: ImportedLead) -> Record:
    """Read a record. Raises UnusableRecord or InvalidPhoneNumber with a sentence for people."""
    campaign = CampaignName(words(said.campaign) or policy.default_campaign)
    if campaign not in policy.campaigns:
        known = ", ".join(sorted(policy.campaigns))
        raise UnusableRecord(f"There is no campaign {campaign!r}; configured are: {known}.")
    for name, at in _instants(said):
        _check_instant(name, at)
    phone_number, refused = _number(said.phone_number, policy.countries)
    names = known_names(policy.rules_for(campaign).outcome_names)
    calls = {call.call_id: Call(call.call_id, call.at, _outcome(call.outcome or "", names)) for call in said.calls}
    return Record(
        said=said,
        campaign=campaign,
        phone_number=phone_number,
        refused=refused,
        calls=tuple(sorted(calls.values(), key=lambda call: (call.at, call.id))),
        outcomes=tuple(_outcome(word, names) for word in said.outcomes),
    )


def _number(text: str, countries: frozenset[str]) -> tuple[PhoneNumber, str | None]:
    try:
        return parse_phone_number(text, countries), None
    except RefusedPhoneNumber as error:
        refused = normalise_any(text)
        if refused is None:
            raise
        return refused, str(error)


def _instants(said: ImportedLead) -> Iterator[tuple[str, datetime | None]]:
    for name in ("due_at", "scheduled_callback_at", "last_call_at", "created_at", "updated_at"):
        yield name, getattr(said, name)
    for call in said.calls:
        yield "the time of a call", call.at


def _check_instant(name: str, at: datetime | None) -> None:
    if at is None:
        return
    if at.utcoffset() is None:
        raise UnusableRecord(f"{name} needs an offset, as in 2026-01-05T15:30:00-05:00.")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise UnusableRecord(f"{name} lies outside of the years {FIRST_YEAR} to {LAST_YEAR}.")


def _outcome(word: str, names: Mapping[str, Outcome]) -> Outcome:
    """The outcome that a word names: one of our own names, else one that the account uses."""
    name = normal_name(word)
    if name.upper() in set(Outcome):
        return Outcome(name.upper())
    return names.get(name, Outcome.UNKNOWN)
