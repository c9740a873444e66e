"""A call as Bland prints it: details (which are also the post-call webhook), list item, active item, second POST."""

from typing import Any, Final

from leadline.domain.outcome import Outcome
from services.simulator.bland.call import Call
from services.simulator.bland.scenes import AGENT_NUMBER, Line, Scene, scene
from services.simulator.clock import iso

_TRANSFER_SHARE: Final = 0.4
"""How far into a transferred call the agent takes over."""
_SPEAKING_SECONDS: Final = 4.0
_USER_ID: Final = "simulated-account"


def details(call: Call, now: float) -> dict[str, Any]:
    """`GET /v1/calls/{id}`, and the body of the post-call webhook once the call has ended."""
    if call.live:
        return _frame(call) | _unfinished(call, now)
    if call.canceled:
        return _frame(call) | _ended(call) | _canceled()
    played = scene(call.fate)
    body = _frame(call) | _ended(call) | _chosen_disposition(call) | dict(played.fields) | _said(call, played)
    body["variables"] |= played.variables
    if call.fate.callback_at is not None:
        body["variables"]["callback_requested_at"] = call.fate.callback_at
    if call.fate.outcome is Outcome.TRANSFERRED:
        body |= _transfer(call)
    return body | dict(call.fate.body or {})


def _frame(call: Call) -> dict[str, Any]:
    to, from_ = (call.our_number, call.number) if call.inbound else (call.number, call.our_number)
    frame: dict[str, Any] = {
        "call_id": call.id,
        "c_id": call.id,
        "batch_id": None,
        "to": to,
        "from": from_,
        "inbound": call.inbound,
        "endpoint_url": "api.bland.ai",
        "created_at": iso(call.created_at),
        "max_duration": call.request.max_duration_minutes,
        "pathway_id": call.request.pathway_id,
        "metadata": call.request.metadata,
        "variables": _variables(call, to, from_),
        "is_proxy_agent_call": False,
        "local_dialing": False,
        "record": False,
        "recording_url": None,
        "citation_schema_ids": list(call.request.citation_schema_ids),
    }
    return frame | {"isRetry": True} if call.is_retry else frame


def _variables(call: Call, to: str, from_: str) -> dict[str, Any]:
    own = {
        "now_utc": iso(call.created_at),
        "to": to,
        "from": from_,
        "short_to": to.removeprefix("+1"),
        "short_from": from_.removeprefix("+1"),
        "phone_number": call.number,
        "call_id": call.id,
        "country": "US",
    }
    return own | dict(call.request.request_data)


def _unfinished(call: Call, now: float) -> dict[str, Any]:
    begun = now >= call.started_at
    return _silence() | {
        "completed": False,
        "queue_status": "started" if begun else "queued",
        "status": None,
        "answered_by": None,
        "call_length": None,
        "corrected_duration": None,
        "price": None,
        "started_at": iso(call.started_at) if begun else None,
        "end_at": None,
    }


def _ended(call: Call) -> dict[str, Any]:
    seconds = length_seconds(call)
    return _silence() | {
        "completed": True,
        "queue_status": "complete_error" if call.webhook_failed else "complete",
        "status": "completed",
        "answered_by": "human",
        "call_length": round(seconds / 60, 4),
        "corrected_duration": str(round(seconds)),
        "price": round(call.price_dollars, 4),
        "started_at": iso(call.started_at),
        "end_at": None if call.ended_at is None else iso(call.ended_at),
        "call_ended_by": _ended_by(call),
    }


def _silence() -> dict[str, Any]:
    return {
        "error_message": None,
        "pathway_tags": [],
        "disposition_tag": None,
        "warm_transfer_call": None,
        "transferred_to": None,
        "transferred_at": None,
        "pre_transfer_duration": None,
        "post_transfer_duration": None,
        "call_ended_by": None,
        "summary": None,
        "concatenated_transcript": "",
        "transcripts": [],
    }


def _canceled() -> dict[str, Any]:
    return {"completed": False, "status": "canceled", "answered_by": None, "call_ended_by": None}


def _ended_by(call: Call) -> str | None:
    if not call.fate.reached:
        return None
    return "ASSISTANT" if call.stopped or call.fate.variant < 0.5 else "USER"


def length_seconds(call: Call) -> float:
    """What the provider counts: the talk, or the ringing if nobody answered; nothing if it failed or was cancelled."""
    if call.ended_at is None or call.canceled or call.fate.outcome in {Outcome.FAILED, Outcome.BAD_NUMBER}:
        return 0.0
    return call.ended_at - (call.answered_at if call.fate.answered else call.started_at)


def _chosen_disposition(call: Call) -> dict[str, Any]:
    """The AI answers in the request's own words if they hold the outcome; in the rest of calls it chooses none."""
    name = call.fate.outcome.value
    if call.fate.reached and call.fate.variant >= 0.5 and name in call.request.dispositions:
        return {"disposition_tag": name}
    return {}


def _said(call: Call, played: Scene) -> dict[str, Any]:
    if not played.lines:
        return {}
    transcripts = [] if played.only_concatenated else [_line(call, n, line) for n, line in enumerate(played.lines)]
    return {
        "concatenated_transcript": "".join(f" {speaker}: {text} \n" for speaker, text in played.lines),
        "transcripts": transcripts,
        "summary": f"A call of {round(length_seconds(call))} seconds.",
    }


def _line(call: Call, n: int, line: Line) -> dict[str, Any]:
    spoken_at = call.answered_at + n * _SPEAKING_SECONDS
    return {"id": n, "created_at": iso(spoken_at), "user": line[0], "text": line[1]}


def _transfer(call: Call) -> dict[str, Any]:
    before = length_seconds(call) * _TRANSFER_SHARE
    proxy = {"state": "MERGED", "call_id": f"{call.id}-agent", "phone_number": AGENT_NUMBER}
    return {
        "warm_transfer_call": {"state": "MERGED", "proxy_agent_calls": [proxy]},
        "transferred_at": iso(call.answered_at + before),
        "pre_transfer_duration": round(before / 60, 4),
        "post_transfer_duration": round((length_seconds(call) - before) / 60, 4),
    }


def list_item(call: Call, now: float) -> dict[str, Any]:
    """One item of `GET /v1/calls`: no transcripts, no metadata, no variables, no `status`."""
    whole = details(call, now)
    item = {key: whole.get(key) for key in _LISTED}
    item["from" if call.inbound else "to"] = call.listed_number
    return item


_LISTED: Final = (
    "call_id",
    "created_at",
    "call_length",
    "to",
    "from",
    "completed",
    "queue_status",
    "error_message",
    "answered_by",
    "batch_id",
    "inbound",
)


def active_item(call: Call, now: float) -> dict[str, Any]:
    """One item of `GET /v1/calls/active`."""
    return {
        "call_id": call.id,
        "user_id": _USER_ID,
        "from": call.number if call.inbound else call.our_number,
        "to": call.our_number if call.inbound else call.number,
        "objective": None,
        "pathway_id": call.request.pathway_id,
        "start_time": iso(call.started_at),
        "international": False,
        "status": "IN_PROGRESS" if now >= call.started_at else "QUEUED",
        "timestamp": str(round(call.created_at * 1000)),
    }


def citations(call: Call, now: float) -> dict[str, Any]:
    """The second POST of a call."""
    return {
        "call_id": call.id,
        "user_id": _USER_ID,
        "event_type": "citations",
        "timestamp": iso(now),
        "citations": [{"schema": "plan", "values": {"plan_type": "family"}}],
    }


def in_call_event(call: Call) -> dict[str, Any]:
    """What is sent to the same address while the call goes on."""
    return {"message": "Agent speech", "call_id": call.id, "category": "call", "log_level": "info"}
