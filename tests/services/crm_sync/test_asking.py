"""Leads that are held for the CRM's word are asked about again, and every word is told."""

import pytest

from leadline.domain.crm import CrmStanding
from tests.services.crm_sync.conftest import Stage, until
from tests.services.crm_sync.fake_queue import NUMBER


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("A", CrmStanding.OPEN),
        ("SALE", CrmStanding.SALE),
        ("ACA", CrmStanding.ACA),
        ("DNCA", CrmStanding.DNC),
        ("NI", CrmStanding.FINAL),
        ("NOTLISTED", CrmStanding.UNKNOWN),
    ],
)
async def test_the_word_is_told(stage: Stage, status: str, standing: CrmStanding) -> None:
    stage.convoso.lead(NUMBER, status)
    await stage.start()
    lead = stage.queue.ask()
    await until(lambda: stage.queue.answers)
    (answer,) = stage.queue.answers
    assert (answer.lead_id, answer.standing, answer.status) == (lead, standing, status)
    assert (answer.crm_lead_id, answer.crm_list_id) == ("77", "9")


async def test_the_strictest_of_several_leads_decides(stage: Stage) -> None:
    stage.convoso.leads[NUMBER.removeprefix("+1")] = [("1", "A"), ("2", "SALE"), ("3", "NEW")]
    await stage.start()
    stage.queue.ask()
    await until(lambda: stage.queue.answers)
    assert (stage.queue.answers[0].standing, stage.queue.answers[0].crm_lead_id) == (CrmStanding.SALE, "2")


async def test_a_crm_that_is_away_is_unknown_with_the_reason(stage: Stage) -> None:
    stage.convoso.failing = 503
    await stage.start()
    stage.queue.ask()
    await until(lambda: stage.queue.answers)
    assert stage.queue.answers[0].standing is CrmStanding.UNKNOWN
    assert "503" in (stage.queue.answers[0].problem or "")


async def test_messages_that_wait_hold_up_no_question(stage: Stage) -> None:
    for _ in range(30):
        stage.queue.add()
    await stage.start(batch=5)
    await until(lambda: stage.queue.tables)
    stage.convoso.failing = 503
    await until(lambda: any(result.result == "later" for result in stage.queue.results) or not stage.queue.waiting)
    stage.queue.ask()
    await until(lambda: stage.queue.answers)


async def test_a_queue_service_that_is_away_is_waited_for(stage: Stage) -> None:
    stage.queue.failing["questions/take"] = 503
    await stage.start()
    await until(lambda: stage.queue.failures >= 2)
    stage.queue.ask()
    stage.queue.failing.clear()
    await until(lambda: stage.queue.answers)
