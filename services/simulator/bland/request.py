"""The body of `POST /v1/calls`: every documented field with its type; anything else is refused, as Bland does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from services.simulator.bland.checks import (
    Check,
    array,
    boolean,
    either,
    field_complaints,
    mapping,
    matching,
    number,
    object_of,
    one_of,
    read_start_time,
    start_time,
    text,
    webhook,
    zone,
)

_PROMPTS: Final = ("task", "pathway_id", "persona_id", "agent_id")
_LONGEST_CALL_MINUTES: Final = 720
_DEFAULT_CALL_MINUTES: Final = 30.0
_VOICEMAIL_ACTIONS: Final = ("hangup", "leave_message", "ignore", "leave_message_and_sms")
_WEBHOOK_EVENTS: Final = (
    "queue",
    "call",
    "latency",
    "webhook",
    "tool",
    "dynamic_data",
    "citations",
    "evals",
    "post_transfer_transcript",
)

_CALLER: Final = matching(r"\d{10}|\+1\d{10}", "must be a 10-digit or 12-digit phone number")
_SMS: Final = object_of({"to": text(32), "from": text(32), "message": text(1600)})
_VOICEMAIL: Final = object_of(
    {"message": text(), "action": one_of(*_VOICEMAIL_ACTIONS), "sms": _SMS, "sensitive": boolean}
)
_RETRY: Final = object_of(
    {"wait": number(0, 86_400), "voicemail_action": one_of(*_VOICEMAIL_ACTIONS), "voicemail_message": text()}
)
_FIELDS: Final[Mapping[str, Check]] = {
    "phone_number": text(64),
    "task": text(),
    "pathway_id": text(128),
    "pathway_version": either(number(0, 1_000_000), one_of("production", "staging")),
    "start_node_id": text(128),
    "persona_id": text(128),
    "agent_id": text(128),
    "voice": text(128),
    "model": one_of("base", "turbo"),
    "language": text(32),
    "temperature": number(0, 1),
    "first_sentence": text(2000, 0),
    "wait_for_greeting": boolean,
    "block_interruptions": boolean,
    "interruption_threshold": number(0, 10_000),
    "from": _CALLER,
    "dialing_strategy": object_of({"type": one_of("local", "custom_pooling", "custom_pool"), "pool_id": text(128)}),
    "timezone": zone,
    "start_time": start_time,
    "transfer_phone_number": matching(r"\+?\d{10,15}", "must be a phone number"),
    "transfer_list": mapping,
    "max_duration": number(0, _LONGEST_CALL_MINUTES, above=True),
    "record": boolean,
    "voicemail": _VOICEMAIL,
    "answered_by_enabled": boolean,
    "voicemail_message": text(100_000, 0),
    "voicemail_action": one_of(*_VOICEMAIL_ACTIONS),
    "amd": boolean,
    "retry": _RETRY,
    "dispositions": array(text(200)),
    "disposition_ids": array(text(128)),
    "request_data": mapping,
    "metadata": mapping,
    "webhook": webhook,
    "webhook_events": array(one_of(*_WEBHOOK_EVENTS)),
    "citation_schema_ids": array(text(128)),
    "summary_prompt": text(2000),
    "post_call_evals": array(),
    "precall_dtmf_sequence": matching(r"[0-9*#w]+", "must consist of 0-9 * # w"),
    "keywords": array(text(200), 20),
    "pronunciation_guide": array(mapping),
    "noise_cancellation": boolean,
    "background_track": either(text(64), lambda value: None if value is None else "must be null"),
    "ignore_button_press": boolean,
    "guard_rails": array(),
    "wait": boolean,
}
"""`wait` stands in no document, but the system before Leadline sent it for years and was served."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A request that fits the interface; only what the simulated call needs of it."""

    phone_number: str
    """As it was written."""
    from_number: str | None = None
    pathway_id: str | None = None
    max_duration_minutes: float = _DEFAULT_CALL_MINUTES
    start_at: float | None = None
    """Epoch seconds, business time."""
    webhook: str | None = None
    in_call_events: bool = False
    citation_schema_ids: tuple[str, ...] = ()
    retry_wait_seconds: float | None = None
    dispositions: tuple[str, ...] = ()
    request_data: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def complaints(body: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with the body of a request, one line each; empty if nothing is."""
    wrong = field_complaints(body, _FIELDS)
    if "phone_number" not in body:
        wrong.append("phone_number: is required")
    prompts = [name for name in _PROMPTS if name in body]
    if not prompts:
        wrong.append("task: is required unless a pathway_id is given")
    if len(prompts) > 1:
        wrong.append(f"{prompts[0]}: must not be sent together with {prompts[1]}")
    if _leaves_nothing(body.get("voicemail")):
        wrong.append("voicemail: message is required to leave a message")
    return wrong


@lru_cache(maxsize=256)
def _shared(words: tuple[str, ...]) -> tuple[str, ...]:
    """One object for all calls of a campaign: half of what a kept request would weigh."""
    return words


def _leaves_nothing(voicemail: object) -> bool:
    if not isinstance(voicemail, dict):
        return False
    return str(voicemail.get("action")).startswith("leave_message") and not voicemail.get("message")


def read(body: Mapping[str, Any]) -> CallRequest:
    """The request, from a body without complaints."""
    start = read_start_time(body.get("start_time"))
    retry = body.get("retry")
    caller = body.get("from")
    return CallRequest(
        phone_number=body["phone_number"],
        from_number=None if caller is None else (caller if caller.startswith("+") else f"+1{caller}"),
        pathway_id=body.get("pathway_id"),
        max_duration_minutes=float(body.get("max_duration", _DEFAULT_CALL_MINUTES)),
        start_at=start.timestamp() if start else None,
        webhook=body.get("webhook"),
        in_call_events="call" in body.get("webhook_events", ()),
        citation_schema_ids=tuple(body.get("citation_schema_ids", ())),
        retry_wait_seconds=None if retry is None else float(retry.get("wait", 0)),
        dispositions=_shared(tuple(body.get("dispositions", ()))),
        request_data=body.get("request_data", {}),
        metadata=body.get("metadata", {}),
    )
