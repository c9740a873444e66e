"""The evidence of one call, free of the provider's spelling: what the outcome is derived from."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CallResult:
    """What is known of a call that ended (or that the provider gave up on).

    Texts are lower-cased and stripped only where said so; every field may be missing, and no combination is an error.
    """

    completed: bool = False
    """The provider says that the call took place to its end."""
    status: str = ""
    """Lower case, words joined by one hyphen: `completed`, `failed`, `busy`, `no-answer`, `canceled`, `unknown` ..."""
    answered_by: str = ""
    """Lower case, words joined by one hyphen: `human`, `voicemail`, `machine`, `no-answer`, `unknown`, or empty."""
    error_message: str = ""
    dispositions: tuple[str, ...] = ()
    """Disposition tags and outcome fields, as the provider spelt them."""
    tags: tuple[str, ...] = ()
    """Names of pathway tags, as spelt."""
    variable_dispositions: tuple[str, ...] = ()
    """Variables that may name an outcome (`disposition`, `outcome`, `call_outcome` ...), as spelt."""
    transfer_state: str = ""
    """Upper case: `MERGED`, `NO_ANSWER` ..."""
    callback_requested: bool = False
    callback_requested_at: str = ""
    """As the provider sent it; a rule turns it into an instant."""
    person_lines: tuple[str, ...] = ()
    """What the person said, never the agent's lines."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    talk_seconds: float | None = None
    price_dollars: float | None = None
    extra: dict[str, str] = field(default_factory=dict)
    """Evidence kept for people (summary, who ended the call); no rule reads it."""
