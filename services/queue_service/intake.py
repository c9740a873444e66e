"""Leads on their way in: one lead per campaign and number, whatever is posted however often."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from leadline.contracts.leads import LeadAccepted, LeadAnswerStatus, LeadSubmission
from leadline.domain.errors import LeadlineError, RefusedPhoneNumber
from leadline.domain.ids import CampaignName, LeadId, PhoneNumber
from leadline.domain.lead import CompletionReason, LeadStatus
from leadline.domain.phone import normalise_any, parse_phone_number
from leadline.domain.rules.planning import Complete, Hold, Redial, plan_new
from leadline.runtime.ids import new_uuid7
from leadline.runtime.tracing import current_traceparent
from leadline.store import leads, phones
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection
from leadline.store.decisions import about_lead
from leadline.store.happenings import LeadReceived
from leadline.store.leads import LeadUpdate, NewLead
from leadline.store.numbers import LeadRow, NumberState, load_numbers
from leadline.store.records import Audit
from services.queue_service.backfilling.latest import last_call
from services.queue_service.policy import Policy
from services.queue_service.settle import apply_plan

OWN_COLUMNS = frozenset({"first_name", "last_name", "state", "postal_code"})


class UnknownCampaign(LeadlineError):
    """A lead was posted for a campaign that is not configured."""

    code = "unknown_campaign"


@dataclass(frozen=True, slots=True)
class Submission:
    """A lead that was checked and may be stored."""

    campaign: CampaignName
    phone_number: PhoneNumber
    posted: LeadSubmission
    refused: str | None = None
    """A real number that is not called: stored as completed, so that `why not?` has an answer."""
    traceparent: str | None = field(default=None)

    @classmethod
    def check(cls, policy: Policy, posted: LeadSubmission) -> "Submission":
        """Check a posted lead. Raises UnknownCampaign or InvalidPhoneNumber."""
        campaign = CampaignName(posted.campaign)
        if campaign not in policy.campaigns:
            known = ", ".join(sorted(policy.campaigns))
            raise UnknownCampaign(f"there is no campaign {posted.campaign!r}; configured are: {known}")
        try:
            phone_number = parse_phone_number(posted.phone_number, policy.countries)
        except RefusedPhoneNumber as error:
            refused = normalise_any(posted.phone_number)
            if refused is None:
                raise
            return cls(campaign, refused, posted, str(error), current_traceparent())
        return cls(campaign, phone_number, posted, None, current_traceparent())


async def accept_group(
    conn: Connection, policy: Policy, submissions: Sequence[Submission], actor: str
) -> list[LeadAccepted]:
    """Store or update a group of leads inside the caller's transaction; the phone numbers differ."""
    wanted = [s.phone_number for s in submissions]
    await phones.ensure_phones(conn, wanted)
    await phones.lock_phones(conn, wanted)
    numbers = await load_numbers(conn, wanted)
    changes = Changes(now=(await get_clock(conn)).now, actor=actor)
    updates: list[LeadUpdate] = []
    answers = [_accept(policy, changes, updates, numbers[s.phone_number], s) for s in submissions]
    received = zip(submissions, answers, strict=True)
    changes.happened += [LeadReceived(posted.campaign, answer.status) for posted, answer in received]
    await changes.flush(conn)
    for lead_id in await leads.update_submitted(conn, updates, changes.now):
        noted = Changes(now=changes.now, actor=actor, audit=[Audit("lead_updated", "posted_again", lead_id=lead_id)])
        await noted.flush(conn)
    return answers


def _accept(
    policy: Policy, changes: Changes, updates: list[LeadUpdate], number: NumberState, submission: Submission
) -> LeadAccepted:
    lead = number.lead_in(submission.campaign)
    if lead is None:
        return _insert(policy, changes, number, submission)
    updates.append(_update(lead, submission))
    if lead.is_known_from_calls_alone:
        _claim(policy, changes, number, lead)
        changes.decided.append(about_lead("lead_decided", lead, number.phone_number, {"kind": "claimed"}))
        return _answer(number, lead, submission, LeadAnswerStatus.QUEUED)
    return _answer(number, lead, submission, LeadAnswerStatus.DUPLICATE)


def _insert(policy: Policy, changes: Changes, number: NumberState, submission: Submission) -> LeadAccepted:
    new = _new_lead(submission)
    lead = LeadRow.of_new(new)
    number.leads[lead.id] = lead
    rules = policy.rules_for(lead.campaign)
    plan = (
        Complete(CompletionReason.REFUSED_NUMBER)
        if submission.refused
        else plan_new(changes.now, number.lead_facts(lead), number.number_facts(), rules)
    )
    if not isinstance(plan, Redial):
        new.status = LeadStatus.HELD if isinstance(plan, Hold) else LeadStatus.COMPLETED
        new.status_reason = plan.reason
    changes.new_leads.append(new)
    details = {"refused": submission.refused} if submission.refused else None
    apply_plan(changes, number, lead, plan, cause="lead_received", details=details)
    changes.decided.append(about_lead("lead_decided", lead, number.phone_number, {"kind": "received"}))
    return _answer(number, lead, submission, LeadAnswerStatus.QUEUED)


def _new_lead(submission: Submission) -> NewLead:
    posted = submission.posted
    return NewLead(
        id=LeadId(new_uuid7()),
        campaign=submission.campaign,
        phone_number=submission.phone_number,
        status=LeadStatus.PENDING,
        sender_lead_id=posted.lead_id,
        list_id=posted.list_id,
        first_name=posted.fields.get("first_name"),
        last_name=posted.fields.get("last_name"),
        state=_state(posted),
        postal_code=posted.fields.get("postal_code"),
        sender_fields={k: v for k, v in posted.fields.items() if k not in OWN_COLUMNS},
        attributes=posted.attributes,
        traceparent=submission.traceparent,
    )


def _update(lead: LeadRow, submission: Submission) -> LeadUpdate:
    posted = submission.posted
    return LeadUpdate(
        id=lead.id,
        sender_lead_id=posted.lead_id,
        list_id=posted.list_id,
        first_name=posted.fields.get("first_name"),
        last_name=posted.fields.get("last_name"),
        state=_state(posted),
        postal_code=posted.fields.get("postal_code"),
        sender_fields={k: v for k, v in posted.fields.items() if k not in OWN_COLUMNS},
        attributes=posted.attributes,
    )


def _state(posted: LeadSubmission) -> str | None:
    state = posted.fields.get("state")
    return state.strip().upper() if state else None


def _claim(policy: Policy, changes: Changes, number: NumberState, lead: LeadRow) -> None:
    """A lead that was only known from calls made elsewhere is now really a lead, unless the last of them ended it."""
    reason, last = lead.status_reason, last_call(policy, changes.now, number, lead)
    if last is not None and last.is_final:
        apply_plan(changes, number, lead, last.plan, cause="lead_received")
        return
    lead.status, lead.status_reason = LeadStatus.PENDING, None
    plan = plan_new(changes.now, number.lead_facts(lead), number.number_facts(), policy.rules_for(lead.campaign))
    lead.status, lead.status_reason = LeadStatus.HELD, reason
    apply_plan(changes, number, lead, plan, cause="lead_received")


def _answer(number: NumberState, lead: LeadRow, submission: Submission, otherwise: LeadAnswerStatus) -> LeadAccepted:
    status = otherwise
    if lead.status is LeadStatus.COMPLETED:
        suppressed = number.suppression_reason is not None
        status = LeadAnswerStatus.SUPPRESSED if suppressed else LeadAnswerStatus.COMPLETED
    return LeadAccepted(id=lead.id, lead_id=submission.posted.lead_id, status=status, reason=lead.status_reason)
