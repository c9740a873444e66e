"""Bland's post-call events and call details, read totally: any bytes give a `ParsedEvent`, never an exception.

Facts and traps: the vendor's post-call webhook and `GET /v1/calls/{id}` pages. What an outcome is, is not decided here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from leadline.domain.call_result import CallResult
from leadline.domain.ids import AttemptId, CallId
from leadline.runtime import loose_json
from leadline.telephony.bland_transcript import person_lines

_CALL_ID: Final = re.compile(r"[!-~]{1,128}")
_OVER_STATUSES: Final = frozenset({"completed", "failed", "busy", "no-answer", "canceled", "cancelled", "error"})
_NOT_TALKED_STATUSES: Final = _OVER_STATUSES - {"completed"}
_OVER_QUEUE_STATUSES: Final = frozenset(
    {"complete", "completed", "pre-queue-error", "queue-error", "call-error", "complete-error"}
)
_RUNNING_QUEUE_STATUSES: Final = frozenset({"new", "queued", "allocated", "started"})
_LONGEST_CALL_MINUTES: Final = 720.0
_LONGEST_CALL_SECONDS: Final = 24 * 3600.0
_LONGEST_NUMBER: Final = 64
_LONGEST_NAME: Final = 200
_LONGEST_EVIDENCE: Final = 4000
_EXTRA_FIELDS: Final = ("summary", "call_ended_by", "transferred_to", "transferred_at", "queue_status", "batch_id")
_OUTCOME_VARIABLES: Final = frozenset({"result", "callresult", "callstatus", "leadstatus"})
_CALLBACK_VARIABLES: Final = frozenset({"callbackrequested", "callbackrequestedat"})


class EventKind(StrEnum):
    """What a body says of its call."""

    RESULT = "result"
    """The call is over and this is how."""
    ENRICHMENT = "enrichment"
    """More about a call (citations ...), without saying how it ended."""
    IN_CALL = "in_call"
    """The call is still queued or running."""
    NONSENSE = "nonsense"
    """No JSON object, or no usable call id."""


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """What one body says. Texts hold neither NUL nor lone surrogates; numbers are finite; instants are aware UTC."""

    kind: EventKind
    call_id: CallId | None = None
    attempt_id: AttemptId | None = None
    """From `metadata.attempt_id`; not necessarily one of ours."""
    inbound: bool = False
    to_number: str = ""
    """As the provider spelt it: `+15615550123`, `5615550123`, or empty."""
    from_number: str = ""
    is_retry: bool = False
    """The provider dialled again by itself."""
    max_duration_minutes: float | None = None
    created_at: datetime | None = None
    """When the provider accepted the call."""
    completed_at_provider: bool = False
    """The provider says outright that the call is over: what a look-up of details needs to know."""
    result: CallResult = field(default_factory=CallResult)


NONSENSE: Final = ParsedEvent(EventKind.NONSENSE)


def parse_event(raw: bytes) -> ParsedEvent:
    """Read the raw body of an event. Total: poison of any kind is `nonsense`."""
    return parse_result(loose_json.loads(raw))


def parse_result(body: object) -> ParsedEvent:
    """Read a decoded body: a post-call event, an in-call event, or the details of a call. Total over any JSON."""
    if not isinstance(body, dict):
        return NONSENSE
    call_id = _call_id(body)
    if call_id is None:
        return NONSENSE
    variables = loose_json.mapping(body.get("variables"))
    return ParsedEvent(
        kind=_kind(body),
        call_id=call_id,
        attempt_id=_attempt_id(body, variables),
        inbound=loose_json.flag(body.get("inbound")),
        to_number=_first_text(body.get("to"), variables.get("to")),
        from_number=_first_text(body.get("from"), variables.get("from")),
        is_retry=loose_json.flag(body.get("isRetry")) or loose_json.flag(body.get("is_retry")),
        max_duration_minutes=loose_json.number_between(body.get("max_duration"), 0.0, _LONGEST_CALL_MINUTES),
        created_at=loose_json.instant(body.get("created_at")),
        completed_at_provider=_is_over(body),
        result=_call_result(body, variables),
    )


def _call_id(body: Mapping[str, Any]) -> CallId | None:
    for key in ("call_id", "c_id"):
        value = body.get(key)
        found = value.strip() if isinstance(value, str) else loose_json.text(value)
        if _CALL_ID.fullmatch(found):
            return CallId(found)
    return None


def _attempt_id(body: Mapping[str, Any], variables: Mapping[str, Any]) -> AttemptId | None:
    for metadata in (body.get("metadata"), variables.get("metadata")):
        try:
            return AttemptId(UUID(loose_json.text(loose_json.mapping(metadata).get("attempt_id"), _LONGEST_NAME)))
        except ValueError:
            continue
    return None


def _kind(body: Mapping[str, Any]) -> EventKind:
    """Citations repeat neither status nor `completed`; only in-call events carry a `category`."""
    if body.get("category") is not None:
        return EventKind.IN_CALL
    if _is_over(body):
        return EventKind.RESULT
    if loose_json.words_joined(body.get("queue_status")) in _RUNNING_QUEUE_STATUSES:
        return EventKind.IN_CALL
    says_how = loose_json.text(body.get("status")) or body.get("completed") is not None
    return EventKind.RESULT if says_how else EventKind.ENRICHMENT


def _is_over(body: Mapping[str, Any]) -> bool:
    return (
        loose_json.flag(body.get("completed"))
        or loose_json.words_joined(body.get("status")) in _OVER_STATUSES
        or loose_json.words_joined(body.get("queue_status")) in _OVER_QUEUE_STATUSES
    )


def _call_result(body: Mapping[str, Any], variables: Mapping[str, Any]) -> CallResult:
    plain = {_plain(key): value for key, value in variables.items()}
    return CallResult(
        completed=_took_place(body),
        status=loose_json.words_joined(body.get("status")),
        answered_by=loose_json.words_joined(body.get("answered_by")),
        error_message=loose_json.text(body.get("error_message"), _LONGEST_EVIDENCE),
        dispositions=tuple(_dispositions(body)),
        tags=tuple(_names(body.get("pathway_tags"))),
        variable_dispositions=tuple(_variable_dispositions(variables)),
        transfer_state=_transfer_state(body.get("warm_transfer_call")),
        callback_requested=loose_json.flag(plain.get("callbackrequested")),
        callback_requested_at=loose_json.text(plain.get("callbackrequestedat"), _LONGEST_NAME),
        person_lines=person_lines(body),
        started_at=loose_json.instant(body.get("started_at")),
        ended_at=loose_json.instant(body.get("end_at")),
        talk_seconds=_talk_seconds(body),
        price_dollars=loose_json.number_between(body.get("price"), 0.0, 100_000.0),
        extra=_extra(body),
    )


def _took_place(body: Mapping[str, Any]) -> bool:
    """`completed` is also true of calls that were busy or failed: it says that the provider is done with them."""
    status = loose_json.words_joined(body.get("status"))
    if status in _NOT_TALKED_STATUSES:
        return False
    return status == "completed" or loose_json.flag(body.get("completed"))


def _dispositions(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _names(body.get("disposition_tag"))
    chosen = list(loose_json.items(body.get("dispositions")))
    # Several plain names are the list of choices that we sent, given back; taken as answers, every call would be a DNC.
    if len(chosen) > 1 and all(isinstance(name, str) for name in chosen):
        return
    for choice in chosen:
        yield from _chosen_names(choice)


def _chosen_names(choice: object) -> Iterator[str]:
    """An outcome field: a name, `{name}`, or `{name, value}` with the value a name or a yes."""
    if not isinstance(choice, dict) or "value" not in choice:
        yield from _names(choice)
    elif loose_json.flag(choice["value"]):
        yield from _names(choice.get("name"))
    else:
        yield from _names(choice["value"])


def _names(value: object) -> Iterator[str]:
    """Names out of the shapes seen: a string, `{name}`, arrays of both with null and numbers between."""
    for item in loose_json.items(value):
        name = item.get("name") if isinstance(item, dict) else item
        if isinstance(name, str) and (cleaned := loose_json.text(name, _LONGEST_NAME)):
            yield cleaned


def _variable_dispositions(variables: Mapping[str, Any]) -> Iterator[str]:
    """Values of variables named after an outcome, and names of variables that say yes (`do_not_call: true`)."""
    for key, value in variables.items():
        plain = _plain(key)
        if plain in _CALLBACK_VARIABLES:
            continue
        if plain in _OUTCOME_VARIABLES or plain.endswith(("disposition", "dispositiontag", "outcome")):
            yield from _names(value)
        elif loose_json.flag(value):
            yield loose_json.text(key, _LONGEST_NAME)


def _plain(key: object) -> str:
    return loose_json.text(key, _LONGEST_NAME).lower().replace("_", "").replace("-", "").replace(" ", "")


def _transfer_state(value: object) -> str:
    return loose_json.text(value.get("state"), _LONGEST_NAME).upper() if isinstance(value, dict) else ""


def _talk_seconds(body: Mapping[str, Any]) -> float | None:
    """`corrected_duration` is a text of seconds; `call_length` is minutes."""
    seconds = loose_json.number_between(body.get("corrected_duration"), 0.0, _LONGEST_CALL_SECONDS)
    if seconds is not None:
        return seconds
    minutes = loose_json.number_between(body.get("call_length"), 0.0, _LONGEST_CALL_SECONDS / 60)
    return None if minutes is None else minutes * 60


def _first_text(*values: object) -> str:
    return next((found for value in values if (found := loose_json.text(value, _LONGEST_NUMBER))), "")


def _extra(body: Mapping[str, Any]) -> dict[str, str]:
    return {name: found for name in _EXTRA_FIELDS if (found := loose_json.text(body.get(name), _LONGEST_EVIDENCE))}
