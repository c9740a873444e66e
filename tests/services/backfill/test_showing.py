"""What is seen while a backfill runs."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from rich.console import Console

from leadline.runtime.logging import configure_logging
from services.backfill import showing
from services.backfill.figures import Figures, Phase
from services.backfill.showing import Showing


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON lines."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("backfill", log_format="json", stream=stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)


async def test_without_a_terminal_lines_tell_how_far_it_is(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "LINE_EVERY_SECONDS", 0.01)
    figures = Figures(windows_done=2, windows_waiting=3, listed=40)
    async with Showing(Console(file=io.StringIO())).shown(figures):
        while lines.getvalue().count("\n") < 2:
            await asyncio.sleep(0.001)
    told = json.loads(lines.getvalue().splitlines()[0])
    assert told["event"] == "backfill_progress"
    assert (told["windows_done"], told["windows"], told["calls_listed"]) == (2, 5, 40)


async def test_on_a_terminal_a_bar_tells_it_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    shown = Showing(Console(file=stream, force_terminal=True, width=120))
    assert shown.is_live
    figures = Figures(windows_done=2, windows_waiting=3, listed=40)
    async with shown.shown(figures):
        while "2/5" not in stream.getvalue():
            await asyncio.sleep(0.001)
        figures.phase, figures.decided = Phase.DECIDING, 7
        while "7 decided" not in stream.getvalue():
            await asyncio.sleep(0.001)
        shown.say("a word [bold]as it is")
    assert "a word [bold]as it is" in stream.getvalue()


def test_words_for_people_are_a_line_of_the_log_without_a_terminal(lines: io.StringIO) -> None:
    Showing(Console(file=io.StringIO())).say("waiting for another copy")
    assert json.loads(lines.getvalue())["words"] == "waiting for another copy"
