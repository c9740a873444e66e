"""Alembic's entry: runs revisions on the connection that `services.migrate` holds the lock on. No other way in."""

from alembic import context
from sqlalchemy import Connection


def run() -> None:
    """Run what `services.migrate` asked for."""
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        msg = "run `leadline migrate`, not alembic: it takes the lock"
        raise RuntimeError(msg)
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run()
