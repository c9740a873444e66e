"""Exemplars: the trace that one observation of a histogram came from. Only the OpenMetrics exposition shows them."""

from leadline.runtime.tracing import current_trace_id


def exemplar() -> dict[str, str] | None:
    """`{"trace_id": ...}` of the current trace, None outside of one."""
    trace_id = current_trace_id()
    return {"trace_id": trace_id} if trace_id else None
