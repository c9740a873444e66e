"""What the plain settings tell of a campaign: the shapes of the settings' parts, known without importing them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol


class PlainCadence(Protocol):
    """The old names' part of the plain settings."""

    @property
    def progressive_intervals(self) -> Sequence[float]:
        """Minutes before attempt n."""

    @property
    def max_attempts(self) -> int:
        """Of a life."""

    @property
    def max_daily_attempts(self) -> int:
        """Of a number in a day."""

    @property
    def success_outcomes(self) -> Sequence[str]:
        """Names of final outcomes."""


class PlainCalling(Protocol):
    """The calling part of the plain settings."""

    @property
    def calling_hours(self) -> str:
        """As text."""

    @property
    def calling_timezone(self) -> str:
        """IANA name."""

    @property
    def blackout_dates(self) -> Sequence[date]:
        """In that zone."""

    @property
    def legal_profile(self) -> str:
        """`none` or `federal`."""

    @property
    def number_spacing_seconds(self) -> float:
        """Between two calls to a number."""

    @property
    def transfer_rest_minutes(self) -> float:
        """After TRANSFERRED."""


class PlainDialling(Protocol):
    """The dialling part of the plain settings."""

    @property
    def bland_pathway_id(self) -> str | None:
        """Either this."""

    @property
    def bland_task(self) -> str | None:
        """Or that."""

    @property
    def bland_from(self) -> str | None:
        """E.164."""

    @property
    def bland_voicemail_message(self) -> str | None:
        """None hangs up."""

    @property
    def bland_dispositions(self) -> Sequence[str]:
        """Empty: our outcome names."""

    @property
    def bland_max_duration_minutes(self) -> int:
        """Longest call."""

    @property
    def outcome_names(self) -> Mapping[str, str]:
        """The account's names of outcomes."""
