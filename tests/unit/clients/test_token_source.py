"""Which token a client shows: the present content of its file, and another one at once when that is refused."""

from pathlib import Path

import pytest

from leadline.clients.queue import QueueClient, QueueRefused
from leadline.clients.token_source import TokenSource, token_source
from leadline.contracts.leases import LeaseRequest
from leadline.runtime.settings import load
from leadline.runtime.settings.access_parts import QueueClientPart
from tests.unit.clients.test_queue import EMPTY_BATCH, LEASE_REQUEST, header, problem
from tests.unit.telephony.raw_server import RawServer, raw_server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("old\n")
    return tmp_path / "token"


def client_of(server: RawServer, path: Path) -> QueueClient:
    part = load(QueueClientPart, {"LEADLINE_QUEUE_TOKEN_FILE": str(path)})
    return QueueClient(server.url, token_source(part), timeout_seconds=1, deadline_seconds=1)


def shown(server: RawServer) -> list[str]:
    return [header(request, "Authorization").removeprefix("Bearer ") for request in server.requests]


async def test_a_refused_token_is_replaced_at_once_and_the_request_made_again(path: Path) -> None:
    async with raw_server(EMPTY_BATCH, problem(401), EMPTY_BATCH) as server, client_of(server, path) as client:
        await client.lease(LEASE_REQUEST)
        path.write_text("new")
        await client.lease(LEASE_REQUEST)
        await client.lease(LEASE_REQUEST)
        assert shown(server) == ["old", "old", "new", "new"]
        bodies = [LeaseRequest.model_validate_json(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
        assert bodies == [LEASE_REQUEST] * 4


async def test_a_new_token_that_is_refused_too_is_not_tried_for_ever(path: Path) -> None:
    async with raw_server(EMPTY_BATCH, problem(401)) as server, client_of(server, path) as client:
        await client.lease(LEASE_REQUEST)
        path.write_text("new")
        with pytest.raises(QueueRefused) as caught:
            await client.lease(LEASE_REQUEST)
        assert caught.value.problem.status == 401
        assert shown(server) == ["old", "old", "new"]


async def test_a_token_that_is_still_the_same_is_shown_once(path: Path) -> None:
    async with raw_server(problem(401)) as server, client_of(server, path) as client:
        with pytest.raises(QueueRefused):
            await client.lease(LEASE_REQUEST)
        path.unlink()
        with pytest.raises(QueueRefused):
            await client.lease(LEASE_REQUEST)
        assert shown(server) == ["old", "old"]


async def test_a_changed_file_is_heeded_before_anything_is_refused(path: Path) -> None:
    async with raw_server(EMPTY_BATCH) as server, client_of(server, path) as client:
        path.write_text("new")
        await client.lease(LEASE_REQUEST)
        assert shown(server) == ["new"]


def test_a_token_from_a_variable_never_changes() -> None:
    source = token_source(load(QueueClientPart, {"LEADLINE_QUEUE_TOKEN": "fixed"}))
    assert source.token() == "fixed"
    assert source.another_than("fixed") is None
    assert "fixed" not in repr(source) + repr(TokenSource("fixed"))
