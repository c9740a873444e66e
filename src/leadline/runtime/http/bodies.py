"""Between bytes and pydantic models: parse what came, serialise what goes."""

import json
from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from leadline.runtime.http.problems import HttpProblem, field_errors

Model = TypeVar("Model", bound=BaseModel)
_ESCAPED_NUL: Final = rb"\u0000"


async def parse_body(request: web.Request, model: type[Model]) -> Model:
    """The JSON body as `model`. HttpProblem 400 with one line per wrong field; aiohttp's 413 over `client_max_size`."""
    raw = await request.read()
    try:
        body = model.model_validate_json(raw)
    except ValidationError as error:
        raise bad_request("invalid_body", "The body does not fit; see errors.", error) from error
    if _ESCAPED_NUL in raw and _holds_nul(json.loads(raw)):
        raise HttpProblem(400, "invalid_body", "A text holds the character NUL, which no database column can.")
    return body


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(_holds_nul(item) for item in value)
        case dict():
            return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
        case _:
            return False


def parse_query(request: web.Request, model: type[Model]) -> Model:
    """The query's parameters as `model`. HttpProblem 400 if one is wrong, unknown to the model or given twice."""
    repeated = sorted(name for name in request.query if len(request.query.getall(name)) > 1)
    if repeated:
        raise HttpProblem(
            400, "invalid_query", "A parameter is given twice.", errors=[f"{n}: once only" for n in repeated]
        )
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise bad_request("invalid_query", "The query does not fit; see errors.", error) from error


def parse_path(request: web.Request, model: type[Model]) -> Model:
    """The variable parts of the path as `model`. HttpProblem 404 if one cannot be: no such thing exists."""
    try:
        return model.model_validate(dict(request.match_info))
    except ValidationError as error:
        raise HttpProblem(404, "not_found", "No such thing.", errors=field_errors(error)) from error


def bad_request(code: str, detail: str, error: ValidationError) -> HttpProblem:
    """A 400 that names every wrong field and shows no input."""
    return HttpProblem(400, code, detail, errors=field_errors(error))


def respond(body: BaseModel, status: int = 200) -> web.Response:
    """A model as a JSON response."""
    return web.Response(body=body.model_dump_json().encode(), status=status, content_type="application/json")
