"""Convoso Connect: tells the world of new statuses, once each, and never learns whether anybody heard it."""

import asyncio
from collections import deque
from functools import partial
from typing import Any, Final

import aiohttp

from services.simulator.clock import iso
from services.simulator.convoso.book import Lead
from services.simulator.faults import FaultKind, Place
from services.simulator.settings import SimulatedWorldPart
from services.simulator.world import World

_MOST_POSTS: Final = 100_000
_MOST_AT_ONCE: Final = 16
_TIMEOUT_SECONDS: Final = 10.0


class Connect:
    """Posts forms, several at once, so their order on the wire is not promised."""

    def __init__(self, settings: SimulatedWorldPart, world: World) -> None:
        """`start` begins to deliver."""
        self._url = settings.convoso_connect_url
        key = settings.convoso_connect_key
        self._headers = {"X-Api-Key": key.get_secret_value()} if key else {}
        self._world = world
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self.posts: deque[dict[str, Any]] = deque(maxlen=_MOST_POSTS)
        """What was posted, and the status that came back; None: no answer."""

    async def start(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS), headers=self._headers, trust_env=False
        )

    async def stop(self) -> None:
        """Stop delivering; what is under way is lost."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def tell(self, lead: Lead) -> None:
        """Post a lead's new status, as the faults in force will have it."""
        if self._url is None:
            return
        form = {"lead_id": lead.id, "list_id": lead.list_id, "phone_number": lead.digits, "status": lead.status}
        struck = partial(self._world.faults.take, Place.CONVOSO_CONNECT, phone_number=lead.phone_number)
        if struck({FaultKind.NEVER}):
            return
        copies = struck({FaultKind.DUPLICATE})
        late = struck({FaultKind.LATE})
        for _ in range(1 + (copies.copies if copies else 0)):
            if late:
                self._world.timers.after_real(late.seconds, partial(self._send, self._url, form))
            else:
                self._send(self._url, form)

    def _send(self, url: str, form: dict[str, str]) -> None:
        task = asyncio.create_task(self._post(url, form))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, url: str, form: dict[str, str]) -> None:
        assert self._session is not None
        status = None
        async with self._slots:
            try:
                async with self._session.post(url, data=form, allow_redirects=False) as response:
                    status = response.status
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass  # the documents say so: a failure is silent
        self.posts.append({**form, "http_status": status, "real_at": iso(self._world.clock.real_now())})
