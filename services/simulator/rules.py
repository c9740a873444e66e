"""By which rules the ledger is judged: `POST /simulator/scoreboard` brings them, the simulator knows none by itself."""

from datetime import date
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from leadline.domain.errors import InvalidRule
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome
from leadline.domain.rules.hours import CallingHours, parse_calling_hours
from services.simulator.settings import Plan


class CampaignRules(BaseModel):
    """One campaign's rules; the defaults are the spec's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calling_hours: str = "Mon-Fri 11:00-20:00"
    calling_timezone: str = "America/New_York"
    blackout_dates: frozenset[date] = frozenset()
    legal_profile: Literal["none", "federal"] = "federal"
    max_attempts: int = Field(default=8, ge=1)
    max_daily_attempts: int = Field(default=8, ge=1)
    final_outcomes: frozenset[Outcome] = DEFAULT_FINAL_OUTCOMES
    sale_is_for_number: bool = True
    extra_callback_attempt: bool = True

    @model_validator(mode="after")
    def _hours_are_readable(self) -> Self:
        """Read them now, so that a wrong text is refused with the request that brings it."""
        try:
            parse_calling_hours(self.calling_hours, self.calling_timezone, self.blackout_dates)
        except InvalidRule as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def hours(self) -> CallingHours:
        """The calling hours as a set of instants."""
        return parse_calling_hours(self.calling_hours, self.calling_timezone, self.blackout_dates)

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose dates count."""
        return ZoneInfo(self.calling_timezone)


class Rulebook(BaseModel):
    """`POST /simulator/scoreboard`. A campaign that is not named is judged by `default`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: CampaignRules = CampaignRules()
    campaigns: dict[str, CampaignRules] = {}
    """By `metadata.campaign`."""
    states: dict[str, str] = {}
    """State field of a lead, by E.164 number: widens the zones in which the person may be."""
    stopped: dict[str, AwareDatetime] = {}
    """Real instants from which numbers (E.164) must not be called: suppressions that no call told of."""
    plan: Plan = "enterprise"
    """Whose caps are judged; may be stricter than what the simulator enforces."""
    crm_news_seconds: float = Field(default=5, ge=0)
    """Business time within which nobody need know that an agent ended a lead in the CRM."""
    crm_clearance_seconds: float = Field(default=5, ge=0)
    """Real time for which the CRM's word, once asked for, may be relied on."""
    examples: int = Field(default=20, ge=0, le=10_000)
    """Most rows shown for each thing that went wrong."""

    def of(self, campaign: str) -> CampaignRules:
        """The rules of a campaign."""
        return self.campaigns.get(campaign, self.default)
