"""The one place where errors become answers: problem+json (RFC 9457), or a page for a browser that asked for one.

Nothing of an unexpected error leaves the process but a number, under which the log has the rest.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson
import structlog
from pydantic import BaseModel, ConfigDict
from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import RequestCancelled, SanicException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from heavy_stack.errors import HeavyStackError

log = structlog.get_logger("heavy_stack.api")

CONTENT_TYPE = "application/problem+json"
CHALLENGE = 'Basic realm="heavy-stack", charset="UTF-8"'

ErrorPage = Callable[[int, str, str], tuple[str, Mapping[str, str]]]
"""(status, title, detail) → HTML and headers; drawn by the pages' side."""

# Our words for what Sanic refuses itself; its own messages may repeat what the client wrote.
_SANIC_PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request is malformed."),
    401: ("not_authenticated", "Credentials are missing or wrong."),
    403: ("not_allowed", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    408: ("request_timeout", "The request did not arrive in time."),
    413: ("body_too_large", "The request is larger than this service takes."),
    416: ("range_not_satisfiable", "That range does not exist."),
    417: ("expectation_failed", "That expectation cannot be met."),
    429: ("too_many_requests", "Too many requests."),
    503: ("unavailable", "The service cannot answer now; try again soon."),
}
_UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout, ConnectionError)
_RETRY_AFTER_S = 5
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_STANDARD = frozenset({"type", "title", "status", "detail", "instance", "code"})


class Problem(BaseModel):
    """An error as RFC 9457 writes it, with two members of our own: `code`, and `place` where there is one."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    instance: str
    place: str | None = None


def install_error_handler(
    app: Sanic[Any, Any], *, is_page: Callable[[str], bool], error_page: ErrorPage | None
) -> None:
    """Answer every exception.

    Args:
        app: The application.
        is_page: True for paths where a browser expects a page.
        error_page: Draws an error for a browser; without it every error is problem+json.
    """

    def answer(request: Request[Any, Any] | None, error: Exception) -> HTTPResponse:
        path = _path_of(request)
        problem, headers = describe(error, path)
        wants_page = request is not None and _wants_html(request) and is_page(path)
        if problem.status == 401 and not (request is not None and _is_browser(request)):
            headers["www-authenticate"] = CHALLENGE
        if wants_page and error_page is not None:
            html, page_headers = error_page(problem.status, problem.title, problem.detail)
            return HTTPResponse(html, problem.status, {**headers, **page_headers}, "text/html; charset=utf-8")
        body = orjson.dumps(problem.model_dump(exclude_none=True))
        return HTTPResponse(body, problem.status, headers, CONTENT_TYPE)

    app.error_handler.add(Exception, answer)


def describe(error: Exception, path: str) -> tuple[Problem, dict[str, str]]:
    """The problem and its headers; logs what the service itself is to blame for."""
    headers = {"cache-control": "no-store"}
    if isinstance(error, HeavyStackError):
        context = {name if name not in _STANDARD else f"task_{name}": value for name, value in error.context.items()}
        if "retry_after_s" in context:
            headers["retry-after"] = str(int(context.pop("retry_after_s")))
        if error.status >= 500:
            log.error("request.failed", path=path, code=error.code, error=error.message)
        return _problem(error.status, error.code, error.message, path, **context), headers
    if isinstance(error, RequestCancelled):
        return _problem(499, "request_cancelled", "The client went away.", path), headers
    if isinstance(error, SanicException) and error.status_code in _SANIC_PROBLEMS:
        code, detail = _SANIC_PROBLEMS[error.status_code]
        headers |= {name.lower(): str(value) for name, value in (error.headers or {}).items()}
        headers.pop("www-authenticate", None)
        if allow := headers.get("allow"):
            headers["allow"] = ", ".join(sorted(name.strip() for name in allow.split(",")))
            detail = f"This address takes {headers['allow']}."
        return _problem(error.status_code, code, detail, path), headers
    if isinstance(error, _UNREACHABLE):
        log.error("database.unreachable", path=path, error=type(error).__name__)
        headers["retry-after"] = str(_RETRY_AFTER_S)
        return _problem(503, "database_unavailable", "The database does not answer; try again soon.", path), headers
    incident = uuid4().hex
    # Where it broke, not what it said: messages of drivers and validators repeat values, and values may be secret.
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("request.broke", path=path, incident=incident, error=type(error).__name__, frames=frames)
    detail = f"The service failed. Its log has the cause under {incident}."
    return _problem(500, "internal_error", detail, path, incident=incident), headers


def _problem(status: int, code: str, detail: str, path: str, **context: Any) -> Problem:
    return Problem(title=_title(status), status=status, detail=detail, code=code, instance=path, **context)


def _title(status: int) -> str:
    if status in _TITLES:
        return _TITLES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _path_of(request: Request[Any, Any] | None) -> str:
    try:
        return request.path if request is not None else ""
    except Exception:  # a request line that Sanic itself could not read
        return ""


def _wants_html(request: Request[Any, Any]) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _is_browser(request: Request[Any, Any]) -> bool:
    # A challenge would make the browser ask with a window of its own instead of our form.
    return "sec-fetch-mode" in request.headers or _wants_html(request)
