"""Rows of the list become history: sifted, completed by details where the row is not enough, recorded in groups."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from leadline.contracts.backfill import HistoryCall, RecordRequest, SiftRequest
from leadline.domain.ids import CallId
from leadline.runtime.groups import in_groups
from leadline.telephony.history import HistoryRow
from services.backfill.bodies import Body, body_text, in_requests
from services.backfill.figures import Figures
from services.backfill.holding import Hold
from services.backfill.patience import side_by_side
from services.backfill.provider import PatientProvider

GROUP_CALLS: Final = 250
GROUPS_AT_ONCE: Final = 2
"""While one group is recorded, the details of another are read."""
DETAILS_IN_MEMORY: Final = 64
"""Bodies of one group that are held at a time."""
KNOWN: Final = "known"
"""The counter of calls that were recorded before."""


class BodyReader:
    """Finds what tells most about a call at the least cost. Raises ProviderError and ToldToStop."""

    def __init__(self, provider: PatientProvider, *, at_once: int) -> None:
        """`at_once` bounds how many details are read side by side."""
        self._provider = provider
        self._at_once = at_once

    async def bodies(self, rows: Sequence[HistoryRow], doubtful: set[str]) -> list[Body]:
        """The row of each call if that says all, else its details. Of `doubtful` ones only details tell whose it is."""

        async def read(row: HistoryRow) -> Body:
            if row.says_all and row.call_id not in doubtful:
                return Body(row.call_id, row.raw, from_details=False)
            return await self.details(row.call_id) or Body(row.call_id, row.raw, from_details=False)

        return await side_by_side(rows, read, at_once=self._at_once)

    async def complete(self, bodies: Sequence[Body], call_ids: set[str]) -> list[Body]:
        """The same bodies with the details of some; a call that has none any more stands as its row, for good."""

        async def read(body: Body) -> Body:
            if body.call_id not in call_ids or body.from_details:
                return body
            return await self.details(body.call_id) or replace(body, from_details=True)

        return await side_by_side(bodies, read, at_once=self._at_once)

    async def details(self, call_id: CallId) -> Body | None:
        """One call whole; None if it is gone."""
        details = await self._provider.details(call_id)
        return None if details is None else Body(call_id, body_text(details.raw), from_details=True)


class Recorder:
    """Records rows in the run that is held."""

    def __init__(self, hold: Hold, reader: BodyReader, figures: Figures) -> None:
        self._hold = hold
        self._reader = reader
        self._figures = figures

    async def take(self, rows: Sequence[HistoryRow]) -> None:
        """Record what is news of these rows. Raises ProviderError, ToldToStop and QueueError."""
        await side_by_side(in_groups(rows, GROUP_CALLS), self._take_group, at_once=GROUPS_AT_ONCE)

    async def _take_group(self, rows: Sequence[HistoryRow]) -> None:
        asked = SiftRequest(holder=self._hold.holder, lease_seconds=self._hold.lease_seconds, calls=history_calls(rows))
        sifted = await self._hold.queue.sift(self._hold.run_id, asked)
        doubtful = set(sifted.needs_details)
        new = doubtful.union(sifted.new)
        self._figures.listed += len(rows)
        self._figures.add({KNOWN: len(rows) - len(new)})
        for some in in_groups([row for row in rows if row.call_id in new], DETAILS_IN_MEMORY):
            await self._record(await self._reader.bodies(some, doubtful))

    async def _record(self, bodies: Sequence[Body]) -> None:
        for group in in_requests(bodies):
            if wanting := await self._send(group):
                ours_perhaps = [body for body in group if body.call_id in wanting]
                for completed in in_requests(await self._reader.complete(ours_perhaps, wanting)):
                    await self._send(completed)

    async def _send(self, bodies: Sequence[Body]) -> set[str]:
        """Record; the calls that were not recorded, because only their details say whose they are."""
        request = RecordRequest(
            holder=self._hold.holder,
            lease_seconds=self._hold.lease_seconds,
            bodies=[body.text for body in bodies],
            from_details=[body.from_details for body in bodies],
        )
        step = await self._hold.queue.record(self._hold.run_id, request)
        self._figures.add(step.counters)
        return set(step.needs_details)


def history_calls(rows: Sequence[HistoryRow]) -> list[HistoryCall]:
    """Rows as the queue-service sifts them."""
    return [HistoryCall(call_id=r.call_id, phone_number=r.phone_number, created_at=r.created_at) for r in rows]
