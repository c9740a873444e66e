"""A collector that takes OTLP over HTTP, in a thread of its own: it outlives the loops of single tests."""

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from tests.support.ports import free_port
from tests.support.waiting import until_true


@dataclass(frozen=True)
class Exported:
    """One span as it came in; ids are hexadecimal."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str, str], ...]
    """(what, trace, span)."""
    attributes: dict[str, Any]
    failed: bool


@dataclass
class Collector:
    """What was received."""

    url: str
    spans: list[Exported] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def trace(self, trace_id: str) -> list[Exported]:
        """All spans of a trace."""
        return [span for span in list(self.spans) if span.trace_id == trace_id]

    def find(self, trace_id: str, name: str, kind: str | None = None) -> list[Exported]:
        """The spans of this name in a trace."""
        return [span for span in self.trace(trace_id) if span.name == name and kind in {None, span.kind}]

    async def until(self, look: Callable[[], object], what: str) -> None:
        """Wait until so much was received."""
        await until_true(look, what)

    def take(self, body: bytes) -> None:
        """One request."""
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            service = _attributes(resource.resource)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_span(service, span) for span in scope.spans]


def _span(service: str, span: WireSpan) -> Exported:
    return Exported(
        service=service,
        name=span.name,
        kind=WireSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=tuple((_attributes(x)["leadline.link"], x.trace_id.hex(), x.span_id.hex()) for x in span.links),
        attributes=_attributes(span),
        failed=span.status.code == 2,
    )


def _attributes(of: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector inside the block."""
    port = free_port()
    collector = Collector(f"http://127.0.0.1:{port}")
    loop = asyncio.new_event_loop()
    runner = loop.run_until_complete(_serve(collector, port))
    thread = threading.Thread(target=loop.run_forever, name="collector", daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()


async def _serve(collector: Collector, port: int) -> web.AppRunner:
    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        collector.take(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
