"""`--clock-offset auto`: some calls that the provider knows prove the files' clock; its failures are no errors."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from leadline.runtime.settings import SettingsError
from services.cli.importing.clocks import MOST_LOOK_UPS, find
from tests.services.cli.fake_queue import running

START = datetime(2025, 6, 1, 15, 0, tzinfo=UTC)
TRUE = {f"call-{n}": START + timedelta(days=9 * n, minutes=n) for n in range(30)}


class FakeBland:
    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.status = 200

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/calls/{id}", self._details)
        return app

    async def _details(self, request: web.Request) -> web.Response:
        call_id = request.match_info["id"]
        self.asked.append(call_id)
        if self.status != 200:
            return web.json_response({"status": "error", "message": "no"}, status=self.status)
        if call_id not in TRUE:
            return web.json_response({"status": "error", "message": "Call not found"}, status=404)
        at = TRUE[call_id]
        body: dict[str, Any] = {"call_id": call_id, "created_at": at.isoformat(), "started_at": at.isoformat()}
        return web.json_response({**body, "call_length": 2.0, "completed": True, "status": "completed"})


@pytest.fixture
def bland() -> Iterator[FakeBland]:
    with running(FakeBland()) as bland:
        yield bland


def environ(bland: FakeBland) -> dict[str, str]:
    return {"LEADLINE_BLAND_BASE_URL": bland.url, "LEADLINE_BLAND_API_KEY": "key"}


def written(slow: timedelta) -> list[tuple[str, datetime]]:
    return [(call_id, at - slow) for call_id, at in TRUE.items()]


@pytest.mark.parametrize("hours", [5, 0, 8])
def test_the_clock_is_proven_by_calls(hours: int, bland: FakeBland) -> None:
    found = find(None, written(timedelta(hours=hours)), environ(bland))
    assert found.clock.proven
    at = TRUE["call-3"]
    assert found.clock.true(at - timedelta(hours=hours)) in {at, at + timedelta(hours=0 if hours else 1)}
    assert len(bland.asked) == MOST_LOOK_UPS


def test_calls_that_the_provider_has_forgotten_are_left_out(bland: FakeBland) -> None:
    slow = timedelta(hours=5)
    found = find(None, [("gone", START), *written(slow)[:2]], environ(bland))
    assert (found.clock.offset_seconds, found.clock.proven) == (18_000, True)
    assert "proven by 2 calls" in found.how
    assert not find(None, [("gone", START)], environ(bland)).clock.proven


@pytest.mark.parametrize(("status", "most_asked"), [(401, 1), (503, 3), (429, 3)])
def test_a_provider_that_does_not_answer_is_not_asked_for_long(status: int, most_asked: int, bland: FakeBland) -> None:
    bland.status = status
    found = find(None, written(timedelta(hours=5)), environ(bland))
    assert (found.clock.offset_seconds, found.clock.proven) == (18_000, False)
    assert len(bland.asked) == most_asked


def test_nobody_is_asked_without_a_key_or_a_need(bland: FakeBland) -> None:
    without_key = {"LEADLINE_BLAND_BASE_URL": bland.url}
    assert "LEADLINE_BLAND_API_KEY" in find(None, written(timedelta(0)), without_key).how
    assert find(None, [], environ(bland)).clock.offset_seconds == 18_000
    assert find(7200, written(timedelta(0)), environ(bland)).clock.proven
    assert bland.asked == []


def test_a_wrong_setting_is_one(bland: FakeBland) -> None:
    with pytest.raises(SettingsError):
        find(None, written(timedelta(0)), {"LEADLINE_BLAND_API_KEY": "key", "LEADLINE_BLAND_BASE_URL": "nowhere"})
