"""The OpenAPI document says what the route table says."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from leadline.contracts.openapi import BEARER, Parameter, Route, build_openapi


class Asked(BaseModel):
    """A question."""

    words: str = Field(min_length=1)
    times: int = 1


class Answered(BaseModel):
    """An answer."""

    words: str
    because: Asked | None = None


ROUTES = (
    Route(
        "POST",
        "/v1/things/{id}/ask",
        "ask_thing",
        "Ask a thing",
        Answered,
        Asked,
        status=202,
        problems={404: "No such thing", 503: "Later"},
        auth=("bearer",),
        parameters=(Parameter("Idempotency-Key", "header", "Operation id", required=True),),
    ),
    Route("GET", "/v1/things/{id}", "get_thing", "Get a thing", Answered),
    Route("POST", "/v1/bytes", "take_bytes", "Take bytes", request_media_types=("application/octet-stream",)),
)


def document() -> dict[str, Any]:
    return build_openapi("Things", "1", ROUTES, security_schemes={"bearer": BEARER})


def test_operations() -> None:
    made = document()
    assert made["openapi"] == "3.1.0"
    ask = made["paths"]["/v1/things/{id}/ask"]["post"]
    assert ask["operationId"] == "ask_thing"
    assert [(p["in"], p["name"], p["required"]) for p in ask["parameters"]] == [
        ("header", "Idempotency-Key", True),
        ("path", "id", True),
    ]
    assert ask["security"] == [{"bearer": []}]
    assert set(ask["responses"]) == {"202", "404", "503"}
    assert "Retry-After" in ask["responses"]["503"]["headers"]
    assert set(ask["responses"]["404"]["content"]) == {"application/problem+json"}
    assert set(made["paths"]["/v1/bytes"]["post"]["requestBody"]["content"]) == {"application/octet-stream"}
    assert "requestBody" not in made["paths"]["/v1/things/{id}"]["get"]


def test_every_reference_is_there() -> None:
    made = document()
    schemas = made["components"]["schemas"]
    assert "Problem" in schemas
    for reference in _references(made):
        assert reference.removeprefix("#/components/schemas/") in schemas


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [node["$ref"]] if "$ref" in node else [r for value in node.values() for r in _references(value)]
    return [r for value in node for r in _references(value)] if isinstance(node, list) else []


def test_a_table_with_doubles_is_refused() -> None:
    with pytest.raises(ValueError, match="get_thing"):
        build_openapi("Things", "1", (ROUTES[1], ROUTES[1]))
    with pytest.raises(ValueError, match="GET /v1/things"):
        build_openapi("Things", "1", (ROUTES[1], Route("GET", "/v1/things/{id}", "other", "x")))
    with pytest.raises(ValueError, match="bearer"):
        build_openapi("Things", "1", ROUTES)
