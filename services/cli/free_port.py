"""Ports of this machine that nobody has, and that nobody else is given while we run."""

import errno
import random
import socket
from pathlib import Path

_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_EPHEMERAL = 32_768
_LOWEST = 20_000


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port of `host` that is free, reserved until this process ends.

    It lies below the ports that the kernel gives to outgoing connections (ip(7), `ip_local_port_range`), and stays
    bound here without listening: who listens with SO_REUSEADDR, as asyncio and PostgreSQL do, may have it (socket(7));
    a call of this function, here or in any process, is given another one. Raises OSError if `host` is not an address
    of this machine, or if there is no such port left.
    """
    ports = range(_LOWEST, max(_first_ephemeral(), _LOWEST + 1000))
    for port in random.sample(ports, len(ports)):
        reserved = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            reserved.bind((host, port))
        except OSError as error:
            reserved.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only now: bound by nobody else before
        reserved.detach()  # open until we end
        return port
    raise OSError(errno.EADDRINUSE, f"no free port from {ports.start} to {ports.stop - 1}")


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL
