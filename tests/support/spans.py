"""Spans that a test looks at, made in its own process."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from leadline.runtime import tracing


class Spans:
    """What was exported."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        """In the order in which they ended."""
        return list(self._exporter.get_finished_spans())

    def one(self, name: str) -> ReadableSpan:
        """The only one of this name."""
        (found,) = [made for made in self.all() if made.name == name]
        return found


@contextmanager
def exported_spans() -> Iterator[Spans]:
    """Export the spans of the block to the test, each when it ends."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with tracing_restored():
        tracing.use_tracer(provider.get_tracer("test"), exporting=True)
        yield Spans(exporter)


@contextmanager
def tracing_restored() -> Iterator[None]:
    """Whatever the block sets up ends with it."""
    before = tracing._Tracing.tracer, tracing._Tracing.exporting
    try:
        tracing.use_tracer(None, exporting=False)
        yield
    finally:
        tracing._Tracing.tracer, tracing._Tracing.exporting = before
