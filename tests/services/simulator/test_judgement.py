"""The counters of the scoreboard, each with rows at which it is not zero."""

import random
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from leadline.domain.outcome import Outcome
from services.simulator import judgement
from services.simulator.ledger import Delivery, LedgerRow, Origin
from services.simulator.rules import CampaignRules, Rulebook
from services.simulator.scoreboard import Scoreboard, score
from tests.services.simulator.support import NUMBER, START

OTHER = "+15615550124"
NOON = START.timestamp()
RULES = Rulebook()
sequence = count(1)


def call(at: float = 0.0, lasts: float | None = 60.0, outcome: Outcome = Outcome.VOICEMAIL, **fields: Any) -> LedgerRow:
    """A call `at` seconds after noon, business and real time alike; told when it ended."""
    seq = next(sequence)
    ended = None if lasts is None else NOON + at + lasts
    row = LedgerRow(
        seq=seq,
        origin=Origin.POST,
        received_real=NOON + at,
        received_business=NOON + at,
        phone_number=NUMBER,
        attempt_id=f"a{seq}",
        campaign="awhealth",
        answer="answered",
        http_status=200,
        call_id=f"c{seq}",
        wants_result=True,
        ended_business=ended,
        outcome=None if ended is None else outcome,
        delivered_real=ended,
        deliveries=[] if ended is None else [Delivery("result", ended, 200)],
    )
    for name, value in fields.items():
        assert hasattr(row, name)
        setattr(row, name, value)
    return row


def at(*wall: int, zone: str = "America/New_York") -> float:
    """Seconds from noon to a wall time."""
    return datetime(*wall, tzinfo=ZoneInfo(zone)).timestamp() - NOON  # type: ignore[misc, arg-type]  # wall is y, m, d, h ...


def scored(*rows: LedgerRow, rules: Rulebook = RULES) -> Scoreboard:
    return score(rows, rules)


def zeros(board: Scoreboard) -> dict[str, int]:
    names = ("calls_out_of_hours", "overlapping_calls", "calls_over_a_cap", "calls_after_final_result", "second_posts")
    return {name: found for name in names if (found := getattr(board, name))}


def test_an_ordinary_day_is_all_zeros() -> None:
    rows = [call(600.0 * n, phone_number=number) for n in range(8) for number in (NUMBER, OTHER)]
    board = scored(*rows)
    assert zeros(board) == {}
    assert board.calls_after_stop == board.calls_after_bad_number == 0
    assert (board.calls, board.numbers_called, board.posts) == (16, 2, 16)
    assert board.examples == {}


def test_an_empty_ledger_is_all_zeros() -> None:
    board = scored()
    assert zeros(board) == {}
    assert (board.calls, board.most_calls_in_a_business_second) == (0, 0)


# --------------------------------------------------------------------------------------------------------- out of hours


@pytest.mark.parametrize(
    ("wall", "allowed"),
    [
        ((2026, 1, 5, 10, 59, 59), False),
        ((2026, 1, 5, 11, 0), True),
        ((2026, 1, 5, 19, 59, 59), True),
        ((2026, 1, 5, 20, 0), False),
        ((2026, 1, 9, 12, 0), True),
        ((2026, 1, 10, 12, 0), False),
        ((2026, 1, 11, 12, 0), False),
        ((2026, 3, 6, 11, 0), True),
        ((2026, 3, 9, 10, 59), False),
        ((2026, 3, 9, 11, 0), True),
        ((2026, 1, 6, 12, 0), False),
    ],
)
def test_calls_are_held_to_the_campaigns_hours(wall: tuple[int, ...], allowed: bool) -> None:
    rules = Rulebook(default=CampaignRules(blackout_dates=frozenset({datetime(2026, 1, 6, tzinfo=UTC).date()})))
    board = scored(call(at(*wall)), rules=rules)
    assert zeros(board) == ({} if allowed else {"calls_out_of_hours": 1})


def test_calls_are_held_to_the_legal_hours_of_every_zone_the_person_may_be_in() -> None:
    morning = at(2026, 1, 5, 11, 30)
    hawaii = call(morning, phone_number="+18085550123")
    assert scored(hawaii).calls_out_of_hours == 1
    assert scored(call(morning)).calls_out_of_hours == 0
    assert scored(call(morning), rules=Rulebook(states={NUMBER: "HI"})).calls_out_of_hours == 1
    lax = Rulebook(default=CampaignRules(legal_profile="none"))
    assert scored(hawaii, rules=lax).calls_out_of_hours == 0


def test_each_campaign_is_held_to_its_own_hours() -> None:
    rules = Rulebook(campaigns={"night": CampaignRules(calling_hours="Mon-Sun 00:00-24:00", legal_profile="none")})
    night = at(2026, 1, 5, 3, 0)
    board = scored(call(night, campaign="night"), call(night, phone_number=OTHER), rules=rules)
    assert board.calls_out_of_hours == 1
    assert board.examples["calls_out_of_hours"][0]["phone_number"] == OTHER


def test_hours_agree_with_the_wall_clock_read_plainly() -> None:
    """The judge shares the reading of windows with what it judges, so it is checked against a second, plain reading."""
    dice = random.Random(1)
    new_york, los_angeles = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
    for _ in range(3000):
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(365 * 24 * 3600))
        office, home = moment.astimezone(new_york), moment.astimezone(los_angeles)
        allowed = office.weekday() < 5 and 11 <= office.hour < 20 and 8 <= home.hour < 21
        row = call(moment.timestamp() - NOON, phone_number="+12135550123")
        assert (judgement.out_of_hours([row], RULES) == []) == allowed, moment


def test_unreadable_hours_are_refused() -> None:
    for wrong in ({"calling_hours": "always"}, {"calling_timezone": "Mars/Olympus"}):
        with pytest.raises(ValidationError):
            CampaignRules.model_validate(wrong)


# ---------------------------------------------------------------------------------------------------------- overlapping


def test_two_calls_to_one_number_at_once_overlap() -> None:
    board = scored(call(0, 60), call(59, 10), call(59, 10, phone_number=OTHER))
    assert zeros(board) == {"overlapping_calls": 1}


def test_a_call_that_never_ended_overlaps_with_all_that_follow() -> None:
    assert scored(call(0, None), call(600), call(1200)).overlapping_calls == 2


def test_a_long_call_overlaps_over_a_short_one() -> None:
    assert scored(call(0, 300), call(10, 10), call(100, 10)).overlapping_calls == 2


def test_a_call_that_begins_when_the_other_ends_does_not_overlap() -> None:
    assert scored(call(0, 60), call(60, 60)).overlapping_calls == 0


def test_the_providers_own_retry_is_held_against_us() -> None:
    retry = call(30, 10, origin=Origin.PROVIDER_RETRY)
    assert scored(call(0, 60), retry).overlapping_calls == 1


def test_calls_made_elsewhere_are_not_ours() -> None:
    rows = [call(0, 60), call(10, 10, origin=Origin.ELSEWHERE), call(10, 10, origin=Origin.INBOUND)]
    assert zeros(scored(*rows)) == {}
    assert scored(*rows).calls == 1


# ----------------------------------------------------------------------------------------------------------------- caps


def test_the_ninth_call_of_a_life_is_over_the_cap() -> None:
    days = [call(86_400.0 * 7 * week) for week in range(9)]
    board = scored(*days)
    assert zeros(board) == {"calls_over_a_cap": 1}
    assert board.over_a_cap["life"] == 1


def test_a_life_is_of_one_number_in_one_campaign() -> None:
    weeks = [call(86_400.0 * 7 * week, campaign=f"c{week % 2}") for week in range(16)]
    assert zeros(scored(*weeks)) == {}
    assert scored(*weeks, call(86_400.0 * 7 * 16, campaign="c0")).over_a_cap["life"] == 1


def test_a_callback_promised_on_the_last_call_grants_one_more_once() -> None:
    weeks = [call(86_400.0 * 7 * week) for week in range(8)]
    weeks[-1].callback_promised = True
    ninth = call(86_400.0 * 7 * 8, callback_promised=True)
    tenth = call(86_400.0 * 7 * 9)
    assert scored(*weeks, ninth).calls_over_a_cap == 0
    assert scored(*weeks, ninth, tenth).calls_over_a_cap == 1
    strict = Rulebook(default=CampaignRules(extra_callback_attempt=False))
    assert scored(*weeks, ninth, rules=strict).calls_over_a_cap == 1


def test_the_ninth_call_of_a_day_to_a_number_is_over_the_cap_whatever_the_campaign() -> None:
    rows = [call(600.0 * n, campaign=f"c{n % 3}") for n in range(9)]
    board = scored(*rows)
    assert board.over_a_cap == {"life": 0, "day": 1, "plan_day": 0, "plan_hour": 0, "plan_concurrency": 0}
    assert board.calls_over_a_cap == 1


def test_a_day_is_the_campaigns_local_date() -> None:
    always = CampaignRules(calling_hours="Mon-Sun 00:00-24:00", legal_profile="none", max_daily_attempts=1)
    late, early = at(2026, 1, 5, 23, 59), at(2026, 1, 6, 0, 1)
    assert scored(call(late, 10), call(early, 10), rules=Rulebook(default=always)).calls_over_a_cap == 0
    london = always.model_copy(update={"calling_timezone": "Europe/London"})
    assert scored(call(late, 10), call(early, 10), rules=Rulebook(default=london)).calls_over_a_cap == 1


def test_a_call_over_two_caps_counts_once() -> None:
    rows = [call(600.0 * n) for n in range(9)]
    board = scored(*rows)
    assert (board.over_a_cap["life"], board.over_a_cap["day"], board.calls_over_a_cap) == (1, 1, 1)


def test_refused_requests_use_no_cap() -> None:
    refused = [call(600.0 * n, None, call_id=None, refusal="Rate limit exceeded", http_status=429) for n in range(20)]
    board = scored(*refused)
    assert zeros(board) == {}
    assert (board.calls, board.posts, board.refusals) == (0, 20, {"Rate limit exceeded": 20})


def spread(calls: int, every: float, lasts: float = 1.0) -> list[LedgerRow]:
    return [call(every * n, lasts, phone_number=f"+1561555{n:04}") for n in range(calls)]


def test_the_plans_caps_roll() -> None:
    start = Rulebook(plan="start")
    assert scored(*spread(101, 37), rules=start).over_a_cap["plan_hour"] == 0
    board = scored(*spread(101, 30), rules=start)
    assert (board.over_a_cap["plan_hour"], board.over_a_cap["plan_day"], board.calls_over_a_cap) == (1, 1, 1)
    assert zeros(scored(*spread(101, 30))) == {}


def test_calls_at_once_are_capped_by_the_plan() -> None:
    start = Rulebook(plan="start")
    assert scored(*spread(12, 60, 600), rules=start).over_a_cap["plan_concurrency"] == 0
    assert scored(*spread(12, 60, 601), rules=start).over_a_cap["plan_concurrency"] == 2


# ------------------------------------------------------------------------------------------------- after a final result

FINAL = [Outcome.SALE, Outcome.ACA, Outcome.DNC, Outcome.DO_NOT_CALL, Outcome.NOT_INTERESTED]


@pytest.mark.parametrize("outcome", FINAL)
def test_a_call_after_a_final_result_was_answered_2xx(outcome: Outcome) -> None:
    board = scored(call(0, 60, outcome), call(600))
    assert zeros(board) == {"calls_after_final_result": 1}
    assert board.calls_after_stop == (outcome in {Outcome.DNC, Outcome.DO_NOT_CALL})


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - set(FINAL)))
def test_other_results_are_not_final(outcome: Outcome) -> None:
    assert scored(call(0, 60, outcome), call(600)).calls_after_final_result == 0


def test_a_result_that_was_not_delivered_binds_nobody() -> None:
    undelivered = call(0, 60, Outcome.SALE, delivered_real=None)
    assert zeros(scored(undelivered, call(600))) == {}
    late = call(0, 60, Outcome.SALE, delivered_real=NOON + 700)
    assert zeros(scored(late, call(600))) == {}
    assert scored(late, call(600), call(800)).calls_after_final_result == 1


@pytest.mark.parametrize(
    ("outcome", "elsewhere"),
    [(Outcome.DO_NOT_CALL, 1), (Outcome.SALE, 1), (Outcome.NOT_INTERESTED, 0)],
)
def test_stops_and_sales_bind_every_campaign_but_a_no_only_its_own(outcome: Outcome, elsewhere: int) -> None:
    assert scored(call(0, 60, outcome), call(600, campaign="other")).calls_after_final_result == elsewhere


def test_a_sale_can_be_of_its_campaign_alone() -> None:
    rules = Rulebook(default=CampaignRules(sale_is_for_number=False))
    sale = call(0, 60, Outcome.SALE)
    assert scored(sale, call(600, campaign="other"), rules=rules).calls_after_final_result == 0
    assert scored(sale, call(600), rules=rules).calls_after_final_result == 1


def test_which_outcomes_are_final_is_a_rule_but_a_stop_always_is() -> None:
    rules = Rulebook(default=CampaignRules(final_outcomes=frozenset({Outcome.TRANSFERRED})))
    assert scored(call(0, 60, Outcome.TRANSFERRED), call(600), rules=rules).calls_after_final_result == 1
    assert scored(call(0, 60, Outcome.SALE), call(600), rules=rules).calls_after_final_result == 0
    assert scored(call(0, 60, Outcome.DNC), call(600), rules=rules).calls_after_final_result == 1


def test_a_stop_told_in_an_inbound_call_counts() -> None:
    inbound = call(0, 60, Outcome.DO_NOT_CALL, origin=Origin.INBOUND)
    board = scored(inbound, call(600))
    assert (board.calls_after_final_result, board.calls_after_stop) == (1, 1)


def test_a_suppression_that_no_call_told_of_is_given_as_a_rule() -> None:
    rules = Rulebook(stopped={NUMBER: START + timedelta(seconds=300)})
    board = scored(call(0), call(200), call(600), call(600, phone_number=OTHER), rules=rules)
    assert (board.calls_after_stop, board.calls_after_final_result) == (1, 0)


def test_a_bad_number_is_not_called_again() -> None:
    assert scored(call(0, 1, Outcome.BAD_NUMBER), call(600)).calls_after_bad_number == 1


# ------------------------------------------------------------------------------------------------ second posts, figures


def test_a_second_post_of_one_attempt_counts_whatever_became_of_either() -> None:
    refused = call(0, None, call_id=None, attempt_id="a", answer="redirect_307")
    again = call(1, attempt_id="a")
    third = call(200, attempt_id="a", phone_number=OTHER)
    assert scored(refused, again, third).second_posts == 2
    assert scored(call(0, attempt_id=None), call(300, attempt_id=None)).second_posts == 0


def test_the_providers_retry_is_no_second_post() -> None:
    rows = [call(0, attempt_id="a"), call(600, attempt_id="a", origin=Origin.PROVIDER_RETRY)]
    assert scored(*rows).second_posts == 0


def test_figures() -> None:
    rows = [
        call(0, 60, Outcome.CONFUSED),
        call(600, 60, Outcome.CALLBACK),
        call(0, 60, Outcome.VOICEMAIL, phone_number=OTHER, delivered_real=None),
        call(0.5, None, phone_number="+15615550125"),
    ]
    board = scored(*rows)
    assert (board.calls, board.people_reached, board.numbers_called, board.live_calls) == (4, 1, 3, 1)
    assert (board.undelivered_results, board.webhook_tries) == (1, 3)
    assert board.outcomes == {"CONFUSED": 1, "CALLBACK": 1, "VOICEMAIL": 1}
    assert (board.most_calls_in_a_business_second, board.most_posts_in_a_real_second) == (3, 3)


def test_a_second_is_half_open_and_rolls() -> None:
    assert judgement.most_in_a_second([]) == 0
    assert judgement.most_in_a_second([0.0, 1.0, 2.0]) == 1
    assert judgement.most_in_a_second([0.6, 0.9, 1.1, 1.5, 1.7]) == 4


def test_examples_are_bounded() -> None:
    rows = [call(n, 1000) for n in range(50)]
    board = scored(*rows, rules=Rulebook(examples=3))
    assert board.overlapping_calls == 49
    assert len(board.examples["overlapping_calls"]) == 3
