"""The statuses of the CRM's account, as it last listed them."""

from collections.abc import Sequence
from typing import Final

from leadline.domain.crm import CrmStatus
from leadline.store.connection import Connection

LIST_STATUSES: Final = "SELECT code, name, final, success, dnc FROM crm_statuses ORDER BY code"


async def list_statuses(conn: Connection) -> list[CrmStatus]:
    """Every status, by code; empty before the first listing."""
    return [CrmStatus(**dict(row)) for row in await conn.fetch(LIST_STATUSES)]


DELETE_UNLISTED: Final = "DELETE FROM crm_statuses WHERE code <> ALL($1::text[])"
UPSERT_STATUSES: Final = """
INSERT INTO crm_statuses (code, name, final, success, dnc, loaded_at)
SELECT c.*, clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::boolean[]) AS c(code, name, final, success, dnc)
ORDER BY c.code
ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, final = EXCLUDED.final, success = EXCLUDED.success,
    dnc = EXCLUDED.dnc, loaded_at = EXCLUDED.loaded_at
"""


async def replace_statuses(conn: Connection, statuses: Sequence[CrmStatus]) -> None:
    """The account's statuses are these, and no others; the codes differ."""
    await conn.execute(DELETE_UNLISTED, [s.code for s in statuses])
    await conn.execute(
        UPSERT_STATUSES,
        [s.code for s in statuses],
        [s.name for s in statuses],
        [s.final for s in statuses],
        [s.success for s in statuses],
        [s.dnc for s in statuses],
    )
