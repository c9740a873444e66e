"""What tests ask of the simulator: scripts, faults, its clock, and its ledger, which is the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

ANYBODY = "*"
_MOST_LEADS = 2000
Row = dict[str, Any]
ZEROS = (
    "calls_out_of_hours",
    "overlapping_calls",
    "calls_over_a_cap",
    "calls_after_final_result",
    "second_posts",
    "calls_after_stop",
    "calls_after_bad_number",
    "calls_after_sale_in_crm",
)
"""Counters of the scoreboard that must be 0."""


def step(outcome: str, *, seconds: float = 0.0, times: int = 1, **fields: Any) -> dict[str, Any]:
    """One scripted call: taken up at once, over after so many business seconds, unless `fields` say otherwise."""
    quick = {"queue_seconds": 0.0, "ring_seconds": 0.0, "talk_seconds": seconds}
    return {"outcome": outcome, "times": times, **quick, **fields}


def past_call(phone_number: str, created_at: datetime, outcome: str, **fields: Any) -> dict[str, Any]:
    """One call for `insert_history`; `fields` as of the simulator's `PastCall`."""
    return {"phone_number": phone_number, "created_at": created_at.isoformat(), "step": step(outcome), **fields}


def crm_lead(lead_id: str, phone_number: str, status: str = "NEW") -> dict[str, Any]:
    """One lead of the simulated Convoso, in the list in which `System.post_lead` has it."""
    return {"id": lead_id, "list_id": "1029", "phone_number": phone_number, "status": status}


@dataclass(frozen=True)
class Simulated:
    """The simulator of one running system."""

    http: aiohttp.ClientSession
    url: str

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        async with self.http.request(method, f"{self.url}/simulator/{path}", json=body) as response:
            answer = await response.json(content_type=None)
            assert response.status == 200, answer
            return answer

    async def script(self, phone_number: str, *steps: dict[str, Any]) -> None:
        """Say how the next calls to a number go (`ANYBODY`: to numbers without a script of their own)."""
        await self._ask("POST", "script", {phone_number: list(steps)})

    async def clear_script(self) -> None:
        """Draw every call again."""
        await self._ask("DELETE", "script")

    async def fault(self, on: str, kind: str, **rule: Any) -> None:
        """Put one fault in force."""
        await self._ask("POST", "faults", {"on": on, "kind": kind, **rule})

    async def clear_faults(self) -> None:
        """No more faults."""
        await self._ask("DELETE", "faults")

    async def rates(self, **rates: Any) -> None:
        """Change how people take calls."""
        await self._ask("PUT", "rates", rates)

    async def set_clock(self, real_at: datetime, business_at: datetime, speed: float) -> None:
        """Move business time."""
        setting = {"real_at": real_at.isoformat(), "business_at": business_at.isoformat(), "speed": speed}
        await self._ask("PUT", "clock", setting)

    async def call_elsewhere(self, phone_number: str, **fields: Any) -> str:
        """A call that Leadline did not ask for; its id."""
        answer = await self._ask("POST", "calls", {"phone_number": phone_number, **fields})
        return str(answer["call_id"])

    async def make_history(self, calls: int, starts_at: datetime, ends_at: datetime, **order: Any) -> None:
        """Give the account calls of the past, to a third as many people unless `order` says otherwise."""
        span = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        await self._ask("POST", "history", {"calls": calls, "numbers": max(1, calls // 3), **span, **order})

    async def insert_history(self, *calls: dict[str, Any]) -> list[str]:
        """Calls that turn up in the past now; their ids."""
        return list((await self._ask("POST", "history/calls", {"calls": calls}))["call_ids"])

    async def put_crm_leads(self, *leads: dict[str, Any]) -> None:
        """Give Convoso leads; `crm_lead` describes one."""
        for first in range(0, len(leads), _MOST_LEADS):
            await self._ask("POST", "convoso/leads", list(leads[first : first + _MOST_LEADS]))

    async def agent_sets(self, phone_number: str, status: str) -> None:
        """A human agent gives all leads of a number a status; Connect tells of it unless a fault prevents it."""
        await self._ask("POST", "convoso/agent", {"phone_number": phone_number, "status": status})

    async def crm_leads(self, phone_number: str) -> list[Row]:
        """A number's leads in Convoso."""
        return list((await self._read("convoso/leads", phone_number=phone_number))["leads"])

    async def crm_requests(self, path: str) -> list[Row]:
        """What Convoso was asked at one of its paths (`leads/update`), oldest first."""
        return list((await self._read("convoso/requests", path=path))["requests"])

    async def crm_dnc(self) -> list[Row]:
        """Convoso's own list of who must not be called."""
        return list(await self._read("convoso/dnc"))

    async def _read(self, route: str, **query: str) -> Any:
        async with self.http.get(f"{self.url}/simulator/{route}", params=query) as response:
            assert response.status == 200
            return await response.json()

    async def rows(self, phone_number: str | None = None) -> list[Row]:
        """Ledger rows, oldest first."""
        async with self.http.get(
            f"{self.url}/simulator/ledger", params={"phone_number": phone_number} if phone_number else {}
        ) as response:
            answer = await response.json()
        return list(answer["rows"])

    async def posts(self, phone_number: str) -> list[Row]:
        """Requests for a call to a number, whatever was answered."""
        return [row for row in await self.rows(phone_number) if row["origin"] == "post"]

    async def calls(self, phone_number: str) -> list[Row]:
        """Calls to a number that were placed."""
        return [row for row in await self.posts(phone_number) if row["call_id"]]

    async def scoreboard(self, rules: dict[str, Any] | None = None) -> dict[str, Any]:
        """The ledger judged by the spec's rules, or by others."""
        return dict(await self._ask("POST", "scoreboard", rules or {}))

    async def assert_zeros(self, rules: dict[str, Any] | None = None, *, but: Sequence[str] = ()) -> dict[str, Any]:
        """Nothing in the ledger that must never happen."""
        board = await self.scoreboard(rules)
        wrong = {name: board["examples"].get(name) for name in ZEROS if board[name] and name not in but}
        assert not wrong, wrong
        return board
