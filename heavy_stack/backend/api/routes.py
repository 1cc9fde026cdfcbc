"""The API's routes: one table, from which Sanic's routes, the access checks, the OpenAPI check and a test are derived.

Pages have a table of their own (frontend/routes.py). The names here are reserved before them: what `is_page` denies is
never answered with a page, whatever the client accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any
from urllib.parse import quote

from sanic import HTTPResponse, Request, Sanic, redirect

from heavy_stack.backend.api import openapi_handlers, sign_in_handlers, task_handlers
from heavy_stack.backend.api.sessions import COOKIE
from heavy_stack.backend.api.web_context import address_of, context_of, is_own_origin
from heavy_stack.errors import NotAllowed, NotAuthenticated
from heavy_stack.shared_models.users import User

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse]]

GET = ("GET", "HEAD")
POST = ("POST",)
EVERY = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"  # anybody
    API = "api"  # Basic credentials
    SESSION = "session"  # a signed-in browser
    ANY = "any"  # one of the two


@dataclass(frozen=True)
class Route:
    """One line of the table.

    Attributes:
        path: As Sanic writes it.
        methods: What it takes; HEAD goes with GET.
        handler: Takes the request and the path's parameters.
        access: Who may call it.
        name: Unique; the operation's id in OpenAPI.
        form: A form of our own pages posts it, so its Origin is checked although it needs no session.
        body: The handler receives the body itself; for others a small one is thrown away.
    """

    path: str
    methods: tuple[str, ...]
    handler: Handler
    access: Access
    name: str
    form: bool = False
    body: bool = False

    @property
    def changes(self) -> bool:
        """True when it takes a method that may change something."""
        return not SAFE_METHODS.issuperset(self.methods)


ROUTES: tuple[Route, ...] = (
    Route("/new", POST, task_handlers.new_task, Access.ANY, "new_task", body=True),
    Route("/status", GET, task_handlers.status, Access.ANY, "status"),
    Route("/getresult", GET, task_handlers.get_result, Access.ANY, "get_result"),
    Route("/tasks/<taskid:str>/download", GET, task_handlers.download, Access.ANY, "download"),
    Route("/tasks/<taskid:str>/cancel", POST, task_handlers.cancel, Access.ANY, "cancel"),
    Route("/tasks/<taskid:str>/rewrite", POST, task_handlers.rewrite, Access.ANY, "rewrite", body=True),
    Route("/tasks/<taskid:str>/recheck", POST, task_handlers.recheck, Access.ANY, "recheck", body=True),
    Route("/upload", POST, task_handlers.upload, Access.SESSION, "upload", body=True),
    Route("/healthz", GET, task_handlers.healthz, Access.PUBLIC, "healthz"),
    Route("/openapi.json", GET, openapi_handlers.document, Access.PUBLIC, "openapi"),
    Route("/docs", GET, openapi_handlers.page, Access.PUBLIC, "docs"),
    Route("/sign-in", GET, sign_in_handlers.show_sign_in, Access.PUBLIC, "show_sign_in"),
    Route("/sign-in", POST, sign_in_handlers.sign_in, Access.PUBLIC, "sign_in", form=True, body=True),
    Route("/sign-out", POST, sign_in_handlers.sign_out, Access.PUBLIC, "sign_out", form=True),
    Route("/api", EVERY, task_handlers.unknown_api, Access.PUBLIC, "unknown_api_root"),
    Route("/api/<path:path>", EVERY, task_handlers.unknown_api, Access.PUBLIC, "unknown_api"),
)

# First segments that are never a page. `tasks` is shared: /tasks/<id> is a page, what lies below it is here.
_PAGES_TOO = frozenset({"tasks", "sign-in", "docs", "upload"})
RESERVED = frozenset(route.path.strip("/").split("/")[0] for route in ROUTES) - _PAGES_TOO


def is_page(path: str) -> bool:
    """True when a browser may expect a page at that path, or a page that says why there is none.

    Names of the API and paths that end like a file (`/x.py`, `/.env`) are no pages.
    """
    segments = path.strip("/").split("/")
    return segments[0] not in RESERVED and "." not in segments[-1]


def install_routes(app: Sanic[Any, Any]) -> None:
    """Register every route with its access check."""
    for route in ROUTES:
        app.add_route(
            _guarded(route),
            route.path,
            methods=route.methods,
            name=route.name,
            stream=True,  # no body is received before the access check
        )


def _guarded(route: Route) -> Handler:
    @wraps(route.handler)
    async def call(request: Request[Any, Any], **parameters: Any) -> HTTPResponse:
        if route.access is not Access.PUBLIC:
            user, by_cookie = await _caller(request, route.access)
            if user is None:
                return _ask_to_sign_in(request, route)
            request.ctx.user = user
            if by_cookie:
                _check_origin(request)
        elif route.form:
            _check_origin(request)
        if not route.body:
            # Left unread, it would be an error line in the log for a client that is merely talkative.
            await context_of(request).bodies.discard(request)
        return await route.handler(request, **parameters)

    return call


async def _caller(request: Request[Any, Any], access: Access) -> tuple[User | None, bool]:
    """The user, and whether a cookie says so (which a foreign page's form would send too)."""
    authenticator = context_of(request).authenticator
    header = request.headers.get("authorization")
    if header is not None and access is not Access.SESSION:
        return await authenticator.by_basic(header, address_of(request)), False
    if access is not Access.API:
        return await authenticator.by_session(request.cookies.get(COOKIE)), True
    return None, False


def _check_origin(request: Request[Any, Any]) -> None:
    if request.method not in SAFE_METHODS and not is_own_origin(request):
        raise NotAllowed(
            "This request does not come from a page of this service. Behind a proxy, set HEAVY_PUBLIC_URL to the "
            "address that browsers see.",
            code="foreign_origin",
        )


def _ask_to_sign_in(request: Request[Any, Any], route: Route) -> HTTPResponse:
    wants_page = "text/html" in request.headers.get("accept", "")
    if wants_page and (route.access is Access.SESSION or request.method in SAFE_METHODS):
        here = request.path + (f"?{request.query_string}" if request.query_string else "")
        following = here if request.method in SAFE_METHODS else "/"
        return redirect(f"/sign-in?next={quote(following, safe='/')}", status=303)
    raise NotAuthenticated("Credentials are missing: send Basic credentials, or sign in at /sign-in.")
