"""*Calls*: how many go out, what comes back, when people answer, what it costs."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard, stat, table
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model

from deploy.dashboards import colours
from deploy.dashboards.board import Board, Row
from deploy.dashboards.gates import VERDICT, VERDICT_WORDS
from deploy.dashboards.panels import Look, Query, bars, change, columns, graph, grid, tile
from deploy.dashboards.promql import (
    CAMPAIGN,
    across,
    hourly,
    or_none,
    or_zero,
    quantile,
    rate,
    select,
    share,
    total,
)
from deploy.dashboards.thresholds import SPEED_TO_LEAD, bad_from
from leadline.domain.lead import CompletionReason
from leadline.domain.outcome import REACHED_OUTCOMES

_PLACED: Final = 'result="placed"'
_REACHED: Final = f'outcome=~"{"|".join(sorted(REACHED_OUTCOMES))}"'
_SOLD: Final = f'reason=~"{CompletionReason.ACA}|{CompletionReason.SALE}"'
_OUTCOMES: Final = "leadline_outcomes_total"
_COMPLETED: Final = "leadline_leads_completed_total"
_ATTEMPTS: Final = "leadline_attempts_total"
_CALLBACKS: Final = "leadline_callbacks_total"
_SPEED: Final = "leadline_speed_to_lead_seconds"
_COST: Final = "leadline_cost_dollars_total"
_BY_HOUR: Final = "leadline_calls_by_local_hour_total"
_LEAST_CALLS: Final = 10
"""With fewer a share says nothing."""
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _now() -> Row:
    return Row(
        "",
        [
            tile(
                Look("Now", "none", 6, 4),
                "The first thing that keeps calls from going out, if anything does. What to do about each answer "
                "stands on the dashboard Queue, row *Why is nothing dialling*.",
                Query(VERDICT),
                words=VERDICT_WORDS,
                filled=True,
            ),
            tile(
                Look("Calls placed", "locale", 6, 4, base=colours.WAITS, decimals=0),
                "Calls that the provider took, in the time shown. Calls that were refused or whose fate is "
                "unknown are on the dashboard Dialer and provider.",
                Query(or_zero(total(_ATTEMPTS, CAMPAIGN, _PLACED))),
            ),
            tile(
                Look("Reached", "percentunit", 6, 4, base=colours.WAITS, decimals=1, absent="no call ended"),
                "Share of our calls in which a person spoke (outcomes "
                f"{', '.join(sorted(REACHED_OUTCOMES))}), in the time shown. If it falls by a third against the "
                "same hours of last week, the calling number may be shown as spam: look at it with the carrier.",
                Query(share(total(_OUTCOMES, CAMPAIGN, _REACHED), total(_OUTCOMES, CAMPAIGN))),
            ),
            tile(
                Look("Sales", "locale", 6, 4, decimals=0),
                "Leads that were completed as sold (SALE or ACA), by the call itself or by an agent in the CRM, in the "
                "time shown.",
                Query(or_zero(total(_COMPLETED, CAMPAIGN, _SOLD))),
            ),
        ],
    )


def _volume() -> Row:
    reached = share(rate(_OUTCOMES, CAMPAIGN, _REACHED), rate(_OUTCOMES, CAMPAIGN))
    return Row(
        "Volume and results",
        [
            graph(
                Look("Calls per hour", "suffix:/h", 12, decimals=0),
                "Calls that the provider took, per hour, by campaign. Zero inside calling hours while leads are "
                "due is a fault: the tile Now names it.",
                Query(hourly(_ATTEMPTS, CAMPAIGN, _PLACED, by="campaign"), "{{campaign}}"),
                stacked=True,
            ),
            graph(
                Look("Reached, and a week ago", "percentunit", 12),
                "Share of calls in which a person spoke, now and a week ago. A fall by a third against last week "
                "is how a number marked as spam looks.",
                Query(reached, "now"),
                Query(
                    share(
                        f"sum (rate({select(_OUTCOMES, CAMPAIGN, _REACHED)}[$__rate_interval] offset 1w))",
                        f"sum (rate({select(_OUTCOMES, CAMPAIGN)}[$__rate_interval] offset 1w))",
                    ),
                    "a week ago",
                ),
                palette={"now": colours.WAITS, "a week ago": colours.NEUTRAL},
            ),
            graph(
                Look("Outcomes per hour", "suffix:/h", 16, 10, decimals=0),
                "What calls came to. Green: sales; blue: conversations; purple: a no; yellow to grey: nobody; red: "
                "faults. Much FAILED or UNKNOWN means that the provider or its events are at fault.",
                Query(hourly(_OUTCOMES, CAMPAIGN, by="outcome"), "{{outcome}}"),
                stacked=True,
                palette=colours.OUTCOMES,
            ),
            bars(
                Look("Outcomes in all", "locale", 8, 10, decimals=0),
                "What calls came to, in the time shown.",
                Query(f"sort_desc({total(_OUTCOMES, CAMPAIGN, by='outcome')} > 0)", "{{outcome}}"),
                palette=colours.OUTCOMES,
            ),
        ],
    )


def _heat_map() -> table.Panel:
    """Rows are in the order in which the answer names them, so it names the weekdays one after the other."""
    days = (
        f"""{total(_BY_HOUR, f'weekday="{day}"', 'reached="yes"', by="weekday, hour")}"""
        f""" / ({total(_BY_HOUR, f'weekday="{day}"', by="weekday, hour")} >= {_LEAST_CALLS})"""
        for day in _WEEKDAYS
    )
    panel = grid(
        Look("Reached by weekday and hour", "percentunit", 24, 9, decimals=0, top=0.4),
        "Share of calls in which a person spoke, by the person's own weekday and hour, over two weeks. Plan calling "
        "hours and shifts by it. Where fewer than ten calls were made nothing is shown.",
        Query(" or ".join(days)),
        changes=[
            change(
                "groupingToMatrix",
                {"rowField": "weekday", "columnField": "hour", "valueField": "Value", "emptyValue": "empty"},
            ),
            change(
                "organize",
                {
                    "indexByName": {"weekday\\hour": 0} | {f"{hour:02}": hour + 1 for hour in range(24)},
                    "renameByName": {"weekday\\hour": "local hour"},
                },
            ),
        ],
    )
    panel.time_from("14d").min(0)
    panel.align(options.FieldTextAlignment.CENTER)
    panel.cell_options(options.TableColoredBackgroundCellOptions(mode=options.TableCellBackgroundDisplayMode.BASIC))
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.CONTINUOUS_RD_YL_GR))
    panel.override_by_name(
        "local hour",
        [
            model.DynamicConfigValue("custom.cellOptions", {"type": "auto"}),
            model.DynamicConfigValue("custom.width", 90),
        ],
    )
    return panel


def _when() -> Row:
    return Row("When people answer", [_heat_map()])


def _tries() -> Row:
    by_attempt = total(_OUTCOMES, CAMPAIGN, by="attempt_band")
    return Row(
        "How often we try",
        [
            columns(
                Look("Leads by calls so far", "locale", 8, base=colours.WAITS, decimals=0),
                "How many leads have been called how often in their life. Many at the left: the list is fresh, or "
                "dialling does not keep up. Many at the right: little is left in it.",
                Query(across("leadline_leads_by_attempts", by="attempts")),
                by="attempts",
            ),
            columns(
                Look("Reached by attempt number", "percentunit", 8, decimals=0),
                "Share of first, second, ... calls in which a person spoke, in the time shown. Where it falls to "
                "nothing, further attempts cost money and goodwill: lower REDIAL_MAX_ATTEMPTS.",
                Query(share(total(_OUTCOMES, CAMPAIGN, _REACHED, by="attempt_band"), by_attempt)),
                by="attempt_band",
            ),
            bars(
                Look(
                    "Leads completed, by reason", "locale", 8, base=colours.WAITS, decimals=0, absent="none completed"
                ),
                "Why leads will never be dialled again, in the time shown. Many `exhausted`: people are not "
                "reached; look at the hours and at the numbers that call.",
                Query(
                    or_none(f"sort_desc({total(_COMPLETED, CAMPAIGN, by='reason')} > 0)", "reason"),
                    "{{reason}}",
                ),
            ),
        ],
    )


def _promised() -> Row:
    kept = total(_CALLBACKS, CAMPAIGN, 'kept="kept"')
    return Row(
        "Callbacks and speed to lead",
        [
            tile(
                Look("Callbacks overdue", "locale", 4, 4, steps=bad_from(1), decimals=0),
                "People who were promised a call more than 15 minutes ago, may be called now, and were not. Each is "
                "a broken word: see why on the dashboard Queue.",
                Query(across("leadline_callbacks_overdue")),
                filled=True,
            ),
            graph(
                Look("Callbacks per hour", "suffix:/h", 10),
                "Promised calls: kept within 15 minutes, late, or missed (the promise went without a call).",
                Query(hourly(_CALLBACKS, CAMPAIGN, by="kept"), "{{kept}}"),
                stacked=True,
                palette=colours.KEPT,
            ),
            graph(
                Look("Speed to lead", "s", 10, steps=bad_from(SPEED_TO_LEAD)),
                "From receiving a lead to its first call, counting only time inside calling hours; half of the "
                "leads waited less than p50. Odds of reaching a person fall steeply after five minutes.",
                Query(quantile(0.5, _SPEED, CAMPAIGN, 'clock="open"'), "p50"),
                Query(quantile(0.9, _SPEED, CAMPAIGN, 'clock="open"'), "p90"),
                seconds=True,
                limits=True,
            ),
            tile(
                Look(
                    "Callbacks kept",
                    "percentunit",
                    4,
                    4,
                    base=colours.BAD,
                    steps=((0.9, colours.WATCH), (0.98, colours.GOOD)),
                    decimals=0,
                    absent="none was due",
                ),
                "Share of promised calls that were made within 15 minutes of the promised time, in the time shown.",
                Query(share(kept, total(_CALLBACKS, CAMPAIGN))),
            ),
        ],
    )


def _price(title: str, says: str, of: str, *, absent: str, decimals: int = 2) -> stat.Panel:
    look = Look(title, "currencyUSD", 4, 4, base=colours.WAITS, decimals=decimals, absent=absent)
    return tile(look, f"{says} By the provider's own price of each call, in the time shown.", Query(of))


def _money() -> Row:
    cost, talked = total(_COST, CAMPAIGN), total("leadline_talk_seconds_total", CAMPAIGN)
    placed, reached = total(_ATTEMPTS, CAMPAIGN, _PLACED), total(_OUTCOMES, CAMPAIGN, _REACHED)
    sold = total(_COMPLETED, CAMPAIGN, _SOLD)
    return Row(
        "Cost",
        [
            _price("Cost", "What calls cost.", or_zero(cost), absent=""),
            _price("Per call", "Cost of one call that was placed.", share(cost, placed), absent="no call", decimals=3),
            _price(
                "Per minute", "Cost of a minute of calls.", f"60 * {share(cost, talked)}", absent="no call", decimals=3
            ),
            _price(
                "Per person reached", "Cost of one call in which a person spoke.", share(cost, reached), absent="nobody"
            ),
            _price(
                "Per sale", "Cost of one lead sold; agents' time is not in it.", share(cost, sold), absent="no sale"
            ),
            tile(
                Look("Talked", "s", 4, 4, base=colours.WAITS),
                "Time that calls lasted, in the time shown.",
                Query(or_zero(talked)),
            ),
            graph(
                Look("Cost per hour", "currencyUSD", 8, decimals=2),
                "What calls cost per hour, by campaign.",
                Query(hourly(_COST, CAMPAIGN, by="campaign"), "{{campaign}}"),
                stacked=True,
            ),
            graph(
                Look("Calls that were not ours", "suffix:/h", 8, decimals=0),
                "Calls to or from our leads' numbers that no attempt of ours stands for: dialled elsewhere, the "
                "provider's own retries, inbound. Many `elsewhere`: another dialer works on the same people.",
                Query(hourly("leadline_calls_met_total", by="origin"), "{{origin}}"),
                stacked=True,
            ),
            bars(
                Look("Numbers never to be called again", "locale", 8, base="purple", decimals=0, absent="none added"),
                "Suppressions added in the time shown, by who said so; `call`: the person, on the telephone.",
                Query(
                    or_none(f"sort_desc({total('leadline_suppressions_added_total', by='source')} > 0)", "source"),
                    "{{source}}",
                ),
            ),
        ],
    )


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="leadline-calls",
        title="Leadline / Calls",
        description="How many calls go out, what comes back, when people answer, and what it costs.",
        shows="now-24h",
        rows=[_now(), _volume(), _when(), _tries(), _promised(), _money()],
    )
