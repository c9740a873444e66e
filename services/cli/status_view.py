"""The figures of the queue-service as one screen. What is wrong is red and followed by what to do."""

from collections.abc import Iterator
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


def status_parts(stats: Stats) -> Iterator[RenderableType]:
    """Heading, then one line for each thing."""
    yield Text(f"Leadline at {moment(stats.as_of)}", style="bold")
    yield fields(
        (
            ("dialling", _gates(stats)),
            *(("", _campaign(campaign)) for campaign in stats.campaigns),
            ("due", _due(stats)),
            ("in flight", _in_flight(stats)),
            ("leads", counted(stats.leads_by_status)),
            *((("held", counted(stats.held_by_reason)),) if stats.held_by_reason else ()),
            ("today", f"{stats.calls_today} calls: {counted(stats.outcomes_today)}"),
            ("suppressed", f"{stats.suppressions} numbers"),
            ("last sweep", _last_sweep(stats)),
            *(("wrong", line) for line in _troubles(stats)),
        )
    )


def may_dial(stats: Stats) -> bool:
    """Whether anything at all may be dialled now."""
    gates = stats.gates
    open_campaigns = [campaign for campaign in stats.campaigns if campaign.window_open and not campaign.paused]
    return bool(open_campaigns) and not gates.account_paused and not gates.dispatch_held


def _gates(stats: Stats) -> Text:
    gates = stats.gates
    if gates.account_paused:
        return _red(f"all paused: {gates.account_pause_reason}", "leadline account resume --reason TEXT")
    if gates.dispatch_held:
        return _red(
            f"all held: {gates.dispatch_held_reason}", "leadline sweep, which reconciles Bland's history and releases"
        )
    return text("open" if may_dial(stats) else "no campaign may call now")


def _campaign(campaign: CampaignView) -> Text:
    if campaign.paused:
        command = f"leadline campaigns resume {campaign.campaign} --reason TEXT"
        return _red(f"{campaign.campaign} paused: {campaign.pause_reason}", command)
    if campaign.window_open:
        return text(f"{campaign.campaign} open")
    if campaign.next_opening_at is None:
        return _red(
            f"{campaign.campaign} never opens again", "look at LEADLINE_CALLING_HOURS and LEADLINE_BLACKOUT_DATES"
        )
    return text(f"{campaign.campaign} closed until {moment(campaign.next_opening_at)}")


def _due(stats: Stats) -> Text:
    following = f"the next {moment(stats.next_due_at)}" if stats.next_due_at else "none planned later"
    if not stats.due_now:
        return text(f"0 now, {following}")
    words = f"{stats.due_now} now, the oldest {duration(stats.oldest_due_seconds)} late, {following}"
    if may_dial(stats) and stats.oldest_due_seconds > LATE_SECONDS:
        return _red(words, "see that dialers run (`leadline dialer`) and what their log says")
    return text(words)


def _in_flight(stats: Stats) -> Text:
    words = f"{sum(stats.open_attempts.values())} attempts: {counted(stats.open_attempts)}"
    unknown = stats.open_attempts.get(AttemptState.UNKNOWN)
    return text(f"{words} (the sweep looks unknown ones up at Bland)" if unknown else words)


def _last_sweep(stats: Stats) -> Text:
    if stats.last_sweep_at is None:
        return _red("never", "leadline sweep")
    words = f"{moment(stats.last_sweep_at)}: {counted(stats.last_sweep_counters)}"
    if stats.as_of - stats.last_sweep_at > SWEEP_OVERDUE:
        return _red(words, "it is overdue: leadline sweep, and look at the CronJob")
    return text(words)


def _troubles(stats: Stats) -> Iterator[Text]:
    if broken := stats.last_sweep_counters.get(_PROMISES_VIOLATED):
        yield _red(f"{broken} promises broken", "leadline sweep prints which; treat it as an incident")
    if stats.unapplied_events:
        yield _red(
            f"{stats.unapplied_events} events not applied", "the queue-service's log says why; the sweep tries again"
        )
    if stats.unconfirmed_stop_orders:
        yield _red(f"{stats.unconfirmed_stop_orders} stop orders not confirmed", "leadline sweep repeats them")
    if stats.crm_dead:
        yield _red(f"{stats.crm_dead} messages that the CRM refused", "leadline crm dead-letters")
    for kind, number in stats.alarms.items():
        if number:
            yield _red(f"{number} {kind}", _ALARM_HINTS.get(kind, "the queue-service's log tells more"))


def _red(words: str, then: str) -> Text:
    return Text.assemble(text(words, RED), text(f"  -> {then}"))
