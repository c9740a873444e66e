"""Posts sample leads to the gateway as Zapier would: over HTTP, as JSON or as a form, a few of them twice.

Whoever sends leads has them in Convoso too: so has the simulated one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import aiohttp

from services.cli.up.errors import UpError
from services.cli.up.people import Person

_POSTS_AT_ONCE = 16
_TRIES = 8
_LONGEST_WAIT_SECONDS = 5.0
_ANSWER_SECONDS = 30
_SENT_AGAIN_EVERY = 40
"""One lead in so many comes a second time, under another lead id."""
_CRM_LEADS_AT_ONCE = 1000
_CRM_FIELDS = ("first_name", "last_name", "state")


@dataclass(slots=True)
class Posted:
    """What became of the posts: answers by `status`."""

    answers: Counter[str] = field(default_factory=Counter)

    def words(self) -> str:
        """As one phrase: `500 queued, 12 duplicate`."""
        return ", ".join(f"{count:,} {status}" for status, count in self.answers.most_common()) or "none"


class Poster:
    """Posts to one campaign's webhook."""

    def __init__(self, session: aiohttp.ClientSession, gateway_url: str, campaign: str, api_key: str) -> None:
        self._session = session
        self._url = f"{gateway_url}/webhooks/{campaign}-outbound"
        self._headers = {"X-Api-Key": api_key}

    async def post_all(self, people: Sequence[Person], progress: Callable[[int], None]) -> Posted:
        """Post everybody once, then some again. `progress` hears how many have been answered.

        Raises UpError at the first lead that is refused or that nobody takes.
        """
        posted = Posted()
        try:
            await self._post_many(people, posted, progress)
            await self._post_many(sent_again(people), posted, progress)
        except* UpError as refusals:
            raise refusals.exceptions[0] from None
        return posted

    async def _post_many(self, people: Iterable[Person], posted: Posted, progress: Callable[[int], None]) -> None:
        waiting = iter(list(people))

        async def work() -> None:
            for person in waiting:
                posted.answers[await self._post(person)] += 1
                progress(posted.answers.total())

        async with asyncio.TaskGroup() as group:
            for _ in range(_POSTS_AT_ONCE):
                group.create_task(work())

    async def _post(self, person: Person) -> str:
        reason, wait_seconds = "", 0.2
        for _ in range(_TRIES):
            try:
                async with self._session.post(
                    self._url,
                    data=person.body if person.as_form else None,
                    json=None if person.as_form else person.body,
                    headers=self._headers,
                    timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS),
                ) as response:
                    if response.status == 202:
                        return str((await response.json())["status"])
                    reason = f"HTTP {response.status}: {(await response.text())[:300]}"
                    if response.status != 503:
                        break
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        msg = f"the gateway did not take a sample lead ({self._url}): {reason}"
        raise UpError(msg)


async def fill_crm(session: aiohttp.ClientSession, simulator_url: str, people: Sequence[Person]) -> None:
    """Give the simulated Convoso the leads that the sender has there, second ones included. Raises UpError."""
    leads = [
        {
            "id": person.body["lead_id"],
            "list_id": person.body["list_id"],
            "phone_number": person.phone_number,
            "fields": {name: person.body[name] for name in _CRM_FIELDS if person.body[name]},
        }
        for person in [*people, *sent_again(people)]
    ]
    for first in range(0, len(leads), _CRM_LEADS_AT_ONCE):
        await _give(session, f"{simulator_url}/simulator/convoso/leads", leads[first : first + _CRM_LEADS_AT_ONCE])


async def _give(session: aiohttp.ClientSession, url: str, leads: Sequence[Mapping[str, object]]) -> None:
    try:
        async with session.post(url, json=leads, timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS)) as response:
            if response.status < 300:
                return
            reason = f"HTTP {response.status}: {(await response.text())[:300]}"
    except (aiohttp.ClientError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
    msg = f"the simulated Convoso did not take the sample leads ({url}): {reason}"
    raise UpError(msg)


def sent_again(people: Sequence[Person]) -> list[Person]:
    """Those whose lead comes a second time, as a sender does who bought the same list twice."""
    return [
        replace(person, body={**person.body, "lead_id": f"{person.body['lead_id']}-again", "utm_source": "second-list"})
        for person in people[_SENT_AGAIN_EVERY // 4 :: _SENT_AGAIN_EVERY]
    ]
