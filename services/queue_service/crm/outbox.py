"""The outbox as senders and operators see it. The store keeps the order; here messages get their words."""

from collections.abc import Sequence
from typing import Final

from leadline.contracts.crm import (
    CrmStep,
    OutboxBatch,
    OutboxEntry,
    OutboxKind,
    OutboxList,
    OutboxMessage,
    Replayed,
    SendResult,
    SentMessage,
)
from leadline.domain.lead import CompletionReason, LeadStatus
from leadline.domain.outcome import DEFAULT_FINAL_OUTCOMES
from leadline.store import crm_outbox
from leadline.store.changes import Changes
from leadline.store.clock import get_clock
from leadline.store.connection import Connection, Row
from leadline.store.crm_outbox import Try
from leadline.store.records import Audit
from leadline.telephony.bland_notes import read_notes
from leadline.telephony.bland_result import parse_event

_LAST_REASONS: Final = frozenset(
    {
        CompletionReason.SALE,
        CompletionReason.ACA,
        CompletionReason.DNC,
        CompletionReason.NOT_INTERESTED,
        CompletionReason.CRM_FINAL,
    }
)


async def take(conn: Connection, limit: int, seconds: float) -> OutboxBatch:
    """Give messages to a sender for so many real seconds, in the caller's transaction."""
    taken = await crm_outbox.take_messages(conn, limit, seconds)
    return OutboxBatch(messages=[_message(row) for row in await crm_outbox.read_messages(conn, taken)])


def _message(row: Row) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        kind=OutboxKind(row["kind"]),
        phone_number=row["phone_number"],
        outcome=row["outcome"],
        reason=row["reason"],
        crm_lead_id=row["sender_lead_id"] or None,
        crm_list_id=row["list_id"] or None,
        fields=_fields(row) if row["kind"] == OutboxKind.RESULT else {},
        tries=row["tries"],
        keeps_status=_keeps_status(row),
    )


def _keeps_status(row: Row) -> bool:
    """An agent's sale must not be overwritten by the voicemail of an hour before."""
    ended = row["status"] == LeadStatus.COMPLETED and row["status_reason"] in _LAST_REASONS
    return ended and row["outcome"] not in DEFAULT_FINAL_OUTCOMES


def _fields(row: Row) -> dict[str, str]:
    """What the event says of the call; without an event what the ledger kept."""
    body = bytes(row["body"] or b"")
    talk_seconds = parse_event(body).result.talk_seconds
    if talk_seconds is None:
        talk_seconds = row["talk_seconds"]
    known = {
        "answered_by": row["answered_by"] or "",
        "talk_seconds": "" if talk_seconds is None else str(round(talk_seconds)),
    }
    return {name: value for name, value in known.items() if value} | read_notes(body)


async def report(conn: Connection, results: Sequence[SentMessage]) -> CrmStep:
    """Close or postpone messages, in the caller's transaction. What is closed already stays as it is."""
    now = (await get_clock(conn)).now
    tries = {
        wanted: [Try(r.id, r.problem, r.retry_after_seconds) for r in results if r.result is wanted]
        for wanted in SendResult
    }
    counters = {
        "sent": await crm_outbox.close_sent(conn, [t.id for t in tries[SendResult.SENT]], now),
        "dead": await crm_outbox.bury(conn, tries[SendResult.REFUSED], now),
        "later": await crm_outbox.postpone(conn, tries[SendResult.LATER]),
    }
    return CrmStep(counters=counters)


async def read(conn: Connection, state: str, after: int, limit: int) -> OutboxList:
    """Messages in a state, in order of id."""
    rows = await crm_outbox.list_messages(conn, state, after, limit)
    return OutboxList(entries=[OutboxEntry(**dict(row)) for row in rows], counts=await crm_outbox.count_unsent(conn))


async def replay(conn: Connection, ids: Sequence[int], actor: str) -> Replayed:
    """Send dead letters again, in the caller's transaction; none named: all of them."""
    now = (await get_clock(conn)).now
    waiting, superseded = await crm_outbox.replay(conn, ids, now)
    details = {"waiting": waiting, "superseded": superseded}
    await Changes(now=now, actor=actor, audit=[Audit("crm_outbox_replayed", details=details)]).flush(conn)
    return Replayed(waiting=waiting, superseded=superseded)
