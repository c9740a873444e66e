"""The trace that an event belongs to: what was sent along with the request for the call comes back in its body."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from leadline.runtime.tracing import SpanKind, link_to_current, span

_NAME: Final = b'"traceparent"'
_VALUE: Final = re.compile(rb'\s*:\s*"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"')
_MOST_PLACES: Final = 16


@contextmanager
def event_span(raw: bytes) -> Iterator[None]:
    """Run the block in the trace of the attempt that an event is about, linked to the request that brought it.

    For bodies whose signature is right. An event that names no trace stays in its request's.
    """
    traceparent = find_traceparent(raw)
    if traceparent is None:
        yield
        return
    link = link_to_current("delivery")
    with span("receive event", traceparent, kind=SpanKind.CONSUMER, links=(link,) if link else ()):
        yield


def find_traceparent(raw: bytes) -> str | None:
    """The header value in a body that is not read as JSON here: it may be megabytes, and the queue-service reads it."""
    at = -1
    for _ in range(_MOST_PLACES):
        at = raw.find(_NAME, at + 1)
        if at < 0:
            return None
        if found := _VALUE.match(raw, at + len(_NAME)):
            return found[1].decode("ascii")
    return None
