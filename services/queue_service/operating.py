"""The operators' verbs on leads, numbers, campaigns and the account. Each is one transaction with an audit line."""

from datetime import datetime

from leadline.domain.attempt import AttemptState
from leadline.domain.errors import LeadlineError
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import CompletionReason, LeadStatus
from leadline.domain.rules.planning import plan_new, plan_rescheduled, plan_resumed
from leadline.domain.transitions import LeadVerb, lead_transition
from leadline.store import gate, leads, phones, suppressions
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.decisions import Decided, about_lead
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from leadline.store.records import Audit, LeadChange
from services.queue_service.policy import Policy
from services.queue_service.settle import apply_plan, complete_lead, keep_calling, stop_live_call, suppress_number


class NotFound(LeadlineError):
    """There is no such thing."""

    code = "not_found"


class NumberSuppressed(LeadlineError):
    """The number is on the suppression list."""

    code = "number_suppressed"


async def _locked_lead(conn: Connection, lead_id: LeadId, actor: str) -> tuple[Changes, NumberState, LeadRow]:
    phone_number = await leads.find_phone(conn, lead_id)
    if phone_number is None:
        raise NotFound(f"there is no lead {lead_id}: look it up by number with GET /v1/leads?phone_number=")
    await phones.lock_phones(conn, [phone_number])
    number = (await load_numbers(conn, [phone_number]))[phone_number]
    return Changes(now=(await get_clock(conn)).now, actor=actor), number, number.leads[lead_id]


def _say(changes: Changes, lead: LeadRow, verb: LeadVerb, reason: str) -> None:
    changes.audit.append(Audit(f"lead_{verb}", reason, lead_id=lead.id, campaign=lead.campaign))
    _note_decision(changes, lead, verb)


def _note_decision(changes: Changes, lead: LeadRow, verb: LeadVerb) -> None:
    """Who did what; why is in the audit log, in words that are not for logs."""
    changes.decided.append(about_lead("lead_decided", lead, None, {"kind": verb, "actor": changes.actor}))


async def pause_lead(conn: Connection, lead_id: LeadId, reason: str, actor: str) -> None:
    """Plan a lead no more until it is resumed; a promise is remembered. Raises NotFound, IllegalTransition."""
    changes, _, lead = await _locked_lead(conn, lead_id, actor)
    status = lead_transition(lead.status, LeadVerb.PAUSE)
    changes.leads.append(LeadChange(lead.id, status, reason, lead.scheduled_callback_at, lead.extra_attempts))
    changes.not_due.append(lead.id)
    lead.status, lead.due_at = status, None
    _say(changes, lead, LeadVerb.PAUSE, reason)
    await changes.flush(conn)


async def resume_lead(conn: Connection, policy: Policy, lead_id: LeadId, reason: str, actor: str) -> None:
    """Plan a paused or held lead again. Raises NotFound, IllegalTransition."""
    changes, number, lead = await _locked_lead(conn, lead_id, actor)
    lead_transition(lead.status, LeadVerb.RESUME)
    _say(changes, lead, LeadVerb.RESUME, reason)
    rules = policy.rules_for(lead.campaign)
    plan = plan_resumed(changes.now, number.lead_facts(lead), number.number_facts(), rules)
    apply_plan(changes, number, lead, plan, cause="lead_resume")
    keep_calling(changes, number, lead)
    await changes.flush(conn)


async def complete_by_operator(conn: Connection, lead_id: LeadId, reason: str, actor: str) -> None:
    """Complete a lead as `removed`. Raises NotFound, IllegalTransition."""
    changes, number, lead = await _locked_lead(conn, lead_id, actor)
    lead_transition(lead.status, LeadVerb.COMPLETE)
    complete_lead(changes, lead, CompletionReason.REMOVED, cause="lead_complete", details={"why": reason})
    _note_decision(changes, lead, LeadVerb.COMPLETE)
    live = number.open_attempt
    if live is not None and live.lead_id == lead.id:
        stop_live_call(changes, number, "lead_completed")
    await changes.flush(conn)


async def reschedule_lead(
    conn: Connection, policy: Policy, lead_id: LeadId, due_at: datetime, reason: str, actor: str
) -> None:
    """Call a lead at a time an operator names, moved into legal hours. Raises NotFound, IllegalTransition."""
    changes, number, lead = await _locked_lead(conn, lead_id, actor)
    lead_transition(lead.status, LeadVerb.RESCHEDULE)
    _say(changes, lead, LeadVerb.RESCHEDULE, reason)
    rules = policy.rules_for(lead.campaign)
    plan = plan_rescheduled(changes.now, due_at, number.lead_facts(lead), number.number_facts(), rules)
    apply_plan(changes, number, lead, plan, cause="lead_reschedule")
    keep_calling(changes, number, lead)
    await changes.flush(conn)


async def reopen_lead(conn: Connection, policy: Policy, lead_id: LeadId, reason: str, actor: str) -> None:
    """Give a completed lead a new life with its attempts counted anew.

    Raises NotFound, IllegalTransition, and NumberSuppressed while the number is on the list.
    """
    changes, number, lead = await _locked_lead(conn, lead_id, actor)
    if number.suppression_reason is not None:
        raise NumberSuppressed("the number is on the suppression list: a lead is not reopened while it is")
    lead_transition(lead.status, LeadVerb.REOPEN)
    await leads.begin_new_life(conn, lead_id, changes.now)
    lead.life_started_at, lead.attempts_before, lead.extra_attempts = changes.now, 0, 0
    lead.attempts_before_on, lead.attempts_before_that_day = None, 0
    lead.status, lead.status_reason = LeadStatus.PENDING, None
    _say(changes, lead, LeadVerb.REOPEN, reason)
    plan = plan_new(changes.now, number.lead_facts(lead), number.number_facts(), policy.rules_for(lead.campaign))
    lead.status = LeadStatus.COMPLETED
    apply_plan(changes, number, lead, plan, cause="lead_reopen")
    keep_calling(changes, number, lead)
    await changes.flush(conn)


async def suppress(
    conn: Connection, policy: Policy, phone_number: PhoneNumber, reason: str, source: str, actor: str
) -> None:
    """Put a number on the list; what is ringing is stopped. Doing it twice changes nothing."""
    await phones.ensure_phones(conn, [phone_number])
    await phones.lock_phones(conn, [phone_number])
    number = (await load_numbers(conn, [phone_number]))[phone_number]
    changes = Changes(now=(await get_clock(conn)).now, actor=actor)
    if number.suppression_reason is None:
        suppress_number(changes, policy, number, reason, source=source)
        changes.decided.append(Decided("number_suppressed", phone_number=phone_number, details={"actor": actor}))
        live = number.open_attempt
        if live is not None and live.state is AttemptState.LEASED:
            changes.audit.append(Audit("suppressed_while_leased", reason, attempt_id=live.id))
    await changes.flush(conn)


async def unsuppress(conn: Connection, phone_number: PhoneNumber, reason: str, actor: str) -> None:
    """Take a number off the list; reopens nothing. Raises NotFound."""
    await phones.ensure_phones(conn, [phone_number])
    await phones.lock_phones(conn, [phone_number])
    if not await suppressions.delete_suppression(conn, phone_number):
        raise NotFound("the number is not on the suppression list: nothing to remove")
    changes = Changes(now=(await get_clock(conn)).now, actor=actor)
    changes.audit.append(Audit("suppression_removed", reason, phone_number=phone_number))
    changes.decided.append(Decided("suppression_removed", phone_number=phone_number, details={"actor": actor}))
    await changes.flush(conn)


async def pause_campaign(conn: Connection, policy: Policy, campaign: CampaignName, reason: str, actor: str) -> None:
    """Dial no lead of a campaign until it is resumed; calls that are out go on. Raises NotFound."""
    _known(policy, campaign)
    now = (await get_clock(conn)).now
    await gate.pause_campaign(conn, campaign, now, reason, automatic=False)
    await _note(conn, now, actor, Audit("campaign_paused", reason, campaign=campaign))


async def resume_campaign(conn: Connection, policy: Policy, campaign: CampaignName, reason: str, actor: str) -> None:
    """Dial a campaign's leads again. Raises NotFound."""
    _known(policy, campaign)
    await gate.resume_campaign(conn, campaign)
    await _note(conn, (await get_clock(conn)).now, actor, Audit("campaign_resumed", reason, campaign=campaign))


def _known(policy: Policy, campaign: CampaignName) -> None:
    if campaign not in policy.campaigns:
        known = ", ".join(sorted(policy.campaigns))
        raise NotFound(f"there is no campaign {campaign!r}; configured are: {known}")


async def pause_account(conn: Connection, reason: str, actor: str) -> None:
    """Dial nothing at all until an operator resumes the account."""
    now = (await get_clock(conn)).now
    await gate.pause_account(conn, now, reason, automatic=False)
    await _note(conn, now, actor, Audit("account_paused", reason))


async def resume_account(conn: Connection, reason: str, actor: str) -> bool:
    """Let the account dial again. The sweep may lift only a pause that no operator set; False if nothing changed."""
    resumed = await gate.resume_account(conn, only_automatic=actor == "sweep")
    if resumed:
        await _note(conn, (await get_clock(conn)).now, actor, Audit("account_resumed", reason))
    return resumed


async def release_dispatch(conn: Connection, reason: str, actor: str) -> None:
    """Dial again after a failover, once the provider's history was reconciled."""
    await gate.release_dispatch(conn)
    await _note(conn, (await get_clock(conn)).now, actor, Audit("dispatch_released", reason))


async def _note(conn: Connection, now: datetime, actor: str, audit: Audit) -> None:
    told = Decided(audit.verb, campaign=audit.campaign, details={"actor": actor})
    await Changes(now=now, actor=actor, audit=[audit], decided=[told]).flush(conn)
