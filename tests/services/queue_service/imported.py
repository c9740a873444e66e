"""Records of an import as an importer sends them, and the whole database as it stands."""

from datetime import datetime, timedelta
from typing import Any, Final

from leadline.contracts.imports import (
    ImportedLead,
    ImportedRecord,
    ImportRequest,
    NumberEntry,
    NumberResult,
    NumbersKind,
    NumbersRequest,
)
from services.queue_service.importing import leads, numbers
from tests.services.queue_service.desk import PHONE, TUESDAY_NOON, Desk

LAST_CALL: Final = TUESDAY_NOON - timedelta(hours=2)
"""Ten in the morning: before the calling hours of the day, so that it moves nothing."""

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


def record(phone_number: str = PHONE, **said: Any) -> ImportedLead:
    """A lead as the old files have it: called three times, the last time this morning."""
    given = {
        "lead_id": "410233",
        "list_id": "1029",
        "first_name": "Maria",
        "last_name": "Alvarez",
        "state": "FL",
        "status": "pending",
        "attempts": 3,
        "last_call_at": LAST_CALL,
        "outcomes": ["NO_ANSWER", "VOICEMAIL", "VOICEMAIL"],
        "created_at": TUESDAY_NOON - timedelta(days=9),
        "updated_at": LAST_CALL + timedelta(minutes=2),
    }
    return ImportedLead.model_validate({"phone_number": phone_number, **given, **said})


def untouched(phone_number: str = PHONE, **said: Any) -> ImportedLead:
    """A lead that was never called."""
    return record(phone_number, **{"attempts": 0, "last_call_at": None, "outcomes": [], "updated_at": None, **said})


def call(call_id: str, at: datetime = LAST_CALL, outcome: str | None = "VOICEMAIL") -> dict[str, Any]:
    """A call with an id."""
    return {"call_id": call_id, "at": at, "outcome": outcome}


async def bring(desk: Desk, *records: ImportedLead, dry_run: bool = False) -> list[ImportedRecord]:
    """Import records, as an operator."""
    request = ImportRequest(source="redial-queue_2026-01.json", leads=list(records), dry_run=dry_run)
    return await leads.import_leads(desk.service, request, "operator")


async def bring_one(desk: Desk, said: ImportedLead) -> ImportedRecord:
    """Import one record."""
    (answer,) = await bring(desk, said)
    return answer


async def stop(desk: Desk, kind: NumbersKind, *entries: str, dry_run: bool = False) -> list[NumberResult]:
    """Import numbers that must not be called."""
    named = [NumberEntry(phone_number=text, reason="asked by mail") for text in entries]
    request = NumbersRequest(kind=kind, source="legacy_blocklist", numbers=named, dry_run=dry_run)
    return await numbers.import_numbers(desk.service, request, "operator")


async def whole_database(desk: Desk) -> dict[str, list[str]]:
    """Every row of every table."""
    tables = [row["tablename"] for row in await desk.fetch(_TABLES)]
    return {
        table: [row["line"] for row in await desk.fetch(f"SELECT t::text AS line FROM {table} t ORDER BY 1")]
        for table in tables
    }
