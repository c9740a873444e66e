"""Runs the SQL file that lies beside a revision.

A revision is four lines of Python and a file of SQL:

    revision, down_revision = "0002", "0001"
    upgrade = sql_beside(__file__)

Each file runs in a transaction of its own. One whose first line is `-- outside a transaction` holds one statement that
refuses to run in a transaction (CREATE INDEX CONCURRENTLY IF NOT EXISTS), written so that it can be run again. There is
no way down: mend forward.
"""

import re
from collections.abc import Callable
from pathlib import Path

from alembic import op

OUTSIDE_MARK = "-- outside a transaction"
OUTSIDE_LOCK_TIMEOUT = "2min"
"""Such a statement waits for transactions that are open, and nobody waits behind it."""
_INDEX = re.compile(r"\bINDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(\w+)", re.IGNORECASE)
_IS_INVALID = "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('{name}') AND NOT indisvalid"


def sql_beside(python_file: str) -> Callable[[], None]:
    """The `upgrade` of the revision in `python_file`: runs the `.sql` file of the same name, as it stands."""
    path = Path(python_file).with_suffix(".sql")

    def upgrade() -> None:
        text = path.read_text(encoding="utf-8")
        if text.startswith(OUTSIDE_MARK):
            with op.get_context().autocommit_block():
                _run(f"SET lock_timeout = '{OUTSIDE_LOCK_TIMEOUT}'")
                _drop_half_built_index(text)
                _run(text)
        else:
            _run(text)

    return upgrade


def _drop_half_built_index(text: str) -> None:
    """A build that was broken off leaves an index that nobody may use, and that IF NOT EXISTS takes for a whole one."""
    index = _INDEX.search(text)
    if index and op.get_bind().exec_driver_sql(_IS_INVALID.format(name=index[1])).scalar_one():
        _run(f"DROP INDEX CONCURRENTLY {index[1]}")


def _run(text: str) -> None:
    # Without parameters the driver sends the text untouched: many statements, and % signs, are allowed.
    op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})
