"""The embedded PostgreSQL keeps its data through every way of stopping, and one owner at a time."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.cli.embedded_location import (
    LOCATION_FILE,
    UNPRIVILEGED_USER,
    EmbeddedPostgresError,
    RunAs,
    find_location,
    packaged_programs,
)
from services.cli.embedded_postgres import EmbeddedPostgres
from services.cli.server_process import process_has_ended, running_server

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")

OWNER = """
import asyncio, sys
from pathlib import Path
from services.cli.embedded_postgres import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1])) as server:
        print(server.url("postgres"), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that is open to the server's user, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="ll-"))
    folder.chmod(0o755)
    yield folder
    for child in (folder, folder / "closed"):
        note = child / LOCATION_FILE
        if note.exists():
            shutil.rmtree(note.read_text().strip(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


async def count_after_insert(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (); INSERT INTO kept DEFAULT VALUES")
        count: int = await connection.fetchval("SELECT count(*) FROM kept")
        return count
    finally:
        await connection.close()


async def test_data_stay_when_it_stops_and_when_it_is_killed(folder: Path) -> None:
    said: list[str] = []
    async with EmbeddedPostgres(folder / "data", progress=said.append) as server:
        url = await server.ensure_database("lead-line")
        assert await server.ensure_database("lead-line") == url
        assert await count_after_insert(url) == 1
    assert len(said) == 1
    assert said[0].startswith("making a database")

    async with EmbeddedPostgres(folder / "data") as server:
        assert await count_after_insert(server.url("lead-line")) == 2
        os.kill(server.pid, signal.SIGKILL)

    async with EmbeddedPostgres(folder / "data") as server:
        assert await count_after_insert(server.url("lead-line")) == 3
        pid = server.pid
    assert process_has_ended(pid)
    assert running_server(folder / "data" / "postgres" / "data") is None


async def test_a_folder_has_one_owner_and_its_password_is_private(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        with pytest.raises(EmbeddedPostgresError, match=r"in use by another `leadline up`"):
            await EmbeddedPostgres(folder).start()
        assert (folder / "postgres" / "password").stat().st_mode & 0o777 == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url("postgres"), password="wrong")
        by_socket = await asyncpg.connect(
            host=str(server.socket_dir),
            port=server.port,
            user="leadline",
            password=(folder / "postgres" / "password").read_text(),
            database="postgres",
        )
        await by_socket.close()
    assert "Permission" not in (folder / "postgres" / "server.log").read_text()


async def test_a_server_left_behind_by_a_killed_owner_is_stopped_first(folder: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    left_url = owner.stdout.readline().strip()
    assert await count_after_insert(left_url) == 1
    owner.kill()
    owner.communicate()
    left_pid = running_server(folder / "postgres" / "data")
    assert left_pid is not None

    said: list[str] = []
    async with EmbeddedPostgres(folder, progress=said.append) as server:
        assert said == ["stopping a PostgreSQL that was left behind"]
        assert process_has_ended(left_pid)
        assert await count_after_insert(server.url("postgres")) == 2


async def test_a_half_made_database_is_made_anew(folder: Path) -> None:
    location = find_location(folder, RunAs.choose())
    location.data.mkdir()
    (location.data / "base").mkdir()
    async with EmbeddedPostgres(folder) as server:
        assert await count_after_insert(server.url("postgres")) == 1


async def test_what_ends_the_server_is_told_in_one_line(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"ended by itself: .*no_such_setting") as caught:
        await EmbeddedPostgres(folder, options={"no_such_setting": "1"}).start()
    assert "\n" not in str(caught.value)
    (folder / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match="was made by PostgreSQL 9, this is 1"):
        await EmbeddedPostgres(folder).start()
    (folder / "postgres" / "data" / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(folder):
        pass


async def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    async with EmbeddedPostgres(folder / ("x" * 80)) as server:
        assert len(str(server.socket_dir)) < 90
        short = server.socket_dir
    assert not short.exists()


@as_root
async def test_root_runs_it_as_a_user_without_rights(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        nobody = pwd.getpwnam(UNPRIVILEGED_USER).pw_uid
        assert Path(f"/proc/{server.pid}").stat().st_uid == nobody
        assert (folder / "postgres" / "password").stat().st_uid == 0
        assert folder.stat().st_mode & 0o777 == 0o755


@as_root
async def test_a_folder_closed_to_others_stays_closed_and_names_another(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    async with EmbeddedPostgres(closed) as server:
        assert await count_after_insert(server.url("postgres")) == 1
    home = Path((closed / LOCATION_FILE).read_text().strip())
    assert (home / "data" / "PG_VERSION").exists()
    assert not (closed / "postgres").exists()
    assert closed.stat().st_mode & 0o777 == 0o700
    async with EmbeddedPostgres(closed) as server:
        assert await count_after_insert(server.url("postgres")) == 2

    shutil.rmtree(home)
    with pytest.raises(EmbeddedPostgresError, match=f"the database was in {home}, which is gone; delete"):
        await EmbeddedPostgres(closed).start()


@as_root
async def test_programs_in_a_closed_folder_are_copied_beside_the_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    package = packaged_programs().parent
    shutil.copytree(package, closed / package.name, symlinks=True)
    shutil.copytree(package.with_suffix(".libs"), closed / f"{package.name}.libs", symlinks=True)
    monkeypatch.setattr("services.cli.embedded_location.packaged_programs", lambda: closed / package.name / "pginstall")
    (folder / "postgres").mkdir()
    (folder / "postgres" / "programs-of-before").mkdir()
    for expected in (1, 2):
        async with EmbeddedPostgres(folder) as server:
            assert await count_after_insert(server.url("postgres")) == expected
    copies = list((folder / "postgres").glob("programs-*"))
    assert len(copies) == 1
    assert copies[0].stat().st_uid == 0
    assert copies[0].stat().st_mode & 0o022 == 0


@as_root
async def test_it_runs_for_a_user_without_rights_as_that_user(folder: Path) -> None:
    run_as = RunAs.choose()
    python = next(
        (
            path
            for path in (Path(sys.executable).resolve(), Path("/usr/bin/python3"))
            if path.exists() and run_as.can_reach(path.resolve().parent)
        ),
        None,
    )
    if python is None:
        pytest.skip(reason="no Python here is open to a user without rights")
    run_as.give(folder)
    owner = subprocess.Popen(
        [str(python), "-c", OWNER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        **(run_as.popen_arguments() | {"env": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}),
    )
    assert owner.stdout is not None
    url = await asyncio.to_thread(owner.stdout.readline)
    assert await count_after_insert(url.strip()) == 1
    owner.send_signal(signal.SIGINT)
    owner.communicate(timeout=60)
    assert (folder / "postgres" / "data").stat().st_uid == run_as.uid
    assert running_server(folder / "postgres" / "data") is None


def test_without_a_wheel_for_this_machine_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmbeddedPostgresError, match="set LEADLINE_DATABASE_URL"):
        packaged_programs()
