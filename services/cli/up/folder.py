"""The data folder of `leadline up`: who uses it, what it remembers, and how the command line finds what runs.

`up.lock` (held while running), `keys/` (what was made, owner only), `state.json` (what the next start must know),
`connection.json` (while running: where the services are), `targets.json` (while running: what Prometheus may scrape),
`logs/`; PostgreSQL's files are its own affair.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.cli.up.errors import UpRefused

_OWNER_ONLY_FILE = 0o600
_OWNER_ONLY_FOLDER = 0o700
_LONGEST_LOG_BYTES = 20 * 1024 * 1024
NAMESPACE = "leadline"
"""What dashboards and alerts see as the Kubernetes namespace of `leadline up`."""


@dataclass(frozen=True, slots=True)
class State:
    """What outlives a run. Business time itself is in the database."""

    simulated: bool | None = None
    """Whether the calls of this folder were the simulator's; None before the first start."""
    speed: float | None = None
    """How fast a moved clock ran when it was last stopped."""
    demo_leads: int = 0
    """How many sample leads this folder has had: the next ones are other people."""


class DataFolder:
    """One data folder. Not safe for two processes at once: see `locked`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self._keys = self.path / "keys"
        self._state = self.path / "state.json"
        self._connection = self.path / "connection.json"
        self.targets = self.path / "targets.json"
        """For Prometheus' `file_sd_configs`."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep every other `leadline up` out of it inside the block. Raises UpRefused."""
        try:
            self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.logs.mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)
            descriptor = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY_FILE)
        except OSError as error:
            msg = f"cannot use the data folder {self.path}: {error.strerror or error}; name another with --data-dir"
            raise UpRefused(msg) from None
        with os.fdopen(descriptor, "r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = lock.read(20).strip() or "unknown"
                msg = (
                    f"another `leadline up` (process {owner}) runs in {self.path};"
                    " stop it, or name another folder with --data-dir"
                )
                raise UpRefused(msg) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self.clear_connection()  # of a run that was killed
            try:
                yield
            finally:
                self.clear_connection()

    def key(self, name: str) -> tuple[str, bool]:
        """A secret of this folder and whether it was made just now."""
        path = self._keys / name
        try:
            return path.read_text(encoding="ascii").strip(), False
        except FileNotFoundError:
            self._keys.mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)
            value = secrets.token_urlsafe(24)
            write_private(path, value + "\n")
            return value, True

    def key_path(self, name: str) -> Path:
        """Where a made secret is kept."""
        return self._keys / name

    def read_state(self) -> State:
        """What the last run left; a file that cannot be read is refused rather than forgotten."""
        try:
            found: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
            return State(**found)
        except FileNotFoundError:
            return State()
        except (ValueError, TypeError):
            msg = f"{self._state} cannot be read; repair it, or name another folder with --data-dir"
            raise UpRefused(msg) from None

    def write_state(self, state: State) -> None:
        """Remember it."""
        write_private(self._state, json.dumps(asdict(state)) + "\n")

    def write_connection(self, connection: Mapping[str, str]) -> None:
        """Let the command line find what runs."""
        write_private(self._connection, json.dumps(dict(connection)) + "\n")

    def write_targets(self, targets: Mapping[str, str]) -> None:
        """Let a Prometheus find what runs: addresses of `/metrics` by component. Labels are those of a PodMonitor."""
        groups = [
            {
                "targets": [address],
                "labels": {"namespace": NAMESPACE, "pod": component, "app_kubernetes_io_component": component},
            }
            for component, address in targets.items()
        ]
        write_private(self.targets, json.dumps(groups, indent=1) + "\n")
        self.targets.chmod(0o644)  # no secret, and Prometheus is another user

    def clear_connection(self) -> None:
        """Nothing runs any more."""
        self._connection.unlink(missing_ok=True)
        self.targets.unlink(missing_ok=True)

    def log_path(self, name: str) -> Path:
        """The log of a process; what earlier runs wrote is moved aside when it has become too long."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _LONGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path


def write_private(path: Path, text: str) -> None:
    """Replace a file at one stroke; only its owner may ever read it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
