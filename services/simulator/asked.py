"""What all `/simulator/*` routes need: bodies read, refusals and answers sent."""

import json
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

_Read = TypeVar("_Read", bound=BaseModel)


async def read(request: web.Request, model: type[_Read]) -> _Read:
    """The body of a request; 400 with every mistake in one line."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors(include_url=False)]
        raise refused(web.HTTPBadRequest, "; ".join(lines)) from None


def refused(kind: type[web.HTTPException], message: str) -> web.HTTPException:
    """To be raised: an answer that says no, and why."""
    return kind(text=json.dumps({"error": message}), content_type="application/json")


def sent(model: BaseModel) -> web.Response:
    """An answer that is a model."""
    return web.json_response(text=model.model_dump_json())
