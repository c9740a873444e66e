"""Every revision fits the code that still runs when it comes."""

import re
from pathlib import Path

import psycopg
import pytest

from services.migrate.errors import MigrateError
from services.migrate.revisions import SCRIPTS, Revisions
from tests.house.tree import ROOT
from tests.migrations.guard import complaints, moved_to, statements
from tests.migrations.making import next_version, where

FIRST_GUARDED = "0003"
"""Before it there was no release, and code demanded exactly its own revision."""
INSERT_LEAD = """
INSERT INTO leads (id, campaign, phone_number, status, status_reason, life_started_at, created_at, updated_at)
VALUES (gen_random_uuid(), 'awhealth', '+15615550100', 'held', 'backfill', now(), now(), now())
"""


def test_every_revision_fits_the_code_of_the_version_before() -> None:
    wrong: dict[str, list[str]] = {}
    before, oldest_code = "0002", FIRST_GUARDED
    for path in sorted((SCRIPTS / "versions").glob("*.sql")):
        revision = path.name[:4]
        text = path.read_text(encoding="utf-8")
        if revision >= FIRST_GUARDED:
            found = complaints(text, before=before, oldest_code=oldest_code)
            wrong |= {path.name: found} if found else {}
            before, oldest_code = revision, moved_to(text) or oldest_code
    assert not wrong


def judged(text: str) -> list[str]:
    return complaints(text, before="0004", oldest_code="0003")


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE leads DROP COLUMN language;",
        "ALTER TABLE leads DROP language;",
        "ALTER TABLE leads\n    ADD COLUMN a int,\n    DROP COLUMN IF EXISTS b;",
        "DROP TABLE clock;",
        "DROP FUNCTION business_now;",
        "ALTER TABLE leads RENAME COLUMN a TO b;",
        "ALTER TABLE leads RENAME TO people;",
        "-- locks: few rows\nALTER TABLE pace ALTER COLUMN slots TYPE bigint;",
        "-- locks: few rows\nALTER TABLE pace ALTER slots SET DATA TYPE bigint USING slots::bigint;",
        "-- locks: few rows\nALTER TABLE pace ALTER slots SET NOT NULL;",
        "ALTER TABLE leads ADD COLUMN language text NOT NULL;",
        "ALTER TABLE leads ADD a text DEFAULT 'x', ADD language text NOT NULL;",
        "CREATE TABLE a (b int); ALTER TABLE leads ADD COLUMN a int PRIMARY KEY;",
    ],
)
def test_a_contracting_statement_moves_oldest_code(text: str) -> None:
    (complaint,) = judged(text)
    assert "must move oldest_code" in complaint
    assert judged(f"{text}\nUPDATE schema_compatibility SET oldest_code = '0004';") == []


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE leads ADD CONSTRAINT a CHECK (b IS NOT NULL) NOT VALID;",
        "ALTER TABLE leads DROP CONSTRAINT a;",
        "CREATE TRIGGER a BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION b();",
        "CREATE OR REPLACE FUNCTION business_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT now() $$;",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE leads DROP COLUMN a'; END $$;",
        "UPDATE leads SET language = 'en';",
    ],
)
def test_a_doubtful_statement_moves_oldest_code_or_is_explained(text: str) -> None:
    (complaint,) = judged(text)
    assert "-- older code:" in complaint
    assert judged(f"-- older code: never does that\n{text}") == []
    assert judged(f"{text}\nUPDATE schema_compatibility SET oldest_code = '0004';") == []


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX leads_by_language ON leads (language);",
        "ALTER TABLE leads ADD COLUMN id2 uuid DEFAULT gen_random_uuid();",
        "ALTER TABLE leads ADD COLUMN year int GENERATED ALWAYS AS (extract(year FROM created_at)) STORED;",
    ],
)
def test_what_reads_a_table_whole_under_its_lock_is_explained(text: str) -> None:
    (complaint,) = judged(text)
    assert "-- locks:" in complaint
    assert judged(f"-- locks: the table has few rows\n{text}") == []
    assert judged("-- locks: \n" + text), "a reason is more than its mark"


@pytest.mark.parametrize(
    "second",
    [
        "ALTER TABLE leads ADD COLUMN language text;",
        "CREATE TABLE languages (lead_id uuid REFERENCES leads);",
        "UPDATE schema_compatibility SET oldest_code = '0004'; DROP TABLE leads;",
    ],
)
def test_a_revision_locks_one_table_that_is_in_use(second: str) -> None:
    """The services lock in an order of their own."""
    text = "ALTER TABLE phones ADD COLUMN language text;"
    (complaint,) = judged(f"{text}\n{second}")
    assert complaint.startswith("locks leads, phones, one while it waits for the next")
    assert judged(f"-- locks: nothing else is locked by who uses it\n{text}\n{second}") == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS a ON leads (b);", "needs the first line"),
        ("-- outside a transaction\nCREATE INDEX CONCURRENTLY a ON leads (b);", "cannot be run again"),
        ("UPDATE schema_compatibility SET oldest_code = '0005';", "from 0003 to 0004 is possible"),
        ("UPDATE schema_compatibility SET oldest_code = '0002';", "from 0003 to 0004 is possible"),
    ],
)
def test_mistakes_that_no_comment_excuses(text: str, complaint: str) -> None:
    (found,) = judged(text)
    assert complaint in found


def test_expanding_statements_pass() -> None:
    text = """
    CREATE TABLE languages (code text PRIMARY KEY, name text NOT NULL); -- DROP TABLE in a comment
    CREATE INDEX languages_by_name ON languages (name);
    COMMENT ON TABLE languages IS 'RENAME; DROP TABLE leads; in a text';
    ALTER TABLE leads ADD COLUMN language text, ADD COLUMN tries integer NOT NULL DEFAULT 0 CHECK (tries IN (0, 1));
    CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN DELETE FROM clock; END $body$;
    /* ALTER TABLE leads DROP COLUMN a; */
    """
    assert judged(text) == []
    assert len(statements(text)) == 5
    assert judged("-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a ON leads (b);") == []


def test_the_example_of_three_releases_passes() -> None:
    before, oldest_code = "0100", "0100"
    for revision, text in the_example():
        assert complaints(text, before=before, oldest_code=oldest_code) == []
        before, oldest_code = revision, moved_to(text) or oldest_code
    assert (before, oldest_code) == ("0104", "0101")


def test_the_example_of_three_releases_runs(database_url: str, tmp_path: Path) -> None:
    """With the project's newest revision in the place of 0100. What it demands of the job is demanded."""
    head = int(Revisions().head())
    texts = [text.replace("0101", f"{head + 1:04}") for _, text in the_example()]
    assert len(next_version(tmp_path, texts[0]).upgrade(database_url)) == 1
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO phones (phone_number) VALUES ('+15615550100')")
        connection.execute(INSERT_LEAD)
        with pytest.raises(MigrateError, match="run the job of the last release first"):
            next_version(tmp_path, *texts).upgrade(database_url)
        connection.execute("UPDATE leads SET language = 'en'")
        assert len(next_version(tmp_path, *texts).upgrade(database_url)) == 3
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute("UPDATE leads SET language = NULL")
    assert where(database_url) == (f"{head + 4:04}", f"{head + 1:04}")


def the_example() -> list[tuple[str, str]]:
    """Revisions and texts in the page for operators."""
    page = (ROOT / "docs" / "operations" / "upgrade.md").read_text(encoding="utf-8")
    return re.findall(r"^```sql\n-- (\d{4})_\w+\.sql\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
