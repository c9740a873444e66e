"""Sample leads are posted as Zapier posts them, again while the gateway cannot store, and refused leads end the run."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from services.cli.up.errors import UpError
from services.cli.up.people import people
from services.cli.up.posting import Poster, fill_crm, sent_again
from services.simulator.app import create_app

Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def poster(session: aiohttp.ClientSession, server: BaseTestServer) -> Poster:
    await server.start_server()
    return Poster(session, str(server.make_url("")).rstrip("/"), "awhealth", "key")


def gateway(handler: Handler) -> TestServer:
    app = web.Application()
    app.router.add_post("/webhooks/awhealth-outbound", handler)
    return TestServer(app)


async def test_everybody_is_posted_once_and_a_few_twice(session: aiohttp.ClientSession) -> None:
    kinds: Counter[str] = Counter()
    numbers: Counter[str] = Counter()

    async def take(request: web.Request) -> web.Response:
        assert request.headers["X-Api-Key"] == "key"
        kinds[request.content_type] += 1
        body = await (request.json() if request.content_type == "application/json" else request.post())
        numbers[str(body["phone_number"])] += 1
        return web.json_response({"status": "queued"}, status=202)

    async with gateway(take) as server:
        some, heard = list(people(0, 120)), list[int]()
        posted = await (await poster(session, server)).post_all(some, heard.append)
    assert posted.answers == {"queued": 120 + len(sent_again(some))}
    assert posted.words() == "123 queued"
    assert len(numbers) == 120
    assert kinds.keys() == {"application/json", "application/x-www-form-urlencoded"}
    assert max(heard) == 123


async def test_a_gateway_that_cannot_store_is_asked_again(session: aiohttp.ClientSession) -> None:
    asked: Counter[str] = Counter()

    async def take(request: web.Request) -> web.Response:
        asked["times"] += 1
        if asked["times"] <= 2:
            return web.Response(status=503)
        return web.json_response({"status": "queued"}, status=202)

    async with gateway(take) as server:
        posted = await (await poster(session, server)).post_all(list(people(0, 3)), lambda _: None)
    assert posted.answers["queued"] == 3


async def test_a_refused_lead_ends_the_run(session: aiohttp.ClientSession) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401, text="no such key")

    async with gateway(refuse) as server:
        with pytest.raises(UpError, match=r"did not take a sample lead .*HTTP 401: no such key"):
            await (await poster(session, server)).post_all(list(people(0, 3)), lambda _: None)


async def test_convoso_has_the_leads_that_are_posted(session: aiohttp.ClientSession) -> None:
    some = list(people(0, 60))
    async with TestServer(create_app()) as simulator:
        url = str(simulator.make_url("")).rstrip("/")
        await fill_crm(session, url, some)
        async with session.get(f"{url}/simulator/convoso/leads") as answer:
            leads = (await answer.json())["leads"]
    assert {lead["id"] for lead in leads} == {person.body["lead_id"] for person in [*some, *sent_again(some)]}
    assert {lead["status"] for lead in leads} == {"NEW"}


async def test_a_convoso_that_takes_no_leads_ends_the_run(session: aiohttp.ClientSession) -> None:
    async with TestServer(web.Application()) as nothing:
        with pytest.raises(UpError, match=r"simulated Convoso did not take the sample leads .*HTTP 404"):
            await fill_crm(session, str(nothing.make_url("")).rstrip("/"), list(people(0, 3)))
