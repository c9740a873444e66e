"""Leads on their way out: each as the record from which an import makes it again.

What a record cannot carry is left out: the outcomes of calls in which the person phoned us, and, of a lead that was
reopened, the lives before the present one, but for transfers, after which the CRM must be asked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from leadline.contracts.imports import ExportedLead, ExportPage, ImportedCall, ImportedLead, ImportStatus
from leadline.domain.attempt import AttemptState
from leadline.domain.ids import CampaignName, LeadId
from leadline.domain.outcome import Outcome
from leadline.domain.wall_clock import day_of
from leadline.store import exports, views
from leadline.store.clock import get_clock
from leadline.store.connection import Connection, Row
from services.queue_service.importing.past import EPOCH
from services.queue_service.policy import Policy
from services.queue_service.service import QueueService

MOST_CALLS: Final = 200
MOST_ATTRIBUTES: Final = 200
MOST_ATTEMPTS: Final = 30_000
LONGEST_ID: Final = 128
LONGEST_NAME: Final = 200
LONGEST_WORD: Final = 64


async def export_page(service: QueueService, after: UUID | None, limit: int) -> ExportPage:
    """The next leads by id, as they were at one instant."""

    async def work(conn: Connection) -> ExportPage:
        rows = await exports.list_page(conn, after, limit + 1)
        page = rows[:limit]
        attempts: dict[LeadId, list[Row]] = {}
        for row in await views.list_attempts(conn, [LeadId(row["id"]) for row in page]):
            attempts.setdefault(row["lead_id"], []).append(row)
        now = (await get_clock(conn)).now
        leads = [
            ExportedLead(id=row["id"], record=_record(service.policy, now, row, attempts.get(row["id"], [])))
            for row in page
        ]
        return ExportPage(leads=leads, next_after=page[-1]["id"] if len(rows) > limit else None)

    return await service.snapshot(work)


def _record(policy: Policy, now: datetime, row: Row, attempts: Sequence[Row]) -> ImportedLead:
    counted = [attempt for attempt in attempts if attempt["counted"]]
    life = [attempt for attempt in counted if _dispatched_at(attempt) >= row["life_started_at"]]
    zone = policy.rules_for(CampaignName(row["campaign"])).hours.zone
    today = day_of(now, zone)
    made_today = sum(day_of(_dispatched_at(attempt), zone) == today for attempt in life)
    if row["attempts_before_on"] == today:
        made_today += row["attempts_before_that_day"]
    dispatches = [_dispatched_at(attempt) for attempt in counted]
    closed = [attempt["closed_at"] for attempt in attempts if attempt["closed_at"]]
    return ImportedLead(
        campaign=row["campaign"],
        phone_number=row["phone_number"],
        **_identity(row),
        status=ImportStatus(row["status"]),
        status_reason=_cut(row["status_reason"], LONGEST_WORD),
        due_at=row["due_at"],
        scheduled_callback_at=row["scheduled_callback_at"],
        attempts=min(len(life) + row["attempts_before"], MOST_ATTEMPTS),
        attempts_today=min(made_today, MOST_ATTEMPTS),
        attempts_today_on=today if made_today else None,
        last_call_at=max(filter(None, (*dispatches, row["last_call_before"])), default=None),
        outcomes=_outcomes(row, attempts)[-MOST_CALLS:],
        calls=[_call(attempt) for attempt in life if _has_a_name(attempt)][-MOST_CALLS:],
        created_at=row["created_at"],
        updated_at=max([row["updated_at"], *closed]),
        times_approximate=row["times_approximate"],
    )


def _identity(row: Row) -> dict[str, Any]:
    """Who the lead is. Fields of its sender that have no place of their own go among the attributes."""
    attributes: Mapping[str, str] = {**row["attributes"], **row["sender_fields"]}
    if row["postal_code"]:
        attributes = {"postal_code": row["postal_code"], **attributes}
    return {
        "lead_id": _cut(row["sender_lead_id"], LONGEST_ID),
        "list_id": _cut(row["list_id"], LONGEST_ID),
        "first_name": _cut(row["first_name"], LONGEST_NAME),
        "last_name": _cut(row["last_name"], LONGEST_NAME),
        "state": _cut(row["state"], LONGEST_WORD),
        "attributes": dict(list(attributes.items())[:MOST_ATTRIBUTES]),
    }


def _cut(text: str | None, longest: int) -> str | None:
    return text[:longest] if text else None


def _dispatched_at(attempt: Row) -> datetime:
    at: datetime = attempt["marked_at"] or attempt["leased_at"]
    return at


def _has_a_name(attempt: Row) -> bool:
    """Whether the call can be told by its id. One that goes on is only counted: its end is not known yet."""
    return attempt["state"] == AttemptState.ENDED and 0 < len(attempt["call_id"] or "") <= LONGEST_ID


def _call(attempt: Row) -> ImportedCall:
    return ImportedCall(call_id=attempt["call_id"], at=_dispatched_at(attempt), outcome=attempt["outcome"])


def _outcomes(row: Row, attempts: Sequence[Row]) -> list[str]:
    """Outcomes of the present life, the oldest first, behind the transfers of those before it."""
    began = row["life_started_at"]
    this_life = [a["outcome"] for a in attempts if a["outcome"] and _dispatched_at(a) >= began]
    earlier = [*row["outcomes_before"], *(a["outcome"] for a in attempts if a["outcome"] and _dispatched_at(a) < began)]
    if began > EPOCH:
        earlier = [outcome for outcome in earlier if outcome == Outcome.TRANSFERRED]
    return [*earlier, *this_life]
