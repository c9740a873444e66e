"""The audit log and the alarms: written in the transaction that made the change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from leadline.store.connection import Connection
from leadline.store.records import Alarm, Audit

INSERT_AUDIT: Final = """
INSERT INTO audit_log (at, actor, verb, reason, lead_id, attempt_id, phone_number, campaign, details)
SELECT $1, $2, c.* FROM unnest($3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::jsonb[])
    AS c(verb, reason, lead_id, attempt_id, phone_number, campaign, details)
"""


async def insert_audit(conn: Connection, audit: Sequence[Audit], *, actor: str, now: datetime) -> None:
    """Write the lines in order."""
    if audit:
        await conn.execute(
            INSERT_AUDIT,
            now,
            actor,
            [a.verb for a in audit],
            [a.reason for a in audit],
            [a.lead_id for a in audit],
            [a.attempt_id for a in audit],
            [a.phone_number for a in audit],
            [a.campaign for a in audit],
            [a.details for a in audit],
        )


INSERT_ALARMS: Final = """
INSERT INTO alarms (at, kind, attempt_id, lead_id, details)
SELECT $1, c.* FROM unnest($2::text[], $3::uuid[], $4::uuid[], $5::jsonb[]) AS c(kind, attempt_id, lead_id, details)
"""


async def insert_alarms(conn: Connection, alarms: Sequence[Alarm], *, now: datetime) -> None:
    """Record what should not have happened."""
    if alarms:
        await conn.execute(
            INSERT_ALARMS,
            now,
            [a.kind for a in alarms],
            [a.attempt_id for a in alarms],
            [a.lead_id for a in alarms],
            [a.details for a in alarms],
        )
