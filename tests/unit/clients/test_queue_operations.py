"""A request is called by the route that answers it."""

import re

import pytest

from leadline.clients.queue_operations import operation
from leadline.contracts.openapi import Route
from services.queue_service.routes import ROUTES


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_named_as_the_queue_service_names_it(route: Route) -> None:
    filled = re.sub(r"\{\w+\}", "01940000-0000-7000-8000-000000000001", route.path)
    assert operation(route.method, filled) == f"{route.method} {route.path}"


def test_a_quoted_id_is_one_step() -> None:
    assert operation("GET", "/v1/suppressions/%2B1561%20555%2F0123") == "GET /v1/suppressions/{phone_number}"
