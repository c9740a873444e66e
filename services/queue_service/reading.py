"""What operators read: leads in the words of the queue entry, and the figures of the board."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any

from leadline.contracts.operators import (
    AttemptView,
    AuditEntry,
    CampaignView,
    CapView,
    Gates,
    LeadDetails,
    LeadView,
    Stats,
)
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.store import crm_outbox, gate, measures, stats, views
from leadline.store.connection import Connection, Row
from leadline.store.gate import Gate
from services.queue_service.operating import NotFound
from services.queue_service.plan_caps import read_caps
from services.queue_service.policy import Policy

HISTORY_LIMIT = 200
ALARMS_SHOWN = timedelta(days=1)
"""Business time for which an alarm is counted in the figures; the rows stay."""
CALLING = "calling"
"""Shown while an attempt is open; never stored."""


async def read_leads(conn: Connection, policy: Policy, lead_ids: Sequence[LeadId]) -> list[LeadView]:
    """Leads as the queue entry shows them, the oldest first."""
    now = (await gate.read_gate(conn)).now
    attempts: dict[LeadId, list[Row]] = {}
    for row in await views.list_attempts(conn, lead_ids):
        attempts.setdefault(LeadId(row["lead_id"]), []).append(row)
    inbound: dict[LeadId, list[str]] = {}
    for row in await views.list_inbound_outcomes(conn, lead_ids):
        inbound.setdefault(LeadId(row["lead_id"]), []).append(row["outcome"])
    rows = await views.list_leads(conn, lead_ids)
    return [_view(policy, now, r, attempts.get(LeadId(r["id"]), []), inbound.get(LeadId(r["id"]), [])) for r in rows]


def _view(policy: Policy, now: datetime, row: Row, attempts: Sequence[Row], inbound: Sequence[str]) -> LeadView:
    counted = [a for a in attempts if a["counted"]]
    outcomes = [*row["outcomes_before"], *(a["outcome"] for a in attempts if a["outcome"])]
    today = _start_of_day(policy, CampaignName(row["campaign"]), now)
    elsewhere_today = row["attempts_before_that_day"] if row["attempts_before_on"] == today.date() else 0
    dispatched = [a["marked_at"] or a["leased_at"] for a in counted]
    return LeadView(
        id=row["id"],
        campaign=row["campaign"],
        lead_id=row["sender_lead_id"],
        list_id=row["list_id"],
        phone_number=row["phone_number"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        state=row["state"],
        status=CALLING if row["calling"] else row["status"],
        status_reason=row["status_reason"],
        attempts=len(counted) + row["attempts_before"],
        attempts_today=sum(1 for at in dispatched if at >= today) + elsewhere_today,
        created_at=row["created_at"],
        updated_at=max([row["updated_at"], *(a["closed_at"] for a in attempts if a["closed_at"])]),
        next_redial_at=None if row["calling"] else row["due_at"],
        last_call_at=max(filter(None, (*dispatched, row["last_call_before"])), default=None),
        last_outcome=outcomes[-1] if outcomes else None,
        scheduled_callback_at=row["scheduled_callback_at"],
        outcomes=[*outcomes, *inbound],
    )


def _start_of_day(policy: Policy, campaign: CampaignName, now: datetime) -> datetime:
    local = now.astimezone(policy.rules_for(campaign).hours.zone)
    return datetime.combine(local.date(), time(0), local.tzinfo)


async def read_lead(conn: Connection, policy: Policy, lead_id: LeadId) -> LeadDetails:
    """One lead with its attempts and its history, the newest change first. Raises NotFound."""
    found = await read_leads(conn, policy, [lead_id])
    if not found:
        raise NotFound(f"there is no lead {lead_id}: look it up by number with GET /v1/leads?phone_number=")
    attempts = await views.list_attempts(conn, [lead_id])
    history = await views.list_history(conn, lead_id, PhoneNumber(found[0].phone_number), HISTORY_LIMIT)
    names = AttemptView.model_fields.keys()
    return LeadDetails(
        lead=found[0],
        attempts=[AttemptView(**{name: row[name] for name in names}) for row in attempts],
        history=[AuditEntry(**dict(row)) for row in history],
    )


async def find_leads(conn: Connection, policy: Policy, phone_number: PhoneNumber) -> list[LeadView]:
    """The leads of a number."""
    return await read_leads(conn, policy, await views.find_leads_of_number(conn, phone_number))


def campaign_views(policy: Policy, state: Gate) -> list[CampaignView]:
    """Each campaign, whether it is paused, and when it opens next."""
    result = []
    for name, rules in policy.campaigns.items():
        is_open = rules.hours.is_open(state.now)
        reason = state.paused_campaigns.get(name)
        result.append(
            CampaignView(
                campaign=name,
                paused=reason is not None,
                pause_reason=reason,
                window_open=is_open,
                next_opening_at=None if is_open else rules.hours.next_opening(state.now),
            )
        )
    return result


def gate_view(state: Gate) -> Gates:
    """What holds all dialling."""
    return Gates(
        account_paused=state.account_paused,
        account_pause_reason=state.account_pause_reason,
        dispatch_held=state.failover or state.held_since is not None,
        dispatch_held_reason=state.held_reason or ("failover" if state.failover else None),
    )


async def read_stats(conn: Connection, policy: Policy) -> Stats:
    """The board's figures; counts whole tables, so the caller keeps the answer for a few seconds."""
    state = await gate.read_gate(conn)
    due = await stats.read_due(conn, state.now)
    today = await stats.count_outcomes_since(conn, _start_of_day(policy, policy.default_campaign, state.now))
    suppressed, unapplied, unconfirmed = await stats.count_trouble(conn)
    sweep: Any = await stats.last_sweep(conn)
    crm_waiting, crm_dead = await crm_outbox.count_open(conn)
    oldest = due["oldest_due_at"]
    moment = await measures.read_moment(conn)
    attempts = await measures.count_open_attempts(conn)
    sent = sum(number for name, (number, _) in attempts.items() if name != AttemptState.LEASED)
    return Stats(
        as_of=state.now,
        leads_by_status=await stats.count_leads(conn),
        held_by_reason=await stats.count_held(conn),
        due_now=due["due_now"],
        oldest_due_seconds=(state.now - oldest).total_seconds() if oldest else 0.0,
        next_due_at=due["next_due_at"],
        open_attempts={name: number for name, (number, _) in attempts.items()},
        oldest_open_seconds={name: moment.seconds_since(since) for name, (_, since) in attempts.items()},
        caps=[CapView(**asdict(use)) for use in await read_caps(conn, policy, state.now, state.speed, sent)],
        calls_today=sum(today.values()),
        outcomes_today={outcome: n for outcome, n in sorted(today.items()) if outcome},
        suppressions=suppressed,
        unapplied_events=unapplied,
        unconfirmed_stop_orders=unconfirmed,
        gates=gate_view(state),
        campaigns=campaign_views(policy, state),
        last_sweep_at=sweep["finished_at"] if sweep else None,
        last_sweep_counters=sweep["counters"] if sweep else {},
        alarms=await stats.count_alarms(conn, state.now - ALARMS_SHOWN),
        crm_waiting=crm_waiting,
        crm_dead=crm_dead,
    )
