"""`leadline smoke`: over the real gateway, queue-service and PostgreSQL, and every way in which it can fail."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from leadline.clients.queue import QueueClient
from leadline.contracts.operators import Reason
from services.cli.smoke import posting, steps
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import TOKEN, FakeQueue, lead, running
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess

KEY = "key-of-helm-test"
NUMBER = "+17715550199"
HOLD_ON = "does it hand leads to another queue-service?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture
def installation(database_url: str, folder: Path) -> Iterator[dict[str, str]]:
    """A gateway, a queue-service, a database; the settings of a test of them."""
    queue_port, gateway_port = free_port(), free_port()
    queue_url = f"http://127.0.0.1:{queue_port}"
    queue = ServiceProcess(
        "services.queue_service",
        {
            "LEADLINE_DATABASE_URL": database_url,
            "LEADLINE_QUEUE_PORT": str(queue_port),
            "LEADLINE_QUEUE_TOKENS": f"operator:{TOKEN},gateway:g",
            "LEADLINE_CALLING_HOURS": "Mon-Sun 00:00-24:00",
        },
        folder,
    )
    gateway = ServiceProcess(
        "services.webhook_gateway",
        {
            "LEADLINE_QUEUE_URL": queue_url,
            "LEADLINE_QUEUE_TOKEN": "g",
            "LEADLINE_GATEWAY_PORT": str(gateway_port),
            "LEADLINE_GATEWAY_API_KEYS": f"helm-test:{KEY}",
            "LEADLINE_BLAND_WEBHOOK_SECRETS": "s",
        },
        folder,
    )
    try:
        for process in (queue, gateway):
            process.start()
            asyncio.run(process.wait_ready())
        yield {
            "LEADLINE_QUEUE_URL": queue_url,
            "LEADLINE_QUEUE_TOKEN": TOKEN,
            "LEADLINE_GATEWAY_URL": f"http://127.0.0.1:{gateway_port}",
            "LEADLINE_SMOKE_GATEWAY_KEY": KEY,
        }
    finally:
        for process in (gateway, queue):
            asyncio.run(process.kill())


def passes(settings: Mapping[str, str]) -> Any:
    return json.loads(Cli(settings).done("smoke", "--json"))


def test_a_lead_goes_through_again_and_again(installation: dict[str, str]) -> None:
    first, second = passes(installation), passes(installation)
    assert [step["step"] for step in first["steps"]] == ["suppress", "post", "read_back"]
    assert all(step["ok"] and step["milliseconds"] > 0 for step in first["steps"])
    assert (first["ok"], first["problem"], first["phone_number"]) == (True, None, "+1******0199")
    assert first["lead_id"] != second["lead_id"]
    shown = json.loads(Cli(installation).done("leads", "show", NUMBER, "--json"))
    (found,) = shown["leads"]
    assert (found["lead"]["lead_id"], found["lead"]["status"]) == (second["lead_id"], "completed")
    assert found["attempts"] == []
    printed = Cli(installation).done("smoke")
    assert [line.split()[0] for line in printed.splitlines()] == ["suppress", "post", "read_back"]
    assert NUMBER not in printed
    assert KEY not in printed


def test_an_operator_who_took_the_number_off_the_list_does_not_make_it_ring(installation: dict[str, str]) -> None:
    passes(installation)
    asyncio.run(_allow_again(installation["LEADLINE_QUEUE_URL"]))
    assert passes(installation)["ok"]
    assert json.loads(Cli(installation).done("suppress", "check", NUMBER, "--json"))["suppressed"]


async def _allow_again(url: str) -> None:
    async with QueueClient(url, TOKEN) as queue:
        await queue.delete_suppression(NUMBER, Reason(reason="a mistake"))
        (found,) = (await queue.find_leads(NUMBER)).leads
        await queue.reopen_lead(found.id, Reason(reason="a mistake"))


def test_a_campaign_and_a_key_that_are_not_there_are_one_line(installation: dict[str, str]) -> None:
    line = Cli(installation | {"LEADLINE_SMOKE_CAMPAIGN": "nobody"})("smoke").stderr
    assert line.startswith("leadline: post: ")
    assert line.endswith("check LEADLINE_GATEWAY_URL and LEADLINE_SMOKE_CAMPAIGN\n")
    line = Cli(installation | {"LEADLINE_SMOKE_GATEWAY_KEY": "s3cret-and-wrong"})("smoke").stderr
    assert line.endswith("LEADLINE_SMOKE_GATEWAY_KEY must be one of its LEADLINE_GATEWAY_API_KEYS\n")
    assert "s3cret" not in line


@dataclass
class FakeGateway:
    """Answers as it is told, and puts the lead where `lands_in` says."""

    status: int = 202
    answer: Mapping[str, Any] = field(default_factory=dict)
    lands_in: FakeQueue | None = None
    view: Mapping[str, Any] = field(default_factory=dict)
    posted: list[Any] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/awhealth-outbound", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.posted.append((body, request.headers["X-Api-Key"]))
        if self.lands_in is not None:
            found = next(iter(self.lands_in.leads))
            fields = {"status": "completed", "attempts": 0, "lead_id": body["lead_id"], **self.view}
            self.lands_in.leads = {found: lead(found, NUMBER).model_copy(update=fields)}
        received = {
            "success": True,
            "request_id": "01940b2e-7c3f-7a51-9d2e-5b1f0c6a8e44",
            "lead_id": body["lead_id"],
            "status": "suppressed",
        }
        return web.json_response({**received, **self.answer}, status=self.status)


@contextmanager
def settings_of(gateway: FakeGateway, queue: FakeQueue) -> Iterator[Cli]:
    with running(gateway):
        yield Cli(
            {
                "LEADLINE_QUEUE_URL": queue.url,
                "LEADLINE_QUEUE_TOKEN": TOKEN,
                "LEADLINE_GATEWAY_URL": gateway.url,
                "LEADLINE_SMOKE_GATEWAY_KEY": KEY,
            }
        )


@pytest.fixture(autouse=True)
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "installation" not in request.fixturenames:
        monkeypatch.setattr(steps, "PATIENCE_SECONDS", 0.1)
        monkeypatch.setattr(posting, "WAIT_SECONDS", 0.05)


def failure(cli: Cli) -> tuple[str, str, Any]:
    """The step that failed, its words, and the document."""
    result = cli("smoke", "--json")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    document = json.loads(result.stdout)
    assert line == f"leadline: {document['problem']}"
    last = document["steps"][-1]
    assert not document["ok"]
    return last["step"], line.removeprefix("leadline: "), document


@pytest.mark.parametrize(
    ("gateway", "step", "words"),
    [
        (FakeGateway(answer={"status": "queued"}), "post", HOLD_ON),
        (FakeGateway(), "read_back", "does the gateway hand leads to another queue-service?"),
        (FakeGateway(status=200), "post", "answered HTTP 200; look at the gateway's log"),
        (FakeGateway(answer={"status": "fine"}), "post", "is not a gateway's; is LEADLINE_GATEWAY_URL right?"),
        (FakeGateway(status=503), "post", "look at its log, and at the LEADLINE_QUEUE_URL and the token that it has"),
    ],
)
def test_what_is_wrong_with_the_gateway_is_one_line(
    queue: FakeQueue, gateway: FakeGateway, step: str, words: str
) -> None:
    with settings_of(gateway, queue) as cli:
        failed, line, _ = failure(cli)
    assert failed == step
    assert line.startswith(f"{step}: ")
    assert words in line


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ({"status": "pending"}, "the lead of a suppressed number is pending with 0 attempts"),
        ({"attempts": 1}, "the lead of a suppressed number is completed with 1 attempts"),
        ({"lead_id": "another"}, "posted again by somebody else each time"),
    ],
)
def test_a_lead_that_is_not_as_it_must_be_is_one_line(queue: FakeQueue, view: dict[str, Any], words: str) -> None:
    gateway = FakeGateway(lands_in=queue, view=view)
    with settings_of(gateway, queue) as cli:
        result = cli("smoke")
    assert result.exit_code == 1
    assert words in result.stderr
    assert len(gateway.posted) == (3 if "lead_id" in view else 1)
    assert gateway.posted[0][1] == KEY


def test_nobody_there_is_one_line(queue: FakeQueue) -> None:
    with settings_of(FakeGateway(), queue) as cli:
        step, line, document = failure(Cli({**cli.environ, "LEADLINE_GATEWAY_URL": f"http://127.0.0.1:{free_port()}"}))
        assert step == "post"
        assert "does the gateway run" in line
        assert [step["ok"] for step in document["steps"]] == [True, False]
        step, line, _ = failure(Cli({**cli.environ, "LEADLINE_QUEUE_URL": f"http://127.0.0.1:{free_port()}"}))
        assert step == "suppress"
        assert "does the queue-service run?" in line
        _, line, _ = failure(Cli({**cli.environ, "LEADLINE_QUEUE_TOKEN": "wrong"}))
        assert "set LEADLINE_QUEUE_TOKEN to the operator's" in line


@pytest.mark.parametrize("number", ["+15615551234", "5615550123", "+1561555012", "+18885550200"])
def test_only_a_number_of_fiction_is_taken(cli: Cli, number: str) -> None:
    line = cli.fails(2, "smoke", LEADLINE_SMOKE_PHONE_NUMBER=number, LEADLINE_SMOKE_GATEWAY_KEY=KEY)
    assert "numbers that are kept for fiction" in line


def test_a_missing_key_is_one_line(cli: Cli) -> None:
    assert cli.fails(2, "smoke").startswith("LEADLINE_SMOKE_GATEWAY_KEY: is not set")


def test_the_running_up_is_tested_if_nothing_is_set(queue: FakeQueue) -> None:
    with settings_of(FakeGateway(lands_in=queue), queue) as cli:
        written = {
            "queue_url": queue.url,
            "operator_token": TOKEN,
            "gateway_url": cli.environ["LEADLINE_GATEWAY_URL"],
            "api_key": KEY,
        }
        Path(".leadline").mkdir()
        Path(".leadline/connection.json").write_text(json.dumps(written))
        assert passes({})["ok"]
        Path(".leadline/connection.json").write_text(json.dumps({**written, "api_key": ""}))
        assert "LEADLINE_SMOKE_GATEWAY_KEY" in Cli().fails(2, "smoke")
        assert passes({"LEADLINE_SMOKE_GATEWAY_KEY": "another"})["ok"]
