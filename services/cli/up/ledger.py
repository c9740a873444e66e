"""Reads what the scoreboard is made of: the simulator's ledger, and what became of leads that it knows no call of."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import aiohttp

from leadline.clients.queue import QueueClient
from leadline.contracts.campaigns import CampaignConfig
from leadline.contracts.operators import LeadView
from leadline.domain.ids import CampaignName
from leadline.domain.rules.hours import DAYS, CallingHours
from services.cli.up.errors import UpError
from services.cli.up.people import Person
from services.simulator.ledger import Origin
from services.simulator.rules import CampaignRules, Rulebook
from services.simulator.scoreboard import Scoreboard
from services.simulator.settings import Plan

_ANSWER_SECONDS = 120
_QUESTIONS_AT_ONCE = 16
_CALLED_ORIGINS = frozenset({Origin.POST, Origin.PROVIDER_RETRY})


def rulebook(campaigns: Mapping[CampaignName, CampaignConfig], people: Iterable[Person], plan: Plan) -> Rulebook:
    """By what the ledger is judged: the rules as they were configured, the state fields as they were sent."""
    return Rulebook(
        campaigns={str(name): _campaign_rules(config) for name, config in campaigns.items()},
        states={person.phone_number: person.state for person in people if person.state},
        plan=plan,
    )


def _campaign_rules(config: CampaignConfig) -> CampaignRules:
    rules = config.rules
    return CampaignRules(
        calling_hours=hours_text(rules.hours),
        calling_timezone=rules.hours.zone.key,
        blackout_dates=rules.hours.blackout_dates,
        legal_profile=rules.legal_profile.value,
        max_attempts=rules.max_attempts,
        max_daily_attempts=rules.max_daily_attempts,
        final_outcomes=rules.final_outcomes,
        sale_is_for_number=rules.sale_is_for_number,
        extra_callback_attempt=rules.extra_callback_attempt,
    )


def hours_text(hours: CallingHours) -> str:
    """Calling hours as they are written in settings."""
    return ", ".join(
        f"{day} {_time(window.opens_minute)}-{_time(window.closes_minute)}"
        for day, windows in zip(DAYS, hours.windows, strict=True)
        for window in windows
    )


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


class LedgerReader:
    """The simulator at `base_url`."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def scoreboard(self, rules: Rulebook) -> Scoreboard:
        """The ledger, judged. Raises UpError if it cannot be had."""
        body = rules.model_dump(mode="json")
        return Scoreboard.model_validate(await self._json("POST", "/simulator/scoreboard", body))

    async def numbers_called(self) -> set[str]:
        """Everybody who was called."""
        rows = (await self._json("GET", "/simulator/ledger"))["rows"]
        return {row["phone_number"] for row in rows if row["call_id"] and row["origin"] in _CALLED_ORIGINS}

    async def _json(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 -- JSON is any value
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        url = f"{self._base_url}{path}"
        try:
            async with self._session.request(method, url, json=body, timeout=timeout) as response:
                if response.status == 200:
                    return await response.json()
                reason = f"HTTP {response.status}: {(await response.text())[:300]}"
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
        msg = f"cannot read the ledger of the simulated Bland ({method} {url}): {reason}"
        raise UpError(msg)


async def leads_of(queue: QueueClient, numbers: Collection[str]) -> dict[str, list[LeadView]]:
    """What the queue-service knows of these numbers. Raises QueueError if it does not answer."""
    room = asyncio.Semaphore(_QUESTIONS_AT_ONCE)

    async def ask(number: str) -> tuple[str, list[LeadView]]:
        async with room:
            return number, list((await queue.find_leads(number)).leads)

    return dict(await asyncio.gather(*(ask(number) for number in numbers)))
