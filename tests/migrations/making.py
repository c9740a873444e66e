"""Invented revisions in folders of their own, and the migrate process."""

import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from services.migrate.revisions import SCRIPTS, Revisions
from tests.support.environment import clean_environ

HEADER = '''"""Words."""
from migrations.plain_sql import sql_beside
revision, down_revision = {revision!r}, {before!r}
upgrade = sql_beside(__file__)
'''


def write_revision(folder: Path, revision: str, before: str | None, text: str) -> None:
    """A revision, new or anew."""
    (folder / f"{revision}_words.py").write_text(HEADER.format(revision=revision, before=before))
    (folder / f"{revision}_words.sql").write_text(text)


def next_version(folder: Path, *texts: str) -> Revisions:
    """The project's revisions and, after them, one for each of `texts`: the migrate of a version to come."""
    shutil.copytree(SCRIPTS / "versions", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    head = Revisions().head()
    for number, text in enumerate(texts, start=int(head) + 1):
        write_revision(folder, f"{number:04}", f"{number - 1:04}", text)
    return Revisions(folder)


def migrate(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    """This version's migrate, until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "services.migrate", *arguments],
        env=clean_environ({"LEADLINE_DATABASE_URL": url, "LEADLINE_LOG_FORMAT": "json"}),
        capture_output=True,
        text=True,
        check=False,
    )


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    """What a query finds."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def where(url: str) -> tuple[object, ...]:
    """Revision and oldest code of a database."""
    (found,) = rows(url, "SELECT version_num, oldest_code FROM alembic_version, schema_compatibility")
    return found
