"""PostgreSQL for the pods: the binaries that tests use, in a container, so that no port of this machine opens."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.cli.embedded_location import packaged_programs
from tests.image.kubelet import Kubelet
from tests.image.podman import PodmanError, create, log_of, podman

NAME = "postgres.example"
"""Its name in the network: an address of somebody else's, as an external database's is."""
_USER = 10002
_START_SECONDS = 60.0
_PROGRAMS = "/opt/postgres"
_START = (
    "initdb --pgdata /data/pg --username leadline --pwfile <(echo $PASSWORD) --auth scram-sha-256 --no-locale"
    " --encoding UTF8 --no-sync --no-instructions >/data/initdb.log"
    " && echo 'host all all all scram-sha-256' >>/data/pg/pg_hba.conf"
    " && exec postgres -D /data/pg -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off -c jit=off"
)


@contextmanager
def database(kubelet: Kubelet, image: str) -> Iterator[str]:
    """The URL of an empty database, as pods reach it. `image` is any with the C library and bash."""
    password = secrets.token_urlsafe(24)
    package = packaged_programs().parent
    # The binaries find their libraries by relative path, in a folder beside the package.
    parts = (package, package.with_suffix(".libs"))
    arguments = [
        *("--network", kubelet.network, "--network-alias", NAME, "--log-driver", "k8s-file"),
        *("--user", f"{_USER}:{_USER}", "--read-only", "--tmpfs", "/tmp:mode=1777", "--tmpfs", "/data:mode=1777"),
        *(word for part in parts for word in ("--volume", f"{part}:{_PROGRAMS}/{part.name}:ro")),
        *("--env", "PASSWORD", "--env", f"PATH={_PROGRAMS}/{package.name}/pginstall/bin:/usr/bin:/bin"),
        *("--shm-size", "256m", "--entrypoint", '["bash", "-c"]', image, _START),
    ]
    container = create(f"postgres-{kubelet.run}", kubelet.run, arguments, {"PASSWORD": password})
    podman("start", container)
    _await(container)
    podman("exec", container, "bash", "-c", "PGPASSWORD=$PASSWORD createdb --host /tmp --username leadline leadline")
    yield f"postgresql://leadline:{password}@{NAME}:5432/leadline"


def _await(container: str) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while True:
        try:
            podman("exec", container, "pg_isready", "--host", "/tmp", "--quiet")
        except PodmanError:
            if time.monotonic() >= ends_at:
                raise PodmanError(f"PostgreSQL does not start: {log_of(container)}") from None
            time.sleep(0.3)
        else:
            return
