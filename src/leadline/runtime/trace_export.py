"""Sends spans to a collector over OTLP/HTTP: from a thread, in batches, bounded; a collector that is away costs spans.

Nothing here delays or fails a call. What the exporter's library says of each batch is said once, in our words.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from leadline.runtime.logging import get_logger
from leadline.runtime.settings.trace_parts import TracingPart
from leadline.runtime.tracing import resource_of, set_up_tracing, use_tracer

MOST_SPANS_WAITING: Final = 8192
MOST_SPANS_A_REQUEST: Final = 512
EVERY_SECONDS: Final = 1.0
REQUEST_SECONDS: Final = 5.0
FLUSH_SECONDS: Final = 3.0
"""How long the end of a process waits for its last spans to be sent."""
GIVE_UP_SECONDS: Final = 0.5
"""And then for whoever sends them to notice that it is over."""
_LIBRARY: Final = "opentelemetry"
log = get_logger(__name__)


class LeadSampler(Sampler):
    """Decides about the root of a trace by the trace that it links to first: a lead is traced whole or not at all."""

    def __init__(self, share: float) -> None:
        self._by_ratio = TraceIdRatioBased(share)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """As `TraceIdRatioBased`, by the first link's trace id if there is one."""
        decides = links[0].context.trace_id if links else trace_id
        return self._by_ratio.should_sample(parent_context, decides, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """For people."""
        return f"LeadSampler{{{self._by_ratio.get_description()}}}"


class PatientExporter(SpanExporter):
    """Hands batches on, and says once that they cannot be delivered, and once that they can be again."""

    def __init__(self, exporter: SpanExporter, url: str) -> None:
        """`url` is for the log alone, which sees nothing of it that may be a secret."""
        self._exporter = exporter
        self._collector = urlsplit(url).netloc.rpartition("@")[2]
        self._lost = 0

    @property
    def is_failing(self) -> bool:
        """Whether the last batch was lost."""
        return self._lost > 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver one batch, or lose it."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 -- whatever an exporter does wrong, calls go on
            return self._lose(spans, type(error).__name__)
        if result is not SpanExportResult.SUCCESS:
            return self._lose(spans, "not_delivered")
        if self._lost:
            log.info("traces_delivered_again", spans_lost=self._lost)
            self._lost = 0
        return result

    def _lose(self, spans: Sequence[ReadableSpan], why: str) -> SpanExportResult:
        if not self._lost:
            log.warning("traces_not_delivered", collector=self._collector, reason=why)
        self._lost += len(spans)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Give up what is being sent."""
        self._exporter.shutdown()


@contextmanager
def traces_exported(process: str, part: TracingPart) -> Iterator[None]:
    """Make spans have ids inside the block and, if there is somewhere to send them, send them; the rest at its end."""
    url = part.traces_url
    if url is None:
        set_up_tracing(process)
        yield
        return
    exporter = PatientExporter(_otlp_exporter(url), url)
    provider = _provider(process, part.traces_sampler_arg, exporter)
    with _quiet_library(exporter):
        use_tracer(provider.get_tracer("leadline"), exporting=True)
        try:
            yield
        finally:
            _end(provider, exporter)
            use_tracer(None, exporting=False)


def _otlp_exporter(url: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- a tenth of a second that only those wait for who trace
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=url, timeout=REQUEST_SECONDS)


def _provider(process: str, share: float, exporter: SpanExporter) -> TracerProvider:
    provider = TracerProvider(
        resource=resource_of(process), sampler=ParentBased(LeadSampler(share)), shutdown_on_exit=False
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=MOST_SPANS_WAITING,
            schedule_delay_millis=EVERY_SECONDS * 1000,
            max_export_batch_size=MOST_SPANS_A_REQUEST,
        )
    )
    return provider


def _end(provider: TracerProvider, exporter: PatientExporter) -> None:
    """Send what waits, for a bounded time: left alone, the library would try for half a minute."""
    ending = threading.Thread(target=provider.shutdown, name="traces-flushed", daemon=True)
    ending.start()
    ending.join(FLUSH_SECONDS)
    if ending.is_alive():
        exporter.shutdown()
        ending.join(GIVE_UP_SECONDS)


@contextmanager
def _quiet_library(exporter: PatientExporter) -> Iterator[None]:
    """Of a collector that is away our exporter speaks; of one that is too slow the library does, now and then."""
    library, queue = logging.getLogger(_LIBRARY), logging.getLogger(f"{_LIBRARY}.sdk._shared_internal")
    levels = library.level, queue.level

    def unless_away(_: logging.LogRecord) -> bool:
        return not exporter.is_failing

    library.setLevel(logging.CRITICAL)
    queue.setLevel(logging.WARNING)
    queue.addFilter(unless_away)
    try:
        yield
    finally:
        queue.removeFilter(unless_away)
        library.setLevel(levels[0])
        queue.setLevel(levels[1])
