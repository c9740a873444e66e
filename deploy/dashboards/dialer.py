"""*Dialer and provider*: what dialers have in hand, what the provider answers, and calls whose fate is in doubt."""

from typing import Final

from deploy.dashboards import colours, gates
from deploy.dashboards.board import Board, Row
from deploy.dashboards.panels import Look, Query, bars, graph, tile
from deploy.dashboards.promql import (
    hourly,
    or_none,
    or_zero,
    quantile,
    rate,
    reading,
    select,
    share,
    summed,
    total,
)
from deploy.dashboards.thresholds import CAP_NEARLY_USED, PROVIDER_FAILING, UNKNOWN_AGEING, bad_from
from deploy.dashboards.words import Words

_ANSWERS: Final = "leadline_provider_answers_total"
_REFUSING: Final = 'class=~"unauthorized|payment_required|forbidden|dnc"'
_FAILING: Final = 'class=~"rate_limited|server_error|timeout|connection|unreadable"'
_NOT_OK: Final = 'class!="ok"'
_PEERS: Final = 'peer=~"bland|convoso"'
_CLIENT: Final = "leadline_http_client_request_seconds"
_BREAKER: Final = Words({0: ("Closed", colours.GOOD), 1: ("Trying one", colours.WATCH), 2: ("Open", colours.BAD)})
_BY_STATE: Final = {"leased": "light-blue", "sending": "yellow", "placed": colours.GOOD, "unknown": colours.BAD}
_NONE: Final = Words({0: ("None", colours.GOOD)})
_IN_HAND: Final = summed("leadline_dialer_attempts_in_hand")
_SLOTS: Final = summed("leadline_dialer_slots")
_PLACED: Final = "leadline_attempts_total", 'result!="not_sent"'


def _now() -> Row:
    return Row(
        "",
        [
            tile(
                Look(
                    "Slots in use", "percentunit", 6, 4, steps=((0.9, colours.WATCH),), decimals=0, absent="no dialer"
                ),
                "Share of the dialers' slots that hold a call. Near 100 % for long while leads are due: more "
                "dialers, or a larger LEADLINE_DIALER_CONCURRENCY.",
                Query(share(_IN_HAND, _SLOTS)),
            ),
            tile(
                Look("Breaker", "none", 6, 4, absent="no dialer"),
                "Open: the provider failed so often that dialers wait before they try again; one call is tried "
                "first. The rows below say how it fails.",
                Query(gates.BREAKER),
                words=_BREAKER,
                filled=True,
            ),
            tile(
                Look(
                    "Provider well",
                    "percentunit",
                    6,
                    4,
                    base=colours.BAD,
                    steps=((0.95, colours.WATCH), (0.99, colours.GOOD)),
                    decimals=2,
                    absent="no request",
                ),
                "Share of requests that the provider answered as it should, in the time shown; refusals of one "
                "call (400, 404, a number it must not call) are its good right.",
                Query(f"1 - {share(f'({or_zero(total(_ANSWERS, _FAILING))})', total(_ANSWERS))}"),
            ),
            tile(
                Look("Unknown attempts", "locale", 6, 4, base=colours.WATCH, decimals=0),
                "Calls of which nobody knows whether they were placed: the answer was lost. Their numbers are not "
                "called until the sweep has learned it from the provider.",
                Query(reading("leadline_open_attempts", 'state="unknown"')),
                words=_NONE,
            ),
        ],
    )


def _slots() -> Row:
    return Row(
        "Slots, marks and pace",
        [
            graph(
                Look("In hand and slots", "locale", 12, decimals=0),
                "Calls that dialers have in hand, how many they could have, and how many they should be able to "
                "have: by the last of these they are scaled.",
                Query(_IN_HAND, "in hand"),
                Query(_SLOTS, "slots"),
                Query(reading("leadline_calls_wanted"), "wanted"),
                palette={"in hand": colours.GOOD, "slots": colours.NEUTRAL, "wanted": colours.WATCH},
            ),
            graph(
                Look("Calls per second and pace", "cps", 12),
                "Requests for a call at the provider, all dialers together, and the most that the pace allows.",
                Query(rate(*_PLACED), "requested"),
                Query(f"{reading('leadline_pace_calls_per_second')} > 0", "pace"),
                palette={"requested": colours.GOOD, "pace": colours.NEUTRAL},
            ),
            graph(
                Look("Marks per second", "cps", 8),
                "Answers to a dialer's last question before a call, may it go out now. Much else than `go`: leads "
                "change between lease and call; the refusals below say how.",
                Query(rate("leadline_dialer_marks_total", by="answer"), "{{answer}}"),
                stacked=True,
                palette={"go": colours.GOOD},
            ),
            graph(
                Look("Reports waiting, and draining", "locale", 8, decimals=0),
                "Reports that the queue-service has not accepted yet: more than a few for long means that it "
                "cannot be reached. Draining dialers finish what they have and take nothing new.",
                Query(summed("leadline_dialer_reports_waiting"), "reports waiting"),
                Query(summed("leadline_dialer_draining"), "dialers draining"),
                palette={"reports waiting": colours.WATCH, "dialers draining": colours.WAITS},
            ),
            graph(
                Look(
                    "Plan's caps used",
                    "percentunit",
                    8,
                    steps=((CAP_NEARLY_USED.value, colours.WATCH), (1, colours.BAD)),
                    decimals=0,
                ),
                "How much of the provider's caps is used. From 90 % on an alert says so; at 100 % calls wait.",
                Query(
                    or_none(
                        f"{reading('leadline_cap_used', by='cap')} / {reading('leadline_cap_limit', by='cap')}",
                        "cap",
                        "the plan has none",
                    ),
                    "{{cap}}",
                ),
                limits=True,
            ),
        ],
    )


def _provider() -> Row:
    return Row(
        "Provider and CRM",
        [
            graph(
                Look("Answers by class", "cps", 10),
                "What the provider and the CRM answered, per second. `unauthorized`, `payment_required`, "
                "`forbidden`: key, balance or account; all dialling pauses. `dnc`: numbers that it must not call.",
                Query(rate(_ANSWERS, by="class"), "{{class}}"),
                stacked=True,
                palette=colours.PROVIDER_CLASSES,
            ),
            bars(
                Look("Refusals and failures", "locale", 5, base=colours.WATCH, decimals=0),
                "Answers other than `ok`, in the time shown, by class.",
                Query(or_none(f"sort_desc({total(_ANSWERS, _NOT_OK, by='class')} > 0)", "class"), "{{class}}"),
                palette=colours.PROVIDER_CLASSES | {"none": colours.GOOD},
            ),
            bars(
                Look("Requests by operation", "locale", 9, base=colours.WAITS, decimals=0),
                "Requests at the provider and the CRM, in the time shown.",
                Query(f"sort_desc({total(_ANSWERS, by='provider, operation')} > 0)", "{{provider}} {{operation}}"),
            ),
            graph(
                Look("Time to place a call", "s", 8),
                "From the moment at which a call may go out to the provider's answer. The send window is two "
                "seconds; slower answers become unknown attempts when they time out.",
                *(Query(quantile(of, "leadline_dialer_place_seconds"), f"p{of * 100:.0f}") for of in (0.5, 0.95, 0.99)),
                seconds=True,
            ),
            graph(
                Look("Time of requests, p95", "s", 8),
                "Requests at the provider and the CRM, by peer and operation.",
                Query(quantile(0.95, _CLIENT, _PEERS, by="peer, operation"), "{{peer}} {{operation}}"),
                seconds=True,
            ),
            graph(
                Look("Failing requests", "percentunit", 8, steps=bad_from(PROVIDER_FAILING)),
                "Share of requests without a usable answer: rate limited, 5xx, timed out, not connected. Five "
                "failed calls in a row open the breaker.",
                Query(
                    share(
                        f"(sum by (provider) (rate({select(_ANSWERS, _FAILING)}[$__rate_interval]))"
                        f" or 0 * {rate(_ANSWERS, by='provider')})",
                        rate(_ANSWERS, by="provider"),
                    ),
                    "{{provider}}",
                ),
                palette={"bland": colours.WAITS, "convoso": colours.NEUTRAL},
            ),
        ],
    )


def _events() -> Row:
    return Row(
        "Events",
        [
            graph(
                Look("Event lag", "s", 8),
                "From the end of a call to storing the event that tells of it. `bland` is the provider's webhook; "
                "`bland_lookup` is what the sweep had to ask for, so it is slow by nature.",
                Query(quantile(0.5, "leadline_event_lag_seconds", by="source"), "{{source}} p50"),
                Query(quantile(0.95, "leadline_event_lag_seconds", by="source"), "{{source}} p95"),
                seconds=True,
            ),
            graph(
                Look("Events per second", "cps", 8),
                "Events that the gateway stored, by what was done with them. `duplicate` is normal; `quarantined` "
                "was not understood; `unapplied` is tried again by the sweep.",
                Query(rate("leadline_gateway_events_total", by="disposition"), "{{disposition}}"),
                stacked=True,
                palette={
                    "applied": colours.GOOD,
                    "duplicate": colours.NEUTRAL,
                    "quarantined": colours.BAD,
                    "unapplied": colours.WATCH,
                },
            ),
            graph(
                Look("Events not taken", "suffix:/h", 8),
                "Per hour: without a good signature (a wrong secret, or a stranger), and not stored in time. Both "
                "should be zero. The provider sends again what was not stored.",
                Query(or_zero(hourly("leadline_gateway_unsigned_events_total")), "unsigned"),
                Query(or_zero(hourly("leadline_gateway_not_stored_total")), "not stored"),
                palette={"unsigned": colours.BAD, "not stored": colours.WATCH},
            ),
        ],
    )


def _doubt() -> Row:
    return Row(
        "In doubt, and refused",
        [
            graph(
                Look("Open attempts", "locale", 8, decimals=0),
                "Attempts that hold their number: leased, on their way to the provider (`sending`), talking or "
                "ringing (`placed`), or `unknown`.",
                Query(reading("leadline_open_attempts", by="state"), "{{state}}"),
                stacked=True,
                palette=_BY_STATE,
            ),
            graph(
                Look("Oldest open attempt", "s", 8, steps=bad_from(UNKNOWN_AGEING)),
                "Age of the oldest in each state. `placed` for more than an hour: its event was lost; `unknown` "
                "for hours: the sweep does not run, or the provider does not answer it.",
                Query(reading("leadline_oldest_open_attempt_seconds", by="state"), "{{state}}"),
                palette=_BY_STATE,
            ),
            graph(
                Look("Doubt ended, and leases lost", "suffix:/h", 8),
                "Per hour: how unknown attempts ended (`abandoned`: nobody ever learned it), and leases that ran "
                "out, because a dialer died or stalled.",
                Query(hourly("leadline_unknown_resolved_total", by="how"), "{{how}}"),
                Query(hourly("leadline_leases_expired_total"), "lease ran out"),
                palette={"abandoned": colours.BAD, "lease ran out": colours.WATCH},
            ),
            bars(
                Look("Refusals by reason", "locale", 12, base=colours.WAITS, decimals=0),
                "Calls that were not made, in the time shown, by the step that refused (lease, mark) and why. They "
                "are rules at work; a reason that leaps up says what changed.",
                Query(
                    or_none(f"sort_desc({total('leadline_refusals_total', by='step, reason')} > 0)", "reason"),
                    "{{step}} {{reason}}",
                ),
            ),
            graph(
                Look("Stop orders and clearances per hour", "suffix:/h", 12),
                "Calls that were told to stop, by result, and numbers that were asked about at the CRM before a "
                "call, by what it said.",
                Query(or_none(hourly("leadline_dialer_stop_orders_total", by="result"), "result"), "stop: {{result}}"),
                Query(
                    or_none(hourly("leadline_dialer_clearances_total", by="standing"), "standing"), "CRM: {{standing}}"
                ),
            ),
        ],
    )


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="leadline-dialer",
        title="Leadline / Dialer and provider",
        description="What dialers have in hand, what the provider answers, and calls whose fate is in doubt.",
        shows="now-6h",
        rows=[_now(), _slots(), _provider(), _events(), _doubt()],
    )
