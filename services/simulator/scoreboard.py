"""The scoreboard: what was done, and how often each thing that must never happen has happened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from leadline.domain.outcome import REACHED_OUTCOMES
from services.simulator import judgement
from services.simulator.bland.limits import PLAN_CAPS
from services.simulator.ledger import LedgerRow, Origin, row_view
from services.simulator.rules import Rulebook

_HOUR_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 86_400.0


class Scoreboard(BaseModel):
    """The answer of `/simulator/scoreboard`. The block of zeros first; all of them must be 0."""

    calls_out_of_hours: int
    overlapping_calls: int
    calls_over_a_cap: int
    calls_after_final_result: int
    second_posts: int
    """Requests that repeated an attempt id."""
    calls_after_stop: int
    """Part of `calls_after_final_result`, or after an instant of `stopped`."""
    calls_after_bad_number: int
    calls_after_sale_in_crm: int
    """Calls to people whose lead a human agent had ended in the CRM."""

    calls: int
    people_reached: int
    """Distinct numbers whose call a person took."""
    numbers_called: int
    posts: int
    """Requests for a call, refused ones included."""
    refusals: dict[str, int]
    answers: dict[str, int]
    """What callers got to see: `answered`, or faults."""
    outcomes: dict[str, int]
    over_a_cap: dict[str, int]
    """By cap: life, day, plan_day, plan_hour, plan_concurrency. A call over two of them counts once above."""
    most_calls_in_a_business_second: int
    most_posts_in_a_real_second: int
    live_calls: int
    undelivered_results: int
    """Calls that ended, whose result nobody has answered with 2xx yet."""
    webhook_tries: int
    examples: dict[str, list[dict[str, Any]]]
    """Rows at fault, by counter."""


def score(rows: Sequence[LedgerRow], rules: Rulebook) -> Scoreboard:
    """Judge the rows. Pure; takes some seconds for 100,000 rows, so keep it off the event loop."""
    calls = judgement.dialled(rows)
    by_cap = _over_caps(calls, rules)
    faults = {
        "calls_out_of_hours": judgement.out_of_hours(calls, rules),
        "overlapping_calls": judgement.overlapping(calls),
        "calls_over_a_cap": list({row.seq: row for found in by_cap.values() for row in found}.values()),
        "calls_after_final_result": judgement.after_final_result(rows, rules),
        "second_posts": judgement.second_posts(rows),
        "calls_after_stop": judgement.after_stop(rows, rules),
        "calls_after_bad_number": judgement.after_bad_number(rows),
        "calls_after_sale_in_crm": judgement.after_sale_in_crm(
            calls, rules.crm_news_seconds, rules.crm_clearance_seconds
        ),
    }
    return Scoreboard(
        **{name: len(found) for name, found in faults.items()},
        **_figures(rows, calls),
        over_a_cap={name: len(found) for name, found in by_cap.items()},
        examples={name: [row_view(row) for row in found[: rules.examples]] for name, found in faults.items() if found},
    )


def _over_caps(calls: list[LedgerRow], rules: Rulebook) -> Mapping[str, list[LedgerRow]]:
    plan = PLAN_CAPS[rules.plan]
    return {
        "life": judgement.over_life_cap(calls, rules),
        "day": judgement.over_day_cap(calls, rules),
        "plan_day": judgement.over_rolling_cap(calls, plan.per_day, _DAY_SECONDS),
        "plan_hour": judgement.over_rolling_cap(calls, plan.per_hour, _HOUR_SECONDS),
        "plan_concurrency": judgement.over_concurrency(calls, plan.concurrent),
    }


def _figures(rows: Sequence[LedgerRow], calls: list[LedgerRow]) -> dict[str, Any]:
    posts = [row for row in rows if row.origin is Origin.POST]
    ended = [row for row in calls if row.ended_business is not None]
    return {
        "calls": len(calls),
        "people_reached": len({row.phone_number for row in ended if row.outcome in REACHED_OUTCOMES}),
        "numbers_called": len({row.phone_number for row in calls}),
        "posts": len(posts),
        "refusals": dict(Counter(row.refusal for row in posts if row.refusal is not None)),
        "answers": dict(Counter(row.answer for row in posts)),
        "outcomes": dict(Counter(row.outcome.value for row in ended if row.outcome is not None)),
        "most_calls_in_a_business_second": judgement.most_in_a_second(row.received_business for row in calls),
        "most_posts_in_a_real_second": judgement.most_in_a_second(row.received_real for row in posts),
        "live_calls": len(calls) - len(ended),
        "undelivered_results": sum(row.wants_result and row.delivered_real is None for row in ended),
        "webhook_tries": sum(len(row.deliveries) for row in rows),
    }
