"""Errors become RFC 9457 problem documents here and nowhere else; nothing internal leaks.

A service raises its own typed errors. `problem_middleware` maps them by a table and answers every other exception with
a 500 that carries an error id and no more.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import ValidationError

from leadline.runtime.ids import new_uuid7
from leadline.runtime.logging import get_logger

MEDIA_TYPE = "application/problem+json"
MAX_FIELD_ERRORS = 20
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """How one type of error is told: its HTTP status, title, code (default: the error's own) and when to come again."""

    status: int
    title: str
    code: str | None = None
    retry_after_seconds: int | None = None


ProblemTable = Mapping[type[Exception], ProblemKind]
Classifier = Callable[[Exception], ProblemKind | None]


class HttpProblem(Exception):
    """An answer that is a problem. For the edge itself; the domain raises its own errors."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or _phrase(status)
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    title: str | None = None,
    errors: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The document as a response. Its members are those of `Problem` in the contracts."""
    document = {
        "type": "about:blank",
        "title": title or _phrase(status),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(errors[:MAX_FIELD_ERRORS]),
    }
    return web.json_response(document, status=status, content_type=MEDIA_TYPE, headers=headers)


def problem_middleware(table: ProblemTable, classify: Classifier | None = None) -> Middleware:
    """Map errors to problems: by the most specific type in `table`, then by `classify`, else a 500.

    Put it inside the metrics middleware and outside of everything else.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except HttpProblem as problem:
            return problem_response(
                problem.status,
                problem.code,
                problem.detail,
                title=problem.title,
                errors=problem.errors,
                headers=problem.headers,
            )
        except web.HTTPException as error:
            return _from_aiohttp(error)
        except Exception as error:  # noqa: BLE001 -- the edge: whatever is left becomes a 500 and is logged
            kind = find_kind(error, table) or (classify(error) if classify else None)
            return _expected(request, error, kind) if kind else _unexpected(request, error)

    return middleware


def find_kind(error: Exception, table: ProblemTable) -> ProblemKind | None:
    """The entry for the error's own type, or of the nearest type that it derives from."""
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


def field_errors(error: ValidationError) -> list[str]:
    """One line for each wrong field: `slots: input should be less than or equal to 200`. Shows no input."""
    lines = []
    for detail in error.errors(include_url=False, include_input=False)[:MAX_FIELD_ERRORS]:
        where = ".".join(str(step) for step in detail["loc"]) or "body"
        message = detail["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {message[:1].lower()}{message[1:]}")
    return lines


def _expected(request: web.Request, error: Exception, kind: ProblemKind) -> web.Response:
    code = kind.code or str(getattr(error, "code", "error"))
    own = hasattr(error, "code") and kind.status < 500
    if kind.status >= 500:
        log.warning("request_failed", route=route_template(request), code=code, error=repr(error))
    headers = {"Retry-After": str(kind.retry_after_seconds)} if kind.retry_after_seconds is not None else None
    detail = str(error) if own and str(error) else f"{kind.title}."
    return problem_response(kind.status, code, detail, title=kind.title, headers=headers)


def _unexpected(request: web.Request, error: Exception) -> web.Response:
    error_id = new_uuid7()
    log.error(
        "request_crashed", exc_info=error, route=route_template(request), method=request.method, error_id=error_id
    )
    detail = f"Something went wrong on our side. The log tells more under error id {error_id}."
    return problem_response(500, "internal_error", detail)


def _from_aiohttp(error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    headers = {name: value for name, value in error.headers.items() if name in {"Allow", "Retry-After"}}
    code = re.sub(r"[^a-z]+", "_", error.reason.lower()).strip("_")
    detail = error.reason + "."
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        code, detail = "body_too_large", "The body is larger than this route takes."
    elif isinstance(error, web.HTTPNotFound):
        detail = "There is no such route; /openapi.json lists them."
    return problem_response(error.status, code, detail, headers=headers)


def route_template(request: web.Request) -> str:
    """`/v1/leads/{id}` for whatever lead: a closed set, fit for labels and logs. `unmatched` where no route fits."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
