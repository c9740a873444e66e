"""Why nothing is dialling: every gate between a due lead and a call, and the first that is shut, as one number."""

from collections.abc import Mapping
from typing import Final

from deploy.dashboards import colours
from deploy.dashboards.promql import CAMPAIGN, age, reading, select, summed
from deploy.dashboards.thresholds import DIALER_MISSING, FIGURES_STALE
from deploy.dashboards.words import Words

OPEN: Final = reading("leadline_window_open", CAMPAIGN, by="campaign")
PAUSED: Final = reading("leadline_campaign_paused", CAMPAIGN, by="campaign")
ACCOUNT_PAUSED: Final = reading("leadline_gate_closed", 'gate="account_pause"')
DISPATCH_HELD: Final = reading("leadline_gate_closed", 'gate="dispatch_hold"')
DUE_NOW: Final = reading("leadline_leads_due_now")
CAP_USED: Final = f"max (max by (cap) ({select('leadline_cap_used')}) / max by (cap) ({select('leadline_cap_limit')}))"
BREAKER: Final = f"max ({select('leadline_dialer_breaker_state')})"
_ASKED: Final = "leadline_last_lease_request_timestamp_seconds"
SINCE_ASKED: Final = age(_ASKED)
FREE_SLOTS: Final = f"{summed('leadline_dialer_slots')} - {summed('leadline_dialer_attempts_in_hand')}"

_FIGURES: Final = "leadline_figures_timestamp_seconds", 'reading="fast"'
FIGURES_AGE: Final = age(*_FIGURES)
_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "No figures": (f"({FIGURES_AGE} > {FIGURES_STALE.value} or sum (absent({select(*_FIGURES)})))", colours.BAD),
    "Account paused": (f"({ACCOUNT_PAUSED} == 1)", colours.BAD),
    "Dispatch held": (f"({DISPATCH_HELD} == 1)", colours.BAD),
    "Campaign paused": (f"(min ({PAUSED}) == 1)", colours.WATCH),
    "Outside hours": (f"(max ({OPEN} unless {PAUSED} == 1) == 0)", colours.WAITS),
    "Nothing due": (f"({DUE_NOW} + {reading('leadline_attempts_in_hand')} == 0)", colours.WAITS),
    "No dialer asks": (
        f"({SINCE_ASKED} > {DIALER_MISSING.value} or sum (absent({select(_ASKED)})))",
        colours.BAD,
    ),
    "Breaker open": (f"({BREAKER} == 2)", colours.BAD),
    "Plan's cap full": (f"({CAP_USED} >= 1)", colours.WATCH),
}
"""In the order in which they are looked at: the first that holds is the answer."""

VERDICT: Final = (
    " or ".join(f"{condition} * 0 + {code}" for code, (condition, _) in enumerate(_REASONS.values(), start=1))
    + " or vector(0)"
)
"""0: nothing holds dialling. Else the number of the first reason that does."""

VERDICT_WORDS: Final = Words(
    {0: ("Dialling", colours.GOOD)}
    | {code: (word, colour) for code, (word, (_, colour)) in enumerate(_REASONS.items(), start=1)}
)
