"""Fixtures of the backfill's tests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from leadline.clients.queue_backfill import BackfillQueue
from leadline.contracts.crm import Learned
from leadline.crm.no_crm import NoCrm
from leadline.crm.port import CrmError
from leadline.domain.crm import CrmStanding, CrmStatus
from leadline.domain.ids import PhoneNumber
from leadline.runtime.http.server import serving
from leadline.runtime.settings.crm_parts import BackfillPart
from services.backfill.asked import Range
from services.backfill.figures import Outcome
from services.backfill.run import Asked, Backfill
from services.backfill.showing import Showing
from tests.services.backfill.fake_history import HOUR, START, FakeHistory
from tests.services.backfill.fake_queue import TOKEN, FakeQueue


class FakeCrm(NoCrm):
    """Knows what the test says."""

    def __init__(self) -> None:
        self.standings: dict[str, CrmStanding] = {}
        self.asked: list[str] = []
        self.error: CrmError | None = None

    async def standing(self, phone_number: PhoneNumber, *, within_seconds: float | None = None) -> Learned:
        assert within_seconds is None
        self.asked.append(phone_number)
        return Learned(standing=self.standings.get(phone_number, CrmStanding.OPEN))

    async def statuses(self) -> list[CrmStatus]:
        if self.error is not None:
            raise self.error
        return [CrmStatus("SALE", "Sale", final=True, success=True)]


@dataclass
class Scene:
    """Everything a test of a run needs."""

    queue: FakeQueue
    queue_url: str
    history: FakeHistory = field(default_factory=FakeHistory)
    crm: FakeCrm = field(default_factory=FakeCrm)
    has_crm: bool = True
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(
        self,
        *,
        until: datetime = START + 2 * HOUR,
        dry_run: bool = False,
        wait: bool = True,
        lease_seconds: float = 20.0,
        **part: Any,
    ) -> Outcome:
        """Run a backfill as a process of its own would."""
        asked = Asked(Range(START, until), None, HOUR.total_seconds(), None, None, dry_run=dry_run, wait=wait)
        settings = {"backfill_retry_seconds": "0,0,0", "backfill_lease_seconds": lease_seconds, **part}
        async with BackfillQueue(self.queue_url, TOKEN, timeout_seconds=5, deadline_seconds=1) as queue:
            return await Backfill(
                queue,
                self.history,
                self.crm,
                asked,
                BackfillPart.model_validate(settings),
                has_crm=self.has_crm,
                showing=Showing(),
                stop=self.stop,
            ).run()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    queue = FakeQueue()
    async with serving(queue.app(), host="127.0.0.1", port=0, drain_seconds=0.1) as port:
        yield Scene(queue, f"http://127.0.0.1:{port}")
