"""Webhooks: signed, delivered by a bounded number of workers, retried until they are answered 2xx or given up."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import aiohttp

from leadline.runtime.logging import get_logger
from services.simulator.bland import result
from services.simulator.bland.call import Call
from services.simulator.clock import Clock
from services.simulator.faults import FaultKind, Faults, Place
from services.simulator.ledger import Delivery
from services.simulator.settings import SimulatedWorldPart
from services.simulator.timers import Timers

log = get_logger(__name__)

RESULT: Final = "result"
CITATIONS: Final = "citations"
IN_CALL: Final = "in_call"
_SIGNATURE: Final = "X-Webhook-Signature"
_MOST_ANSWER_BYTES: Final = 65_536


@dataclass(slots=True, eq=False)
class Parcel:
    """One webhook on its way: the same bytes at every try."""

    call: Call
    url: str
    kind: str
    body: bytes
    tries: int = 0


class WebhookSender:
    """Delivers parcels in the order in which they become due, several at once, so order on the wire is not promised."""

    def __init__(self, settings: SimulatedWorldPart, clock: Clock, timers: Timers, faults: Faults) -> None:
        """`start` begins to deliver."""
        self._settings = settings
        self._clock = clock
        self._timers = timers
        self._faults = faults
        secret = settings.webhook_secret
        self._secret = secret.get_secret_value().encode() if secret else None
        self._queue: asyncio.Queue[Parcel] = asyncio.Queue()
        self._held: list[Parcel] = []
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session and its workers."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._settings.webhook_concurrency),
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout_seconds),
            trust_env=False,
        )
        work = partial(self._work, self._session)
        self._workers = [asyncio.create_task(work()) for _ in range(self._settings.webhook_concurrency)]

    async def stop(self) -> None:
        """Stop delivering; what is under way is lost, as it is when the provider has a bad day."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def clear(self) -> None:
        """Forget what waits to be delivered."""
        self._held.clear()
        while not self._queue.empty():
            self._queue.get_nowait()

    def send_result(self, call: Call) -> None:
        """Send the result of a call that has ended, as the faults in force will have it."""
        if call.request.webhook is None:
            return
        struck = partial(self._faults.take, Place.WEBHOOK, phone_number=call.number)
        if struck({FaultKind.IN_CALL_EVENT}):
            self.send_in_call_event(call)
        if struck({FaultKind.NEVER}):
            return
        parcel = self._result_parcel(call, call.request.webhook)
        copies = struck({FaultKind.DUPLICATE})
        late = struck({FaultKind.LATE})
        first = struck({FaultKind.CITATIONS_FIRST})
        if first or struck({FaultKind.CITATIONS}):
            self.send_citations(call)
        deliver: Callable[[Parcel], None] = self._queue.put_nowait
        if rule := late or first:
            deliver = partial(self._later, rule.seconds)
        elif held := struck({FaultKind.REORDER}):
            deliver = partial(self._hold, held.seconds)
        deliver(parcel)
        for _ in range(copies.copies if copies else 0):
            deliver(self._result_parcel(call, parcel.url, parcel.body))

    def resend_result(self, call: Call) -> bool:
        """Send a result once more; False if it was never sent."""
        if call.request.webhook is None or not call.result_sent:
            return False
        self._queue.put_nowait(self._result_parcel(call, call.request.webhook))
        return True

    def send_citations(self, call: Call) -> None:
        """Send the second POST of a call."""
        self._send(call, CITATIONS, result.citations(call, self._clock.now()))

    def send_in_call_event(self, call: Call) -> None:
        """Send what happens while the call goes on."""
        self._send(call, IN_CALL, result.in_call_event(call))

    def _send(self, call: Call, kind: str, body: dict[str, Any]) -> None:
        if call.request.webhook is not None:
            self._queue.put_nowait(Parcel(call, call.request.webhook, kind, json.dumps(body).encode()))

    def _result_parcel(self, call: Call, url: str, body: bytes | None = None) -> Parcel:
        call.result_sent = True
        if body is None:
            raw = call.fate.raw
            body = (
                raw.encode(errors="surrogatepass")
                if raw is not None
                else json.dumps(result.details(call, self._clock.now())).encode()
            )
        return Parcel(call, url, RESULT, body)

    def _later(self, seconds: float, parcel: Parcel) -> None:
        self._timers.after_real(seconds, partial(self._queue.put_nowait, parcel))

    def _hold(self, seconds: float, parcel: Parcel) -> None:
        self._held.append(parcel)
        self._timers.after_real(seconds, partial(self._release, parcel))

    def _release(self, parcel: Parcel) -> None:
        if parcel in self._held:
            self._held.remove(parcel)
            self._queue.put_nowait(parcel)

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            parcel = await self._queue.get()
            status = await self._post(session, parcel)
            self._settle(parcel, status)

    async def _post(self, session: aiohttp.ClientSession, parcel: Parcel) -> int | None:
        """The status, or None if there was no answer."""
        parcel.tries += 1
        headers = {"Content-Type": "application/json"}
        if self._secret is not None:
            headers[_SIGNATURE] = self._signature(self._secret, parcel)
        try:
            async with session.post(parcel.url, data=parcel.body, headers=headers, allow_redirects=False) as response:
                await response.content.read(_MOST_ANSWER_BYTES)
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.debug("webhook_not_answered", kind=parcel.kind, tries=parcel.tries, error=repr(error))
            return None

    def _signature(self, secret: bytes, parcel: Parcel) -> str:
        if self._faults.take(Place.WEBHOOK, {FaultKind.BAD_SIGNATURE}, parcel.call.number):
            secret += b"-wrong"
        return hmac.new(secret, parcel.body, hashlib.sha256).hexdigest()

    def _settle(self, parcel: Parcel, status: int | None) -> None:
        now = self._clock.real_now()
        row = parcel.call.row
        row.deliveries.append(Delivery(parcel.kind, now, status))
        if status is not None and 200 <= status < 300:
            if parcel.kind == RESULT and row.delivered_real is None:
                row.delivered_real = now
            for held in self._held[:]:
                self._release(held)
        elif parcel.tries < self._settings.webhook_attempts:
            self._later(self._backoff_seconds(parcel.tries), parcel)
        elif parcel.kind == RESULT:
            parcel.call.webhook_failed = row.delivered_real is None

    def _backoff_seconds(self, tries: int) -> float:
        # The exponent is bounded because 2.0 ** 1000 is near the end of floats.
        doubled = self._settings.webhook_backoff_seconds * 2.0 ** min(tries - 1, 30)
        return min(doubled, self._settings.webhook_backoff_ceiling_seconds)
