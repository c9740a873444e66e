"""A lead on its way in, and what is answered."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from leadline.contracts.base import Message


class LeadSubmission(Message):
    """One lead as the gateway hands it to the queue-service: `POST /v1/leads`.

    `fields` are the sender's optional fields by name, blanks left out; `attributes` are all other keys.
    `phone_number` is the sender's text; the queue-service parses it.
    """

    campaign: str = Field(min_length=1, max_length=64)
    phone_number: str = Field(min_length=1, max_length=64)
    lead_id: str = Field(min_length=1, max_length=128, description="The sender's id of the lead")
    list_id: str = Field(min_length=1, max_length=128)
    fields: dict[str, str] = Field(default_factory=dict, max_length=32)
    attributes: dict[str, str] = Field(default_factory=dict, max_length=200)


class LeadAnswerStatus(StrEnum):
    """What became of a posted lead."""

    QUEUED = "queued"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"
    COMPLETED = "completed"


class LeadAccepted(Message):
    """The lead is in Postgres. `id` is ours, `lead_id` the sender's."""

    id: UUID
    lead_id: str
    status: LeadAnswerStatus
    reason: str | None = None


LEAD_FIELDS = (
    "first_name",
    "last_name",
    "state",
    "postal_code",
    "status",
    "email",
    "address1",
    "city",
    "date_of_birth",
    "age",
    "call_log_id",
    "call_attempts",
)
"""The optional keys of a lead body that have a meaning; every other key is an attribute."""
