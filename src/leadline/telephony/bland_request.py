"""The body of `POST /v1/calls`: typed, and only fields that Bland documents.

Bland refuses unknown fields; the deprecated flat voicemail fields once lost every voicemail; `retry` would make Bland
dial again by itself. None of them can be expressed here.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadline.contracts.campaign_file import DEFAULT_DISPOSITIONS, DiallingSettings
from leadline.telephony.port import CallRequest

WEBHOOK_PATH: Final = "/webhooks/bland-callback"


class VoicemailBody(BaseModel):
    """What to do at a voicemail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["hangup", "leave_message", "ignore"]
    message: str | None = None


class CallBody(BaseModel):
    """One call as Bland reads it. `max_duration` is in minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    phone_number: str
    pathway_id: str | None = None
    pathway_version: int | str | None = None
    start_node_id: str | None = None
    task: str | None = None
    from_number: str | None = Field(default=None, alias="from")
    voice: str | None = None
    model: str | None = None
    language: str | None = None
    first_sentence: str | None = None
    wait_for_greeting: bool | None = None
    block_interruptions: bool | None = None
    record: bool | None = None
    timezone: str | None = None
    max_duration: int
    voicemail: VoicemailBody | None = None
    dispositions: list[str]
    request_data: dict[str, str]
    metadata: dict[str, str]
    webhook: str | None = None


def call_body(request: CallRequest, public_url: str | None) -> dict[str, Any]:
    """The JSON body that asks for this call.

    Args:
        public_url: where the provider reaches the gateway; None leaves the webhook to the account's fallback URL.
    """
    body = CallBody(
        phone_number=request.phone_number,
        dispositions=list(request.dialling.dispositions or DEFAULT_DISPOSITIONS),
        max_duration=request.dialling.max_duration_minutes,
        voicemail=_voicemail(request.dialling),
        request_data=dict(request.request_data),
        metadata=_metadata(request),
        webhook=public_url.rstrip("/") + WEBHOOK_PATH if public_url else None,
        **request.dialling.model_dump(
            include={
                "pathway_id",
                "pathway_version",
                "start_node_id",
                "task",
                "from_number",
                "voice",
                "model",
                "language",
                "first_sentence",
                "wait_for_greeting",
                "block_interruptions",
                "record",
                "timezone",
            }
        ),
    )
    return body.model_dump(by_alias=True, exclude_none=True)


def _voicemail(dialling: DiallingSettings) -> VoicemailBody | None:
    voicemail = dialling.voicemail
    if voicemail is None:
        return None
    return VoicemailBody(action=voicemail.effective_action, message=voicemail.message)


def _metadata(request: CallRequest) -> dict[str, str]:
    """Returned with every result, of unanswered calls too: how a result finds its attempt."""
    metadata = {"attempt_id": str(request.attempt_id), "campaign": request.campaign}
    return metadata | ({"traceparent": request.traceparent} if request.traceparent else {})
