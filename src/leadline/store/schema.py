"""The schema that this code was written for, and the one that a database has."""

from typing import Final

from leadline.domain.errors import LeadlineError
from leadline.store.connection import Connection

EXPECTED_REVISION: Final = "0002"
"""Revision of the newest file in `migrations/versions`."""

_FIND_VERSION_TABLE: Final = "SELECT to_regclass('alembic_version') IS NOT NULL"
_GET_REVISION: Final = "SELECT version_num FROM alembic_version"


class UnknownSchema(LeadlineError):
    """The database's schema is not the one that this version of Leadline was written for."""

    code = "unknown_schema"


async def get_revision(connection: Connection) -> str | None:
    """The revision a database is at; None if no migration has run there."""
    if not await connection.fetchval(_FIND_VERSION_TABLE):
        return None
    revision: str | None = await connection.fetchval(_GET_REVISION)
    return revision


async def require_expected_revision(connection: Connection) -> None:
    """Return if the database is at EXPECTED_REVISION, else raise UnknownSchema with one line that says what to do."""
    revision = await get_revision(connection)
    if revision != EXPECTED_REVISION:
        found = f"is at revision {revision}" if revision else "has no schema yet"
        msg = f"the database {found}, this version needs {EXPECTED_REVISION}: run `leadline migrate` of this version"
        raise UnknownSchema(msg)
