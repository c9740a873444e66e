"""Puts a simulated world together: tests serve it in their own process, `__main__` in one of its own."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web

from leadline.runtime.http.figures import figures_middleware
from services.simulator.bland.answers import NAMED_REFUSALS
from services.simulator.bland.exchange import Exchange
from services.simulator.bland.handlers import BlandHandlers
from services.simulator.bland.history_control import HistoryHandlers
from services.simulator.bland.webhooks import WebhookSender
from services.simulator.control import ControlHandlers
from services.simulator.convoso.agents import Agents
from services.simulator.convoso.connect import Connect
from services.simulator.convoso.control import ConvosoControl
from services.simulator.convoso.handlers import ConvosoHandlers, Journal
from services.simulator.settings import SimulatedWorldPart
from services.simulator.transport import Courier
from services.simulator.world import World

_MOST_BODY_BYTES: Final = 8 * 1024 * 1024


def create_app(settings: SimulatedWorldPart | None = None, wall: Callable[[], float] = time.time) -> web.Application:
    """One simulated world with its own clock, ledger and account. Needs a running loop from its start-up on.

    `wall` gives real time as epoch seconds.
    """
    settings = settings or SimulatedWorldPart()
    world = World(settings, wall)
    connect, journal = Connect(settings, world), Journal()
    agents = Agents(settings, world, connect)
    sender = WebhookSender(settings, world.clock, world.timers, world.faults)
    exchange = Exchange(settings, world, sender)
    exchange.on_end = agents.take_over
    courier = Courier(world.faults, NAMED_REFUSALS)
    app = web.Application(client_max_size=_MOST_BODY_BYTES, middlewares=[figures_middleware()])
    app.add_routes(BlandHandlers(settings, world, exchange, courier).routes())
    app.add_routes(ControlHandlers(world, exchange, sender).routes())
    app.add_routes(ConvosoHandlers(settings, world, courier, journal).routes())
    app.add_routes(ConvosoControl(world, agents, connect, journal).routes())
    app.add_routes(HistoryHandlers(world, exchange).routes())

    async def let_go(_app: web.Application) -> None:
        courier.close()

    async def living(_app: web.Application) -> AsyncIterator[None]:
        await sender.start()
        await connect.start()
        yield
        world.timers.clear()
        await connect.stop()
        await sender.stop()

    app.on_shutdown.append(let_go)
    app.cleanup_ctx.append(living)
    return app
