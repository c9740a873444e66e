"""The notes of a call: picked out of whatever the provider posts, bounded, and never an exception."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.telephony.bland_notes import LONGEST_NOTE, LONGEST_TRANSCRIPT, read_notes


def notes(**body: Any) -> dict[str, str]:
    return read_notes(json.dumps(body).encode())


def test_what_stands_in_the_event_and_in_its_variables_is_found() -> None:
    found = notes(
        summary=" asked for a price ",
        answered_by="human",
        call_ended_by="USER",
        transferred_to="+15615550100",
        recording_url="https://example.invalid/1.mp3",
        variables={
            "plan_type": "family",
            "member_count": 3,
            "zip": "33401",
            "customer_state": "FL",
            "customer_age": 44,
            "first_name": "Ann",
            "last_name": "Bee",
        },
    )
    assert found == {
        "summary": "asked for a price",
        "answered_by": "human",
        "call_ended_by": "USER",
        "transferred_to": "+15615550100",
        "recording_url": "https://example.invalid/1.mp3",
        "plan_type": "family",
        "member_count": "3",
        "postal_code": "33401",
        "state": "FL",
        "age": "44",
        "first_name": "Ann",
        "last_name": "Bee",
    }


def test_the_better_name_of_a_variable_wins() -> None:
    assert notes(variables={"zip": "1", "postal_code": "2", "state": "", "customer_state": "GA"}) == {
        "postal_code": "2",
        "state": "GA",
    }


def test_a_transcript_is_kept_whole_or_put_together() -> None:
    assert notes(concatenated_transcript=" user: hi \n")["transcript"] == "user: hi"
    spoken = [{"user": "assistant", "text": "Hello"}, {"user": "user", "text": "hi"}, {"text": "."}, "odd", None]
    assert notes(transcripts=spoken)["transcript"] == "assistant: Hello\nuser: hi\n."


def test_long_texts_are_cut() -> None:
    found = notes(summary="s" * 10**5, concatenated_transcript="t" * 10**5)
    assert (len(found["summary"]), len(found["transcript"])) == (LONGEST_NOTE, LONGEST_TRANSCRIPT)


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"[]", b'"x"', b"null", b"[" * 100_000, b'{"variables": [1]}'])
def test_poison_has_no_notes(raw: bytes) -> None:
    assert read_notes(raw) == {}


@given(st.binary())
def test_no_bytes_raise(raw: bytes) -> None:
    assert all(read_notes(raw).values())
