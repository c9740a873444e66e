"""What a pass prints: JSON for programs, tables for people. Telephone numbers are masked unless asked for."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from leadline.contracts.sweep import PromiseViolation, SweepPlan
from leadline.domain.phone import masked
from services.sweep.one_pass import PassResult


def print_plan(plan: SweepPlan, *, as_json: bool, show_pii: bool) -> None:
    """Print what a pass would take up."""
    document = plan_document(plan, show_pii=show_pii)
    if as_json:
        _print_json(document)
        return
    console = Console()
    console.print(_summary_table(plan))
    if items := _items_table(document):
        console.print(items)


def print_result(result: PassResult, *, as_json: bool) -> None:
    """Print what a pass did."""
    if as_json:
        _print_json(
            {
                "counters": result.counters,
                "partial": result.partial,
                "violations": [violation.model_dump(mode="json") for violation in result.violations],
            }
        )
        return
    console = Console()
    console.print(_counters_table(result.counters))
    for violation in result.violations:
        console.print(f"[red]{_violation_line(violation)}[/red]", highlight=False)


def plan_document(plan: SweepPlan, *, show_pii: bool) -> dict[str, Any]:
    """The plan as JSON."""
    document: dict[str, Any] = plan.model_dump(mode="json")
    if not show_pii:
        for kind in ("doubtful", "placed", "stop_orders"):
            for item in document[kind]:
                item["phone_number"] = masked(item["phone_number"])
    return document


def _print_json(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _summary_table(plan: SweepPlan) -> Table:
    table = Table(title=f"what a sweep would take up ({plan.business_now:%Y-%m-%d %H:%M:%S %Z})", title_justify="left")
    table.add_column("late or stuck")
    table.add_column("count", justify="right")
    table.add_column("what a sweep does")
    paused = plan.account_paused
    rows = (
        ("leases that ran out", plan.expired_leases, "released"),
        ("sends nobody reported", plan.silent_sends, "become unknown"),
        ("unapplied events", plan.unapplied_events, "applied again"),
        ("missed callbacks", plan.missed_callbacks, "counted"),
        ("stop orders", len(plan.stop_orders), "repeated"),
        ("doubtful attempts", len(plan.doubtful), "looked up at Bland"),
        ("placed calls", len(plan.placed), "compared with Bland's running calls"),
        ("undetermined calls", len(plan.undetermined_calls), "their details read"),
        ("account paused", int(paused), _account_words(plan)),
        ("dispatch held", int(plan.dispatch_held), "Bland's last hour reconciled, then released"),
    )
    for what, count, then in rows:
        table.add_row(what, str(count), then if count else "", style="bold" if count else "dim")
    return table


def _account_words(plan: SweepPlan) -> str:
    return "Bland asked, then resumed" if plan.account_pause_automatic else "nothing: an operator paused it"


def _items_table(document: Mapping[str, Any]) -> Table | None:
    rows = [("stop order", item, item["reason"]) for item in document["stop_orders"]]
    rows += [("doubtful", item, f"quiet in {item['quiet_seconds_left']:.0f} s") for item in document["doubtful"]]
    rows += [("placed", item, "overdue" if item["overdue"] else "") for item in document["placed"]]
    if not rows:
        return None
    table = Table("kind", "attempt", "number", "call", "remark")
    for kind, item, remark in rows:
        table.add_row(kind, item["attempt_id"], item["phone_number"], item.get("call_id") or "", remark)
    return table


def _counters_table(counters: Mapping[str, int]) -> Table:
    table = Table("counter", title="sweep", title_justify="left")
    table.add_column("count", justify="right")
    for name, number in counters.items():
        table.add_row(name, str(number))
    return table


def _violation_line(violation: PromiseViolation) -> str:
    return f"promise {violation.promise} is broken: {violation.sentence} ({violation.subject})"
