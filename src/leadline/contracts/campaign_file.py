"""The campaigns file (YAML) and what one campaign needs to dial.

Every key that a campaign leaves out has the value of the plain settings; `campaigns.py` makes rules of the two.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from leadline.contracts.base import Message
from leadline.domain.campaign import LegalProfile
from leadline.domain.errors import LeadlineError
from leadline.domain.outcome import Outcome

DEFAULT_TASK: Final = (
    "You are a friendly assistant calling {{first_name}} about the health plan information they asked for. "
    "Confirm that you speak with the right person and ask whether now is a good time. "
    "If they want to be called later, ask for a day and a time. "
    "If they ask not to be called again, apologise, confirm that they will not be called, and say goodbye."
)
"""What is said when no pathway and no task is set, so that a first `leadline up` has something to say."""

DEFAULT_DISPOSITIONS: Final = tuple(
    outcome.value
    for outcome in (
        Outcome.DO_NOT_CALL,
        Outcome.SALE,
        Outcome.ACA,
        Outcome.NOT_INTERESTED,
        Outcome.TRANSFERRED,
        Outcome.CALLBACK,
        Outcome.VOICEMAIL,
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.CONFUSED,
    )
)
"""The outcomes an agent can tell from a conversation, offered so that the provider answers in our own words."""


class CampaignsError(LeadlineError):
    """The campaigns file or a plain setting of a campaign is wrong; one line that names the campaign and the key."""

    code = "invalid_campaigns"


_US_NUMBER: Final = re.compile(r"\+?1?([2-9]\d{2}[2-9]\d{6})")


def _us_number(value: object) -> object:
    """Accept what YAML makes of `+15615550900` (an integer), and the usual punctuation."""
    text = re.sub(r"[\s().-]", "", str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (found := _US_NUMBER.fullmatch(text)):
        raise ValueError("must be a US number such as +15615550900")
    return f"+1{found[1]}"


def _upper(value: object) -> object:
    return value.strip().upper().replace("-", "_").replace(" ", "_") if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value.strip()


UsNumber = Annotated[str, BeforeValidator(_us_number)]
OutcomeWord = Annotated[Outcome, BeforeValidator(_upper)]
Line = Annotated[str, Field(max_length=500), AfterValidator(_filled)]
Minutes = Annotated[float, Field(ge=0, le=525_600)]
Prose = Annotated[str, Field(max_length=100_000), AfterValidator(_filled)]


class Voicemail(Message):
    """What happens at a voicemail. A message without an action is left; with neither, the call hangs up."""

    message: Annotated[str, Field(max_length=5000), AfterValidator(_filled)] | None = None
    action: Literal["hangup", "leave_message", "ignore"] | None = None

    @property
    def effective_action(self) -> Literal["hangup", "leave_message", "ignore"]:
        """The action that is asked for, said or implied."""
        return self.action or ("leave_message" if self.message else "hangup")

    @model_validator(mode="after")
    def _message_for_action(self) -> Self:
        if self.action == "leave_message" and not self.message:
            raise ValueError("action leave_message needs a message")
        return self


class DiallingSettings(Message):
    """How one campaign dials: what is sent to Bland with each call. Unset fields are not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    pathway_id: Line | None = None
    pathway_version: int | Literal["production", "staging"] | None = None
    start_node_id: Line | None = None
    task: Prose | None = None
    from_number: UsNumber | None = Field(default=None, alias="from")
    voice: Line | None = None
    model: Literal["base", "turbo"] | None = None
    language: Line | None = None
    first_sentence: Line | None = None
    wait_for_greeting: bool | None = None
    block_interruptions: bool | None = None
    record: bool | None = None
    timezone: Line | None = None
    voicemail: Voicemail | None = None
    dispositions: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    """What the provider's agent may choose from; empty: `DEFAULT_DISPOSITIONS`."""
    max_duration_minutes: int = Field(default=30, ge=1, le=720)

    @model_validator(mode="after")
    def _one_script(self) -> Self:
        if self.pathway_id and self.task:
            raise ValueError("pathway_id and task are both set; a call has one of them")
        if not self.pathway_id and (self.pathway_version is not None or self.start_node_id):
            raise ValueError("pathway_version and start_node_id need a pathway_id")
        return self


class CampaignEntry(Message):
    """One campaign of the file. Durations are business time."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    hours: str | None = None
    """`Mon-Fri 11:00-20:00`, several comma-separated."""
    timezone: str | None = None
    blackout_dates: Annotated[tuple[date, ...], Field(max_length=2000)] | None = None
    cadence_minutes: Annotated[tuple[Minutes, ...], Field(min_length=1, max_length=100)] | None = None
    max_attempts: int | None = Field(default=None, ge=1, le=1000)
    max_daily_attempts: int | None = Field(default=None, ge=1, le=1000)
    number_spacing_seconds: float | None = Field(default=None, ge=10, le=86_400)
    transfer_rest_minutes: float | None = Field(default=None, ge=30, le=10_080)
    inbound_rest_minutes: float | None = Field(default=None, ge=0, le=10_080)
    legal_profile: Annotated[LegalProfile, BeforeValidator(_lower)] | None = None
    final_outcomes: frozenset[OutcomeWord] | None = None
    outcome_names: Mapping[Line, OutcomeWord] | None = None
    """The account's own tag and disposition names."""
    extra_callback_attempt: bool | None = None
    sale_is_for_number: bool | None = None
    bland: Mapping[str, Any] = Field(default_factory=dict)
    """Keys of `DiallingSettings`; checked after they are laid over the plain settings."""
