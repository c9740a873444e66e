"""Ports: the usual one, another one if that is taken, and a clear word if somebody insisted."""

import socket

import pytest

from services.cli.up.errors import UpRefused
from services.cli.up.ports import choose_port
from tests.support.ports import free_port

HOST = "127.0.0.1"


def test_a_free_port_is_taken_once() -> None:
    port, taken = free_port(), set[int]()
    assert choose_port(HOST, port, "X", given=False, taken=taken) == port
    assert choose_port(HOST, port, "X", given=False, taken=taken) != port
    assert len(taken) == 2


def test_a_taken_port_is_replaced_or_refused() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        assert choose_port(HOST, port, "X", given=False, taken=set()) != port
        with pytest.raises(UpRefused, match=rf"LEADLINE_GATEWAY_PORT={port}: the port is taken on {HOST}"):
            choose_port(HOST, port, "LEADLINE_GATEWAY_PORT", given=True, taken=set())


def test_zero_is_any_port() -> None:
    assert choose_port(HOST, 0, "X", given=True, taken=set()) > 0


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(UpRefused, match=r"LEADLINE_HOST=203\.0\.113\.1: cannot listen there"):
        choose_port("203.0.113.1", 0, "X", given=False, taken=set())
