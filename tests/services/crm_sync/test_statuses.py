"""The account's statuses: read at start and every so often, and nobody is ready without them."""

import pytest

from services.crm_sync import statuses
from tests.services.crm_sync.conftest import Stage, until


async def test_they_are_read_at_start_and_stored(stage: Stage) -> None:
    await stage.start()
    await until(lambda: stage.queue.tables)
    known = {entry.code: entry for entry in stage.queue.tables[0].statuses}
    assert set(known) == set(stage.convoso.statuses)
    assert (known["SALE"].final, known["SALE"].success, known["SALE"].dnc) == (True, True, False)
    assert (known["DNCA"].final, known["DNCA"].success, known["DNCA"].dnc) == (True, False, True)
    assert not known["A"].final
    await until(lambda: stage.sync is not None and stage.sync._statuses.problem is None)
    assert await stage.reasons() == []


async def test_they_are_read_anew(stage: Stage) -> None:
    await stage.start(minutes=0.0005)
    await until(lambda: stage.queue.tables)
    stage.convoso.statuses["CB"] = "final"
    await until(lambda: any(e.code == "CB" and e.final for e in stage.queue.tables[-1].statuses))


async def test_a_crm_that_is_away_is_asked_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuses, "FIRST_WAIT_SECONDS", 0.01)
    stage.convoso.failing = 503
    await stage.start()
    await until(lambda: len(stage.convoso.forms("status/search")) >= 3)
    (reason,) = await stage.reasons()
    assert "503" in reason
    stage.convoso.failing = 0
    await until(lambda: stage.queue.tables)


async def test_a_refused_token_is_an_error_that_says_what_to_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(statuses, "REFUSED_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(statuses, "FIRST_WAIT_SECONDS", 0.01)
    stage.convoso.token = "another"
    await stage.start()
    await until(lambda: len(stage.convoso.forms("status/search")) >= 2)
    told = [vars(record) for record in caplog.records if record.msg == "crm_refuses_token"]
    assert told
    assert "LEADLINE_CONVOSO_AUTH_TOKEN" in str(told[0])
    assert "refuses our token" in (await stage.reasons())[0]
    stage.convoso.token = "convoso-token"
    await until(lambda: stage.queue.tables)


async def test_what_cannot_be_stored_is_read_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuses, "FIRST_WAIT_SECONDS", 0.01)
    stage.queue.failing["statuses"] = 503
    await stage.start()
    await until(lambda: stage.queue.failures >= 1)
    await until(lambda: stage.sync is not None and "stored" in (stage.sync._statuses.problem or ""))
    stage.queue.failing.clear()
    await until(lambda: stage.queue.tables)


async def test_news_is_told_although_the_statuses_cannot_be_read(stage: Stage) -> None:
    """A stop must reach the CRM whatever its statuses are."""
    stage.convoso.statuses = {}
    await stage.start()
    stage.queue.add(None, kind="suppression", reason="said stop")
    await until(lambda: stage.queue.results)
    assert stage.convoso.forms("dnc/insert")
