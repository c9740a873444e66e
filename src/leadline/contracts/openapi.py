"""The route table of a service, and the OpenAPI 3.1 document made from it.

A service registers its handlers from the same table, so that what is promised and what is served cannot differ.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from leadline.contracts.problems import PROBLEM_MEDIA_TYPE, Problem

OPENAPI_VERSION: Final = "3.1.0"
JSON_MEDIA_TYPE: Final = "application/json"
FORM_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
_REF_TEMPLATE: Final = "#/components/schemas/{model}"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_STATUSES_WITH_RETRY_AFTER: Final = frozenset({429, 503})

ModelKey = tuple[Any, JsonSchemaMode]
"""A model, as it is read or as it is written."""
References = Mapping[ModelKey, Mapping[str, Any]]

BEARER: Final[Mapping[str, Any]] = {"type": "http", "scheme": "bearer"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value outside the body. Path parameters that need no more than their name may be left out of a route."""

    name: str
    place: Literal["path", "query", "header"]
    description: str
    required: bool = False
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Route:
    """One route: what is asked, what is answered, who may ask."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    """With `{name}` for path parameters, as both aiohttp and OpenAPI spell them."""
    operation_id: str
    """The handler's name, unique in the table."""
    summary: str
    response_model: type[BaseModel] | None = None
    """None: any JSON object."""
    request_model: type[BaseModel] | None = None
    """None with `request_media_types`: any bytes. None without: no body."""
    request_media_types: tuple[str, ...] = ()
    """Default: JSON if there is a `request_model`."""
    status: int = 200
    problems: Mapping[int, str] = field(default_factory=dict)
    """Refusals, all of them problem documents: status -> when."""
    auth: tuple[str, ...] = ()
    """Names of security schemes, any of which suffices; empty: anyone."""
    parameters: tuple[Parameter, ...] = ()
    description: str | None = None


def build_openapi(
    title: str,
    version: str,
    routes: Sequence[Route],
    *,
    security_schemes: Mapping[str, Mapping[str, Any]] | None = None,
    description: str | None = None,
) -> dict[str, Any]:
    """Make the OpenAPI 3.1 document of a route table.

    Raises:
        ValueError: an operation id or a (method, path) occurs twice, or a security scheme is not described.
    """
    schemes = dict(security_schemes or {})
    _check(routes, schemes)
    references, definitions = models_json_schema(sorted(_models(routes), key=_model_order), ref_template=_REF_TEMPLATE)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    info = {"title": title, "version": version} | ({"description": description} if description else {})
    components: dict[str, Any] = {"schemas": definitions.get("$defs", {})}
    if schemes:
        components["securitySchemes"] = schemes
    return {"openapi": OPENAPI_VERSION, "info": info, "paths": paths, "components": components}


def _check(routes: Iterable[Route], schemes: Mapping[str, object]) -> None:
    seen: set[str] = set()
    for route in routes:
        for name in (route.operation_id, f"{route.method} {route.path}"):
            if name in seen:
                raise ValueError(f"the route table names {name!r} twice")
            seen.add(name)
        if missing := set(route.auth) - set(schemes):
            raise ValueError(f"{route.operation_id} needs the security scheme {min(missing)!r}, not described here")


def _models(routes: Iterable[Route]) -> set[ModelKey]:
    wanted: set[ModelKey] = {(Problem, "serialization")}
    for route in routes:
        if route.request_model is not None:
            wanted.add((route.request_model, "validation"))
        if route.response_model is not None:
            wanted.add((route.response_model, "serialization"))
    return wanted


def _model_order(key: ModelKey) -> tuple[str, str]:
    return key[0].__name__, key[1]


def _operation(route: Route, references: References) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.operation_id, "summary": route.summary}
    if route.description:
        operation["description"] = route.description
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if body := _request_body(route, references):
        operation["requestBody"] = body
    operation["responses"] = _responses(route, references)
    operation["security"] = [{name: []} for name in route.auth]
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    described = {(parameter.place, parameter.name): parameter for parameter in route.parameters}
    for name in _PATH_PARAMETER.findall(route.path):
        described.setdefault(("path", name), Parameter(name, "path", name.replace("_", " ")))
    return [
        {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "required": parameter.required or parameter.place == "path",
            "schema": dict(parameter.schema),
        }
        for parameter in described.values()
    ]


def _request_body(route: Route, references: References) -> dict[str, Any] | None:
    schema = {} if route.request_model is None else dict(references[route.request_model, "validation"])
    media_types = route.request_media_types or ((JSON_MEDIA_TYPE,) if route.request_model else ())
    if not media_types:
        return None
    return {"required": True, "content": {media_type: {"schema": schema} for media_type in media_types}}


def _responses(route: Route, references: References) -> dict[str, Any]:
    answer: Mapping[str, Any] = {"type": "object"}
    if route.response_model is not None:
        answer = references[route.response_model, "serialization"]
    responses: dict[str, Any] = {
        str(route.status): {"description": route.summary, "content": {JSON_MEDIA_TYPE: {"schema": dict(answer)}}}
    }
    problem = references[Problem, "serialization"]
    for status, when in sorted(route.problems.items()):
        response: dict[str, Any] = {"description": when, "content": {PROBLEM_MEDIA_TYPE: {"schema": dict(problem)}}}
        if status in _STATUSES_WITH_RETRY_AFTER:
            response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
        responses[str(status)] = response
    return responses
