"""Which schema this code was written for, which one a database has, and whether they fit (docs/decisions/0019).

Code is named by the newest revision it knows. It runs on every schema from that revision on, as long as the schema
says that code so old still works: during a rolling upgrade the schema is a version ahead of the code that serves.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

import asyncpg

from leadline.domain.errors import LeadlineError
from leadline.store.connection import Connection, fetch_one

EXPECTED_REVISION: Final = "0003"
"""Revision of the newest file in `migrations/versions`; it names this version's code, too."""

FIND_SCHEMA: Final = (
    "SELECT to_regclass('alembic_version') IS NOT NULL, to_regclass('schema_compatibility') IS NOT NULL"
)
GET_REVISION: Final = "SELECT string_agg(version_num, ' ') FROM alembic_version"
GET_OLDEST_CODE: Final = "SELECT string_agg(oldest_code, ' ') FROM schema_compatibility"
GET_SCHEMA: Final = f"SELECT ({GET_REVISION}), ({GET_OLDEST_CODE})"
"""Each is one row; should there be more, they show together, and are no revision."""

_REVISION: Final = re.compile(r"[0-9]{4}")
"""Zero-padded, so that their order is the order of texts."""


class UnknownSchema(LeadlineError):
    """The database's schema is not one that this version of Leadline works with."""

    code = "unknown_schema"


class SchemaFit(StrEnum):
    """Whether code runs on a schema, and if not, why."""

    FITS = "fits"
    BEHIND = "behind"
    """No schema, or an older one: `leadline migrate` of this version mends it."""
    CONTRACTED = "contracted"
    """A newer one, from which something that this code needs was removed: only newer code mends it."""
    UNREADABLE = "unreadable"
    """No revision of ours left it like this."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database says of its schema."""

    revision: str | None
    """None if no migration has run there."""
    oldest_code: str | None
    """The oldest code that works on it; None before revision 0003."""

    def fit(self, code: str = EXPECTED_REVISION) -> SchemaFit:
        """Whether `code` runs on it."""
        if self.revision is None:
            return SchemaFit.BEHIND if self.oldest_code is None else SchemaFit.UNREADABLE
        if not _REVISION.fullmatch(self.revision):
            return SchemaFit.UNREADABLE
        if self.revision < code:
            return SchemaFit.BEHIND
        if self.oldest_code is None or not _REVISION.fullmatch(self.oldest_code):
            return SchemaFit.UNREADABLE
        return SchemaFit.FITS if self.oldest_code <= code else SchemaFit.CONTRACTED

    def misfit(self, code: str = EXPECTED_REVISION) -> str | None:
        """One line that says why `code` does not run on it, and what to do; None if it does."""
        match self.fit(code):
            case SchemaFit.FITS:
                return None
            case SchemaFit.BEHIND:
                found = f"is at revision {self.revision}" if self.revision else "has no schema yet"
                return f"the database {found}, this version needs {code}: run `leadline migrate` of this version"
            case SchemaFit.CONTRACTED:
                return (
                    f"the database is at revision {self.revision}, which needs code from {self.oldest_code} on, and "
                    f"this version's is {code}: this version is too old for it, use a newer one"
                )
            case SchemaFit.UNREADABLE:
                return (
                    f"the database's schema cannot be told (revision {self.revision!r}, oldest code "
                    f"{self.oldest_code!r}): check that LEADLINE_DATABASE_URL names Leadline's database; if it does, "
                    "restore alembic_version and schema_compatibility, each one row of four digits"
                )
            case unheard_of:
                assert_never(unheard_of)


async def get_schema(connection: Connection) -> Schema:
    """What a database says of its schema, whatever it is. Raises UnknownSchema if our role may not read it."""
    migrated, recorded = await fetch_one(connection, FIND_SCHEMA)
    try:
        if migrated and recorded:
            return Schema(*await fetch_one(connection, GET_SCHEMA))  # one statement: a migration is seen whole or not
        return Schema(
            await connection.fetchval(GET_REVISION) if migrated else None,
            await connection.fetchval(GET_OLDEST_CODE) if recorded else None,
        )
    except asyncpg.InsufficientPrivilegeError as error:
        msg = f"the database's schema cannot be read ({error}): grant SELECT on it to this service's role"
        raise UnknownSchema(msg) from error


async def require_compatible_schema(connection: Connection) -> None:
    """Return if this version's code runs on the database, else raise UnknownSchema: one line that says what to do."""
    misfit = (await get_schema(connection)).misfit()
    if misfit is not None:
        raise UnknownSchema(misfit)
