"""The Bland client: one POST for each call and never a second, look-ups, stops."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
from yarl import URL

from leadline.contracts.leases import StopResult
from leadline.domain.ids import CallId, PhoneNumber
from leadline.runtime import loose_json
from leadline.runtime.http.answers import read_bounded, retry_after_seconds
from leadline.runtime.http.client_figures import Peer
from leadline.runtime.http.provider_figures import AnswerClass, ProviderExchange, begin_at_zero
from leadline.telephony import bland_lists
from leadline.telephony.bland_answers import answer_class, classify_answer, stated_cause
from leadline.telephony.bland_history import read_page, window_query
from leadline.telephony.bland_request import call_body
from leadline.telephony.bland_result import EventKind, parse_event
from leadline.telephony.gated_http import GatedPayload, NothingWritten, provider_session
from leadline.telephony.history import HistoryPage
from leadline.telephony.port import (
    Account,
    CallDetails,
    CallRequest,
    Doubt,
    FoundCalls,
    Gate,
    GateClosed,
    ListedCall,
    NotSent,
    PlaceAnswer,
    ProviderNonsense,
    ProviderRefused,
    ProviderUnreachable,
    StopAnswer,
)

_MOST_ANSWER_BYTES: Final = 64 * 1024
_MOST_DETAILS_BYTES: Final = 8 * 1024 * 1024
_MOST_LIST_BYTES: Final = 32 * 1024 * 1024
_REFUSING_STATUSES: Final = frozenset({401, 402, 403})
_SHORTEST_CONNECT_SECONDS: Final = 0.001
_NOT_THERE: Final = ("not found", "no call", "does not exist")
_PLACING: Final = "POST /v1/calls"
_Read = TypeVar("_Read")


class BlandClient:
    """Implements `Telephony` and `History`. Make it inside a running loop; close it, or use `async with`."""

    def __init__(
        self, *, base_url: str, api_key: str, timeout_seconds: float = 15.0, public_url: str | None = None
    ) -> None:
        """Open a session.

        Args:
            timeout_seconds: bound of one whole request, the reading of its answer included.
            public_url: under which Bland reaches the gateway; None leaves webhooks to the account's fallback URL.
        """
        self._base = base_url.rstrip("/")
        self._public_url = public_url
        self._timeout_seconds = timeout_seconds
        headers = {"Authorization": f"Bearer {api_key}", "Accept": "application/json", "Accept-Encoding": "identity"}
        self._session = provider_session(headers, timeout_seconds)
        begin_at_zero(Peer.BLAND, _PLACING)

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections; what was not delivered is dropped."""
        await self._session.close()

    async def place(self, request: CallRequest, gate: Gate) -> PlaceAnswer:
        """Ask for one call with exactly one POST.

        Whatever fails before the first byte is `NotSent`, whatever fails after it `Doubt`. Raises only CancelledError.
        """
        try:
            body = json.dumps(call_body(request, self._public_url)).encode()
            return await self._post_once(body, gate)
        except Exception as error:  # noqa: BLE001 -- after the first byte every failure, also one in a library, is a doubt
            reason = _reason(error)
            return Doubt(reason) if gate.perhaps_sent else NotSent(reason)

    async def _post_once(self, body: bytes, gate: Gate) -> PlaceAnswer:
        gate.check()
        connect_seconds = max(gate.seconds_left, _SHORTEST_CONNECT_SECONDS)
        timeout = aiohttp.ClientTimeout(
            total=self._timeout_seconds, connect=connect_seconds, sock_connect=connect_seconds
        )
        with ProviderExchange(Peer.BLAND, _PLACING, withheld=(GateClosed,)) as exchange:
            async with self._session.post(
                self._url("v1", "calls"),
                data=GatedPayload(body, gate),
                allow_redirects=False,
                trace_request_ctx=gate,
                timeout=timeout,
            ) as response:
                raw = await read_bounded(response, _MOST_ANSWER_BYTES) or b""
            answer = classify_answer(response.status, response.headers, raw)
            unreadable = isinstance(answer, Doubt) and 200 <= response.status < 300
            said = AnswerClass.UNREADABLE if unreadable else answer_class(response.status, raw)
            exchange.answered_as(response.status, said)
            return answer

    async def find(self, phone_number: PhoneNumber, since: datetime) -> FoundCalls:
        """All calls to a number since an instant, listed under both spellings of the number. Raises ProviderError."""
        return await bland_lists.find_calls(self._list_page, phone_number, since)

    async def history(self, since: datetime) -> FoundCalls:
        """All calls of the account since an instant. Raises ProviderError."""
        return await bland_lists.list_history(self._list_page, since)

    async def window(self, starts_at: datetime, ends_at: datetime, first: int, end: int) -> HistoryPage:
        """One page of the calls created between two instants, both inclusive, oldest first. Raises ProviderError."""
        return read_page(await self._list_page(window_query(starts_at, ends_at, first, end)))

    async def _list_page(self, query: Mapping[str, str]) -> object:
        return await self._ask("GET /v1/calls", self._url("v1", "calls").with_query(query), _MOST_LIST_BYTES, _decoded)

    async def details(self, call_id: CallId) -> CallDetails | None:
        """Everything known of one call, None if Bland has no such call. Raises ProviderError."""
        url = self._url("v1", "calls", call_id)
        return await self._ask("GET /v1/calls/{call_id}", url, _MOST_DETAILS_BYTES, _details)

    async def active(self) -> list[ListedCall]:
        """Every call that is queued or running. Raises ProviderError."""
        url = self._url("v1", "calls", "active")
        return bland_lists.active_calls(await self._ask("GET /v1/calls/active", url, _MOST_LIST_BYTES, _decoded))

    async def stop(self, call_id: CallId) -> StopAnswer:
        """End a call; a call that is not there counts as not found, not as a failure."""
        try:
            url = self._url("v1", "calls", call_id, "stop")
            return await self._ask("POST /v1/calls/{call_id}/stop", url, _MOST_ANSWER_BYTES, _stop_answer)
        except (ProviderUnreachable, ProviderRefused) as error:
            return StopAnswer(StopResult.FAILED, str(error)[:500])

    async def me(self) -> Account:
        """Probe the account. Raises ProviderError."""
        body = await self._ask("GET /v1/me", self._url("v1", "me"), _MOST_ANSWER_BYTES, _decoded)
        billing = loose_json.mapping(loose_json.mapping(body).get("billing"))
        return Account(balance_dollars=loose_json.number(billing.get("current_balance")))

    def _url(self, *path: str) -> URL:
        return URL(f"{self._base}/" + "/".join(quote(part, safe="") for part in path), encoded=True)

    async def _ask(self, operation: str, url: URL, most_bytes: int, read: Callable[[int, bytes], _Read]) -> _Read:
        """One request that changes nothing or may be repeated; answers that say `later` or `not you` are raised.

        `operation` begins with the method; `read` makes of status and body what is asked for, or raises
        ProviderNonsense.
        """
        with ProviderExchange(Peer.BLAND, operation, nonsense=(ProviderNonsense,)) as exchange:
            status, headers, raw = await self._answer(operation.partition(" ")[0], url, most_bytes)
            exchange.answered_as(status, answer_class(status, raw))
            if status in _REFUSING_STATUSES:
                raise ProviderRefused(f"Bland refuses our key or account: {stated_cause(raw) or status}")
            if status == 429 or status >= 500:
                sentence = f"Bland answered {status}: {stated_cause(raw) or 'without a cause'}"
                raise ProviderUnreachable(sentence, retry_after_seconds(headers))
            return read(status, raw)

    async def _answer(self, method: str, url: URL, most_bytes: int) -> tuple[int, Mapping[str, str], bytes]:
        try:
            async with self._session.request(method, url, allow_redirects=False) as response:
                raw = await read_bounded(response, most_bytes)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise ProviderUnreachable(f"Bland did not answer: {_reason(error)}") from error
        if raw is None:
            raise ProviderNonsense(f"Bland's answer is larger than {most_bytes} bytes")
        return response.status, response.headers, raw


def _decoded(status: int, raw: bytes) -> object:
    body = loose_json.loads(raw)
    if not 200 <= status < 300:
        raise ProviderNonsense(f"Bland answered {status}: {stated_cause(raw) or 'without a cause'}")
    if body is None:
        raise ProviderNonsense("Bland answered no JSON")
    return body


def _details(status: int, raw: bytes) -> CallDetails | None:
    if status == 404 or (400 <= status < 500 and _says_not_there(raw)):
        return None
    body = _decoded(status, raw)
    parsed = parse_event(raw)
    if parsed.kind is EventKind.NONSENSE:
        if isinstance(body, dict) and _says_not_there(raw):
            return None
        raise ProviderNonsense("Bland's details of a call have no call id")
    return CallDetails(raw, parsed)


def _stop_answer(status: int, raw: bytes) -> StopAnswer:
    cause = stated_cause(raw)
    if status == 404 or "sid not found" in cause.lower():
        return StopAnswer(StopResult.NOT_FOUND, cause or None)
    body = loose_json.loads(raw)
    said_no = isinstance(body, dict) and loose_json.text(body.get("status")).lower() == "error"
    if 200 <= status < 300 and not said_no:
        return StopAnswer(StopResult.STOPPED)
    return StopAnswer(StopResult.FAILED, cause or f"HTTP {status}")


def _says_not_there(raw: bytes) -> bool:
    cause = stated_cause(raw).lower()
    return any(phrase in cause for phrase in _NOT_THERE)


def _reason(error: BaseException) -> str:
    """A short stable name for what went wrong; the provider's or our own data never get into it."""
    if isinstance(error.__cause__, GateClosed | NothingWritten):
        return _reason(error.__cause__)
    names: tuple[tuple[type[BaseException], str], ...] = (
        (GateClosed, "gate_closed"),
        (NothingWritten, "connection_lost_before_request"),
        (aiohttp.ClientConnectorDNSError, "dns_failed"),
        (aiohttp.ClientSSLError, "tls_failed"),
        (aiohttp.ClientConnectorError, "connect_failed"),
        (aiohttp.ConnectionTimeoutError, "connect_timeout"),
        (TimeoutError, "timeout"),
        (aiohttp.ClientConnectionError, "connection_lost"),
        (aiohttp.ClientPayloadError, "answer_broken"),
        (aiohttp.ClientResponseError, "answer_unreadable"),
        (OSError, "connection_lost"),
    )
    return next((name for kind, name in names if isinstance(error, kind)), type(error).__name__)
