"""A database for a whole module: for tests that only look, or that roll back what they tried."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.support.run import Server, drop_database


@contextmanager
def module_database(postgres: Server) -> Iterator[str]:
    """URL of a fresh database at head, dropped on leaving."""
    name = f"leadline_test_{secrets.token_hex(6)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(postgres.template))
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(create)
        try:
            yield postgres.database_url(name)
        finally:
            drop_database(admin, name)
