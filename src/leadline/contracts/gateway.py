"""What the gateway promises to the outside: Zapier and other senders of leads, Bland, Convoso."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from leadline.contracts.base import Message
from leadline.contracts.events import EventDisposition
from leadline.contracts.leads import LeadAnswerStatus


def scalar_text(value: object) -> object:
    """A scalar as text, stripped; null as an empty text. Whatever is nested passes through, to be refused or kept."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else value


def _schema(longest: int, *types: str) -> WithJsonSchema:
    return WithJsonSchema({"type": list(types), "maxLength": longest})


NumberText = Annotated[
    str, BeforeValidator(scalar_text), Field(min_length=1, max_length=64), _schema(64, "string", "number")
]
SenderId = Annotated[
    str, BeforeValidator(scalar_text), Field(min_length=1, max_length=128), _schema(128, "string", "number")
]
Scalar = Annotated[
    str, BeforeValidator(scalar_text), Field(max_length=1000), _schema(1000, "string", "number", "boolean", "null")
]


class PostedLead(BaseModel):
    """A lead as senders post it, as JSON or as a form. Other keys become attributes; blank values count as absent."""

    model_config = ConfigDict(extra="allow", frozen=True)

    phone_number: NumberText
    """Any usual spelling of a US number."""
    lead_id: SenderId
    list_id: SenderId
    first_name: Scalar = ""
    last_name: Scalar = ""
    state: Scalar = ""
    postal_code: Scalar = ""
    status: Scalar = ""
    email: Scalar = ""
    address1: Scalar = ""
    city: Scalar = ""
    date_of_birth: Scalar = ""
    age: Scalar = ""
    call_log_id: Scalar = ""
    call_attempts: Scalar = ""


class LeadReceived(Message):
    """The lead is stored. A business refusal (suppressed, completed) is a success: senders switch off what fails."""

    success: bool = True
    request_id: UUID
    lead_id: str
    status: LeadAnswerStatus


class EventReceived(Message):
    """The event is stored, byte for byte."""

    success: bool = True
    request_id: UUID
    disposition: EventDisposition


class CrmEventReceived(Message):
    """`POST /webhooks/convoso`: the event is stored, byte for byte. What it means is found out afterwards."""

    success: bool = True
