"""`parse_event` is total, and reads every sample as its file name says."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.telephony.bland_result import EventKind, ParsedEvent, parse_event, parse_result

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bland"
ATTEMPT = "01940000-0000-7000-8000-000000000001"


def sample(prefix: str) -> ParsedEvent:
    (path,) = SAMPLES.glob(f"{prefix}-*")
    return parse_event(path.read_bytes())


def result_of(**fields: Any) -> ParsedEvent:
    return parse_event(json.dumps({"call_id": "c-1", "status": "completed", **fields}).encode())


KINDS = {"20": EventKind.ENRICHMENT, "21": EventKind.IN_CALL, "23": EventKind.NONSENSE}


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_kind_of_every_sample(path: Path) -> None:
    parsed = parse_event(path.read_bytes())
    assert parsed.kind is KINDS.get(path.name[:2], EventKind.RESULT)
    assert parsed.completed_at_provider is (parsed.kind is EventKind.RESULT)


def test_correlation_and_numbers() -> None:
    ours, elsewhere, inbound = sample("01"), sample("18"), sample("14")
    assert str(ours.attempt_id) == ATTEMPT
    assert (ours.call_id, ours.to_number, ours.from_number) == (
        "b1a2d000-0001-4000-8000-000000000000",
        "+15615550123",
        "+15615550900",
    )
    assert elsewhere.attempt_id is None
    assert elsewhere.to_number == "+18135550142"
    assert inbound.inbound
    assert inbound.from_number == "+15615550123"
    assert sample("19").to_number == "5615550123"
    assert sample("16").is_retry
    assert not ours.is_retry
    assert ours.max_duration_minutes == 30


def test_a_body_without_inbound_is_not_inbound() -> None:
    assert not result_of().inbound


def test_minutes_are_not_seconds() -> None:
    assert sample("17").result.talk_seconds == 246
    assert result_of(call_length=0.5).result.talk_seconds == 30
    assert result_of(call_length=0.1833, corrected_duration="11").result.talk_seconds == 11
    assert result_of(call_length=0.5, corrected_duration="n/a").result.talk_seconds == 30
    assert result_of(call_length="NaN", corrected_duration=-3).result.talk_seconds is None


def test_tags_in_every_shape() -> None:
    assert sample("11").result.tags == ("Intro Node",)
    assert sample("10").result.tags == ("Not Interested",)
    assert result_of(pathway_tags=[{"name": "A"}, "B", None, {"name": 3}, [], 4]).result.tags == ("A", "B")
    assert result_of(pathway_tags="lone").result.tags == ("lone",)


def test_only_the_persons_own_lines_count() -> None:
    assert sample("08").result.person_lines == ("Take me off your list and don't call me again.",)
    assert sample("09").result.person_lines == ("Okay, what is this about?",)
    concatenated = (
        " user: Hello? \n assistant: say user: stop \n and do not call \n User: no\nthank you\nagent-action: x"
    )
    assert result_of(concatenated_transcript=concatenated).result.person_lines == ("Hello?", "no", "thank you")


@pytest.mark.parametrize("yes", [True, "true", "True", "YES", "y", 1, "1", "on"])
def test_callback_requested_in_any_spelling(yes: object) -> None:
    parsed = result_of(variables={"callback_requested": yes, "callback_requested_at": "2026-01-07T15:30:00-05:00"})
    assert parsed.result.callback_requested
    assert parsed.result.callback_requested_at == "2026-01-07T15:30:00-05:00"


@pytest.mark.parametrize("no", [False, "false", "no", 0, None, "", [], {}, "callback"])
def test_callback_not_requested(no: object) -> None:
    assert not result_of(variables={"callback_requested": no}).result.callback_requested


@pytest.mark.parametrize("transfer", [None, "MERGED", ["MERGED"], {"state": None}, {"state": {}}, 7])
def test_transfer_state_needs_the_object(transfer: object) -> None:
    assert result_of(warm_transfer_call=transfer, disposition_tag="TRANSFERRED").result.transfer_state == ""


def test_merged_transfer() -> None:
    assert sample("04").result.transfer_state == "MERGED"
    assert sample("05").result.transfer_state != "MERGED"


def test_dispositions() -> None:
    assert sample("15").result.dispositions == ("SALE",)
    assert result_of(disposition_tag={"name": "DNC"}).result.dispositions == ("DNC",)
    assert result_of(
        dispositions=[{"name": "DNC", "value": True}, {"name": "outcome", "value": "SALE"}]
    ).result.dispositions == (
        "DNC",
        "SALE",
    )


def test_our_own_list_of_choices_given_back_is_no_answer() -> None:
    assert result_of(dispositions=["DO_NOT_CALL", "SALE", "NOT_INTERESTED"]).result.dispositions == ()
    assert result_of(dispositions=["SALE"]).result.dispositions == ("SALE",)


def test_variables_that_name_an_outcome() -> None:
    variables = {"call_outcome": "DNC", "do_not_call": "yes", "first_name": "SALE", "plan_type": "ACA", "x": False}
    assert result_of(variables=variables).result.variable_dispositions == ("DNC", "do_not_call")


def test_done_with_is_not_talked_to() -> None:
    assert not sample("03").result.completed
    assert not sample("12").result.completed
    assert sample("13").result.completed
    assert not result_of(status="failed", completed=True).result.completed


def test_running_calls_are_no_results() -> None:
    for queue_status in ("new", "queued", "allocated", "started"):
        parsed = result_of(status=None, completed=False, queue_status=queue_status)
        assert parsed.kind is EventKind.IN_CALL
        assert not parsed.completed_at_provider
    assert result_of(status=None, completed=False, queue_status="call_error").completed_at_provider


def test_times() -> None:
    parsed = sample("01")
    assert parsed.result.ended_at is not None
    assert parsed.result.ended_at.isoformat() == "2026-01-06T17:11:00+00:00"
    garbages: tuple[object, ...] = (
        "soon",
        1e300,
        -1,
        "9999-12-31T23:59:59-23:59",
        [],
        "0001-01-01",
        True,
        "2026-13-45",
    )
    for garbage in garbages:
        assert result_of(end_at=garbage).result.ended_at is None
    assert result_of(end_at=1767719460000).result.ended_at == parsed.result.ended_at


def test_poisoned_text_is_clean() -> None:
    parsed = sample("22")
    assert parsed.kind is EventKind.RESULT
    assert parsed.result.completed
    assert parsed.result.extra["summary"] == "ab ? c"


POISON = {
    "nothing": b"",
    "nul": b"\x00\x00\x00\x00",
    "nested arrays": b"[" * 100_000,
    "nested objects": b'{"call_id":"x","a":' + b'{"a":' * 100_000,
    "a scalar": b'"call_id"',
    "an array": b'[{"call_id":"x"}]',
    "no id": b'{"status":"completed"}',
    "an id of NULs": b'{"call_id":"\\u0000","status":"completed"}',
    "an id too long": b'{"call_id":"' + b"x" * 129 + b'"}',
    "broken utf-16": b"\xff\xfe{\x00",
}


@pytest.mark.parametrize("raw", POISON.values(), ids=POISON.keys())
def test_poison_is_nonsense(raw: bytes) -> None:
    assert parse_event(raw).kind is EventKind.NONSENSE


def test_an_odd_byte_does_not_lose_a_result() -> None:
    body = b'\xef\xbb\xbf{"c_id":"x","status":"completed","price":NaN,"call_length":Infinity,"n":' + b"9" * 5000
    parsed = parse_event(body + b',"summary":"\xff\n\x00","disposition_tag":"DNC"}\n\x00')
    assert (parsed.kind, parsed.call_id, parsed.result.dispositions) == (EventKind.RESULT, "x", ("DNC",))
    assert parsed.result.price_dollars is None
    assert parsed.result.talk_seconds is None
    assert parse_event('{"call_id":"x","completed":true}'.encode("utf-16")).kind is EventKind.RESULT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
KNOWN_KEYS = [
    "call_id",
    "c_id",
    "to",
    "from",
    "inbound",
    "completed",
    "queue_status",
    "status",
    "answered_by",
    "call_length",
    "corrected_duration",
    "error_message",
    "price",
    "created_at",
    "started_at",
    "end_at",
    "max_duration",
    "metadata",
    "variables",
    "pathway_tags",
    "disposition_tag",
    "dispositions",
    "warm_transfer_call",
    "summary",
    "concatenated_transcript",
    "transcripts",
    "corrected_transcript",
    "isRetry",
    "category",
    "event_type",
]
BODIES = st.fixed_dictionaries({"call_id": JSON | st.just("c-1")}, optional=dict.fromkeys(KNOWN_KEYS[1:], JSON))


def assert_storable(parsed: ParsedEvent) -> None:
    result = parsed.result
    texts = [parsed.call_id or "", parsed.to_number, parsed.from_number, result.status, result.answered_by]
    texts += [result.error_message, result.transfer_state, result.callback_requested_at, *result.dispositions]
    texts += [*result.tags, *result.variable_dispositions, *result.person_lines, *result.extra.values()]
    for value in texts:
        assert "\x00" not in value
        value.encode()


@settings(max_examples=400)
@given(st.binary(max_size=400))
def test_total_over_bytes(raw: bytes) -> None:
    assert_storable(parse_event(raw))


@settings(max_examples=400)
@given(JSON | BODIES)
def test_total_over_json(body: Any) -> None:
    assert_storable(parse_result(body))
    assert_storable(parse_event(json.dumps(body).encode()))
    assert_storable(parse_event(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")))
