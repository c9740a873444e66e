"""Decisions told once they are committed: each one line of the log, and a span of its attempt's trace.

Of a number only its end is shown. A decision about a lead alone is told under the trace in which the lead came in, and
is no span of it: hours may lie between.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from leadline.domain.phone import masked
from leadline.runtime.logging import get_logger
from leadline.runtime.tracing import (
    ROOT,
    Link,
    Span,
    SpanKind,
    context_of,
    describe,
    inside,
    is_exporting,
    link_to,
    remote_span,
    start_span,
)
from leadline.store.decisions import Decided, previous_attempt
from leadline.store.numbers import LeadRow, NumberState
from leadline.store.records import NewAttempt

LEASE: Final = "lease"
"""The root of an attempt's trace."""
log = get_logger(__name__)


def begin_attempt(number: NumberState, lead: LeadRow) -> Span:
    """The root of a new attempt's trace; end it once the lease is committed, else it never was."""
    links = _links(number, lead) if is_exporting() else ()
    return start_span(LEASE, ROOT, kind=SpanKind.PRODUCER, links=links)


def _links(number: NumberState, lead: LeadRow) -> tuple[Link, ...]:
    """To the lead's first trace, by which it is decided whether all of them are kept, and to the attempt before."""
    before = previous_attempt(list(number.attempts.values()), lead)
    links = (link_to(lead.traceparent, "lead"), link_to(before.traceparent if before else None, "previous_attempt"))
    return tuple(link for link in links if link is not None)


def tell_lease(root: Span, attempt: NewAttempt, delay_seconds: float) -> None:
    """A lease is committed. `delay_seconds`: real time since the lead was due."""
    told = {
        "attempt_id": attempt.id,
        "lead_id": attempt.lead_id,
        "campaign": attempt.campaign,
        "attempt_no": attempt.attempt_no,
        "delay_seconds": round(delay_seconds, 3),
    }
    describe(root, told)
    root.end()
    with inside(root):
        log.info("lead_leased", **told, phone=masked(attempt.phone_number), dialer=attempt.dialer)


def tell(decided: Iterable[Decided]) -> None:
    """Tell what was committed. Never raises: no call fails for the sake of a line."""
    for one in decided:
        try:
            _tell(one)
        except Exception as error:
            log.error("decision_not_told", decision=one.event, exc_info=error)


def _tell(one: Decided) -> None:
    about: dict[str, Any] = {"campaign": one.campaign}
    if one.attempt is not None:
        about |= {"attempt_id": one.attempt.id, "attempt_no": one.attempt.attempt_no}
    elif one.lead is not None:
        about["lead_id"] = one.lead.id
    told = {name: value for name, value in {**about, **one.details, **one.plan()}.items() if value is not None}
    with _span_of(one, told):
        if one.phone_number is not None:
            told["phone"] = masked(one.phone_number)
        log.info(one.event, **told)


@contextmanager
def _span_of(one: Decided, told: Mapping[str, Any]) -> Iterator[None]:
    traceparent = one.attempt.traceparent if one.attempt else one.lead.traceparent if one.lead else None
    if traceparent is None:
        yield
        return
    if one.attempt is None or not one.step:
        with inside(remote_span(traceparent)):
            yield
        return
    made = start_span(one.step, context_of(traceparent))
    describe(made, told)
    made.end()
    with inside(made):
        yield
