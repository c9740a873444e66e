"""HTTP towards a provider when a request must go out at most once, and not a moment too late.

Facts this stands on (Linux, aiohttp 3.14): the kernel goes on retransmitting what a dead process wrote, unless
`TCP_USER_TIMEOUT` or `SO_LINGER(1, 0)` stops it; raising in a connection trace aborts before a byte is written; aiohttp
keeps the head of a request back until the first write of its body, so a payload that refuses leaves the wire empty; the
trace `on_request_headers_sent` says nothing about bytes. aiohttp repeats only idempotent methods on a lost keep-alive,
never POST.
"""

import socket
from types import SimpleNamespace
from typing import Final

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from leadline.telephony.port import Gate

TCP_USER_TIMEOUT_MS: Final = 3000
KEEPALIVE_SECONDS: Final = 15.0
"""Shorter than the idle time-out of load balancers: writing to a connection that is being closed costs a doubt."""
_LINGER_OFF_AT_ONCE: Final = b"\x01\x00\x00\x00\x00\x00\x00\x00"


class NothingWritten(aiohttp.ClientError):
    """The connection was gone before the first byte of the request."""


class GatedPayload(BytesPayload):
    """A request body that passes the gate in the same step in which head and body are written."""

    def __init__(self, body: bytes, gate: Gate) -> None:
        super().__init__(body, content_type="application/json")
        self._gate = gate

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write at once, or raise GateClosed or NothingWritten with the wire untouched."""
        transport = getattr(writer, "transport", None)
        if transport is None or transport.is_closing():
            raise NothingWritten("the connection was closed before the request")
        self._gate.pass_first_byte()
        await super().write_with_length(writer, content_length)


def gate_trace() -> aiohttp.TraceConfig:
    """Check the gate when a connection is made or taken up again: the request has it as `trace_request_ctx`."""
    trace = aiohttp.TraceConfig()

    async def check(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        gate = context.trace_request_ctx
        if isinstance(gate, Gate):
            gate.check()

    trace.on_connection_create_end.append(check)
    trace.on_connection_reuseconn.append(check)
    return trace


def provider_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that forgets what it could not deliver: nothing of a dead process may reach the provider later."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF_AT_ONCE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TCP_USER_TIMEOUT_MS)
    except BaseException:
        made.close()
        raise
    return made


def provider_session(headers: dict[str, str], timeout_seconds: float) -> aiohttp.ClientSession:
    """A session for one provider. To be made inside a running loop; the caller closes it.

    It keeps no cookies, reads no proxy variables, and has no limit of its own on connections: slots bound them.
    """
    connector = aiohttp.TCPConnector(
        limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ttl_dns_cache=60, socket_factory=provider_socket
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[gate_trace()],
        trust_env=False,
    )
