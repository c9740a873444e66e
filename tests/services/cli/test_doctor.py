"""`leadline doctor`: what is well, what is wrong and what to do, and what cannot be seen from here."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.services.cli.conftest import Cli
from tests.services.cli.fake_queue import NOW, PROCESS_TOKEN, FakeQueue, running

BLAND_KEY = "org_key"
PATHS: dict[str, Any] = {"/webhooks/bland-callback": {}}


@dataclass
class Outside:
    """Bland and a gateway, in memory, at one address."""

    url: str = ""
    status: int = 200
    me: dict[str, Any] = field(default_factory=lambda: {"status": "active", "billing": {"current_balance": 150.5}})
    document: Any = field(default_factory=lambda: {"openapi": "3.1.0", "paths": PATHS})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/me", self._me)
        app.router.add_get("/openapi.json", self._openapi)
        return app

    async def _me(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {BLAND_KEY}"
        return web.json_response(self.me, status=self.status)

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.json_response(self.document)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with running(Outside()) as served:
        yield served


@pytest.fixture
def environ(outside: Outside) -> dict[str, str]:
    return {
        "LEADLINE_BLAND_BASE_URL": outside.url,
        "LEADLINE_BLAND_API_KEY": BLAND_KEY,
        "LEADLINE_GATEWAY_URL": outside.url,
        "LEADLINE_PUBLIC_URL": outside.url,
    }


def found(cli: Cli, environ: Mapping[str, str], code: int = 0) -> dict[str, dict[str, Any]]:
    """The findings by what was examined; of several of one kind the worst."""
    result = cli("doctor", "--json", **environ)
    assert result.exit_code == code, result.output
    document = json.loads(result.stdout)
    assert document["well"] == (code == 0)
    order = ["well", "not seen", "odd", "wrong"]
    findings = sorted(document["findings"], key=lambda one: order.index(one["verdict"]))
    return {one["what"]: one for one in findings}


def test_a_healthy_installation_is_well(cli: Cli, environ: dict[str, str]) -> None:
    findings = found(cli, environ)
    seen = {what: one["verdict"] for what, one in findings.items()}
    assert set(seen.values()) == {"well", "not seen"}
    assert {what for what, verdict in seen.items() if verdict == "not seen"} == {"crm", "secrets"}
    assert {"queue-service", "database", "schema", "clock", "dialling", "provider", "gateway", "webhook"} <= set(seen)
    assert "balance $150.50" in findings["provider"]["says"]
    assert all(one["then"] for one in findings.values() if one["verdict"] != "well")


def test_people_read_a_line_for_each_thing(cli: Cli, environ: dict[str, str]) -> None:
    lines = cli.done("doctor", **environ).splitlines()
    assert lines[0].startswith("well     queue-service  version")
    assert any(line.startswith("not seen crm") and "->" in line for line in lines)
    assert BLAND_KEY not in "".join(lines)


def test_what_is_wrong_is_the_exit_code_and_the_last_line(cli: Cli, queue: FakeQueue, environ: dict[str, str]) -> None:
    queue.stats_more = {"unapplied_events": 7}
    result = cli("doctor", **environ)
    assert result.exit_code == 1
    assert "wrong    wrong          7 events not applied  -> the queue-service's log" in result.stdout
    assert result.stderr.startswith("leadline: not well: wrong;")


@pytest.mark.parametrize(
    ("diagnosis", "what", "verdict", "says", "then"),
    [
        ({"database_milliseconds": 55.0}, "database", "odd", "55.0 ms", "closer"),
        ({"connections": 95}, "connections", "odd", "95 of 97", "max_connections"),
        (
            {"schema_revision": "0002", "schema_misfit": "the database is behind: run `leadline migrate`"},
            "schema",
            "wrong",
            "behind",
            "leadline migrate",
        ),
        ({"schema_revision": "0099"}, "schema", "odd", "newer", "upgrade"),
        ({"database_at": NOW}, "clock", "odd", "against the database", "NTP"),
        ({"clock_speed": 60.0}, "business time", "well", "60 times", ""),
    ],
)
def test_the_database_and_its_clock(
    cli: Cli,
    queue: FakeQueue,
    environ: dict[str, str],
    diagnosis: dict[str, Any],
    what: str,
    verdict: str,
    says: str,
    then: str,
) -> None:
    queue.diagnosis_more = diagnosis
    one = found(cli, environ, 1 if verdict == "wrong" else 0)[what]
    assert one["verdict"] == verdict
    assert says in one["says"]
    assert then in (one["then"] or "")


@pytest.mark.parametrize(
    ("stats", "what", "verdict", "then"),
    [
        ({"due_now": 3, "oldest_due_seconds": 4000.0}, "due", "wrong", "leadline dialer"),
        ({"held_by_reason": {"crm_unknown": 4}}, "held", "odd", "alerts.md"),
        ({"last_sweep_at": NOW - timedelta(hours=2)}, "last sweep", "wrong", "overdue"),
        ({"last_sweep_at": None}, "last sweep", "odd", "leadline sweep"),
    ],
)
def test_dialling(
    cli: Cli, queue: FakeQueue, environ: dict[str, str], stats: dict[str, Any], what: str, verdict: str, then: str
) -> None:
    queue.stats_more = stats
    one = found(cli, environ, 1 if verdict == "wrong" else 0)[what]
    assert (one["verdict"], then in one["then"]) == (verdict, True)


@pytest.mark.parametrize(
    ("status", "me", "verdict", "says"),
    [
        (200, {"billing": {"current_balance": 3.2}}, "odd", "balance $3.20"),
        (200, {"status": "active"}, "well", "answers for our key"),
        (401, {"message": "Invalid key"}, "wrong", "refuses our key or account"),
        (402, {"message": "Insufficient balance"}, "wrong", "refuses our key or account"),
        (503, {}, "wrong", "503"),
    ],
)
def test_the_provider(
    cli: Cli, outside: Outside, environ: dict[str, str], status: int, me: dict[str, Any], verdict: str, says: str
) -> None:
    outside.status, outside.me = status, me
    one = found(cli, environ, 1 if verdict == "wrong" else 0)["provider"]
    assert one["verdict"] == verdict
    assert says in one["says"]
    assert (one["then"] is None) == (verdict == "well")


def test_an_address_that_is_no_gateway(cli: Cli, outside: Outside, environ: dict[str, str]) -> None:
    outside.document = {"openapi": "3.1.0", "paths": {"/pets": {}}}
    findings = found(cli, environ, 1)
    assert "no gateway of Leadline's" in findings["webhook"]["says"]
    assert "LEADLINE_PUBLIC_URL" in findings["webhook"]["then"]
    assert findings["gateway"]["verdict"] == "wrong"


def test_an_address_that_nobody_else_reaches(cli: Cli, environ: dict[str, str]) -> None:
    findings = found(cli, environ | {"LEADLINE_BLAND_BASE_URL": "https://bland.invalid"}, 1)
    assert "this machine alone" in findings["webhook"]["says"]
    assert findings["provider"]["verdict"] == "wrong"


def test_a_queue_service_that_does_not_answer_is_wrong_and_the_rest_is_examined(
    cli: Cli, queue: FakeQueue, environ: dict[str, str]
) -> None:
    queue.down = True
    findings = found(cli, environ, 1)
    assert findings["queue-service"]["verdict"] == "wrong"
    assert findings["provider"]["verdict"] == "well"
    assert "database" not in findings


def test_a_process_s_own_token_sees_all_but_the_dialling(cli: Cli, environ: dict[str, str]) -> None:
    findings = found(cli, environ | {"LEADLINE_QUEUE_TOKEN": PROCESS_TOKEN})
    assert findings["database"]["verdict"] == "well"
    assert findings["dialling"]["verdict"] == "not seen"
    assert "operator" in findings["dialling"]["then"]


def test_without_anything_to_ask_it_says_what_to_set(environ: dict[str, str]) -> None:
    findings = found(Cli(), environ, 1)
    assert "LEADLINE_QUEUE_URL" in findings["queue-service"]["then"]


def test_a_wrong_setting_is_a_finding(cli: Cli, environ: dict[str, str]) -> None:
    findings = found(cli, environ | {"LEADLINE_BLAND_TIMEOUT_SECONDS": "soon"}, 1)
    assert "LEADLINE_BLAND_TIMEOUT_SECONDS" in findings["settings"]["says"]


def test_an_old_secret_is_odd(cli: Cli, environ: dict[str, str], tmp_path: Path) -> None:
    key = tmp_path / "bland-key"
    key.write_text(BLAND_KEY)
    del environ["LEADLINE_BLAND_API_KEY"]
    environ["LEADLINE_BLAND_API_KEY_FILE"] = str(key)
    assert found(cli, environ)["secrets"]["verdict"] == "well"
    long_ago = time.time() - 200 * 86_400
    os.utime(key, (long_ago, long_ago))
    one = found(cli, environ)["secrets"]
    assert one["verdict"] == "odd"
    assert "LEADLINE_BLAND_API_KEY_FILE" in one["says"]
    assert "tokens.md" in one["then"]
