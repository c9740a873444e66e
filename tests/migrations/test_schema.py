"""The project's own revisions, and which code runs on them."""

import re
import secrets
from pathlib import Path

import asyncpg
import pytest

from leadline.runtime.postgres import Connection
from leadline.store.schema import (
    EXPECTED_REVISION,
    Schema,
    SchemaFit,
    UnknownSchema,
    get_schema,
    require_compatible_schema,
)
from services.migrate.revisions import SCRIPTS, Revisions


def test_the_code_expects_the_newest_revision() -> None:
    assert Revisions().head() == EXPECTED_REVISION


def test_every_revision_is_four_lines_and_a_file_of_sql() -> None:
    versions = SCRIPTS / "versions"
    headers = sorted(versions.glob("*.py"))
    assert [path.stem for path in headers] == [path.stem for path in sorted(versions.glob("*.sql"))]
    for path in headers:
        assert len(path.read_text().splitlines()) == 4, path.name
        assert "upgrade = sql_beside(__file__)" in path.read_text()


def test_a_statement_outside_a_transaction_stands_alone() -> None:
    for path in Path(SCRIPTS / "versions").glob("*.sql"):
        text = path.read_text()
        if text.startswith("-- outside a transaction"):
            assert text.rstrip().removesuffix(";").count(";") == 0, path.name


async def test_a_fresh_database_fits(conn: Connection) -> None:
    assert (await get_schema(conn)).revision == EXPECTED_REVISION
    await require_compatible_schema(conn)


@pytest.mark.parametrize(
    ("schema", "fit", "advice"),
    [
        (Schema("0005", "0005"), SchemaFit.FITS, None),
        (Schema("0006", "0004"), SchemaFit.FITS, None),
        (Schema("0006", "0005"), SchemaFit.FITS, None),
        (Schema(None, None), SchemaFit.BEHIND, "has no schema yet, this version needs 0005: run `leadline migrate` of"),
        (
            Schema("0002", None),
            SchemaFit.BEHIND,
            "is at revision 0002, this version needs 0005: run `leadline migrate`",
        ),
        (Schema("0004", "0003"), SchemaFit.BEHIND, "is at revision 0004, this version needs 0005: run"),
        (Schema("0010", "0006"), SchemaFit.CONTRACTED, "needs code from 0006 on, and this version's is 0005: .* newer"),
        (Schema("0005", None), SchemaFit.UNREADABLE, r"cannot be told \(revision '0005', oldest code None\): check"),
        (Schema(None, "0003"), SchemaFit.UNREADABLE, "revision None, oldest code '0003'"),
        (Schema("0005 0006", "0003"), SchemaFit.UNREADABLE, "cannot be told"),
        (Schema("a1b2", "0003"), SchemaFit.UNREADABLE, "restore alembic_version and schema_compatibility"),
        (Schema("0005", "0003 0004"), SchemaFit.UNREADABLE, "cannot be told"),
    ],
)
def test_what_code_0005_says_of_a_schema(schema: Schema, fit: SchemaFit, advice: str | None) -> None:
    assert schema.fit("0005") is fit
    said = schema.misfit("0005")
    if advice is None:
        assert said is None
    else:
        assert said is not None
        assert re.search(advice, said)
        assert "\n" not in said


async def test_a_service_says_what_to_do_about_a_schema_it_cannot_run_on(conn: Connection) -> None:
    await conn.execute("UPDATE alembic_version SET version_num = '0099'")
    await require_compatible_schema(conn)
    await conn.execute("UPDATE schema_compatibility SET oldest_code = '0098'")
    with pytest.raises(UnknownSchema, match="use a newer one"):
        await require_compatible_schema(conn)
    await conn.execute("DELETE FROM schema_compatibility")
    with pytest.raises(UnknownSchema, match="oldest code None"):
        await require_compatible_schema(conn)
    await conn.execute("UPDATE alembic_version SET version_num = '0002'; DROP TABLE schema_compatibility")
    with pytest.raises(UnknownSchema, match="is at revision 0002"):
        await require_compatible_schema(conn)
    await conn.execute("DROP TABLE alembic_version")
    with pytest.raises(UnknownSchema, match="has no schema yet"):
        await require_compatible_schema(conn)


async def test_the_record_is_one_row_of_four_digits(conn: Connection) -> None:
    for statement in (
        "INSERT INTO schema_compatibility (oldest_code) VALUES ('0004')",
        "INSERT INTO schema_compatibility VALUES (false, '0004')",
        "UPDATE schema_compatibility SET oldest_code = '4'",
        "UPDATE schema_compatibility SET oldest_code = NULL",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await conn.execute(statement)


async def test_a_role_that_may_not_read_the_schema_is_told_so(conn: Connection) -> None:
    role = f"leadline_test_{secrets.token_hex(4)}"
    await conn.execute(f"CREATE ROLE {role}")
    try:
        await conn.execute(f"SET ROLE {role}")
        with pytest.raises(UnknownSchema, match=r"permission denied for table .*: grant SELECT"):
            await get_schema(conn)
    finally:
        await conn.execute(f"RESET ROLE; DROP ROLE {role}")
