"""A free port is ours until we end: no other process gets it, and our own server can listen there."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.free_port import free_port

HOST = "127.0.0.1"


def test_no_connection_is_given_it() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert all(free_port() < lowest for _ in range(50))


def test_it_is_given_once_also_to_other_processes() -> None:
    ours = [free_port() for _ in range(50)]
    program = (
        "import random, sys; ours = [int(port) for port in sys.argv[1:]]\n"
        "random.sample = lambda ports, k: [*ours, *ports]\n"  # ours are tried first
        "from services.cli.free_port import free_port\n"
        "print(*(free_port() for _ in range(50)))"
    )
    command = [sys.executable, "-c", program, *map(str, ours)]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    theirs = [int(port) for port in said.stdout.split()]
    assert len({*ours, *theirs}) == 100


async def test_a_server_listens_there_and_does_so_again() -> None:
    port = free_port()
    for _ in range(2):
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), HOST, port)
        _, writer = await asyncio.open_connection(HOST, port)
        writer.close()
        server.close()
        await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


def test_it_is_reserved_and_does_not_listen() -> None:
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, port))


def test_a_foreign_address_is_said_so() -> None:
    with pytest.raises(OSError, match="Cannot assign requested address"):
        free_port("203.0.113.1")
