"""The end of a run with `--until`: no new calls, the last ones come to their end, and the ledger is judged."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from leadline.clients.queue import QueueClient, QueueError
from services.cli.up.errors import UpError
from services.cli.up.ledger import LedgerReader, leads_of
from services.cli.up.people import Person
from services.cli.up.scoreboard import Verdict, as_json, find_misses, judge
from services.cli.up.screen import Screen
from services.simulator.rules import Rulebook

LONGEST_WAIT_SECONDS = 15.0
"""Real time for calls that are live at the end: at a fast clock they are over in a moment, at a slow one never."""
_LOOK_SECONDS = 0.2


async def wait_for_calls(queue: QueueClient) -> None:
    """Until no attempt is open, but not for ever."""
    deadline = asyncio.get_running_loop().time() + LONGEST_WAIT_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        try:
            if not any((await queue.stats()).open_attempts.values()):
                return
        except QueueError:
            pass  # it may be starting again; the ledger is judged in any case
        await asyncio.sleep(_LOOK_SECONDS)


async def score(
    ledger: LedgerReader,
    queue: QueueClient,
    rules: Rulebook,
    invited: Sequence[Person],
    until: datetime,
    *,
    ledger_is_whole: bool,
    screen: Screen,
) -> Verdict:
    """Judge the run and show it. Raises UpError if the ledger or the leads cannot be read."""
    called = await ledger.numbers_called()
    uncalled = _uncalled(invited, called)
    try:
        leads = await leads_of(queue, uncalled)
    except QueueError as error:
        msg = f"the queue-service does not tell of its leads: {error}"
        raise UpError(msg) from None
    misses = find_misses(uncalled, called, leads, until)
    scores = await ledger.scoreboard(rules)
    verdict = judge(scores, misses, ledger_is_whole=ledger_is_whole)
    screen.show_verdict(verdict, as_json(scores, misses, verdict, until))
    return verdict


def _uncalled(invited: Sequence[Person], called: Collection[str]) -> list[str]:
    return [person.phone_number for person in invited if person.phone_number not in called]
