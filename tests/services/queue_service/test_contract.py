"""The queue-service keeps to its own OpenAPI document, whatever it is sent, and never falls over."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leadline.clients.queue import QueueClient
from leadline.contracts.leads import LeadSubmission
from services.queue_service.routes import openapi_document
from tests.services.queue_service.desk import PHONE
from tests.store.databases import module_database
from tests.support.ports import free_port
from tests.support.processes import ServiceProcess
from tests.support.run import Server

load_all_checks()
TOKEN = "token-of-operator"
AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True, slots=True)
class Served:
    """A queue-service that runs, and a lead in it."""

    url: str
    lead_id: UUID


@pytest.fixture(scope="module")
def served(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A process of its own, as it is deployed; its pool's jitter would disturb the search's own randomness here."""
    port = free_port()
    with module_database(postgres) as database_url:
        settings = {
            "LEADLINE_DATABASE_URL": database_url,
            "LEADLINE_QUEUE_PORT": str(port),
            "LEADLINE_QUEUE_TOKENS": f"operator:{TOKEN}",
            "LEADLINE_BLAND_TASK": "Sell a health plan, kindly.",
        }
        process = ServiceProcess("services.queue_service", settings, tmp_path_factory.mktemp("queue"))
        process.start()
        try:
            asyncio.run(process.wait_ready())
            url = f"http://127.0.0.1:{port}"
            yield Served(url, asyncio.run(post_lead(url)))
            assert "request_crashed" not in process.log_text()
        finally:
            asyncio.run(process.kill())


async def post_lead(url: str) -> UUID:
    async with QueueClient(url, TOKEN) as client:
        lead = LeadSubmission(campaign="awhealth", phone_number=PHONE, lead_id="1", list_id="2")
        return (await client.submit_lead(lead)).id


def without_waiting(case: schemathesis.Case[Any]) -> None:
    """A long poll would be answered, but after a minute."""
    if isinstance(case.body, dict) and isinstance(case.body.get("wait_seconds"), int | float):
        case.body["wait_seconds"] = 0


def about_something_real(case: schemathesis.Case[Any], served: Served) -> bool:
    """Let the case ask for the lead that there is; False if it asks for nothing by name."""
    real = {"id": str(served.lead_id), "phone_number": PHONE, "campaign": "awhealth"}
    named = set(case.path_parameters or {}) & set(real)
    for name in named:
        case.path_parameters[name] = real[name]
    return bool(named)


@SCHEMA.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_contract(case: schemathesis.Case[Any], served: Served) -> None:
    without_waiting(case)
    case.call_and_validate(base_url=served.url, headers=AUTHORIZATION, checks=CHECKS)
    if about_something_real(case, served):
        case.call_and_validate(base_url=served.url, headers=AUTHORIZATION, checks=CHECKS[:1])
