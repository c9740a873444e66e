"""*Queue*: what is due, whether it goes out on time, and if not, which gate holds it."""

from typing import Final

from grafana_foundation_sdk.builders import stat, table

from deploy.dashboards import colours, gates
from deploy.dashboards.board import Board, Row
from deploy.dashboards.panels import Look, Query, bars, change, graph, grid, judged, tile, timeline
from deploy.dashboards.promql import (
    CAMPAIGN,
    RANGE,
    across,
    hourly,
    or_none,
    quantile,
    reading,
    within,
)
from deploy.dashboards.thresholds import (
    CAP_NEARLY_USED,
    DIALER_MISSING,
    FIGURES_STALE,
    HELD_AGEING,
    LATE,
    ON_TIME,
    QUEUE_LATE,
    QUEUE_STALLED,
    SPEED_TO_LEAD,
    Steps,
    bad_from,
)
from deploy.dashboards.words import Words

_DUE_FOR: Final = ((QUEUE_LATE.value, colours.WATCH), (QUEUE_STALLED.value, colours.BAD))
_LATENESS: Final = "leadline_dispatch_lateness_seconds"
_SPEED: Final = "leadline_speed_to_lead_seconds"


_OLDEST_DUE: Final = (
    "How long the lead that waits longest has been due, of those that may be called now. From 120 s on calls are late, "
    "from 300 s on the queue stands still: the row *Why is nothing dialling* names the gate."
)


def _now() -> Row:
    return Row(
        "",
        [
            tile(
                Look("Now", "none", 6, 4),
                "The first thing that keeps calls from going out, if anything does. The row below shows every gate.",
                Query(gates.VERDICT),
                words=gates.VERDICT_WORDS,
                filled=True,
            ),
            tile(
                Look("Due now", "locale", 6, 4, base=colours.WAITS, decimals=0),
                "Leads that a dialer would be given now, counted no further than pace and plan let dialers have in "
                "hand. High for long: dialling does not keep up; look at pace, caps and slots.",
                Query(gates.DUE_NOW),
            ),
            tile(
                Look("Oldest due lead", "s", 6, 4, steps=_DUE_FOR),
                _OLDEST_DUE,
                Query(reading("leadline_oldest_due_seconds", CAMPAIGN)),
            ),
            tile(
                Look(
                    "On time",
                    "percentunit",
                    6,
                    4,
                    base=colours.BAD,
                    steps=((0.95, colours.WATCH), (ON_TIME, colours.GOOD)),
                    decimals=2,
                    absent="no call",
                ),
                "Share of calls that might go out within 60 s of their due time, in the time shown. The objective "
                "is 99 %; an alert wakes somebody when too much of the month's allowance is used up.",
                Query(within(LATE.value, _LATENESS, CAMPAIGN, window=RANGE)),
            ),
        ],
    )


_OPEN: Final = Words({1: ("Open", colours.GOOD), 0: ("Closed", colours.WAITS)})
_RUNNING: Final = Words({0: ("Running", colours.GOOD), 1: ("Paused", colours.BAD)})
_FREE: Final = Words({0: ("Free", colours.GOOD), 1: ("Held", colours.BAD)})
_BREAKER: Final = Words({0: ("Closed", colours.GOOD), 1: ("Trying one", colours.WATCH), 2: ("Open", colours.BAD)})
_ASKING: Final = Words(
    between={(0, DIALER_MISSING.value): ("Asking", colours.GOOD), (1e9, 1e11): ("Never", colours.BAD)}
)
_NEXT: Final = Words({0: ("Open now", colours.GOOD)})
_DUE: Final = Words({0: ("None", colours.WAITS)})
_CAP: Final = Words({-1: ("No cap", colours.GOOD)})
_SLOTS: Final = Words(between={(-1e6, 0): ("All taken", colours.WATCH)})
_PACE: Final = Words({0: ("No limit", colours.GOOD)})


def _gate(title: str, says: str, query: str, words: Words, unit: str = "none", steps: Steps = ()) -> stat.Panel:
    look = Look(title, unit, 4, 3, steps=steps, decimals=0 if unit == "none" else None)
    return tile(look, says, Query(query, "{{campaign}}"), words=words, filled=True)


def _switches() -> list[stat.Panel]:
    """What the clock and people open and close."""
    wait = f"clamp_min({reading('leadline_next_opening_timestamp_seconds', CAMPAIGN, by='campaign')} - time(), 0)"
    return [
        _gate(
            "Calling hours",
            "Whether campaigns may call at this hour. Closed is as it should be, outside of their hours and on "
            "their days off.",
            gates.OPEN,
            _OPEN,
        ),
        _gate(
            "Next opening",
            "How long until calling hours begin.",
            f"{wait} * (1 - {gates.OPEN})",
            _NEXT,
            unit="s",
        ),
        _gate(
            "Campaign",
            "Paused: an operator paused it; `leadline campaigns resume` ends that.",
            gates.PAUSED,
            _RUNNING,
        ),
        _gate(
            "Account",
            "Paused: an operator, or the provider's refusal of our key or balance, stopped all dialling. See why "
            "with `leadline account`; mend that; then `leadline account resume`.",
            gates.ACCOUNT_PAUSED,
            _RUNNING,
        ),
        _gate(
            "Dispatch",
            "Held: the database changed its primary, and calls of the last hour are compared with the provider's "
            "before any more go out. The next sweep releases it; if it does not, see the sweep's log.",
            gates.DISPATCH_HELD,
            _FREE,
        ),
    ]


def _limits() -> list[stat.Panel]:
    """What there is to do, and how much of it may be done."""
    return [
        _gate(
            "Due",
            "Leads that are due and may be called now. None: there is nothing to do; see *Falls due* for when.",
            gates.DUE_NOW,
            _DUE,
        ),
        _gate(
            "Pace",
            "Calls per second that LEADLINE_CALLS_PER_SECOND allows, all dialers together.",
            reading("leadline_pace_calls_per_second"),
            _PACE,
            unit="suffix:/s",
        ),
        _gate(
            "Plan's caps",
            "How much of the provider's fullest cap (calls at once, per hour, per day) is used. At 100 % calls "
            "wait until it empties; a larger plan ends that.",
            f"{gates.CAP_USED} or vector(-1)",
            _CAP,
            unit="percentunit",
            steps=((CAP_NEARLY_USED.value, colours.WATCH), (1, colours.BAD)),
        ),
        _gate(
            "Breaker",
            "Open: the provider failed so often that dialers wait before they try again. The dashboard Dialer and "
            "provider says how it fails.",
            gates.BREAKER,
            _BREAKER,
        ),
        _gate(
            "Dialers",
            "How long ago a dialer asked for leads; they ask at least every half minute. If none does: are there "
            "pods of the dialer, are they ready, is their token good?",
            gates.SINCE_ASKED,
            _ASKING,
            unit="s",
            steps=bad_from(DIALER_MISSING),
        ),
        _gate(
            "Free slots",
            "Calls that dialers could take in hand now. All taken for long: more dialers, or a larger "
            "LEADLINE_DIALER_CONCURRENCY.",
            gates.FREE_SLOTS,
            _SLOTS,
        ),
        _gate(
            "Figures",
            "Age of what these tiles show. Old figures: the queue-service cannot read its database.",
            gates.FIGURES_AGE,
            Words(),
            unit="s",
            steps=((60, colours.WATCH), (FIGURES_STALE.value, colours.BAD)),
        ),
    ]


def _gates() -> Row:
    return Row(
        "Why is nothing dialling: every gate, green while it lets calls through",
        [
            *_switches(),
            *_limits(),
            timeline(
                Look("What held dialling", "none", 24, 4),
                "The first shut gate at each moment of the time shown.",
                Query(gates.VERDICT, "all"),
                gates.VERDICT_WORDS,
            ),
        ],
    )


def _on_time() -> Row:
    late = bad_from(LATE)
    return Row(
        "On time",
        [
            graph(
                Look("Lateness of calls", "s", 12, steps=late),
                "From a lead's due time to when its call might go out; half of the calls were faster than p50. "
                "Above 60 s the objective is missed.",
                *(Query(quantile(of, _LATENESS, CAMPAIGN), f"p{of * 100:.0f}") for of in (0.5, 0.95, 0.99)),
                seconds=True,
                limits=True,
            ),
            graph(
                Look("Lateness p95, by priority", "s", 12, steps=late),
                "First calls and callbacks are `fresh`, the second to fourth call `warm`, the rest `cold`. `fresh` "
                "late while `cold` is too: calls do not go out at all; `cold` alone: there is more work than pace.",
                Query(quantile(0.95, _LATENESS, CAMPAIGN, by="band"), "{{band}}"),
                seconds=True,
                limits=True,
                palette={"fresh": colours.GOOD, "warm": colours.WATCH, "cold": colours.WAITS},
            ),
            graph(
                Look(
                    "Calls within 60 s of due",
                    "percentunit",
                    8,
                    base=colours.BAD,
                    steps=((ON_TIME, colours.GOOD),),
                    top=1,
                ),
                "The objective is 99 % over a month (dashed).",
                Query(within(LATE.value, _LATENESS, CAMPAIGN), "within 60 s"),
                limits=True,
                palette={"within 60 s": colours.GOOD},
            ),
            graph(
                Look("Oldest due lead, by campaign", "s", 8, steps=_DUE_FOR),
                _OLDEST_DUE,
                Query(reading("leadline_oldest_due_seconds", CAMPAIGN, by="campaign"), "{{campaign}}"),
                limits=True,
            ),
            graph(
                Look("Speed to lead", "s", 8, steps=bad_from(SPEED_TO_LEAD)),
                "From receiving a lead to its first call: `open` counts time inside calling hours alone, `raw` all "
                "of it. p90 above five minutes loses people.",
                Query(quantile(0.5, _SPEED, CAMPAIGN, 'clock="open"'), "p50 open"),
                Query(quantile(0.9, _SPEED, CAMPAIGN, 'clock="open"'), "p90 open"),
                Query(quantile(0.9, _SPEED, CAMPAIGN, 'clock="raw"'), "p90 raw"),
                seconds=True,
                limits=True,
                palette={"p50 open": "light-blue", "p90 open": "blue", "p90 raw": colours.NEUTRAL},
            ),
        ],
    )


def _waiting() -> Row:
    return Row(
        "What waits",
        [
            graph(
                Look("Due and in hand", "locale", 12, decimals=0),
                "Leads due now, leads that fall due soon, and attempts between lease and report.",
                Query(gates.DUE_NOW, "due now"),
                Query(reading("leadline_leads_due_soon"), "due soon"),
                Query(reading("leadline_attempts_in_hand"), "in hand"),
                palette={"due now": colours.WATCH, "due soon": "light-blue", "in hand": colours.GOOD},
            ),
            graph(
                Look("Leads by status", "locale", 12, decimals=0),
                "All leads. `held` waits for somebody to decide, `paused` for an operator to resume.",
                Query(across("leadline_leads", by="status"), "{{status}}"),
                stacked=True,
                palette=colours.STATUSES,
            ),
            graph(
                Look("Leads received per hour", "suffix:/h", 8, decimals=0),
                "Leads posted, by what their sender was answered. All `duplicate`: the sender posts the same again.",
                Query(hourly("leadline_leads_received_total", CAMPAIGN, by="status"), "{{status}}"),
                stacked=True,
                palette={
                    "queued": colours.GOOD,
                    "duplicate": colours.NEUTRAL,
                    "suppressed": "purple",
                    "completed": "blue",
                },
            ),
            bars(
                Look("Falls due", "locale", 4, base=colours.WAITS, decimals=0),
                "When planned leads fall due: within the hour, within a day, or later.",
                Query(across("leadline_due_later", 'within="hour"'), "in an hour"),
                Query(across("leadline_due_later", 'within="day"'), "in a day"),
                Query(across("leadline_due_later", 'within="more"'), "later"),
            ),
            graph(
                Look("Callbacks promised", "locale", 4, decimals=0),
                "Promised calls that are due, and those over 15 minutes late that may be called and were not.",
                Query(across("leadline_callbacks_due"), "due"),
                Query(across("leadline_callbacks_overdue"), "overdue"),
                palette={"due": colours.WAITS, "overdue": colours.BAD},
            ),
            _held(),
        ],
    )


def _held() -> table.Panel:
    held = f"{reading('leadline_held_leads', by='reason')} > 0"
    return grid(
        Look("Held leads", "locale", 8, decimals=0, absent="none held"),
        "Leads that wait for somebody to decide, by reason, and for how long the oldest does. `leadline leads` lists "
        "them; what each reason asks for stands in the runbook.",
        Query(or_none(held, "reason")),
        Query(or_none(f"{reading('leadline_oldest_held_seconds', by='reason')} and {held}", "reason")),
        changes=[
            change("merge", {}),
            change(
                "organize",
                {
                    "excludeByName": {"Time": True},
                    "renameByName": {"reason": "Reason", "Value #A": "Leads", "Value #B": "Oldest"},
                },
            ),
        ],
    ).override_by_name("Oldest", judged("dtdurations", bad_from(HELD_AGEING)))


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="leadline-queue",
        title="Leadline / Queue",
        description="What is due, whether it goes out on time, and if not, which gate holds it.",
        shows="now-6h",
        rows=[_now(), _gates(), _on_time(), _waiting()],
    )
