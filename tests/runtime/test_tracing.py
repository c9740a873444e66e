"""Trace context is made and handed on."""

from leadline.runtime.tracing import current_trace_id, current_traceparent, set_up_tracing, span

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_there_is_none_outside_of_a_span() -> None:
    assert current_traceparent() is None
    assert current_trace_id() is None


def test_a_span_continues_its_parents_trace() -> None:
    set_up_tracing("test")
    with span("dial", PARENT):
        handed_on = current_traceparent()
        assert handed_on is not None
        assert handed_on.split("-")[1] == PARENT.split("-")[1]
        assert handed_on.split("-")[2] != PARENT.split("-")[2]


def test_a_parent_that_cannot_be_read_starts_a_new_trace() -> None:
    set_up_tracing("test")
    for parent in (None, "", "nonsense", "00-0-0-00", "ff" + PARENT[2:]):
        with span("dial", parent):
            assert current_trace_id() not in {None, PARENT.split("-")[1]}
