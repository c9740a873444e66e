"""One test run: a folder that all its workers share, and the one PostgreSQL in it.

pytest's controller makes the folder and clears it away; whichever worker needs the server first starts it, under a file
lock. What a killed run left behind is stopped by the next one.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from services.cli.embedded_postgres import EmbeddedPostgres
from services.cli.server_process import process_has_ended, running_server, stop_process
from services.migrate.revisions import Revisions

RUN_DIR_VARIABLE = "PYTEST_LEADLINE_RUN_DIR"
_PREFIX = "leadline-tests-"
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "autovacuum_naptime": "1h",
    "jit": "off",
}
_DURABLE = {"max_connections": "300"}


@dataclass(frozen=True, slots=True)
class Server:
    """The server of a run: its URL (some database that is always there) and the migrated template in it."""

    url: str
    template: str
    container: str | None = None

    def database_url(self, name: str) -> str:
        """URL of another database of this server."""
        return with_database(self.url, name)


def with_database(url: str, name: str) -> str:
    """The same URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def begin_run() -> None:
    """For the controller, before workers start: make the folder that they find in their environment."""
    _clear_dead_runs()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o711)  # the server's user passes through
    (folder / "owner").write_text(str(os.getpid()), encoding="ascii")
    os.environ[RUN_DIR_VARIABLE] = str(folder)


def end_run() -> None:
    """For the controller, after workers ended: stop the server and clear away."""
    folder = Path(os.environ.pop(RUN_DIR_VARIABLE))
    server = _read_server(folder)
    if server is not None:
        _drop_what_we_made(server)
    _clear(folder)


def shared_server() -> Server:
    """The run's server with its migrated template, started by whoever asks first."""
    folder = Path(os.environ[RUN_DIR_VARIABLE])
    with _locked(folder / "server.lock"):
        server = _read_server(folder)
        if server is None:
            server = _start(folder)
            try:
                _migrate_template(server)
            except BaseException:
                _give_up(server)
                raise
            (folder / "server.json").write_text(json.dumps(asdict(server)), encoding="utf-8")
    return server


def _start(folder: Path) -> Server:
    template = f"leadline_test_{secrets.token_hex(4)}"
    given = os.environ.get("LEADLINE_TEST_DATABASE_URL")
    if given:
        return Server(given, template)
    if os.environ.get("LEADLINE_TEST_POSTGRES") == "docker":
        return _start_container(template)
    options = _DURABLE if os.environ.get("LEADLINE_TEST_FSYNC") == "on" else _FAST
    embedded = EmbeddedPostgres(folder, options=options)
    asyncio.run(embedded.start())
    _keep_for_ever.append(embedded)
    return Server(embedded.url("postgres"), template)


_keep_for_ever: list[EmbeddedPostgres] = []
"""Holds the folder's lock for as long as the worker that started the server lives."""


def _start_container(template: str) -> Server:
    # Its reaper removes containers when the worker that started them ends; other workers still need this one.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    from testcontainers.community.postgres import PostgresContainer

    image = os.environ.get("LEADLINE_TEST_POSTGRES_IMAGE", "postgres:16")
    container = PostgresContainer(image, driver=None).start()
    return Server(container.get_connection_url(), template, container.get_wrapped_container().id)


def _migrate_template(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        create_database(connection, server.template)
    Revisions().upgrade(server.database_url(server.template))


def _give_up(server: Server) -> None:
    """So that the next worker that asks meets the same error and not a half-made server."""
    _drop_what_we_made(server)
    while _keep_for_ever:
        asyncio.run(_keep_for_ever.pop().stop())


def _drop_what_we_made(server: Server) -> None:
    if server.container is not None:
        import docker

        docker.from_env().containers.get(server.container).remove(force=True, v=True)
        return
    with (
        contextlib.suppress(psycopg.OperationalError),  # a server that is gone has nothing of ours
        psycopg.connect(server.url, autocommit=True) as connection,
    ):
        drop_database(connection, server.template)


def create_database(admin: psycopg.Connection, name: str, template: str = "template0") -> None:
    """Make it, in UTF-8 and sorted by code points whatever the server's own default."""
    order = "" if template != "template0" else " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    admin.execute(
        sql.SQL("CREATE DATABASE {name} TEMPLATE {template}{order}").format(
            name=sql.Identifier(name), template=sql.Identifier(template), order=sql.SQL(order)
        )
    )


def drop_database(admin: psycopg.Connection, name: str) -> None:
    """Drop it, whoever is connected."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _read_server(folder: Path) -> Server | None:
    try:
        return Server(**json.loads((folder / "server.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear_dead_runs() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            owner = int((folder / "owner").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if process_has_ended(owner) and os.access(folder, os.W_OK):
            _clear(folder)


def _clear(folder: Path) -> None:
    pid = running_server(folder / "postgres" / "data")
    if pid is not None:
        asyncio.run(stop_process(pid, has_ended=lambda: process_has_ended(pid)))
    shutil.rmtree(folder, ignore_errors=True)
