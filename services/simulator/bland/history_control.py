"""`/simulator/history*`: how tests and benchmarks give the simulated account a past."""

import asyncio
from typing import Final

from aiohttp import web

from services.simulator.asked import read, refused
from services.simulator.bland.exchange import Exchange
from services.simulator.bland.history import Historian, HistoryOrder, PastCalls
from services.simulator.world import World

_CALLS_PER_TURN: Final = 1000


class HistoryHandlers:
    """One method per route."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        """Handlers of one account."""
        self._world = world
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """The paths of the past."""
        return [
            web.post("/simulator/history", self.make),
            web.post("/simulator/history/calls", self.insert),
        ]

    async def make(self, request: web.Request) -> web.Response:
        """Make many calls of the past, all of them or none; other requests are served meanwhile."""
        order = await read(request, HistoryOrder)
        made = []
        for call in self._historian().drawn(order):
            made.append(call)
            if len(made) % _CALLS_PER_TURN == 0:
                await asyncio.sleep(0)
        if self._exchange.knows_call(made[0].id):
            raise refused(web.HTTPConflict, "these calls are there already; name another seed")
        self._exchange.add_past(made)
        return web.json_response({"calls": len(made)})

    async def insert(self, request: web.Request) -> web.Response:
        """Make calls of the past that were not there when somebody looked before."""
        historian = self._historian()
        made = [historian.inserted(past) for past in (await read(request, PastCalls)).calls]
        ids = [call.id for call in made]
        if len(set(ids)) < len(ids) or any(map(self._exchange.knows_call, ids)):
            raise refused(web.HTTPConflict, "call_id: there is such a call already")
        self._exchange.add_past(made)
        return web.json_response({"call_ids": ids})

    def _historian(self) -> Historian:
        clock = self._world.clock
        return Historian(self._exchange, clock.now(), clock.real_now())
