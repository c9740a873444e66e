"""What the queue-service was told: campaigns, limits and the account's caps. Read once at start, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from leadline.domain.campaign import Campaign
from leadline.domain.crm import ClearanceMode
from leadline.domain.ids import CampaignName


@dataclass(frozen=True, slots=True)
class PlanCaps:
    """A provider plan's caps (None: no cap). Hours and days are rolling, in business time."""

    concurrent: int | None = None
    per_hour: int | None = None
    per_day: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to count before a call."""
        return any(cap is not None for cap in (self.concurrent, self.per_hour, self.per_day))


PLAN_CAPS: Mapping[str, PlanCaps] = {
    "start": PlanCaps(concurrent=10, per_hour=100, per_day=100),
    "build": PlanCaps(concurrent=50, per_hour=1000, per_day=2000),
    "scale": PlanCaps(concurrent=100, per_hour=1000, per_day=5000),
    "enterprise": PlanCaps(),
}
"""The provider's billing page, as of 2025-12-05; `enterprise` is a contract, so no cap is assumed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules and limits of this deployment. Seconds and milliseconds are real time unless a name says business."""

    campaigns: Mapping[CampaignName, Campaign]
    default_campaign: CampaignName
    callers: Mapping[str, CampaignName]
    """Our own numbers (E.164) and the campaign that dials from each."""
    longest_call: Mapping[CampaignName, timedelta]
    """Business time after which a placed call cannot still be going on."""
    countries: frozenset[str] = frozenset({"US"})
    account: str = "bland"
    caps: PlanCaps = PLAN_CAPS["enterprise"]
    calls_per_second: float = 5.0
    """0: no pace."""
    lease_seconds: float = 30.0
    send_within_ms: int = 2000
    least_send_ms: int = 200
    """A shorter send window than this is not worth a `go`: the lead waits for the next opening."""
    closing_margin_ms: int = 500
    """Kept free between the end of a send window and a closing time: the request's way to the provider."""
    longest_pace_delay_ms: int = 500
    """A pace slot further away is answered `wait`."""
    report_within_seconds: float = 20.0
    """How long after the end of its send window a marked attempt may stay unreported."""
    quiet_seconds: float = 180.0
    unknown_deadline_seconds: float = 86400.0
    answers_kept_seconds: float = 86400.0
    scale_look_ahead: timedelta = timedelta(seconds=60)
    """Business time within which a lead must fall due for dialers to be there for it."""
    scale_read_seconds: float = 5.0
    clearance: ClearanceMode = ClearanceMode.OFF
    """Before which dials the CRM must have cleared the number; OFF also says that nobody is told of results."""

    def rules_for(self, campaign: CampaignName) -> Campaign:
        """A campaign's rules; a campaign that is no longer configured is planned by the default's and never leased."""
        return self.campaigns.get(campaign) or self.campaigns[self.default_campaign]

    @property
    def has_crm(self) -> bool:
        """Whether there is a CRM to be asked and told."""
        return self.clearance is not ClearanceMode.OFF

    @property
    def longest_hold_seconds(self) -> float:
        """Real time after which no dialer has an attempt in hand: leased at first, then sent and unreported."""
        waits = self.longest_pace_delay_ms / 1000 + self.send_within_ms / 1000 + self.report_within_seconds
        return self.lease_seconds + waits

    @property
    def pace_interval(self) -> timedelta | None:
        """Business time between two pace slots.

        A twentieth more than the rate says, so that calls which overtake each other by 50 ms on their way still are
        at most so many in any second where they arrive.
        """
        return timedelta(seconds=1.05 / self.calls_per_second) if self.calls_per_second else None
