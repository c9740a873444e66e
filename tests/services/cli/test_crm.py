"""`leadline crm ...`: what the CRM is told, and what it would not take."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from aiohttp import web

from leadline.contracts.crm import (
    CrmStatusEntry,
    CrmStatusTable,
    OutboxEntry,
    OutboxKind,
    OutboxList,
    Replayed,
    ReplayRequest,
)
from services.cli.commands import crm
from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import LEAD, NOW, NUMBER, FakeQueue, running

REFUSED = "Convoso said: 6001 No such Lead"


class CrmFakeQueue(FakeQueue):
    """With the CRM's routes for operators. A letter with an odd id was overtaken by later news."""

    def __init__(self) -> None:
        super().__init__()
        self.dead: dict[int, OutboxEntry] = {}
        self.waiting = 0
        self.statuses: list[CrmStatusEntry] = []
        self.pages = 0

    def add(self, *ids: int, lead_id: UUID | None = LEAD, outcome: str | None = "VOICEMAIL") -> None:
        for number in ids:
            self.dead[number] = OutboxEntry(
                id=number,
                kind=OutboxKind.RESULT if outcome else OutboxKind.SUPPRESSION,
                state="dead",
                lead_id=lead_id,
                phone_number=NUMBER,
                outcome=outcome,
                reason=None if outcome else "said stop",
                created_at=NOW,
                tries=1,
                last_error=REFUSED,
            )

    def app(self) -> web.Application:
        app = super().app()
        app.router.add_get("/v1/crm/outbox", self._list)
        app.router.add_post("/v1/crm/outbox/replay", self._replay)
        app.router.add_get("/v1/crm/statuses", self._statuses)
        return app

    async def _list(self, request: web.Request) -> web.Response:
        assert request.query["state"] == "dead"
        self.pages += 1
        after, limit = int(request.query["after"]), int(request.query["limit"])
        entries = [self.dead[number] for number in sorted(self.dead) if number > after][:limit]
        counts = {"waiting": self.waiting, "dead": len(self.dead)}
        return web.json_response(text=OutboxList(entries=entries, counts=counts).model_dump_json())

    async def _replay(self, request: web.Request) -> web.Response:
        asked = ReplayRequest.model_validate_json(await request.read())
        found = [number for number in list(self.dead) if number in asked.ids or not asked.ids]
        for number in found:
            del self.dead[number]
        overtaken = sum(number % 2 for number in found)
        self.waiting += len(found) - overtaken
        answer = Replayed(waiting=len(found) - overtaken, superseded=overtaken)
        return web.json_response(text=answer.model_dump_json())

    async def _statuses(self, _request: web.Request) -> web.Response:
        return web.json_response(text=CrmStatusTable(statuses=self.statuses).model_dump_json())


@pytest.fixture
def queue() -> Iterator[CrmFakeQueue]:
    made = CrmFakeQueue()
    made.statuses = [_status("A"), _status("CB"), _status("SALE", "final success"), _status("DNCA", "final dnc")]
    with running(made):
        yield made


def _status(code: str, flags: str = "") -> CrmStatusEntry:
    said = flags.split()
    return CrmStatusEntry(code=code, name=code, final="final" in said, success="success" in said, dnc="dnc" in said)


def test_status_of_a_healthy_crm_has_no_hints(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.waiting = 3
    shown = cli.done("crm", "status")
    assert "3 waiting, 0 dead" in shown
    assert "4 known: dnc 1, sale 1, open 2" in shown
    assert "->" not in shown


def test_status_says_what_to_do(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(2, 4)
    queue.statuses = []
    dead, unknown = cli.done("crm", "status").splitlines()
    assert "0 waiting, 2 dead  -> leadline crm dead-letters" in dead
    assert "none known  -> see that `leadline crm-sync` runs" in unknown


def test_status_prints_stable_json(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(2)
    assert json.loads(cli.done("crm", "status", "--json")) == {
        "outbox": {"waiting": 0, "dead": 1},
        "statuses": {"known": 4, "by_standing": {"dnc": 1, "sale": 1, "open": 2}},
    }


def test_dead_letters_are_listed_with_their_reason(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(1042)
    queue.add(1043, lead_id=None, outcome=None)
    shown = cli.done("crm", "dead-letters")
    for words in ("1042", "result VOICEMAIL", str(LEAD), REFUSED, "1043", "suppression", "+1******0123"):
        assert words in shown
    assert NUMBER not in shown


def test_dead_letters_show_numbers_only_when_asked_for(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(1042)
    assert NUMBER in cli.done("crm", "dead-letters", "--show-pii")
    document = json.loads(cli.done("crm", "dead-letters", "--json"))
    assert document["counts"] == {"waiting": 0, "dead": 1}
    (entry,) = document["entries"]
    assert (entry["id"], entry["phone_number"], entry["last_error"]) == (1042, "+1******0123", REFUSED)
    shown = json.loads(cli.done("crm", "dead-letters", "--json", "--show-pii"))
    assert shown["entries"][0]["phone_number"] == NUMBER


def test_no_dead_letters(cli: Cli) -> None:
    assert cli.done("crm", "dead-letters") == "no dead letters\n"
    assert json.loads(cli.done("crm", "dead-letters", "--json"))["entries"] == []


def test_all_pages_are_read(cli: Cli, queue: CrmFakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm, "PAGE", 3)
    queue.add(*range(1, 8))
    document = json.loads(cli.done("crm", "dead-letters", "--json"))
    assert [entry["id"] for entry in document["entries"]] == list(range(1, 8))
    assert queue.pages == 3


def test_named_letters_are_sent_again(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(2, 3, 4)
    shown = cli.done("crm", "replay", "2", "3", "2")
    assert shown == "1 wait again, 1 overtaken by later news and closed\n"
    assert (list(queue.dead), queue.waiting) == ([4], 1)
    assert "1 wait again, 0 overtaken by later news and closed, 1 no dead letters" in cli.done(
        "crm", "replay", "4", "99"
    )
    assert len(set(queue.operation_ids)) == 2


def test_all_letters_are_sent_again(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(1, 2, 4)
    assert json.loads(cli.done("crm", "replay", "--all", "--json")) == {"waiting": 2, "superseded": 1}
    assert queue.dead == {}
    assert cli.done("crm", "replay", "--all").startswith("0 wait again")


def test_what_is_no_dead_letter_is_not_found(cli: Cli) -> None:
    assert cli.fails(3, "crm", "replay", "99").startswith("none of these is a dead letter")


@pytest.mark.parametrize("arguments", [(), ("2", "--all")])
def test_replay_wants_ids_or_all(cli: Cli, queue: CrmFakeQueue, arguments: tuple[str, ...]) -> None:
    queue.add(2)
    assert cli.fails(2, "crm", "replay", *arguments).startswith("name ids of dead letters, or give --all")
    assert list(queue.dead) == [2]


def test_replay_bounds_the_ids(cli: Cli, queue: CrmFakeQueue) -> None:
    queue.add(2)
    words = cli.fails(2, "crm", "replay", *(str(number) for number in range(1, 1002)))
    assert words.startswith("at most 1000 ids at once")
    assert list(queue.dead) == [2]


def test_an_id_that_is_no_number_is_wrong_usage(cli: Cli) -> None:
    assert "valid integer" in cli.fails(2, "crm", "replay", "x")


@pytest.mark.parametrize("command", [("status",), ("dead-letters",), ("replay", "--all")])
def test_a_wrong_token_is_one_line(cli: Cli, command: tuple[str, ...]) -> None:
    line = cli.fails(1, "crm", *command, LEADLINE_QUEUE_TOKEN="wrong")
    assert "LEADLINE_QUEUE_TOKEN" in line
