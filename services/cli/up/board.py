"""The live board: one snapshot as a panel that fits 80 by 24, or as one plain line. Pure rendering."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from leadline.contracts.operators import Stats
from leadline.domain.lead import HeldReason
from leadline.domain.outcome import REACHED_OUTCOMES, Outcome
from services.cli.up.figures import Snapshot, full_time, moment
from services.cli.up.plan import CRM_SYNC
from services.cli.up.supervisor import ChildState

WIDTH: Final = 80
_BAR_CELLS: Final = 18
_OUTCOME_ROWS: Final = 8
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
_STATUSES: Final = ("pending", "rescheduled", "held", "paused", "completed")
_ATTEMPT_STATES: Final = ("leased", "sending", "placed", "unknown")
_GOOD: Final = "green"
_BAD: Final = "bold red"
_QUIET: Final = "dim"
_STATE_MARKS: Final[Mapping[ChildState, tuple[str, str]]] = {
    ChildState.RUNNING: ("●", _GOOD),
    ChildState.STARTING: ("◐", "yellow"),
    ChildState.WAITING: ("✗", _BAD),
    ChildState.STOPPED: ("○", _QUIET),
}


def board(snapshot: Snapshot) -> RenderableType:
    """The panel."""
    stats = snapshot.stats
    body: list[RenderableType] = [_clock_line(snapshot), Text()]
    if stats is None:
        body.append(Text("the queue-service has not answered yet", style=_QUIET))
    else:
        body += [_two_columns(stats), Text(), *_lines(snapshot, stats)]
    body.append(_process_line(snapshot))
    title = "[bold]Leadline[/] · simulated Bland, nobody is called" if snapshot.simulated else "[bold]Leadline[/]"
    subtitle = snapshot.note or "Ctrl-C stops; a second start goes on from here"
    return Panel(
        Group(*body), title=title, subtitle=f"[dim]{subtitle}[/]", width=WIDTH, border_style="blue", padding=(0, 1)
    )


def plain_line(snapshot: Snapshot) -> str:
    """Everything that changes, for pipes and logs."""
    begin = f"{full_time(snapshot.now, snapshot.zone)}  {snapshot.windows}"
    stats = snapshot.stats
    if stats is None:
        return f"{begin}; the queue-service has not answered yet"
    leads = ", ".join(f"{count:,} {status}" for status, count in _leads(stats).items() if count) or "none"
    parts = [
        f"calls today {stats.calls_today:,}",
        f"talks with people {_reached(stats):,}",
        f"in flight {sum(stats.open_attempts.values()):,}",
        f"due now {stats.due_now:,}",
        f"leads: {leads}",
    ]
    if stats.crm_waiting or stats.crm_dead:
        parts.append(f"crm: {stats.crm_waiting:,} to be told, {stats.crm_dead:,} dead")
    if stats.alarms:
        parts.append(f"alarms: {_counted(stats.alarms)}")
    if (held := _what_holds(stats)) is not None:
        parts.append(held)
    if snapshot.is_stale:
        parts.append("the queue-service does not answer")
    return f"{begin}; {'; '.join(parts)}"


def _clock_line(snapshot: Snapshot) -> Table:
    left = Text(full_time(snapshot.now, snapshot.zone), style="bold")
    if snapshot.moved:
        left.append(f"   {snapshot.speed:g}x", style="cyan")
    line = _grid(left, Text(snapshot.windows, style=_GOOD if snapshot.is_open else "yellow"))
    line.columns[1].justify = "right"
    return line


def _two_columns(stats: Stats) -> Table:
    columns = Table.grid(padding=(0, 3))
    columns.add_column(width=20)
    columns.add_column(ratio=1)
    columns.expand = True
    columns.add_row(_lead_table(stats), _outcome_table(stats))
    return columns


def _lead_table(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column()
    table.add_column(justify="right")
    leads = _leads(stats)
    table.add_row(Text("leads", style=_QUIET), Text(f"{sum(leads.values()):,}", style=_QUIET))
    for status, count in leads.items():
        style = _QUIET if not count else ("yellow" if status == "held" else "")
        table.add_row(Text(status, style=style), Text(f"{count:,}", style=style))
    table.add_row(Text("suppressed", style=_QUIET), Text(f"{stats.suppressions:,}", style=_QUIET))
    return table


def _outcome_table(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=14)
    table.add_column(width=_BAR_CELLS)
    table.add_column(width=6, justify="right")
    table.add_column(width=4, justify="right")
    ordered = sorted(stats.outcomes_today.items(), key=lambda item: (-item[1], item[0]))
    total, most = sum(stats.outcomes_today.values()), max(stats.outcomes_today.values(), default=1)
    heading = Text("outcomes today", style=_QUIET)
    table.add_row(heading, Text(f"{_reached(stats):,} talks", style=_QUIET), Text(f"{total:,}", style=_QUIET), "")
    for name, count in _folded(ordered):
        style = _outcome_style(name)
        share = f"{count / total:.0%}" if total else ""
        table.add_row(
            Text(name, style=style), Text(_bar(count / most), style=style), f"{count:,}", Text(share, style=_QUIET)
        )
    return table


def _folded(ordered: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """At most so many rows: the rest becomes one."""
    if len(ordered) <= _OUTCOME_ROWS:
        return ordered
    kept, rest = ordered[: _OUTCOME_ROWS - 1], ordered[_OUTCOME_ROWS - 1 :]
    return [*kept, (f"{len(rest)} others", sum(count for _, count in rest))]


def _bar(share: float) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * _BAR_CELLS * 8)
    full, part = divmod(eighths, 8)
    return "█" * full + (_BLOCKS[part] if part else "")


def _outcome_style(name: str) -> str:
    if name in {Outcome.SALE, Outcome.ACA, Outcome.TRANSFERRED}:
        return _GOOD
    if name in {Outcome.DNC, Outcome.DO_NOT_CALL, Outcome.FAILED, Outcome.BAD_NUMBER}:
        return "red"
    return "cyan" if name in REACHED_OUTCOMES else "blue"


def _lines(snapshot: Snapshot, stats: Stats) -> list[RenderableType]:
    late = f" (oldest {_duration(stats.oldest_due_seconds)} late)" if stats.due_now else ""
    next_due = moment(stats.next_due_at, snapshot.now, snapshot.zone) if stats.next_due_at else "never"
    flight = sum(stats.open_attempts.values())
    states = f": {_counted(_in_order(stats.open_attempts, _ATTEMPT_STATES))}" if flight else ""
    crm = [_crm_line(stats)] if CRM_SYNC in snapshot.processes else []
    return [
        _labelled("calls", f"{stats.calls_today:,} today, {snapshot.calls_per_minute:.1f} a minute"),
        _labelled("flight", f"{flight:,}{states}"),
        _labelled("due", f"{stats.due_now:,} now{late}, the next at {next_due}"),
        _labelled("sweep", _sweep_words(snapshot, stats)),
        *crm,
        _alarm_line(snapshot, stats),
    ]


def _crm_line(stats: Stats) -> Text:
    held = stats.held_by_reason.get(HeldReason.CRM_UNKNOWN, 0)
    words = [f"{stats.crm_waiting:,} to be told"]
    if held:
        words.append(f"{held:,} leads wait for it")
    if stats.crm_dead:
        words.append(f"{stats.crm_dead:,} refused (leadline crm)")
    return _labelled("crm", ", ".join(words), _BAD if stats.crm_dead else "")


def _labelled(label: str, words: str, style: str = "") -> Text:
    line = Text(f"{label:<7}", style=_QUIET, no_wrap=True, overflow="ellipsis")
    line.append(words, style=style)
    return line


def _sweep_words(snapshot: Snapshot, stats: Stats) -> str:
    if stats.last_sweep_at is None:
        return "none yet"
    did = {name: count for name, count in stats.last_sweep_counters.items() if count}
    return f"{moment(stats.last_sweep_at, snapshot.now, snapshot.zone)}, {_counted(did) or 'nothing to do'}"


def _alarm_line(snapshot: Snapshot, stats: Stats) -> Text:
    words = []
    if snapshot.is_stale:
        words.append("the queue-service does not answer")
    if (held := _what_holds(stats)) is not None:
        words.append(held)
    if stats.alarms:
        words.append(_counted(stats.alarms))
    if stats.unapplied_events:
        words.append(f"{stats.unapplied_events} events not applied")
    if stats.unconfirmed_stop_orders:
        words.append(f"{stats.unconfirmed_stop_orders} stop orders not confirmed")
    return _labelled("alarms", "; ".join(words) or "none", _BAD if words else "")


def _what_holds(stats: Stats) -> str | None:
    gates = stats.gates
    if gates.account_paused:
        return f"dialling is paused: {gates.account_pause_reason}"
    if gates.dispatch_held:
        return f"dispatch is held: {gates.dispatch_held_reason}"
    paused = [c.campaign for c in stats.campaigns if c.paused]
    return f"paused: {', '.join(paused)}" if paused else None


def _process_line(snapshot: Snapshot) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for name, state in snapshot.processes.items():
        mark, style = _STATE_MARKS[state]
        line.append(f"{mark} ", style=style)
        line.append(f"{name}  ", style=_QUIET)
    return line


def _leads(stats: Stats) -> dict[str, int]:
    return _in_order(stats.leads_by_status, _STATUSES)


def _in_order(counts: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    """The counts of these names first, then whatever else there is."""
    rest = dict(counts)
    return {name: rest.pop(name, 0) for name in names} | rest


def _reached(stats: Stats) -> int:
    return sum(count for name, count in stats.outcomes_today.items() if name in REACHED_OUTCOMES)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _grid(left: Text, right: Text) -> Table:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row(left, right)
    return table
