"""The operators' routes: leads, suppressions, pauses, explanation, statistics."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from leadline.contracts.base import Message


class Reason(Message):
    """Body of an operator's verb: why, kept in the audit log."""

    reason: str = Field(min_length=1, max_length=500)


class Reschedule(Message):
    """`POST /v1/leads/{id}/reschedule`: calls at `due_at` (any ISO 8601 with an offset), moved into legal hours."""

    due_at: datetime
    reason: str = Field(min_length=1, max_length=500)


class AttemptView(Message):
    """One attempt as operators see it."""

    id: UUID
    attempt_no: int
    origin: str
    state: str
    close_reason: str | None
    leased_at: datetime
    marked_at: datetime | None
    placed_at: datetime | None
    closed_at: datetime | None
    call_id: str | None
    outcome: str | None
    evidence: str | None
    answered_by: str | None
    talk_seconds: float | None
    price_dollars: float | None


class LeadView(Message):
    """One lead in the words of the queue entry (spec, section 2)."""

    id: UUID
    campaign: str
    lead_id: str | None
    list_id: str | None
    phone_number: str
    first_name: str | None
    last_name: str | None
    state: str | None
    status: str
    status_reason: str | None
    attempts: int
    attempts_today: int
    created_at: datetime
    updated_at: datetime
    next_redial_at: datetime | None
    last_call_at: datetime | None
    last_outcome: str | None
    scheduled_callback_at: datetime | None
    outcomes: list[str]


class AuditEntry(Message):
    """One change, as it was recorded in the transaction that made it."""

    at: datetime
    actor: str
    verb: str
    reason: str | None
    details: dict[str, Any]


class LeadDetails(Message):
    """`GET /v1/leads/{id}`."""

    lead: LeadView
    attempts: list[AttemptView]
    history: list[AuditEntry]


class LeadList(Message):
    """`GET /v1/leads?phone_number=`."""

    leads: list[LeadView]


class RuleView(Message):
    """What one rule says, in words."""

    rule: str
    allowed: bool
    code: str
    words: str
    until: datetime | None


class Explanation(Message):
    """`GET /v1/leads/{id}/explanation`: why it is due when it is, or why it is not called, rule by rule."""

    lead_id: UUID
    at: datetime
    verdict: str
    """One sentence."""
    next_call_at: datetime | None
    rules: list[RuleView]


class SuppressionRequest(Message):
    """`PUT /v1/suppressions/{phone_number}`."""

    reason: str = Field(min_length=1, max_length=500)
    source: str = Field(default="operator", max_length=64)


class SuppressionView(Message):
    """One number on the list."""

    phone_number: str
    reason: str
    source: str
    created_at: datetime


class CampaignView(Message):
    """One campaign and its pause switch."""

    campaign: str
    paused: bool
    pause_reason: str | None
    window_open: bool
    next_opening_at: datetime | None


class CampaignList(Message):
    """`GET /v1/campaigns`."""

    campaigns: list[CampaignView]


class Gates(Message):
    """Whether anything can be dialled at all, and what holds it."""

    account_paused: bool
    account_pause_reason: str | None
    dispatch_held: bool
    dispatch_held_reason: str | None


class CapView(Message):
    """One cap of the provider's plan, and what counts against it now."""

    cap: str
    """`concurrent`, `hour` or `day`."""
    used: int
    limit: int


class Stats(Message):
    """`GET /v1/stats`: read at most every few seconds; `as_of` is business time."""

    as_of: datetime
    leads_by_status: dict[str, int]
    due_now: int
    oldest_due_seconds: float
    """Business seconds by which the longest-waiting due lead is late."""
    next_due_at: datetime | None
    open_attempts: dict[str, int]
    oldest_open_seconds: dict[str, float] = Field(default_factory=dict)
    """By state, real seconds since the oldest was placed, else sent, else leased."""
    caps: list[CapView] = Field(default_factory=list)
    """Empty if the plan has none."""
    calls_today: int
    outcomes_today: dict[str, int]
    suppressions: int
    unapplied_events: int
    unconfirmed_stop_orders: int
    gates: Gates
    campaigns: list[CampaignView]
    last_sweep_at: datetime | None
    last_sweep_counters: dict[str, int]
    alarms: dict[str, int]
    """By kind, of the last day of business time."""
    held_by_reason: dict[str, int] = Field(default_factory=dict)
    """Held leads by what they wait for."""
    crm_waiting: int = 0
    """Messages that the CRM has not got yet."""
    crm_dead: int = 0
    """Messages that the CRM refused: dead letters, for people."""
