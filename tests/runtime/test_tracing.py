"""Trace context is made and handed on; without an exporter a span is ids and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from opentelemetry.trace import StatusCode

from leadline.runtime.tracing import (
    ROOT,
    SpanKind,
    current_ids,
    current_trace_id,
    current_traceparent,
    describe,
    inside,
    is_exporting,
    link_to,
    remote_span,
    set_up_tracing,
    span,
    start_span,
    traceparent_of,
)
from tests.support.spans import Spans, exported_spans, tracing_restored

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NONSENSE = ("", "nonsense", "00-0-0-00", "ff" + PARENT[2:])


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with tracing_restored():
        yield


@pytest.fixture
def spans() -> Iterator[Spans]:
    with exported_spans() as made:
        yield made


def test_there_is_none_outside_of_a_span() -> None:
    assert current_traceparent() is None
    assert current_trace_id() is None
    assert current_ids() is None


def test_without_a_set_up_a_span_has_no_ids() -> None:
    with span("dial") as made:
        assert current_ids() is None
        assert traceparent_of(made) is None


def test_a_span_continues_its_parents_trace() -> None:
    set_up_tracing("test")
    with span("dial", PARENT):
        handed_on = current_traceparent()
        assert handed_on is not None
        assert handed_on.split("-")[1] == PARENT.split("-")[1]
        assert handed_on.split("-")[2] != PARENT.split("-")[2]
        assert current_ids() == tuple(handed_on.split("-")[1:3])


def test_a_parent_that_cannot_be_read_starts_a_new_trace() -> None:
    set_up_tracing("test")
    for parent in (None, *NONSENSE):
        with span("dial", parent):
            assert current_trace_id() not in {None, PARENT.split("-")[1]}


def test_without_an_exporter_spans_record_nothing_and_say_so_to_others() -> None:
    set_up_tracing("test")
    assert not is_exporting()
    with span("dial", PARENT) as made:
        assert not made.is_recording()
        handed_on = current_traceparent()
        assert handed_on is not None
        assert int(handed_on.split("-")[3], 16) & 1 == 0, "nobody is to wait for the spans of this trace"


def test_a_root_begins_a_trace_whatever_goes_on(spans: Spans) -> None:
    with span("request"), span("window", root=True):
        pass
    assert spans.one("window").parent is None
    assert spans.one("window").context.trace_id != spans.one("request").context.trace_id


def test_a_span_that_is_never_ended_is_never_exported(spans: Spans) -> None:
    start_span("lease", ROOT)
    kept = start_span("lease", ROOT, kind=SpanKind.PRODUCER)
    with inside(kept):
        assert current_traceparent() == traceparent_of(kept)
    assert spans.all() == []
    kept.end()
    assert spans.one("lease").kind is SpanKind.PRODUCER


def test_links_name_what_they_lead_to(spans: Spans) -> None:
    link = link_to(PARENT, "lead")
    assert link is not None
    start_span("lease", ROOT, links=(link,)).end()
    (found,) = spans.one("lease").links
    assert f"{found.context.span_id:016x}" == PARENT.split("-")[2]
    assert dict(found.attributes or {}) == {"leadline.link": "lead"}


@pytest.mark.parametrize("traceparent", [None, *NONSENSE])
def test_nothing_is_linked_to_what_cannot_be_read(traceparent: str | None) -> None:
    assert link_to(traceparent, "lead") is None


def test_a_remote_span_is_only_its_ids() -> None:
    with inside(remote_span(PARENT)):
        assert current_traceparent() == PARENT


def test_attributes_are_plain_values(spans: Spans) -> None:
    at = datetime(2026, 1, 6, tzinfo=UTC)
    with span("decide") as made:
        describe(made, {"outcome": "SALE", "due_at": at, "attempt_no": 2, "reasons": ["a", "b"], "none": None})
    assert dict(spans.one("decide").attributes or {}) == {
        "leadline.outcome": "SALE",
        "leadline.due_at": "2026-01-06T00:00:00+00:00",
        "leadline.attempt_no": 2,
        "leadline.reasons": "a,b",
    }


def test_of_an_exception_the_words_are_not_kept(spans: Spans) -> None:
    def crash() -> None:
        with span("dial"):
            raise ValueError("+15615550123 is no number")

    with pytest.raises(ValueError, match="5550123"):
        crash()
    made = spans.one("dial")
    assert (made.status.status_code, made.status.description) == (StatusCode.ERROR, "ValueError")
    assert "5550123" not in made.to_json()
    assert made.events == ()
