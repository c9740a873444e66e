"""The attempt's trace comes back with the event; whatever else a body holds, none is found."""

import json
from collections.abc import Iterator

import pytest

from leadline.runtime.tracing import current_ids, span
from services.webhook_gateway.event_traces import event_span, find_traceparent
from tests.support.spans import Spans, exported_spans

OURS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> Iterator[Spans]:
    with exported_spans() as made:
        yield made


@pytest.mark.parametrize("indent", [None, 2])
def test_it_is_found_wherever_the_metadata_stands(indent: int | None) -> None:
    body = {"call_id": "c", "variables": {"metadata": {"traceparent": OURS}}, "transcripts": ["x"] * 1000}
    assert find_traceparent(json.dumps(body, indent=indent).encode()) == OURS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b'"traceparent"',
        b'{"traceparent": null}',
        b'{"traceparent": "00-xyz"}',
        json.dumps({"summary": json.dumps({"traceparent": OURS})}).encode(),
        b'"traceparent":' * 100_000,
    ],
)
def test_nothing_else_is_taken_for_one(body: bytes) -> None:
    assert find_traceparent(body) is None


def test_a_value_that_is_none_does_not_hide_a_later_one() -> None:
    body = {"traceparent": "asked for", "metadata": {"traceparent": OURS}}
    assert find_traceparent(json.dumps(body).encode()) == OURS


def test_an_event_is_of_the_attempts_trace_and_linked_to_its_delivery(spans: Spans) -> None:
    with span("POST /webhooks/bland-callback") as request, event_span(json.dumps({"traceparent": OURS}).encode()):
        assert (current_ids() or ("",))[0] == OURS.split("-")[1]
    made = spans.one("receive event")
    assert made.parent is not None
    assert f"{made.parent.span_id:016x}" == OURS.split("-")[2]
    assert [link.context for link in made.links] == [request.get_span_context()]


def test_an_event_without_a_trace_stays_in_its_requests(spans: Spans) -> None:
    with span("POST /webhooks/bland-callback"):
        outside = current_ids()
        with event_span(b"{}"):
            assert current_ids() == outside
    assert [made.name for made in spans.all()] == ["POST /webhooks/bland-callback"]
