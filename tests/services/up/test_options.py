"""What may be asked of `leadline up`, and what is refused with one clear line."""

from datetime import datetime
from typing import Any

import pytest

from services.cli.up.errors import UpRefused
from services.cli.up.options import Options, is_loopback, read_options, refuse_pretending
from services.cli.up.people import MOST_PEOPLE


def options(**given: Any) -> Options:
    asked: dict[str, Any] = {"demo": 0, "start_at": None, "speed": None, "until": None, "as_json": False, **given}
    return read_options(**asked)


def test_instants_keep_their_offset() -> None:
    read = options(start_at="2026-01-05T10:55-05:00", until=" 2026-01-05T20:05-05:00 ", speed=120.0, demo=500)
    assert read.start_at == datetime.fromisoformat("2026-01-05T15:55+00:00")
    assert read.until == datetime.fromisoformat("2026-01-06T01:05+00:00")
    assert read.pretends == ["--demo", "--start-at", "--speed", "--until"]


def test_now_returns_to_the_wall_clock() -> None:
    read = options(start_at="NOW")
    assert read.back_to_wall_clock
    assert read.start_at is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start_at": "2026-01-05T10:55"}, "--start-at 2026-01-05T10:55: says no offset"),
        ({"start_at": "tomorrow"}, "--start-at tomorrow: is no ISO 8601 time"),
        ({"until": "2026-13-01T00:00Z"}, "--until 2026-13-01T00:00Z: is no ISO 8601 time"),
        ({"until": "2026-01-05T10:55-05:00", "start_at": "2026-01-05T10:55-05:00"}, "is not after --start-at"),
        ({"speed": 0.0}, "--speed 0: must be"),
        ({"speed": -5.0}, "--speed -5: must be"),
        ({"speed": float("nan")}, "--speed nan: must be"),
        ({"speed": float("inf")}, "--speed inf: must be"),
        ({"speed": 1e9}, "--speed 1e+09: must be"),
        ({"demo": -1}, "--demo -1: must be"),
        ({"demo": MOST_PEOPLE + 1}, "must be 0 to"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UpRefused) as refused:
        options(**given)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8090", True),
        ("http://127.8.9.10", True),
        ("http://[::1]:8090", True),
        ("http://localhost:1", True),
        ("https://api.bland.ai", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0:1", False),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here


@pytest.mark.parametrize("given", [{"demo": 1}, {"speed": 2.0}, {"start_at": "now"}, {"start_at": "2026-01-05T10:55Z"}])
def test_time_and_leads_are_not_invented_while_calls_are_real(given: dict[str, Any]) -> None:
    with pytest.raises(UpRefused, match=r"only with a simulated Bland.*api\.bland\.ai"):
        refuse_pretending(options(**given), "https://api.bland.ai")
    refuse_pretending(options(**given), "http://127.0.0.1:9")


def test_without_such_options_calls_may_be_real() -> None:
    refuse_pretending(options(), "https://api.bland.ai")
