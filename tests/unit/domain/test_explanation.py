"""Every decision explains itself: a sentence for each answer, one verdict for all."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.explanation import verdict, words
from leadline.domain.lead import LeadStatus
from leadline.domain.outcome import Outcome
from leadline.domain.reasons import Code, Rule, RuleAnswer
from leadline.domain.rules.dispatch import judge
from tests.unit.domain.facts import NEW_YORK, a_campaign, a_lead, a_number, at, instants, minutes

NOON = at("2026-01-05 12:00")


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence_of_its_own(code: Code) -> None:
    bare = RuleAnswer(Rule.STATUS, allowed=False, code=code)
    sentence = words(bare)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert "\n" not in sentence
    assert not sentence.startswith("The rule ")


def test_an_unknown_code_still_gets_a_sentence() -> None:
    assert words(RuleAnswer(Rule.PACE, allowed=False, code="odd")) == "The rule pace refuses the call (odd)."


def test_codes_are_not_shared_by_rules() -> None:
    assert len({words(RuleAnswer(Rule.PACE, allowed=True, code=code)) for code in Code}) == len(Code)


def test_sentences_carry_the_figures_and_local_times() -> None:
    lead = a_lead(due_at=NOON, attempts=3, state="HI")
    said = {a.rule: words(a) for a in judge(NOON, lead, a_number(suppression_reason="operator"), a_campaign())}
    assert said[Rule.LIFE_CAP] == "The lead has had 3 of its 8 attempts."
    assert said[Rule.SUPPRESSION] == "The number is on the suppression list (operator)."
    assert said[Rule.LEGAL_HOURS] == (
        "The law forbids the call: it is Mon 2026-01-05 07:00 HST in Pacific/Honolulu; "
        "allowed next: Mon 2026-01-05 13:00 EST."
    )


def test_the_verdict_of_a_lead_that_may_be_called() -> None:
    assert verdict(judge(NOON, a_lead(due_at=NOON), a_number(), a_campaign())) == (
        "The lead may be called now: every rule allows it."
    )


def test_the_verdict_of_a_lead_that_waits_names_the_time_and_the_last_rule() -> None:
    evening = at("2026-01-09 20:30")
    answers = judge(evening, a_lead(due_at=evening + minutes(5)), a_number(), a_campaign())
    assert verdict(answers, zone=NEW_YORK) == (
        "The lead is called at Mon 2026-01-12 11:00 EST, not sooner: "
        "the campaign's calling hours are closed; next opening: Mon 2026-01-12 11:00 EST."
    )
    planned = evening + timedelta(days=5)
    assert "Wed 2026-01-14 20:30 EST" in verdict(answers, planned, NEW_YORK)


def test_the_verdict_of_a_lead_that_is_never_called_names_the_root() -> None:
    done = a_lead(due_at=None, status=LeadStatus.COMPLETED, status_reason="dnc")
    answers = judge(NOON, done, a_number(suppression_reason="the person said stop"), a_campaign())
    assert verdict(answers) == ("The lead is not called: the number is on the suppression list (the person said stop).")
    sold = judge(NOON, a_lead(due_at=NOON), a_number(sold_outcome=Outcome.SALE), a_campaign())
    assert verdict(sold) == "The lead is not called: the person has bought already (SALE)."


def test_the_verdict_of_a_refusal_without_an_end() -> None:
    answers = judge(NOON, a_lead(due_at=NOON), a_number(live_attempt=True), a_campaign())
    assert verdict(answers, NOON + minutes(1)) == (
        "The lead is not called now: another attempt to the number is still open."
    )
    paused = RuleAnswer(Rule.CAMPAIGN_PAUSE, allowed=False, code=Code.CAMPAIGN_PAUSED, facts={"reason": "audit"})
    assert verdict([paused]) == "The lead is not called now: the campaign is paused (audit)."


@given(
    st.lists(
        st.builds(
            RuleAnswer,
            rule=st.sampled_from(Rule),
            allowed=st.booleans(),
            code=st.sampled_from(Code) | st.text(max_size=10),
            until=st.none() | instants,
            facts=st.dictionaries(st.sampled_from(["reason", "until", "cap"]), st.text(max_size=10)),
        )
    )
)
def test_every_list_of_answers_has_a_verdict(answers: list[RuleAnswer]) -> None:
    assert verdict(answers)
    assert all(words(answer) for answer in answers)
