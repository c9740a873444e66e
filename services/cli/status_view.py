"""What the queue-service's figures say, a line for each thing; a line that is wrong says what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from leadline.contracts.operators import CampaignView, Stats
from leadline.domain.attempt import AttemptState
from services.cli.printing import RED, counted, duration, fields, moment, text

LATE_SECONDS: Final = 120.0
"""Business seconds by which an open, unpaused due lead may be late before that is called wrong."""
SWEEP_OVERDUE: Final = timedelta(minutes=15)
"""Business time; the sweep runs every five minutes."""
UNKNOWN_SECONDS: Final = 3600.0
"""Real seconds; by then several sweeps have looked."""
_CAPS: Final = {"concurrent": "at once", "hour": "in an hour", "day": "in a day"}
_PROMISES_VIOLATED: Final = "promises.violated"

_ALARM_HINTS: Final = {
    "account_paused": "Bland refused the account: mend key or balance; the sweep resumes it",
    "attempt_abandoned": "decide about held leads: `leadline leads show`, then resume or complete",
    "campaign_paused": "Bland refused the campaign's settings: mend them, then `leadline campaigns resume`",
    "event_not_applied": "the queue-service's log says why; the sweep tries again",
    "promise_broken": "`leadline sweep` prints which; treat it as an incident",
    "result_lost": "Bland forgot a call; compare with Bland's own log",
    "second_call_of_one_attempt": "Bland dialled twice: its `retry` must be off",
    "two_live_calls": "one of them was stopped; treat it as an incident",
}


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One thing and how it is."""

    name: str
    words: str
    then: str | None = None
    """What to do about it; None if nothing is wrong."""

    def shown(self) -> Text:
        """As it stands on the screen."""
        return _red(self.words, self.then) if self.then else text(self.words)


def status_parts(stats: Stats) -> Iterator[RenderableType]:
    """Heading, then one line for each thing."""
    yield Text(f"Leadline at {moment(stats.as_of)}", style="bold")
    yield fields(("" if line.name == "campaign" else line.name, line.shown()) for line in status_lines(stats))


def status_lines(stats: Stats) -> Iterator[StatusLine]:
    """Everything that is shown, in this order."""
    yield _gates(stats)
    for campaign in stats.campaigns:
        yield _campaign(campaign)
    yield _due(stats)
    yield _in_flight(stats)
    if stats.caps:
        yield _caps(stats)
    yield StatusLine("leads", counted(stats.leads_by_status))
    if stats.held_by_reason:
        yield StatusLine("held", counted(stats.held_by_reason))
    yield StatusLine("today", f"{stats.calls_today} calls: {counted(stats.outcomes_today)}")
    yield StatusLine("suppressed", f"{stats.suppressions} numbers")
    yield _last_sweep(stats)
    yield from _troubles(stats)


def may_dial(stats: Stats) -> bool:
    """Whether anything at all may be dialled now."""
    gates = stats.gates
    open_campaigns = [campaign for campaign in stats.campaigns if campaign.window_open and not campaign.paused]
    return bool(open_campaigns) and not gates.account_paused and not gates.dispatch_held


def _gates(stats: Stats) -> StatusLine:
    gates = stats.gates
    if gates.account_paused:
        return StatusLine(
            "dialling", f"all paused: {gates.account_pause_reason}", "leadline account resume --reason TEXT"
        )
    if gates.dispatch_held:
        return StatusLine(
            "dialling",
            f"all held: {gates.dispatch_held_reason}",
            "leadline sweep, which reconciles Bland's history and releases",
        )
    return StatusLine("dialling", "open" if may_dial(stats) else "no campaign may call now")


def _campaign(campaign: CampaignView) -> StatusLine:
    name = campaign.campaign
    if campaign.paused:
        command = f"leadline campaigns resume {name} --reason TEXT"
        return StatusLine("campaign", f"{name} paused: {campaign.pause_reason}", command)
    if campaign.window_open:
        return StatusLine("campaign", f"{name} open")
    if campaign.next_opening_at is None:
        return StatusLine(
            "campaign", f"{name} never opens again", "look at LEADLINE_CALLING_HOURS and LEADLINE_BLACKOUT_DATES"
        )
    return StatusLine("campaign", f"{name} closed until {moment(campaign.next_opening_at)}")


def _due(stats: Stats) -> StatusLine:
    following = f"the next {moment(stats.next_due_at)}" if stats.next_due_at else "none planned later"
    if not stats.due_now:
        return StatusLine("due", f"0 now, {following}")
    words = f"{stats.due_now} now, the oldest {duration(stats.oldest_due_seconds)} late, {following}"
    if may_dial(stats) and stats.oldest_due_seconds > LATE_SECONDS:
        return StatusLine("due", words, "see that dialers run (`leadline dialer`) and what their log says")
    return StatusLine("due", words)


def _in_flight(stats: Stats) -> StatusLine:
    words = f"{sum(stats.open_attempts.values())} attempts: {counted(stats.open_attempts)}"
    if not stats.open_attempts.get(AttemptState.UNKNOWN):
        return StatusLine("in flight", words)
    since = stats.oldest_open_seconds.get(AttemptState.UNKNOWN, 0.0)
    if since > UNKNOWN_SECONDS:
        then = "leadline sweep says what it asked Bland; docs/operations/alerts.md, LeadlineUnknownAttemptsAgeing"
        return StatusLine("in flight", f"{words}; one has been unknown for {duration(since)}", then)
    return StatusLine("in flight", f"{words} (the sweep looks unknown ones up at Bland)")


def _caps(stats: Stats) -> StatusLine:
    words = ", ".join(f"{cap.used} of {cap.limit} {_CAPS.get(cap.cap, cap.cap)}" for cap in stats.caps)
    if full := [cap.cap for cap in stats.caps if cap.used >= cap.limit]:
        later = "a call ends" if full == ["concurrent"] else "the oldest of these calls is past"
        return StatusLine("plan", words, f"nothing is dialled until {later}; a larger plan is LEADLINE_BLAND_PLAN")
    return StatusLine("plan", words)


def _last_sweep(stats: Stats) -> StatusLine:
    if stats.last_sweep_at is None:
        return StatusLine("last sweep", "never", "leadline sweep")
    words = f"{moment(stats.last_sweep_at)}: {counted(stats.last_sweep_counters)}"
    if stats.as_of - stats.last_sweep_at > SWEEP_OVERDUE:
        return StatusLine("last sweep", words, "it is overdue: leadline sweep, and look at the CronJob")
    return StatusLine("last sweep", words)


def _troubles(stats: Stats) -> Iterator[StatusLine]:
    if broken := stats.last_sweep_counters.get(_PROMISES_VIOLATED):
        yield StatusLine("wrong", f"{broken} promises broken", "leadline sweep prints which; treat it as an incident")
    if stats.unapplied_events:
        yield StatusLine(
            "wrong",
            f"{stats.unapplied_events} events not applied",
            "the queue-service's log says why; the sweep tries again",
        )
    if stats.unconfirmed_stop_orders:
        yield StatusLine(
            "wrong", f"{stats.unconfirmed_stop_orders} stop orders not confirmed", "leadline sweep repeats them"
        )
    if stats.crm_dead:
        yield StatusLine("wrong", f"{stats.crm_dead} messages that the CRM refused", "leadline crm dead-letters")
    for kind, number in stats.alarms.items():
        if number:
            then = _ALARM_HINTS.get(kind, "the queue-service's log tells more")
            yield StatusLine("wrong", f"{number} {kind}", then)


def _red(words: str, then: str) -> Text:
    return Text.assemble(text(words, RED), text(f"  -> {then}"))
