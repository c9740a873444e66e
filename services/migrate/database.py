"""Migrate's connection to the database, and what it reads there of the schema."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from leadline.store.schema import FIND_SCHEMA, GET_OLDEST_CODE, GET_REVISION, GET_SCHEMA, Schema
from services.migrate.errors import MigrateError

CONNECT_TIMEOUT_SECONDS = 10
_SESSION = (
    "SET client_min_messages = warning",
    # A migrate that was killed, or whose node is gone, must not keep the lock for as long as its statement runs.
    "SET client_connection_check_interval = '5s'",
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)


@contextmanager
def connecting(database_url: str) -> Iterator[Connection]:
    """A connection of its own, closed at the end. MigrateError if the database cannot be reached or is lost."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(
            database_url,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            application_name="leadline-migrate",
            client_encoding="utf8",
        ),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            for setting in _SESSION:
                connection.exec_driver_sql(setting)
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            connection.commit()
            if encoding != "UTF8":
                msg = f"the database's encoding is {encoding}; create it with ENCODING 'UTF8' TEMPLATE template0"
                raise MigrateError(msg)
            yield connection
    except DBAPIError as error:
        raise MigrateError(one_line(error)) from error


def one_line(error: DBAPIError) -> str:
    """What the server said."""
    return " ".join(str(error.orig).split())


def find_schema(connection: Connection) -> Schema:
    """What the database says of its schema, whatever it is. Leaves no transaction open."""
    try:
        migrated, recorded = connection.exec_driver_sql(FIND_SCHEMA).one()
        if migrated and recorded:
            return Schema(*connection.exec_driver_sql(GET_SCHEMA).one())
        return Schema(
            connection.exec_driver_sql(GET_REVISION).scalar_one() if migrated else None,
            connection.exec_driver_sql(GET_OLDEST_CODE).scalar_one() if recorded else None,
        )
    finally:
        connection.rollback()
