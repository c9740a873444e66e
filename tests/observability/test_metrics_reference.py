"""docs/operations/metrics.md says what running processes show, no more and no less; names keep to conventions."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest

from tests.house.metrics_reference import PROCESSES, Family, read_reference
from tests.house.tree import ROOT
from tests.observability.scraping import Shown, scraped, with_exemplars
from tests.support.phones import fresh_phone
from tests.support.processes import ServiceProcess
from tests.support.simulated import ANYBODY, crm_lead, step
from tests.support.stack import Stack
from tests.support.system import System, running, system_open
from tests.support.waiting import until

REFERENCE = read_reference((ROOT / "docs" / "operations" / "metrics.md").read_text(encoding="utf-8"))
FAMILIES = sorted({family for families in REFERENCE.values() for family in families.values()})
OURS = [family for family in FAMILIES if family.name.startswith("leadline_")]

NEVER_LABELS = {
    *("id", "lead", "lead_id", "list_id", "attempt_id", "call_id", "run_id", "trace_id", "dialer"),
    *("phone", "phone_number", "number", "name", "first_name", "last_name", "email", "url", "path", "error", "message"),
    *("le", "quantile", "job", "instance", "namespace", "pod"),
}
"""Unbounded, somebody's own, or given by Prometheus."""
NO_BASE_UNIT = re.compile(r"_(ms|milliseconds|microseconds|nanoseconds|minutes|hours|days|percent|cents|[kmg]b)(_|$)")
UNITS = ("_seconds", "_bytes", "_dollars", "_ratio")


@pytest.fixture(scope="module")
def stack(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(Stack(module_database_url, tmp_path_factory.mktemp("metrics"), crm=True)) as made:
        yield made


@pytest.fixture
async def system(stack: Stack) -> AsyncIterator[System]:
    async with system_open(stack) as opened:
        await opened.simulator.script(ANYBODY, step("TRANSFERRED", times=1_000_000))
        yield opened


@pytest.fixture
async def processes(stack: Stack) -> AsyncIterator[Mapping[str, ServiceProcess]]:
    """Every process that serves metrics, by the name it has in the reference."""
    async with stack.make_dialer() as dialer, stack.make_crm_sync() as crm_sync:
        await dialer.wait_ready()
        await crm_sync.wait_ready()
        yield {
            "gateway": stack.gateway,
            "queue-service": stack.queues[0],
            "dialer": dialer,
            "crm-sync": crm_sync,
            "simulator": stack.simulator,
        }


@pytest.mark.timeout(240)
async def test_the_reference_says_what_processes_show(system: System, processes: Mapping[str, ServiceProcess]) -> None:
    """After one call that was asked for, placed, heard of, and told to the CRM."""
    await _call_somebody(system, processes["crm-sync"])
    assert REFERENCE.keys() == PROCESSES.keys() == processes.keys()
    for name, process in processes.items():
        shown, said = await scraped(process), REFERENCE[name]
        assert {found: _as_said(found, of, said) for found, of in shown.items()} == said, name
        assert _SAMPLED[name] <= {found for found, of in shown.items() if of.label_sets}, name
        assert _TRACED[name] <= await with_exemplars(process), name


_SAMPLED = {
    "gateway": {"leadline_build_info", "leadline_http_request_seconds", "leadline_http_client_requests_total"},
    "queue-service": {
        "leadline_http_requests_total",
        "leadline_outcomes_total",
        "leadline_pool_connections",
        "leadline_pool_wait_seconds",
        "leadline_calls_wanted",
        "leadline_window_open",
        "leadline_leads",
    },
    "dialer": {"leadline_provider_answers_total", "leadline_http_client_request_seconds"},
    "crm-sync": {"leadline_crm_sync_messages_total", "leadline_provider_answers_total"},
    "simulator": {"leadline_http_requests_total"},
}
"""Some that have a value after that call, so that their labels are compared too."""
_TRACED: Mapping[str, set[str]] = {
    "gateway": {"leadline_http_request_seconds", "leadline_http_client_request_seconds"},
    "queue-service": {"leadline_http_request_seconds"},
    "dialer": {"leadline_http_client_request_seconds"},
    "crm-sync": set(),
    "simulator": set(),
}


async def _call_somebody(system: System, crm_sync: ServiceProcess) -> None:
    phone = fresh_phone()
    lead_id = phone.removeprefix("+1")
    await system.simulator.put_crm_leads(crm_lead(lead_id, phone))
    await system.add_lead(phone, lead_id=lead_id)
    assert (await system.until_state(phone, "ended"))["outcome"] == "TRANSFERRED"

    async def counted() -> bool:
        told = (await scraped(crm_sync))["leadline_crm_sync_messages_total"].label_sets
        leads = (await scraped(system.stack.queues[0]))["leadline_leads"].label_sets
        return bool(told and leads)

    await until(counted, "the CRM is told, and leads are counted")


def _as_said(name: str, shown: Shown, said: Mapping[str, Family]) -> Family:
    """The family as it is shown; labels that no sample shows now are believed, and so is their order."""
    believed = said[name].labels if name in said else ()
    (labels,) = shown.label_sets or {tuple(sorted(believed))}
    in_order = believed if tuple(sorted(believed)) == labels else labels
    return Family(name, shown.type, in_order, shown.meaning)


@pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)
def test_names_and_labels_keep_to_conventions(family: Family) -> None:
    assert re.fullmatch(r"leadline(_[a-z0-9]+)+", family.name)
    assert family.name.endswith("_total") == (family.type == "counter")
    assert not NO_BASE_UNIT.search(family.name)
    assert family.name.endswith(UNITS) or family.type != "histogram"
    assert not family.name.endswith(("_count", "_sum", "_bucket", "_created"))
    assert not NEVER_LABELS & set(family.labels)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in family.labels)


@pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)
def test_meanings_are_sentences(family: Family) -> None:
    assert re.match(r"[A-Z0-9]", family.meaning)
    assert family.meaning.endswith(".")
    assert len(family.meaning) > 20


def test_every_process_that_serves_metrics_is_in_the_reference() -> None:
    serving = {
        f"services.{path.relative_to(ROOT / 'services').parts[0]}"
        for path in (ROOT / "services").rglob("*.py")
        if "metrics_serving(" in path.read_text(encoding="utf-8")
    }
    assert serving == set(PROCESSES.values())


def test_a_name_means_the_same_in_every_process() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
