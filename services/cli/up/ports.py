"""Ports of this machine: the usual one if it is free, another one if not."""

import socket

from services.cli.free_port import free_port
from services.cli.up.errors import UpRefused


def choose_port(host: str, preferred: int, setting: str, *, given: bool, taken: set[int]) -> int:
    """A port of `host` that is free now, never one of `taken`; it is added to them.

    `given`: somebody set it, so it is this one or none (0: any). Raises UpRefused. The usual one may still be taken by
    another process before ours listens there; any other is reserved.
    """
    if preferred and preferred not in taken and _is_free(host, preferred):
        port = preferred
    elif given and preferred:
        msg = f"{setting}={preferred}: the port is taken on {host}; stop who listens there or set another one"
        raise UpRefused(msg)
    else:
        port = _any_free(host)
    taken.add(port)
    return port


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as aiohttp listens: TIME_WAIT is not taken
        try:
            probe.bind((host, port))
            probe.listen()  # SO_REUSEADDR lets two bind, but not two listen
        except OSError:
            return False
    return True


def _any_free(host: str) -> int:
    try:
        return free_port(host)
    except OSError as error:
        msg = f"LEADLINE_HOST={host}: cannot listen there: {error.strerror or error}"
        raise UpRefused(msg) from None
