"""The simulated Bland, its list and its details: where the row is taken for the whole, it says the same."""

import aiohttp

from leadline.domain.rules.outcomes import derive
from leadline.runtime.http.server import serving
from leadline.telephony.bland import BlandClient
from leadline.telephony.bland_result import parse_event
from services.simulator.app import create_app
from services.simulator.settings import SimulatedWorldPart
from tests.services.backfill.fake_history import HOUR, START

CALLS = 400


async def test_a_row_that_says_all_comes_to_the_same_as_its_details() -> None:
    order = {"calls": CALLS, "numbers": 50, "starts_at": START.isoformat(), "ends_at": (START + HOUR).isoformat()}
    async with serving(create_app(SimulatedWorldPart()), host="127.0.0.1", port=0, drain_seconds=0.1) as port:
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as session, session.post(f"{url}/simulator/history", json=order) as made:
            assert made.status == 200
        async with BlandClient(base_url=url, api_key="key", timeout_seconds=5) as client:
            page = await client.window(START, START + HOUR, 0, 1000)
            assert page.total == len(page.rows) == CALLS
            told = [row for row in page.rows if row.says_all]
            for row in told:
                details = await client.details(row.call_id)
                assert details is not None
                by_row, whole = parse_event(row.raw.encode()), details.parsed
                assert derive(by_row.result, {}).outcome is derive(whole.result, {}).outcome, row.raw
                assert by_row.inbound == whole.inbound
    assert CALLS / 3 < len(told) < CALLS * 0.9
