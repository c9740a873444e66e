"""Every process in the image, with the environment, arguments, limits and rights that the chart gives it.

In the order of the file: the last test stops what the others use.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.image.kubelet import RunningPod
from tests.image.podman import inspected, log_of, podman
from tests.image.release import Release

pytestmark = pytest.mark.timeout(600)
SERVING = ("crm-sync", "dialer", "gateway", "queue", "simulator")
SOMEBODY = "+15615550142"
_TRY_TO_WRITE = """
import os, sys
for path in sys.argv[1:]:
    try:
        with open(os.path.join(path, "written"), "w") as file:
            file.write("x")
        print("wrote", path)
    except OSError as error:
        print(error.strerror)
"""


def until(look: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    ends_at = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < ends_at, f"not within {seconds:g} s: {what}; seen last: {seen!r}"
        time.sleep(0.2)
    return seen


def test_everything_that_serves_came_up(release: Release) -> None:
    assert sorted(release.pods) == sorted(SERVING)


@pytest.mark.parametrize("component", SERVING)
def test_a_process_has_the_rights_that_the_chart_gives(release: Release, component: str) -> None:
    running = release.pods[component]
    status = dict(
        line.split(":\t", 1) for line in podman("exec", running.container, "cat", "/proc/1/status").splitlines()
    )
    assert status["Uid"].split() == ["10001"] * 4
    assert status["Gid"].split() == ["10001"] * 4
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2", "the runtime's filter"


@pytest.mark.parametrize("component", SERVING)
def test_a_process_can_write_to_tmp_alone(release: Release, component: str) -> None:
    tried = ["/", "/opt/leadline", "/etc", "/var/tmp", "/run", "/tmp"]
    said = podman("exec", release.pods[component].container, "python", "-c", _TRY_TO_WRITE, *tried)
    assert said.splitlines() == ["Read-only file system"] * 5 + ["wrote /tmp"]


@pytest.mark.parametrize("component", SERVING)
def test_a_process_has_the_environment_and_the_limits_that_the_chart_gives(release: Release, component: str) -> None:
    running = release.pods[component]
    environment = podman("exec", running.container, "cat", "/proc/1/environ").split("\0")
    planned = running.pod.container.environment
    assert {f"{name}={value}" for name, value in planned.items()} <= set(environment)
    leadlines = {pair.split("=")[0] for pair in environment if pair.startswith(("LEADLINE_", "REDIAL_", "PG"))}
    assert leadlines == {name for name in planned if name.startswith(("LEADLINE_", "REDIAL_", "PG"))}
    assert planned["LEADLINE_LOG_FORMAT"] == "json"
    limits = inspected(running.container)["HostConfig"]
    assert limits["Memory"] == running.pod.container.memory_bytes
    assert limits["PidsLimit"] > 0


def test_only_the_queue_service_and_migrate_know_the_database(release: Release) -> None:
    knowing = {name for name, pod in release.pods.items() if "LEADLINE_DATABASE_URL" in pod.pod.container.environment}
    assert knowing == {"queue"}


def test_a_lead_is_dialled_and_its_outcome_stored(release: Release) -> None:
    script = {SOMEBODY: [{"outcome": "SALE", "queue_seconds": 0, "ring_seconds": 0, "talk_seconds": 1}]}
    release.ask("simulator", "/simulator/script", body=script)
    key = release.secret("leadline-gateway-keys", "api-key")
    lead = {"phone_number": SOMEBODY, "lead_id": "7001", "list_id": "1029", "first_name": "Ada"}
    answer = release.ask("gateway", "/webhooks/awhealth-outbound", body=lead, X_Api_Key=key)
    assert answer["status"] == "queued"

    def calls() -> list[Any]:
        rows = release.ask("simulator", f"/simulator/ledger?phone_number=%2B{SOMEBODY[1:]}")["rows"]
        return [row for row in rows if row["call_id"]]

    call = until(calls, "the simulator was asked for a call")[0]

    def outcome() -> list[Any]:
        token = release.secret("leadline-tokens", "operator-token")
        leads = release.ask("queue", f"/v1/leads?phone_number=%2B{SOMEBODY[1:]}", token)["leads"]
        attempts = release.ask("queue", f"/v1/leads/{leads[0]['id']}", token)["attempts"]
        return [attempt for attempt in attempts if attempt["outcome"]]

    attempt = until(outcome, "its outcome is stored")[0]
    assert (attempt["outcome"], attempt["call_id"]) == ("SALE", call["call_id"])
    assert len(calls()) == 1

    def told() -> list[Any]:
        asked = release.ask("simulator", "/simulator/convoso/requests?path=leads/update")["requests"]
        return [request for request in asked if "7001" in json.dumps(request)]

    until(told, "crm-sync told the CRM of it")


def test_a_sweep_ends_well(release: Release) -> None:
    said = release.run("CronJob", "sweep", "leadline-sweep-1")
    printed = re.search(r"^\{\n.*?^\}$", said, re.MULTILINE | re.DOTALL)
    assert printed is not None, said
    summary = json.loads(printed[0])
    assert (summary["partial"], summary["violations"]) == (False, [])


def test_a_backfill_with_dates_records_the_calls_of_that_day(release: Release) -> None:
    day = {"starts_at": "2026-01-05T14:00:00+00:00", "ends_at": "2026-01-05T20:00:00+00:00"}
    release.ask("simulator", "/simulator/history", body={"calls": 20, "numbers": 8, **day})
    asked = {"FROM": "2026-01-05", "TO": "2026-01-05", "PACE": "none", "DETAILS_PACE": "none"}
    variables = {f"LEADLINE_BACKFILL_{name}": value for name, value in asked.items()}
    said = release.run("CronJob", "backfill", "leadline-backfill-1", variables)
    recorded = re.search(r"recorded\s+(\d+)", said)
    assert recorded is not None, said
    assert int(recorded[1]) > 0


def test_to_migrate_again_changes_nothing(release: Release) -> None:
    said = release.run("Job", "migrate", "leadline-migrate-2")
    assert '"applied": 0' in said


def test_helm_test_passes(release: Release) -> None:
    said = release.run("Pod", "smoke", "leadline-smoke")
    assert re.search(r" ms  ", said), said


def test_probes_still_pass(release: Release) -> None:
    assert {name: _unwell(release, pod) for name, pod in release.pods.items()} == dict.fromkeys(release.pods)


def _unwell(release: Release, running: RunningPod) -> str | None:
    container = running.pod.container
    probes = [probe for probe in (container.liveness, container.readiness) if probe is not None]
    assert probes
    return next((problem for probe in probes if (problem := release.kubelet.probe(running, probe))), None)


def test_logs_hold_no_telephone_number(release: Release) -> None:
    national = SOMEBODY.removeprefix("+1")
    telling = [name for name, pod in release.pods.items() if national in log_of(pod.container, 10_000)]
    assert not telling


def test_sigterm_ends_each_process_in_time(release: Release) -> None:
    for component in ("dialer", "crm-sync", "gateway", "queue", "simulator"):
        running = release.pods[component]
        took_seconds = release.kubelet.stop(running)
        assert took_seconds < running.pod.grace_seconds, component
