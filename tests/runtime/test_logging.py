"""Log lines: events as verb phrases, data as keys, in two shapes."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from leadline.runtime.logging import configure_logging, get_logger
from leadline.runtime.tracing import current_ids, set_up_tracing, span


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_has_one_object_a_line(stream: io.StringIO) -> None:
    configure_logging("dialer", log_format="json", stream=stream)
    get_logger("some.module").info(
        "call_placed", attempt_id=UUID(int=1), at=datetime(2026, 1, 5, tzinfo=UTC), count=2, event_level="x"
    )
    line = lines(stream)[0]
    assert line.pop("at")
    assert line == {
        "level": "info",
        "event": "call_placed",
        "process": "dialer",
        "logger": "some.module",
        "attempt_id": "00000000-0000-0000-0000-000000000001",
        "count": 2,
        "event_level": "x",
    }


def test_data_never_replaces_what_every_line_has(stream: io.StringIO) -> None:
    configure_logging("dialer", log_format="json", stream=stream)
    get_logger("m").info("call_placed", process="other", level="none")
    assert (lines(stream)[0]["process"], lines(stream)[0]["level"]) == ("dialer", "info")


def test_an_exception_keeps_its_traceback(stream: io.StringIO) -> None:
    configure_logging("dialer", log_format="json", stream=stream)
    try:
        int("boom")
    except ValueError as error:
        get_logger("m").exception("request_crashed", number=1)
        get_logger("m").error("request_crashed", exc_info=error)
    for line in lines(stream):
        assert "ValueError: invalid literal" in str(line["error"])


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_number_that_somebody_else_says_is_masked(stream: io.StringIO, log_format: str) -> None:
    configure_logging("dialer", log_format=log_format, stream=stream)
    logging.getLogger("library").warning("Key (phone_number)=(+15615550123) already exists")
    try:
        int("+15615550124 and 2026-01-06T12:00:00+00:00")
    except ValueError as error:
        get_logger("m").exception("request_crashed", said=repr(error))
    text = stream.getvalue()
    assert "5550" not in text
    assert text.count("+1******0123") == 1
    assert text.count("+1******0124") >= 2
    assert text.count("2026-01-06T12:00:00+00:00") >= 2


def test_what_libraries_say_is_wrapped(stream: io.StringIO) -> None:
    configure_logging("dialer", log_format="json", stream=stream)
    logging.getLogger("library").warning("%d things", 3)
    assert (lines(stream)[0]["event"], lines(stream)[0]["message"]) == ("library_said", "3 things")


def test_the_console_is_readable(stream: io.StringIO) -> None:
    configure_logging("dialer", log_format="console", stream=stream)
    get_logger("m").warning("lease_expired", attempt_id=7)
    assert stream.getvalue().endswith("warning dialer   lease_expired attempt_id=7\n")


def test_auto_is_json_where_no_terminal_is(stream: io.StringIO) -> None:
    configure_logging("dialer", stream=stream)
    get_logger("m").info("started")
    assert lines(stream)[0]["event"] == "started"


def test_the_level_decides(stream: io.StringIO) -> None:
    configure_logging("dialer", level="warning", log_format="json", stream=stream)
    get_logger("m").info("started")
    get_logger("m").debug("started")
    assert stream.getvalue() == ""


def test_lines_of_a_span_carry_its_trace(stream: io.StringIO) -> None:
    set_up_tracing("test")
    configure_logging("dialer", log_format="json", stream=stream)
    with span("dial", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        get_logger("m").info("call_placed")
        ids = current_ids()
    line = lines(stream)[0]
    assert (line["trace_id"], line["span_id"]) == ids
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_lines_outside_of_a_span_carry_none(stream: io.StringIO) -> None:
    set_up_tracing("test")
    configure_logging("dialer", log_format="json", stream=stream)
    get_logger("m").info("started")
    assert not {"trace_id", "span_id"} & lines(stream)[0].keys()


def test_on_the_console_the_trace_stands_last(stream: io.StringIO) -> None:
    set_up_tracing("test")
    configure_logging("dialer", log_format="console", stream=stream)
    with span("dial", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        get_logger("m").info("call_placed", attempt_id=7)
    assert stream.getvalue().endswith("call_placed attempt_id=7 trace_id=0af7651916cd43dd8448eb211c80319c\n")
