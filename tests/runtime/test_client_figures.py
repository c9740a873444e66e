"""What is counted of a request to another server, whatever becomes of it."""

import asyncio

import aiohttp
import pytest
from prometheus_client import REGISTRY

from leadline.runtime.http.client_figures import Exchange, Peer
from leadline.runtime.http.provider_figures import AnswerClass, ProviderExchange, begin_at_zero, class_of_status
from leadline.runtime.tracing import current_trace_id, set_up_tracing, span
from tests.support.gained import traced_lines


class Nonsense(Exception):
    pass


class Late(Exception):
    pass


class Unreachable(Exception):
    pass


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """An operation that no other test uses."""
    return f"GET /{request.node.name}"


def counted(name: str) -> dict[str, float]:
    """Requests by result."""
    return of_operation(name, "leadline_http_client_requests_total", "result")


def of_operation(name: str, metric: str, label: str) -> dict[str, float]:
    samples = (sample for family in REGISTRY.collect() for sample in family.samples if sample.name == metric)
    return {
        sample.labels[label]: sample.value for sample in samples if sample.labels["operation"] == name and sample.value
    }


def timed(name: str) -> float:
    labels = {"peer": "bland", "operation": name}
    return REGISTRY.get_sample_value("leadline_http_client_request_seconds_count", labels) or 0


def exchange(name: str, until: float | None = None) -> Exchange:
    return Exchange(Peer.BLAND, name, nonsense=(Nonsense,), withheld=(Late,), until=until)


def fail_after(asked: Exchange, status: int, error: Exception) -> None:
    """The answer comes, and then something is wrong with it."""

    def ask() -> None:
        with asked:
            asked.answered(status)
            raise error

    with pytest.raises(type(error)):
        ask()


@pytest.mark.parametrize(("status", "result"), [(200, "2xx"), (302, "3xx"), (429, "4xx"), (503, "5xx")])
def test_a_status_is_counted_once(name: str, status: int, result: str) -> None:
    with exchange(name) as asked:
        asked.answered(status)
    assert (counted(name), timed(name)) == ({result: 1}, 1)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (TimeoutError(), "timeout"),
        (aiohttp.ServerTimeoutError(), "timeout"),
        (aiohttp.ServerDisconnectedError(), "connection"),
        (aiohttp.ClientPayloadError(), "connection"),
        (ConnectionResetError(), "connection"),
        (ValueError(), "unreadable"),
        (Nonsense(), "unreadable"),
        (asyncio.CancelledError(), "abandoned"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_says_what_came_of_it_and_passes(name: str, error: BaseException, result: str) -> None:
    with pytest.raises(type(error)), exchange(name):
        raise error
    assert (counted(name), timed(name)) == ({result: 1}, 1)


def test_an_error_of_the_client_is_judged_by_its_cause(name: str) -> None:
    with pytest.raises(Unreachable), exchange(name):
        raise Unreachable from TimeoutError()
    assert counted(name) == {"timeout": 1}


def test_an_error_after_the_answer_leaves_its_status(name: str) -> None:
    fail_after(exchange(name), 503, Unreachable())
    assert counted(name) == {"5xx": 1}


def test_an_answer_that_turns_out_to_be_nonsense(name: str) -> None:
    fail_after(exchange(name), 200, Nonsense())
    assert counted(name) == {"unreadable": 1}


def test_nonsense_with_a_status_that_is_no_success_is_that_status(name: str) -> None:
    fail_after(exchange(name), 404, Nonsense())
    assert counted(name) == {"4xx": 1}


def test_what_we_kept_back_is_not_counted(name: str) -> None:
    with pytest.raises(Late), exchange(name):
        raise Late
    with pytest.raises(aiohttp.ClientError), exchange(name):
        raise aiohttp.ClientConnectionError from Late()
    assert (counted(name), timed(name)) == ({}, 0)


async def test_a_wait_that_was_bounded_is_a_timeout(name: str) -> None:
    until = asyncio.get_running_loop().time() + 0.01

    async def waited() -> None:
        async with asyncio.timeout_at(until):
            with exchange(name, until=until):
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await waited()
    assert counted(name) == {"timeout": 1}


def test_a_time_names_its_trace(name: str) -> None:
    set_up_tracing("test")
    with span("asking"):
        trace_id = current_trace_id()
        with exchange(name) as asked:
            asked.answered(200)
    (line,) = traced_lines(name)
    assert f'# {{trace_id="{trace_id}"}}' in line


def test_a_time_outside_of_a_trace_names_none(name: str) -> None:
    with exchange(name) as asked:
        asked.answered(200)
    assert not traced_lines(name)


def answers(name: str) -> dict[str, float]:
    """Answers by class."""
    return of_operation(name, "leadline_provider_answers_total", "class")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (204, "ok"),
        (302, "unreadable"),
        (400, "bad_request"),
        (401, "unauthorized"),
        (402, "payment_required"),
        (403, "forbidden"),
        (404, "not_found"),
        (408, "timeout"),
        (418, "bad_request"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_a_status_has_a_class(status: int, said: str) -> None:
    assert class_of_status(status) == said


def test_answers_are_counted_by_class(name: str) -> None:
    with ProviderExchange(Peer.BLAND, name) as asked:
        asked.answered(429)
    with ProviderExchange(Peer.BLAND, name) as asked:
        asked.answered_as(400, AnswerClass.DNC)
    with pytest.raises(TimeoutError), ProviderExchange(Peer.BLAND, name):
        raise TimeoutError
    with pytest.raises(asyncio.CancelledError), ProviderExchange(Peer.BLAND, name):
        raise asyncio.CancelledError
    assert answers(name) == {"rate_limited": 1, "dnc": 1, "timeout": 1}
    assert counted(name) == {"4xx": 2, "timeout": 1, "abandoned": 1}


def test_every_class_begins_at_zero(name: str) -> None:
    begin_at_zero(Peer.CONVOSO, name)
    labels = {"provider": "convoso", "operation": name}
    for said in AnswerClass:
        assert REGISTRY.get_sample_value("leadline_provider_answers_total", {**labels, "class": said}) == 0
