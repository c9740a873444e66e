"""Leads, attempts and explanations as people read them."""

from rich.console import RenderableType
from rich.text import Text

from leadline.contracts.operators import AttemptView, Explanation, LeadDetails, LeadView
from services.cli.printing import RED, duration, fields, moment, table, text

HISTORY_LINES = 12
"""Of the audit log; all of it with --json."""


def lead_summary(lead: LeadView) -> RenderableType:
    """One lead, as it stands."""
    status = f"{lead.status} ({lead.status_reason})" if lead.status_reason else lead.status
    name = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    return fields(
        (
            ("lead", Text.assemble((str(lead.id), "bold"), "  in ", text(lead.campaign))),
            ("number", lead.phone_number),
            ("name", name or None),
            ("state", lead.state),
            ("sender's id", f"{lead.lead_id or '-'} in list {lead.list_id or '-'}"),
            ("status", status),
            ("attempts", f"{lead.attempts}, {lead.attempts_today} of them today"),
            ("next call", moment(lead.next_redial_at)),
            ("callback promised", moment(lead.scheduled_callback_at)),
            ("last call", _last_call(lead)),
            ("outcomes", ", ".join(lead.outcomes) or None),
        )
    )


def _last_call(lead: LeadView) -> str | None:
    at = moment(lead.last_call_at)
    return f"{at}: {lead.last_outcome}" if at and lead.last_outcome else at


def lead_parts(details: LeadDetails) -> list[RenderableType]:
    """One lead with its attempts and the end of its history."""
    parts: list[RenderableType] = [lead_summary(details.lead)]
    if details.attempts:
        parts += ["", _attempts(details.attempts)]
    if details.history:
        history = table("at", "who", "what", "why", title="history")
        for entry in details.history[-HISTORY_LINES:]:
            history.add_row(text(moment(entry.at)), text(entry.actor), text(entry.verb), text(entry.reason))
        parts += ["", history]
    return parts


def _attempts(attempts: list[AttemptView]) -> RenderableType:
    made = table("no", "state", "placed", "outcome", "why", "talk", "call", title="attempts")
    for attempt in attempts:
        talk = None if attempt.talk_seconds is None else duration(attempt.talk_seconds)
        made.add_row(
            text(attempt.attempt_no),
            text(attempt.state),
            text(moment(attempt.placed_at or attempt.marked_at or attempt.leased_at)),
            text(attempt.outcome),
            text(attempt.evidence or attempt.close_reason),
            text(talk),
            text(attempt.call_id),
        )
    return made


def explanation_parts(explanation: Explanation) -> list[RenderableType]:
    """The verdict, then what each rule says."""
    rules = table("rule", "", "says", "until")
    for rule in explanation.rules:
        mark = text("yes") if rule.allowed else text("NO", RED)
        rules.add_row(text(rule.rule), mark, text(rule.words), text(moment(rule.until) or ""))
    heading = fields(
        (
            ("lead", explanation.lead_id),
            ("at", moment(explanation.at)),
            ("verdict", text(explanation.verdict, "bold")),
            ("next call", moment(explanation.next_call_at)),
        )
    )
    return [heading, "", rules]
