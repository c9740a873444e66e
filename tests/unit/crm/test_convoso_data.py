"""What Convoso is told: fields by its names, and no status that would come back to us as an agent's word."""

from typing import Any

import pytest

from leadline.crm.convoso_data import STATUS_OF_OUTCOME, codes_with, result_form, suppression_form
from leadline.crm.port import CallNews
from leadline.domain.crm import CrmStanding, CrmStatus, standing_of
from leadline.domain.ids import PhoneNumber
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES, Outcome
from leadline.runtime.settings.errors import SettingsError

NUMBER = PhoneNumber("+15615550123")
FINAL = {"SALE": "s", "ACA": "s", "NI": "", "BPN": "", "DNCA": "d"}
STATUSES = {
    code: CrmStatus(code, code, final=code in FINAL, success=FINAL.get(code) == "s", dnc=FINAL.get(code) == "d")
    for code in {*STATUS_OF_OUTCOME.values()}
}


def form(outcome: Outcome, codes: dict[str, str] | None = None, list_id: str | None = "9", **fields: Any) -> Any:
    return result_form(CallNews("77", list_id, NUMBER, outcome, fields), codes_with(codes or {}), STATUSES)


def test_every_outcome_has_a_code() -> None:
    assert set(STATUS_OF_OUTCOME) == set(Outcome)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.SALE, "SALE"),
        (Outcome.ACA, "ACA"),
        (Outcome.VOICEMAIL, "A"),
        (Outcome.CALLBACK, "CB"),
        (Outcome.CONFUSED, "CD"),
        (Outcome.NOT_INTERESTED, "NI"),
        (Outcome.NO_ANSWER, "NA"),
        (Outcome.BUSY, "B"),
        (Outcome.DO_NOT_CALL, "DNCA"),
        (Outcome.DNC, "DNCA"),
        (Outcome.BAD_NUMBER, "BPN"),
        (Outcome.FAILED, "N"),
        (Outcome.UNKNOWN, "N"),
    ],
)
def test_an_outcome_sets_its_status(outcome: Outcome, code: str) -> None:
    assert form(outcome) == {"lead_id": "77", "list_id": "9", "phone_number": "5615550123", "status": code}


def test_a_status_that_would_end_the_lead_is_left_out_for_an_outcome_that_does_not() -> None:
    assert form(Outcome.TRANSFERRED) == {}
    assert "status" not in form(Outcome.TRANSFERRED, summary="Put through.")


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_written_is_never_read_back_as_more_than_it_was(outcome: Outcome) -> None:
    written = form(outcome).get("status")
    if written is not None and outcome not in DEFAULT_FINAL_OUTCOMES | {Outcome.BAD_NUMBER}:
        assert standing_of(written, STATUSES) is CrmStanding.OPEN


def test_a_status_that_the_account_does_not_list_is_left_out() -> None:
    assert form(Outcome.VOICEMAIL, {"VOICEMAIL": "VM"}) == {}


def test_a_setting_may_choose_another_code() -> None:
    assert form(Outcome.BUSY, {"busy": "na"})["status"] == "NA"


def test_a_setting_for_an_outcome_that_there_is_not_is_an_error() -> None:
    with pytest.raises(SettingsError, match="LEADLINE_CONVOSO_STATUSES: 'BUSSY' is no outcome"):
        codes_with({"BUSSY": "B"})


def test_what_is_known_of_the_call_goes_under_convosos_names() -> None:
    told = form(Outcome.CONFUSED, transcript="Hi.", summary="A talk.", talk_seconds="61", postal_code="33401", own="x")
    assert {name: told[name] for name in ("call_transcript", "call_summary", "call_duration", "postal_code")} == {
        "call_transcript": "Hi.",
        "call_summary": "A talk.",
        "call_duration": "61",
        "postal_code": "33401",
    }
    assert "own" not in told


def test_empty_fields_and_an_empty_list_are_left_out() -> None:
    told = form(Outcome.BUSY, list_id=None, summary=" ", transcript="")
    assert told == {"lead_id": "77", "phone_number": "5615550123", "status": "B"}


def test_texts_are_bounded_and_fit_any_store() -> None:
    told = form(Outcome.BUSY, transcript="x" * 100_000, summary="a\x00b\ud800")
    assert len(told["call_transcript"]) == 32_000
    assert told["call_summary"] == "ab?"


def test_a_suppression_is_for_all_campaigns() -> None:
    assert suppression_form(NUMBER, " said stop ") == {
        "phone_number": "5615550123",
        "phone_code": "1",
        "campaign_id": "0",
        "reason": "said stop",
    }
    assert suppression_form(PhoneNumber("+442071838750"), "") == {"phone_number": "442071838750", "campaign_id": "0"}


def test_a_status_that_is_to_stay_is_left_out_and_the_rest_is_told() -> None:
    news = CallNews("77", "9", NUMBER, Outcome.VOICEMAIL, {"summary": "Nobody."}, keeps_status=True)
    told = result_form(news, codes_with({}), STATUSES)
    assert told == {"lead_id": "77", "list_id": "9", "phone_number": "5615550123", "call_summary": "Nobody."}
