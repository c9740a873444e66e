"""Sync and dialer with the real queue-service and PostgreSQL, between a Convoso and a Bland in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadline.clients.queue import QueueClient
from leadline.clients.queue_crm import CrmQueue
from leadline.contracts.campaigns import DiallingSettings
from leadline.contracts.events import EventSource
from leadline.contracts.leads import LeadSubmission
from leadline.contracts.operators import LeadView, SuppressionRequest
from leadline.crm.convoso import convoso_from
from leadline.domain.ids import CampaignName
from leadline.runtime.settings import load
from leadline.runtime.settings.crm_parts import CrmSyncPart
from leadline.telephony.bland import BlandClient
from services.crm_sync.sync import CrmSync
from services.dialer.dialer import Dialer
from services.queue_service.app import queue_service_running
from services.queue_service.settings import QueueSettings
from tests.services.crm_sync.conftest import until
from tests.services.dialer.fake_bland import FakeBland
from tests.support.fake_convoso import FakeConvoso

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "bland" / "01-voicemail.json"
TOKENS = {name: f"{name}-token" for name in ("dialer", "crm-sync", "operator")}
NUMBER = "+15615550123"


@dataclass
class Floor:
    """Everything between a lead and the CRM."""

    url: str
    bland: FakeBland
    convoso: FakeConvoso
    dialer_queue: QueueClient
    operator: QueueClient
    crm: CrmQueue

    async def submit(self, lead_id: str = "410233") -> None:
        lead = LeadSubmission(campaign="awhealth", phone_number=NUMBER, lead_id=lead_id, list_id="1029")
        await self.operator.submit_lead(lead)

    async def lead(self) -> LeadView:
        (lead,) = (await self.operator.find_leads(NUMBER)).leads
        return lead

    async def until_lead(self, shown: Callable[[LeadView], bool]) -> LeadView:
        async with asyncio.timeout(30):
            while not shown(lead := await self.lead()):
                await asyncio.sleep(0.05)
        return lead

    async def until_outbox(self, shown: Callable[[dict[str, int]], object]) -> None:
        async with asyncio.timeout(30):
            while not shown((await self.crm.list_outbox()).counts):
                await asyncio.sleep(0.05)

    async def finish_call(self) -> None:
        """Bland tells that the last call met a voicemail."""
        body: dict[str, Any] = json.loads(SAMPLE.read_text())
        call = f"call-{len(self.bland.posts)}"
        body |= {"call_id": call, "c_id": call, "metadata": self.bland.posts[-1]["metadata"]}
        await self.operator.post_event(json.dumps(body).encode(), EventSource.WEBHOOK)


@pytest.fixture
async def floor(database_url: str) -> AsyncIterator[Floor]:
    settings = load(
        QueueSettings,
        {
            "LEADLINE_DATABASE_URL": database_url,
            "LEADLINE_QUEUE_PORT": "0",
            "LEADLINE_METRICS_PORT": "0",
            "LEADLINE_QUEUE_TOKENS": ",".join(f"{name}:{token}" for name, token in TOKENS.items()),
            "LEADLINE_CALLING_HOURS": "Mon-Sun 00:00-24:00",
            "LEADLINE_LEGAL_PROFILE": "none",
            "LEADLINE_BLAND_TASK": "Say hello.",
            "LEADLINE_CRM": "convoso",
            "LEADLINE_CRM_CLEARANCE": "every_dial",
        },
    )
    bland, convoso = FakeBland(), FakeConvoso()
    async with queue_service_running(settings) as port, bland.serving(), convoso.serving():
        url = f"http://127.0.0.1:{port}"
        async with (
            QueueClient(url, TOKENS["dialer"], deadline_seconds=2) as dialer_queue,
            QueueClient(url, TOKENS["operator"]) as operator,
            CrmQueue(url, TOKENS["operator"]) as crm,
        ):
            yield Floor(url, bland, convoso, dialer_queue, operator, crm)


@asynccontextmanager
async def syncing(floor: Floor) -> AsyncIterator[None]:
    """The sync runs inside the block."""
    stop = asyncio.Event()
    async with CrmQueue(floor.url, TOKENS["crm-sync"], deadline_seconds=2) as queue:
        convoso = convoso_from(floor.convoso.part())
        async with convoso:
            worker = CrmSync(convoso, queue, CrmSyncPart(crm_sync_poll_seconds=0.1), drain_seconds=5)
            running = asyncio.create_task(worker.run(stop))
            yield
            stop.set()
            await running


@pytest.fixture
async def sync(floor: Floor) -> AsyncIterator[None]:
    """The sync runs."""
    async with syncing(floor):
        yield


@pytest.fixture
async def dialer(floor: Floor) -> AsyncIterator[None]:
    """A dialer runs."""
    stop = asyncio.Event()
    telephony = BlandClient(
        base_url=floor.bland.url, api_key="key", timeout_seconds=5, public_url="https://leads.example"
    )
    convoso = convoso_from(floor.convoso.part())
    async with telephony, convoso:
        worker = Dialer(
            queue=floor.dialer_queue,
            telephony=telephony,
            crm=convoso,
            campaigns={CampaignName("awhealth"): DiallingSettings(task="Say hello")},
            name="d-1",
            concurrency=5,
            drain_seconds=5,
        )
        running = asyncio.create_task(worker.run(stop))
        yield
        stop.set()
        await running


async def test_a_cleared_lead_is_called_and_its_result_told(floor: Floor, sync: None, dialer: None) -> None:
    floor.convoso.lead(NUMBER, "NEW", "410233")
    await floor.submit()
    await until(lambda: floor.bland.posts)
    await floor.finish_call()
    await until(lambda: floor.convoso.forms("leads/update"))
    form = floor.convoso.forms("leads/update")[0]
    assert (form["lead_id"], form["list_id"], form["status"]) == ("410233", "1029", "A")
    await floor.until_outbox(lambda counts: not counts.get("waiting"))


@pytest.mark.parametrize("status", ["SALE", "DNCA", "NI"])
async def test_what_an_agent_has_closed_is_not_called(floor: Floor, sync: None, dialer: None, status: str) -> None:
    floor.convoso.lead(NUMBER, status)
    await floor.submit()
    # A lead and its attempts are read by two statements, so that the released lease may show for a moment longer.
    await floor.until_lead(lambda lead: lead.status == "completed" and not lead.attempts)
    assert floor.bland.posts == []


async def test_while_the_crm_is_away_the_lead_is_held_and_then_called(floor: Floor, dialer: None) -> None:
    floor.convoso.failing = 503
    floor.convoso.lead(NUMBER, "NEW")
    await floor.submit()
    lead = await floor.until_lead(lambda lead: lead.status == "held")
    assert (lead.status_reason, floor.bland.posts) == ("crm_unknown", [])
    floor.convoso.failing = 0
    async with syncing(floor):
        await until(lambda: floor.bland.posts)


async def test_a_suppression_is_pushed_once_the_crm_is_back(floor: Floor, sync: None) -> None:
    floor.convoso.failing = 503
    await floor.operator.put_suppression(NUMBER, SuppressionRequest(reason="asked by mail", source="operator"))
    await until(lambda: floor.convoso.forms("dnc/insert"))
    floor.convoso.failing = 0
    await floor.until_outbox(lambda counts: not counts.get("waiting"))
    assert floor.convoso.forms("dnc/insert")[-1]["phone_number"] == NUMBER.removeprefix("+1")


async def test_a_dead_letter_is_replayed(floor: Floor, sync: None, dialer: None) -> None:
    floor.convoso.lead(NUMBER, "NEW", "410233")
    floor.convoso.refusals = {"410233": 6001}
    await floor.submit()
    await until(lambda: floor.bland.posts)
    await floor.finish_call()
    await floor.until_outbox(lambda counts: counts.get("dead"))
    (letter,) = (await floor.crm.list_outbox("dead")).entries
    assert (letter.outcome, letter.phone_number) == ("VOICEMAIL", NUMBER)
    assert "6001" in (letter.last_error or "")
    floor.convoso.refusals.clear()
    assert (await floor.crm.replay_outbox([letter.id])).waiting == 1
    await floor.until_outbox(lambda counts: not counts.get("waiting") and not counts.get("dead"))
    assert floor.convoso.forms("leads/update")[-1]["status"] == "A"


async def test_the_statuses_are_kept_in_the_database(floor: Floor, sync: None) -> None:
    async with asyncio.timeout(30):
        while not (known := (await floor.crm.statuses()).statuses):
            await asyncio.sleep(0.05)
    assert {entry.code for entry in known} == set(floor.convoso.statuses)
