"""The outcome table of the spec, row by row, first row that fits, and no evidence that it cannot take."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.domain.call_result import CallResult
from leadline.domain.outcome import Outcome
from leadline.domain.rules.bad_numbers import is_bad_number, is_do_not_call
from leadline.domain.rules.outcome_names import DEFAULT_NAMES, MAPPABLE_OUTCOMES, known_names, normal_name
from leadline.domain.rules.outcomes import derive

NO_NAMES: Mapping[str, Outcome] = {}


def outcome_of(names: Mapping[str, Outcome] = NO_NAMES, /, **evidence: Any) -> tuple[Outcome, int]:
    derived = derive(CallResult(**evidence), names)
    return derived.outcome, derived.row


STOP = (Outcome.DO_NOT_CALL, 1)
COMPLETED = {"completed": True, "status": "completed", "answered_by": "human"}
FAILED = {"completed": False, "status": "failed"}


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        # row 1
        ({"dispositions": ("DO_NOT_CALL",)}, STOP),
        ({"dispositions": ("DNC",)}, STOP),
        ({"dispositions": ("DO_NOT_CONTACT",)}, STOP),
        ({"variable_dispositions": ("do not call",)}, STOP),
        ({"tags": ("Do-Not-Call",)}, STOP),
        ({"tags": ("Intro", "dnc")}, STOP),
        ({**COMPLETED, "person_lines": ("Please take me off your list",)}, STOP),
        ({"dispositions": ("SALE",), "person_lines": ("Stop calling me!",)}, STOP),
        ({"dispositions": ("SALE", "DNC")}, STOP),
        ({"transfer_state": "MERGED", "tags": ("DNC",)}, STOP),
        ({**FAILED, "error_message": "DNC Error: number found in DNC list."}, STOP),
        # row 2
        ({"dispositions": ("SALE",)}, (Outcome.SALE, 2)),
        ({"variable_dispositions": ("sale",)}, (Outcome.SALE, 2)),
        ({"tags": ("ACA",)}, (Outcome.ACA, 2)),
        ({"dispositions": ("NOT_INTERESTED", "SALE")}, (Outcome.SALE, 2)),
        ({"dispositions": ("SALE",), "answered_by": "voicemail"}, (Outcome.SALE, 2)),
        # row 3
        ({**COMPLETED, "dispositions": ("NOT_INTERESTED",)}, (Outcome.NOT_INTERESTED, 3)),
        ({**COMPLETED, "tags": ("Not Interested",)}, (Outcome.NOT_INTERESTED, 3)),
        ({"tags": ("not interested",), "transfer_state": "MERGED"}, (Outcome.NOT_INTERESTED, 3)),
        # row 4
        ({**COMPLETED, "transfer_state": "MERGED"}, (Outcome.TRANSFERRED, 4)),
        ({"transfer_state": "MERGED", "answered_by": "voicemail"}, (Outcome.TRANSFERRED, 4)),
        ({**COMPLETED, "transfer_state": "NO_ANSWER"}, (Outcome.CONFUSED, 10)),
        ({**COMPLETED, "transfer_state": "STARTED", "dispositions": ("TRANSFERRED",)}, (Outcome.CONFUSED, 10)),
        # row 5
        ({**FAILED, "error_message": "Call failed. The number you dialed is not found."}, (Outcome.BAD_NUMBER, 5)),
        ({"completed": True, "status": "failed", "error_message": "number not found"}, (Outcome.BAD_NUMBER, 5)),
        ({**COMPLETED, "error_message": "The number you dialed is not found."}, (Outcome.CONFUSED, 10)),
        ({"completed": True, "error_message": "number not in service"}, (Outcome.UNKNOWN, 11)),
        # row 6
        ({"completed": True, "answered_by": "voicemail"}, (Outcome.VOICEMAIL, 6)),
        ({"answered_by": "machine"}, (Outcome.VOICEMAIL, 6)),
        ({"answered_by": "answering-machine"}, (Outcome.VOICEMAIL, 6)),
        ({"answered_by": "machine-end-beep"}, (Outcome.VOICEMAIL, 6)),
        ({**COMPLETED, "tags": ("Left voicemail message",)}, (Outcome.VOICEMAIL, 6)),
        ({**COMPLETED, "tags": ("ANSWERING MACHINE detected",)}, (Outcome.VOICEMAIL, 6)),
        ({**COMPLETED, "dispositions": ("VOICEMAIL",)}, (Outcome.VOICEMAIL, 6)),
        ({"answered_by": "voicemail", "callback_requested": True}, (Outcome.VOICEMAIL, 6)),
        # row 7
        ({"status": "busy", "completed": True, "error_message": "is busy"}, (Outcome.BUSY, 7)),
        ({"answered_by": "busy"}, (Outcome.BUSY, 7)),
        ({"status": "no-answer"}, (Outcome.NO_ANSWER, 7)),
        ({"status": "no_answer"}, (Outcome.NO_ANSWER, 7)),
        ({"status": "completed", "answered_by": "no answer"}, (Outcome.NO_ANSWER, 7)),
        ({"status": "noanswer"}, (Outcome.NO_ANSWER, 7)),
        ({"status": "completed", "dispositions": ("NO_ANSWER",)}, (Outcome.UNKNOWN, 11)),
        # row 8
        ({**COMPLETED, "callback_requested": True}, (Outcome.CALLBACK, 8)),
        ({**COMPLETED, "dispositions": ("CALL_BACK_SCHEDULED",)}, (Outcome.CALLBACK, 8)),
        ({**COMPLETED, "tags": ("call back",)}, (Outcome.CALLBACK, 8)),
        ({**COMPLETED, "dispositions": ("CALLBACK",)}, (Outcome.CALLBACK, 8)),
        ({**FAILED, "callback_requested": True}, (Outcome.CALLBACK, 8)),
        # row 9
        ({"status": "failed"}, (Outcome.FAILED, 9)),
        ({"status": "canceled"}, (Outcome.FAILED, 9)),
        ({"status": "cancelled", "answered_by": "human"}, (Outcome.FAILED, 9)),
        ({"completed": False, "error_message": "Unable to start call"}, (Outcome.FAILED, 9)),
        ({"status": "completed", "completed": False, "error_message": "odd"}, (Outcome.UNKNOWN, 11)),
        # row 10
        (COMPLETED, (Outcome.CONFUSED, 10)),
        ({**COMPLETED, "error_message": "Call failed."}, (Outcome.CONFUSED, 10)),
        ({"status": "completed", "person_lines": ("Yes, speaking.",)}, (Outcome.CONFUSED, 10)),
        ({**COMPLETED, "dispositions": ("INTERESTED", "AGENT_ENDED_CALL")}, (Outcome.CONFUSED, 10)),
        # row 11
        ({}, (Outcome.UNKNOWN, 11)),
        ({"status": "completed", "completed": True}, (Outcome.UNKNOWN, 11)),
        ({"status": "completed", "answered_by": "unknown"}, (Outcome.UNKNOWN, 11)),
        ({"status": "completed", "person_lines": ("", " ... ")}, (Outcome.UNKNOWN, 11)),
        ({"status": "unknown", "completed": True}, (Outcome.UNKNOWN, 11)),
    ],
)
def test_the_table(evidence: dict[str, Any], expected: tuple[Outcome, int]) -> None:
    assert outcome_of(**evidence) == expected


def test_the_accounts_own_names_are_added_and_win() -> None:
    names = {"Hot Lead": Outcome.CALLBACK, "declined": Outcome.CONFUSED, "AM": Outcome.VOICEMAIL}
    assert outcome_of(names, tags=("hot-lead",)) == (Outcome.CALLBACK, 8)
    assert outcome_of(names, tags=("DECLINED",)) == (Outcome.CONFUSED, 10)
    assert outcome_of(names, dispositions=("am",)) == (Outcome.VOICEMAIL, 6)
    assert outcome_of({"no contact": Outcome.NO_ANSWER}, tags=("No_Contact",)) == (Outcome.NO_ANSWER, 7)
    assert outcome_of({"oops": Outcome.FAILED}, tags=("oops",)) == (Outcome.FAILED, 9)


def test_no_account_can_unlearn_stop_or_name_what_needs_evidence() -> None:
    names = {"DNC": Outcome.CONFUSED, "merged": Outcome.TRANSFERRED, "wrong": Outcome.BAD_NUMBER}
    assert outcome_of(names, dispositions=("DNC",)) == STOP
    assert outcome_of(names, dispositions=("merged", "wrong")) == (Outcome.UNKNOWN, 11)
    assert Outcome.TRANSFERRED not in MAPPABLE_OUTCOMES


def test_names_are_compared_without_case_spaces_underscores_and_hyphens() -> None:
    for name in ("NOT_INTERESTED", "not interested", " Not-Interested ", "not__interested", "NOT INTERESTED!"):
        assert normal_name(name) == "not_interested"
    assert normal_name("Don't call") == "dont_call"
    assert all(normal_name(name) == name for name in DEFAULT_NAMES)
    assert known_names({}) is DEFAULT_NAMES


def test_every_outcome_that_leadline_sends_as_a_disposition_is_understood_or_needs_evidence() -> None:
    assert {DEFAULT_NAMES[normal_name(o)] for o in ("SALE", "ACA", "NOT_INTERESTED", "CALLBACK", "VOICEMAIL")} == {
        Outcome.SALE,
        Outcome.ACA,
        Outcome.NOT_INTERESTED,
        Outcome.CALLBACK,
        Outcome.VOICEMAIL,
    }


def test_the_callback_text_is_kept_whatever_the_outcome() -> None:
    for evidence in ({}, {"dispositions": ("SALE",)}, {"answered_by": "voicemail"}, {"callback_requested": True}):
        result = CallResult(callback_requested_at="2026-01-07T15:30:00", **evidence)
        assert derive(result, NO_NAMES).callback_at_text == "2026-01-07T15:30:00"


def test_the_evidence_can_be_stored_and_shows_no_number() -> None:
    derived = derive(CallResult(error_message="a\0b \ud800 Account not allowed to call +1 (561) 555-0123"), NO_NAMES)
    assert derived.outcome is Outcome.FAILED
    assert "555" not in derived.evidence
    assert derived.evidence.isprintable()
    assert len(derive(CallResult(error_message="x" * 10_000), NO_NAMES).evidence) <= 200


@pytest.mark.parametrize(
    "error",
    [
        "Call failed. The number you dialed is not found.",
        "SIP 404",
        "404 Not Found",
        "Not found",
        "The number you have dialed is not in service.",
        "number no longer in service",
        "UNALLOCATED_NUMBER unallocated",
        "Unallocated (unassigned) number",
        "Invalid phone number +15615550123",
        "The phone number is invalid",
        "not a valid phone number",
        "The number you dialed has been disconnected.",
        "disconnected number",
        "Disconnected",
        "The subscriber does not exist",
        "This number is blacklisted.",
    ],
)
def test_errors_that_mean_a_bad_number(error: str) -> None:
    assert is_bad_number(error)


@pytest.mark.parametrize(
    "error",
    [
        "",
        "Call failed.",
        "unknown",
        "The number you dialed is temporarily unavailable.",
        "The number is temporarily not in service.",
        "The number you dialed is busy. Please try again later.",
        "Service Provider Blocked Call due to Spam or Number Reputation",
        "Account not allowed to call +15615550123",
        "Invalid from number",
        "caller ID number is invalid",
        "Invalid parameters",
        "Pathway not found for number",
        "The call was disconnected",
        "Call disconnected by carrier",
        "The phone call was disconnected",
        "SID not found for the given c_id.",
        "DB error",
    ],
)
def test_errors_that_do_not(error: str) -> None:
    assert not is_bad_number(error)


def test_errors_that_name_a_do_not_call_list() -> None:
    assert is_do_not_call("DNC Error")
    assert is_do_not_call("Number found in Do-Not-Call list")
    assert not is_do_not_call("could not call number")


anything = st.text(max_size=40)
words = anything | st.sampled_from(sorted(DEFAULT_NAMES)) | st.sampled_from([o.value for o in Outcome])
many = st.lists(words, max_size=4).map(tuple)


@given(
    result=st.builds(
        CallResult,
        completed=st.booleans(),
        status=words | st.sampled_from(["completed", "failed", "busy", "no-answer", "canceled"]),
        answered_by=words | st.sampled_from(["human", "voicemail", "no-answer"]),
        error_message=anything,
        dispositions=many,
        tags=many,
        variable_dispositions=many,
        transfer_state=anything | st.just("MERGED"),
        callback_requested=st.booleans(),
        callback_requested_at=anything,
        person_lines=st.lists(anything | st.just("stop calling me"), max_size=4).map(tuple),
    ),
    names=st.dictionaries(words, st.sampled_from(Outcome), max_size=4),
)
def test_every_result_has_one_outcome(result: CallResult, names: dict[str, Outcome]) -> None:
    derived = derive(result, names)
    assert 1 <= derived.row <= 11
    assert derived == derive(result, names)
    assert derived.evidence.isprintable()
    assert (derived.outcome is Outcome.TRANSFERRED) <= (result.transfer_state.strip().upper() == "MERGED")
    if "stop calling me" in result.person_lines or any(normal_name(tag) == "dnc" for tag in result.tags):
        assert derived.outcome is Outcome.DO_NOT_CALL
