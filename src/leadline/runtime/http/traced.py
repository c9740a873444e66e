"""Spans of HTTP: one for every request that is answered or made, by a template: whatever was asked about stays out."""

from collections.abc import Collection
from contextlib import AbstractContextManager

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from leadline.runtime.http.problems import route_template
from leadline.runtime.tracing import (
    TRACEPARENT_HEADER,
    Span,
    SpanKind,
    current_ids,
    fail,
    inside,
    span,
    start_child,
)


def tracing_middleware(untraced: Collection[str] = ()) -> Middleware:
    """Answer each request inside a span, a child of the caller's. Put it outermost.

    Args:
        untraced: templates of routes whose requests are no spans: long polls, which mostly wait.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = route_template(request)
        if route in untraced:
            return await handler(request)
        name = f"{request.method} {route}"
        with span(name, request.headers.get(TRACEPARENT_HEADER), kind=SpanKind.SERVER) as answering:
            response = await handler(request)
            if answering.is_recording():
                answering.set_attribute("http.route", route)
                _describe(answering, request.method, response.status, fails_from=500)
            return response

    return middleware


class RequestSpan:
    """One request to somebody else, as a child of what is going on; nothing where nothing is: long polls have none."""

    def __init__(self, peer: str, operation: str) -> None:
        """`operation` is a method and a path without anybody's ids."""
        self._peer = peer
        self._operation = operation
        self._made: Span | None = None
        self._inside: AbstractContextManager[None] | None = None

    def begin(self) -> None:
        """Make it current."""
        if current_ids() is None:
            return
        self._made = start_child(self._operation, kind=SpanKind.CLIENT)
        self._inside = inside(self._made)
        self._inside.__enter__()

    def end(self, status: int | None, failure: str | None) -> None:
        """What came of it; `failure` is a code or the name of a type."""
        if self._made is None or self._inside is None:
            return
        self._inside.__exit__(None, None, None)
        if self._made.is_recording():
            method, _, template = self._operation.partition(" ")
            self._made.set_attribute("peer.service", self._peer)
            self._made.set_attribute("url.template", template)
            _describe(self._made, method, status, fails_from=400)
            if failure is not None:
                fail(self._made, failure)
        self._made.end()


def _describe(made: Span, method: str, status: int | None, *, fails_from: int) -> None:
    made.set_attribute("http.request.method", method)
    if status is not None:
        made.set_attribute("http.response.status_code", status)
        if status >= fails_from:
            fail(made, str(status))
