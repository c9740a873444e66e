"""Every command explains itself; every mistake is one line."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from services.cli import pod
from services.cli.commands.processes import NAMES
from services.cli.root import app
from services.cli.talking import talk
from tests.services.cli.conftest import Cli


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(get_command(app)))
PRINTS_DATA = [
    path
    for path in ALL
    if path[0]
    in {
        "leads",
        "suppress",
        "campaigns",
        "account",
        "crm",
        "status",
        "doctor",
        "sweep",
        "backfill",
        "import-queue",
        "smoke",
    }
]


def test_the_commands_are_those_of_the_spec() -> None:
    assert {" ".join(path) for path in ALL} == {
        "up",
        "gateway",
        "queue",
        "dialer",
        "crm-sync",
        "backfill",
        "sweep",
        "migrate",
        "simulator",
        "smoke",
        "wait-for-queue",
        "status",
        "doctor",
        "import-queue",
        "export-queue",
        "leads show",
        "leads explain",
        "leads pause",
        "leads resume",
        "leads complete",
        "leads reschedule",
        "leads reopen",
        "suppress add",
        "suppress remove",
        "suppress check",
        "suppress import",
        "campaigns list",
        "campaigns pause",
        "campaigns resume",
        "account pause",
        "account resume",
        "crm status",
        "crm dead-letters",
        "crm replay",
    }


def test_what_runs_in_a_pod_is_the_same_there() -> None:
    alone: Any = get_command(pod.app)
    assert set(commands(alone)) == {(name,) for name in NAMES}
    whole: Any = get_command(app)
    for name in NAMES:
        assert whole.commands[name].help == alone.commands[name].help


@pytest.mark.parametrize("path", ALL, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help_with_examples(path: tuple[str, ...], option: str) -> None:
    shown = Cli().done(*path, option)
    assert f"Usage: leadline {' '.join(path)}" in shown
    assert f"leadline {' '.join(path)}" in shown.partition("Examples:")[2]


@pytest.mark.parametrize("path", PRINTS_DATA, ids=" ".join)
def test_whatever_prints_data_prints_json(path: tuple[str, ...]) -> None:
    assert "--json" in Cli().done(*path, "--help")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_root_says_what_there_is_and_what_exit_codes_mean(arguments: tuple[str, ...]) -> None:
    shown = Cli().done(*arguments)
    assert "explain" in shown
    assert "Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 not found, 4 partly done, 5 another" in shown


def test_the_version_is_told() -> None:
    assert Cli().done("--version").startswith("leadline ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("satus",), "No such command 'satus'. Did you mean 'status'? See `leadline --help`."),
        (("leads", "shwo", "x"), "No such command 'shwo'. Did you mean 'show'? See `leadline leads --help`."),
        (("leads",), "Missing command. See `leadline leads --help`."),
        (("status", "--jsn"), "No such option: --jsn (Possible options: --json). See `leadline status --help`."),
        (("leads", "show"), "Missing argument 'PHONE_OR_ID'. See `leadline leads show --help`."),
        (("gateway", "--port", "80"), "No such option: --port. See `leadline gateway --help`."),
        (("leads", "pause", "x"), "Missing option '--reason' / '-r'. See `leadline leads pause --help`."),
        (("migrate", "down"), "'down' is not one of 'upgrade', 'status', 'wait'. See `leadline migrate --help`."),
    ],
)
def test_wrong_words_are_one_line_with_the_next_step(arguments: tuple[str, ...], words: str) -> None:
    assert Cli().fails(2, *arguments).endswith(words)


def test_ctrl_c_is_exit_code_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("services.cli.commands.status.talk", interrupted)
    assert cli("status").exit_code == 130
    assert talk is not interrupted


def test_no_colours_in_a_pipe_nor_with_no_color(cli: Cli) -> None:
    cli.done("account", "pause", "-r", "storm")
    assert "\x1b" not in cli.done("status")
    assert "\x1b" not in cli.done("status", NO_COLOR="1", FORCE_COLOR="")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_completion(shell: str) -> None:
    shown = Cli().done("--show-completion", shell)
    assert "_LEADLINE_COMPLETE" in shown
