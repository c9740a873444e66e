"""A PostgreSQL of our own, from a wheel, for `leadline up` and tests.

Started by us and not by the wheel's own API, which listens on no TCP port, gives up after ten seconds and as root adds
users and opens folders (ADR 0002).

One server per folder: a lock file says so. The data stay when it stops, and survive every way of dying. A server that
was left behind by a killed owner is stopped before a new one starts.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

import asyncpg

from services.cli.embedded_location import EmbeddedPostgresError, Location, RunAs, find_location
from services.cli.free_port import free_port
from services.cli.server_process import POLL_SECONDS, process_has_ended, running_server, stop_process

SUPERUSER = "leadline"
PROGRESS_SECONDS = 5.0
PORT_TRIES = 5
LONGEST_SOCKET_PATH = 90
"""Linux takes 107 bytes for the path of a socket; its name needs some of them."""
_NO_TLS = "?sslmode=disable"
"""Nothing leaves this machine; and asked for TLS, drivers look for certificates in a home that may be closed to us."""

Progress = Callable[[str], None]


def _silent(_line: str) -> None:
    pass


class EmbeddedPostgres:
    """`async with EmbeddedPostgres(folder) as server: server.url("leadline")`.

    `options` are server settings (`{"fsync": "off"}`). `progress` gets a line for what takes time. Bound to no event
    loop.
    """

    def __init__(
        self, data_dir: Path, *, options: Mapping[str, str] | None = None, progress: Progress = _silent
    ) -> None:
        self._data_dir = data_dir
        self._options = dict(options or {})
        self._progress = progress
        self._run_as = RunAs.choose()
        self._lock: BinaryIO | None = None
        self._location: Location | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        """Start; see `start`."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def pid(self) -> int:
        """The server's process."""
        if self._server is None:
            msg = "the server is not running"
            raise EmbeddedPostgresError(msg)
        return self._server.pid

    @property
    def socket_dir(self) -> Path:
        """Folder of the Unix socket, for `psql -h`."""
        if self._socket_dir is None:
            msg = "the server is not running"
            raise EmbeddedPostgresError(msg)
        return self._socket_dir

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; a new one at every start."""
        return self._port

    def url(self, database: str) -> str:
        """URL of a database for the superuser, password included."""
        if self._location is None:
            msg = "the server is not running"
            raise EmbeddedPostgresError(msg)
        password = self._location.password_file.read_text(encoding="utf-8").strip()
        return f"postgresql://{SUPERUSER}:{quote(password)}@127.0.0.1:{self._port}/{quote(database, safe='')}{_NO_TLS}"

    async def start(self) -> None:
        """Start the server, making its data folder the first time. Returns when it takes connections.

        Waits without a limit while it recovers from a crash. Raises EmbeddedPostgresError: the folder is in use by
        another owner, belongs to another major version, or the server ended by itself (the message holds its last
        words).
        """
        self._data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._lock = _lock_folder(self._data_dir)
        try:
            self._location = await asyncio.to_thread(find_location, self._data_dir, self._run_as)
            await self._stop_left_behind()
            if not (self._location.data / "PG_VERSION").exists():
                await asyncio.to_thread(self._initialise, self._location)
            self._check_version(self._location)
            await self._launch(self._location)
        except BaseException:
            await self.stop()
            raise

    async def ensure_database(self, name: str) -> str:
        """Create the database if it is not there; its URL."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                quoted = name.replace('"', '""')
                await connection.execute(f'CREATE DATABASE "{quoted}"')
        finally:
            await connection.close()
        return self.url(name)

    async def stop(self) -> None:
        """Stop with SIGINT (transactions are rolled back, connections closed) and give up the folder. Never raises."""
        if self._server is not None:
            await stop_process(
                self._server.pid, has_ended=lambda: self._server is None or self._server.poll() is not None
            )
            self._server = None
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _initialise(self, location: Location) -> None:
        self._progress(f"making a database in {location.home}")
        password = secrets.token_urlsafe(24)
        _write_private(location.password_file, password)
        shutil.rmtree(location.data, ignore_errors=True)  # half made by an initdb that was killed
        location.data.mkdir(mode=0o700)
        self._run_as.give(location.data)
        for_initdb = location.home / "password-for-initdb"
        _write_private(for_initdb, password)
        self._run_as.give(for_initdb)
        try:
            run = subprocess.run(  # noqa: S603 -- our own binary with fixed arguments
                [
                    str(location.programs / "bin" / "initdb"),
                    *("--pgdata", str(location.data), "--username", SUPERUSER, "--pwfile", str(for_initdb)),
                    *("--auth", "scram-sha-256", "--no-locale", "--encoding", "UTF8", "--no-instructions"),
                    *(("--no-sync",) if self._options.get("fsync") == "off" else ()),
                ],
                check=False,
                capture_output=True,
                text=True,
                **self._run_as.popen_arguments(),
            )
        finally:
            for_initdb.unlink()
        if run.returncode != 0:
            msg = f"initdb failed: {_one_line(run.stderr)}"
            raise EmbeddedPostgresError(msg)

    def _check_version(self, location: Location) -> None:
        has = (location.data / "PG_VERSION").read_text(encoding="ascii").strip()
        answer = subprocess.run(  # noqa: S603 -- our own binary with fixed arguments
            [str(location.programs / "bin" / "postgres"), "--version"], check=True, capture_output=True, text=True
        )
        version = answer.stdout.split()[2]
        if version.split(".")[0] != has:
            msg = f"{location.data} was made by PostgreSQL {has}, this is {version}"
            raise EmbeddedPostgresError(msg)

    async def _launch(self, location: Location) -> None:
        for tries_left in reversed(range(PORT_TRIES)):
            self._port = free_port()
            self._socket_dir = _make_socket_dir(location, self._run_as)
            log_file = location.home / "server.log"
            with log_file.open("wb") as output:
                self._server = subprocess.Popen(  # noqa: S603, ASYNC220 -- our own binary; must outlive any event loop
                    self._command(location),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C is for us, who then stop it in order
                    **self._run_as.popen_arguments(),
                )
            if await self._wait_ready(log_file):
                return
            said = _one_line(log_file.read_text(encoding="utf-8", errors="replace"))
            if "Address already in use" not in said or not tries_left:
                msg = f"the embedded PostgreSQL ended by itself: {said}"
                raise EmbeddedPostgresError(msg)

    def _command(self, location: Location) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0777",  # the folder decides who passes, the password who enters
            **self._options,
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(location.programs / "bin" / "postgres"), "-D", str(location.data), *flags]

    async def _wait_ready(self, log_file: Path) -> bool:
        """True when it takes connections, False when it has ended."""
        loop = asyncio.get_running_loop()
        next_line_at = loop.time() + PROGRESS_SECONDS
        while self._server is not None and self._server.poll() is None:
            if await self._takes_connections():
                return True
            if loop.time() >= next_line_at:
                next_line_at += PROGRESS_SECONDS
                self._progress(f"PostgreSQL is still starting: {_last_line(log_file)}")
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _takes_connections(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url("postgres"), timeout=10)
        except (ConnectionError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError):
            return False
        await connection.close()
        return True

    async def _stop_left_behind(self) -> None:
        """Stop the server of an owner that was killed: we hold the lock, so it has no owner."""
        if self._location is None:
            return
        pid = running_server(self._location.data)
        if pid is not None:
            self._progress("stopping a PostgreSQL that was left behind")
            await stop_process(pid, has_ended=lambda: process_has_ended(pid))


def _lock_folder(data_dir: Path) -> BinaryIO:
    lock = (data_dir / "postgres.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        msg = f"{data_dir} is in use by another `leadline up`; stop it, or set LEADLINE_DATA_DIR to another folder"
        raise EmbeddedPostgresError(msg) from None
    return lock


def _make_socket_dir(location: Location, run_as: RunAs) -> Path:
    folder = location.home / "socket"
    if len(str(folder)) > LONGEST_SOCKET_PATH:
        folder = Path(tempfile.mkdtemp(prefix="leadline-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    run_as.give(folder)
    return folder


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())[-600:]


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no word yet"
