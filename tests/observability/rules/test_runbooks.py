"""A runbook for each alert, of exactly three parts; each objective is told of."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from services.cli.root import app as application
from tests.house.tree import ROOT
from tests.observability.rules.files import alerts

RUNBOOKS = ROOT / "docs" / "operations" / "alerts.md"
OBJECTIVES = ROOT / "docs" / "operations" / "slos.md"
DASHBOARDS = ROOT / "deploy" / "helm" / "leadline" / "files" / "dashboards"
NAME = re.compile(r"`(Leadline\w+)`")
PARTS = ["What it means", "Look", "Do"]


def sections() -> dict[str, str]:
    """The text of each second-level section by its title."""
    parts = re.split(r"^## ", RUNBOOKS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {title: text for title, _, text in (part.partition("\n") for part in parts)}


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    named = [title for title in sections() if title.startswith("Leadline")]
    assert sorted(named) == sorted(alerts())


@pytest.mark.parametrize("alert", alerts())
def test_a_runbook_has_three_parts(alert: str) -> None:
    text = sections()[alert]
    assert re.findall(r"^\*\*([^*]+)\.\*\* ", text, re.MULTILINE) == PARTS
    paragraphs = [part for part in text.strip().split("\n\n") if not part.startswith("```")]
    assert all(part.startswith(tuple(f"**{name}.** " for name in PARTS)) for part in paragraphs)


def test_the_budget_burners_have_their_objective() -> None:
    text = OBJECTIVES.read_text(encoding="utf-8")
    burners = [alert for alert in alerts() if alert.endswith("BudgetBurn")]
    assert not [alert for alert in burners if f"](alerts.md#{alert.lower()})" not in text]
    assert len(burners) == 3


def test_every_page_and_ticket_is_listed_at_the_top() -> None:
    top = RUNBOOKS.read_text(encoding="utf-8").partition("\n## ")[0]
    pages, tickets = (
        " ".join(re.findall(rf"^- \*\*{kind}.*?(?=^- |^$)", top, re.MULTILINE | re.DOTALL))
        for kind in ("Pages", "Tickets")
    )
    listed = {name: kind for kind, text in (("page", pages), ("ticket", tickets)) for name in NAME.findall(text)}
    worst = {name: min(rule["labels"]["severity"] for rule in found) for name, found in alerts().items()}
    assert listed == {name: severity for name, severity in worst.items() if not name.endswith("BudgetBurn")}


def test_panels_that_are_named_exist() -> None:
    """*Queue: Oldest due lead* is a panel with this title on the dashboard leadline-queue."""
    named = re.findall(r"\*(Calls|Queue|Dialer|Platform): ([^*]+)\*", RUNBOOKS.read_text(encoding="utf-8"))
    assert len(named) > 20
    assert not [(board, title) for board, title in named if title not in panels(board.lower())]


def panels(board: str) -> set[str]:
    document = json.loads((DASHBOARDS / f"{board}.json").read_text(encoding="utf-8"))
    return {panel["title"] for panel in document["panels"]}


def test_commands_that_are_named_exist() -> None:
    named = set(re.findall(r"(?:`|-- )leadline ([a-z][a-z -]*[a-z])", RUNBOOKS.read_text(encoding="utf-8")))
    assert {"status", "doctor", "leads explain"} <= named
    known = list(commands(typer.main.get_command(application), ()))
    assert not {words for words in named if not any(words.startswith(command) for command in known)}


def commands(of: Any, path: tuple[str, ...]) -> Iterator[str]:
    """`leads explain`, for every command that does something."""
    below = getattr(of, "commands", {})
    if not below:
        yield " ".join(path)
    for name, command in below.items():
        yield from commands(command, (*path, name))
