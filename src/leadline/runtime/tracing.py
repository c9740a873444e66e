"""Trace context: ids that are made and passed on, and spans, which are exported where a process has an exporter.

Each attempt is a trace of its own, whose root is its lease. A span holds codes, counts and our own ids: never a phone
number, a name, or a text that somebody said. Without an exporter spans are made of ids alone, for logs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Link, NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = ["TRACEPARENT_HEADER", "Link", "Span", "SpanKind"]

TRACEPARENT_HEADER: Final = "traceparent"
ATTRIBUTE_PREFIX: Final = "leadline."
ROOT: Final = Context()
"""The parent of a span that begins a trace, whatever span is current."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_OF_NOBODY: Final = NoOpTracer()


class _Tracing:
    """The one tracer of this process."""

    tracer: Tracer = _OF_NOBODY
    exporting = False


def set_up_tracing(process: str) -> None:
    """Make spans have ids. Without this call `span` costs next to nothing and `current_traceparent` is None."""
    if _Tracing.tracer is _OF_NOBODY:
        provider = TracerProvider(resource=resource_of(process), sampler=ALWAYS_OFF, shutdown_on_exit=False)
        use_tracer(provider.get_tracer("leadline"), exporting=False)


def resource_of(process: str) -> Resource:
    """What every span says of its process; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME add to it and win."""
    named = Resource({SERVICE_NAME: f"leadline-{process}"})
    told = Resource.create()
    given = {key: value for key, value in told.attributes.items() if not _is_a_guess(key, value)}
    return named.merge(Resource(given, told.schema_url))


def _is_a_guess(key: str, value: object) -> bool:
    return key == SERVICE_NAME and str(value).startswith("unknown_service")


def use_tracer(tracer: Tracer | None, *, exporting: bool) -> None:
    """Make spans with this tracer from now on; None makes none."""
    _Tracing.tracer, _Tracing.exporting = tracer or _OF_NOBODY, exporting


def is_exporting() -> bool:
    """Whether spans go anywhere: what only they need is not to be gathered without."""
    return _Tracing.exporting


@contextmanager
def span(
    name: str,
    traceparent: str | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    links: tuple[Link, ...] = (),
    root: bool = False,
) -> Iterator[Span]:
    """Run the block as a span: a child of `traceparent` if that can be read, else of the current span.

    `root` begins a trace instead, whatever is going on. Of an exception that leaves the block its type is kept, and not
    its words, which may hold anything.
    """
    parent = context_of(traceparent) if traceparent or root else None
    made = _Tracing.tracer.start_span(name, parent, kind, links=links)
    try:
        with trace.use_span(made, record_exception=False, set_status_on_exception=False):
            yield made
    except Exception as error:
        fail(made, type(error).__name__)
        raise
    finally:
        made.end()


def start_span(
    name: str,
    parent: Context,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    links: tuple[Link, ...] = (),
) -> Span:
    """Begin a span that is current nowhere; one that is never ended is never exported."""
    return _Tracing.tracer.start_span(name, parent, kind, links=links)


def start_child(name: str, *, kind: SpanKind = SpanKind.INTERNAL) -> Span:
    """As `start_span`, below the current span."""
    return _Tracing.tracer.start_span(name, None, kind)


@contextmanager
def inside(made: Span) -> Iterator[None]:
    """Make a span current in the block, and leave it open."""
    with trace.use_span(made, record_exception=False, set_status_on_exception=False):
        yield


def describe(made: Span, told: Mapping[str, object]) -> None:
    """Say of a span what its log line says, as `leadline.<name>`. Nothing for a span that goes nowhere."""
    if made.is_recording():
        for name, value in told.items():
            if value is not None:
                made.set_attribute(f"{ATTRIBUTE_PREFIX}{name}", _plain(value))


def _plain(value: object) -> str | bool | int | float:
    """A value of an attribute: codes stay codes, whatever kind of text they are."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def fail(made: Span, why: str) -> None:
    """Mark a span as failed. `why` is a code or the name of a type."""
    made.set_status(Status(StatusCode.ERROR, why))


def context_of(traceparent: str | None) -> Context:
    """The context that a header value names; ROOT if there is none or it cannot be read."""
    return _PROPAGATOR.extract({TRACEPARENT_HEADER: traceparent}, ROOT) if traceparent else ROOT


def remote_span(traceparent: str) -> Span:
    """The span that a header value names, as somebody else's; one without ids if it cannot be read."""
    return trace.get_current_span(context_of(traceparent))


def link_to(traceparent: str | None, what: str) -> Link | None:
    """A link to the span that a header value names; None if it names none. `what` says which of several it is."""
    if traceparent is None:
        return None
    found = remote_span(traceparent).get_span_context()
    return Link(found, {f"{ATTRIBUTE_PREFIX}link": what}) if found.is_valid else None


def link_to_current(what: str) -> Link | None:
    """A link to the current span; None if there is none."""
    current = trace.get_current_span().get_span_context()
    return Link(current, {f"{ATTRIBUTE_PREFIX}link": what}) if current.is_valid else None


def traceparent_of(made: Span) -> str | None:
    """The W3C header value that hands a span on, or None if it has no ids."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, trace.set_span_in_context(made, ROOT))
    return carrier.get(TRACEPARENT_HEADER)


def current_span() -> Span:
    """The span that is current; one that takes no notice of anything if none is."""
    return trace.get_current_span()


def current_traceparent() -> str | None:
    """The W3C header value that hands the current span on, or None outside of a span."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(TRACEPARENT_HEADER)


def current_ids() -> tuple[str, str] | None:
    """The current trace (32 hexadecimal digits) and span (16), or None outside of a span."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def current_trace_id() -> str | None:
    """The current trace, 32 hexadecimal digits, or None."""
    ids = current_ids()
    return ids[0] if ids else None
