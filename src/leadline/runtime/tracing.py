"""Trace context: one trace follows a lead's call from lease to report. Ids are made and passed on, not exported.

Spans are OpenTelemetry's, so a process that is started with an exporter (`opentelemetry.trace.set_tracer_provider`
before `set_up_tracing`) exports them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT_HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


def set_up_tracing(process: str) -> None:
    """Make spans have ids. Without this call `span` costs nothing and `current_traceparent` is None."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider(resource=Resource({SERVICE_NAME: f"leadline-{process}"})))


@contextmanager
def span(name: str, traceparent: str | None = None) -> Iterator[None]:
    """Run the block as a span: a child of `traceparent` if that can be read, else of the current span."""
    parent = _PROPAGATOR.extract({TRACEPARENT_HEADER: traceparent}) if traceparent else None
    with trace.get_tracer("leadline").start_as_current_span(name, context=parent):
        yield


def current_traceparent() -> str | None:
    """The W3C header value that hands the current span on, or None outside of a span."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(TRACEPARENT_HEADER)


def current_trace_id() -> str | None:
    """The current trace, 32 hexadecimal digits, or None."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
