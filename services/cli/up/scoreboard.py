"""What a run came to: figures from the simulator's ledger, and whether everything was as it must be. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from leadline.contracts.operators import LeadView
from leadline.domain.lead import LeadStatus
from services.cli.up.errors import EXIT_FAILED, EXIT_OK
from services.simulator.scoreboard import Scoreboard

_SETTLED: Final = frozenset({LeadStatus.COMPLETED, LeadStatus.HELD, LeadStatus.PAUSED})
"""Statuses in which a lead is not to be called."""
_SUPPRESSED: Final = "suppressed"
_MUST_BE_ZERO: Final[Mapping[str, str]] = {
    "calls_out_of_hours": "calls out of hours",
    "overlapping_calls": "overlapping calls",
    "calls_over_a_cap": "calls over a cap",
    "calls_after_final_result": "calls after a final result",
    "second_posts": "second POSTs of one attempt",
    "calls_after_stop": "calls after a stop",
    "calls_after_bad_number": "calls to a number known as bad",
    "calls_after_sale_in_crm": "calls after a sale in the CRM",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the scoreboard."""

    label: str
    value: str
    good: bool | None = None
    """Whether it is as it must be; None if any value is."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A lead that was due and allowed and was never called."""

    phone_number: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole scoreboard."""

    rows: Sequence[Row]
    failures: Sequence[str]
    """What is not as it must be, one sentence each."""

    @property
    def exit_code(self) -> int:
        """0 only if nothing failed."""
        return EXIT_FAILED if self.failures else EXIT_OK


def find_misses(
    wanted: Iterable[str], called: Collection[str], leads: Mapping[str, Sequence[LeadView]], ended_at: datetime
) -> list[Miss]:
    """Sample leads that should have been called by `ended_at` (business time) and were not.

    A number of `wanted` is no miss if it is among `called`; if one of its leads is settled or suppressed; or if none of
    them is due before the end. A number without any lead is one: it was posted and is gone.
    """
    misses = []
    for number in wanted:
        if number in called:
            continue
        found = leads.get(number, ())
        reason = _missed(found, ended_at) if found else "posted, and there is no such lead"
        if reason is not None:
            misses.append(Miss(number, reason))
    return misses


def _missed(leads: Sequence[LeadView], ended_at: datetime) -> str | None:
    if any(lead.status in _SETTLED or lead.status == _SUPPRESSED for lead in leads):
        return None
    late = [lead for lead in leads if lead.next_redial_at is None or lead.next_redial_at <= ended_at]
    if not late:
        return None
    due = late[0].next_redial_at
    return f"{late[0].status}, due {due.isoformat(timespec='seconds') if due else 'at no time'}"


def judge(scores: Scoreboard, misses: Sequence[Miss], *, ledger_is_whole: bool = True) -> Verdict:
    """The rows and what is wrong with them. `ledger_is_whole`: the simulator ran from beginning to end."""
    failures = [f"{getattr(scores, name)} {label}" for name, label in _MUST_BE_ZERO.items() if getattr(scores, name)]
    if scores.calls == 0:
        failures.append("nothing was called")
    failures += [f"{miss.phone_number} was never called: {miss.why}" for miss in misses]
    if not ledger_is_whole:
        failures.append("the simulator was restarted, so its ledger does not tell of the whole run")
    return Verdict(_rows(scores, misses), failures)


def _rows(scores: Scoreboard, misses: Sequence[Miss]) -> list[Row]:
    zeros = [
        Row(label, f"{getattr(scores, name):,}", good=getattr(scores, name) == 0)
        for name, label in _MUST_BE_ZERO.items()
    ]
    return [
        Row("calls", f"{scores.calls:,}", good=scores.calls > 0),
        Row("numbers called", f"{scores.numbers_called:,}"),
        Row("people reached", f"{scores.people_reached:,}"),
        *zeros,
        Row("due, allowed and never called", f"{len(misses):,}", good=not misses),
        Row("most calls in any business second", f"{scores.most_calls_in_a_business_second:,}"),
        Row("calls still live at the end", f"{scores.live_calls:,}"),
        *(Row(f"refused by Bland: {reason}", f"{count:,}") for reason, count in sorted(scores.refusals.items())),
    ]


def as_json(scores: Scoreboard, misses: Sequence[Miss], verdict: Verdict, ended_at: datetime) -> dict[str, Any]:
    """For `--json`."""
    return {
        **scores.model_dump(mode="json"),
        "ended_at": ended_at.isoformat(),
        "never_called": [{"phone_number": miss.phone_number, "why": miss.why} for miss in misses],
        "failures": list(verdict.failures),
        "passed": not verdict.failures,
    }
