"""URL → page. The table below is everything that ReactPy serves; any other address is the error handler's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sanic import HTTPResponse, Request, Sanic, html, redirect

from heavy_stack.backend.services import current_services
from heavy_stack.errors import NotFound
from heavy_stack.frontend.assets import install_assets
from heavy_stack.frontend.documents import app_document
from heavy_stack.frontend.pages.page_root import NotFoundPage, PageRoot
from heavy_stack.frontend.pages.result import ResultPage
from heavy_stack.frontend.pages.submit import SubmitPage
from heavy_stack.frontend.pages.task import TaskPage
from heavy_stack.frontend.reactpy_sanic import PageSocket, Tap, install_socket
from heavy_stack.frontend.reactpy_util import PageSession
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.users import User

SIGN_IN_PATH = "/sign-in"


@dataclass(frozen=True)
class PageRoute:
    """One page.

    Attributes:
        pattern: Path as Sanic writes it; its one parameter, if any, is a task's id.
        title: For the browser's tab.
        build: Makes the page's component from the task's id (None without one) and the query string.
    """

    pattern: str
    title: str
    build: Callable[[UUID | None, str], Component]


PAGES: tuple[PageRoute, ...] = (
    PageRoute("/", "New task", lambda task_id, query: SubmitPage()),
    PageRoute("/tasks/<taskid:str>", "Task", lambda task_id, query: TaskPage(task_id)),
    PageRoute("/tasks/<taskid:str>/result", "Result", ResultPage),
)


def find_page(path: str) -> tuple[PageRoute, UUID | None] | None:
    """The page at a path with its task's id, or None."""
    parts = path.strip("/").split("/")
    for page in PAGES:
        wanted = page.pattern.strip("/").split("/")
        if len(wanted) != len(parts):
            continue
        task_id: UUID | None = None
        for want, part in zip(wanted, parts, strict=True):
            if want == "<taskid:str>":
                task_id = _find_uuid(part)
                if task_id is None:
                    break
            elif want != part:
                break
        else:
            return page, task_id
    return None


def _find_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def install_pages(
    app: Sanic[Any, Any],
    *,
    find_user: Callable[[Request[Any, Any]], Awaitable[User | None]],
    origin_allowed: Callable[[Request[Any, Any]], bool],
    tap: Tap | None = None,
) -> None:
    """Serve the pages, their websocket and their files. Services must have been set before a page is asked for.

    Args:
        app: Gets the routes of `PAGES`, `/static/…` and `/reactpy/stream`.
        find_user: The signed-in user of a request, None when nobody is.
        origin_allowed: Whether the request's Origin is one of ours.
        tap: Sees every websocket frame: direction, session id, bytes.
    """

    async def show(request: Request[Any, Any], taskid: str = "") -> HTTPResponse:
        user = await find_user(request)
        if user is None:
            here = request.path + (f"?{request.query_string}" if request.query_string else "")
            return redirect(f"{SIGN_IN_PATH}?next={quote(here, safe='')}", status=303)
        found = find_page(request.path)
        if found is None:
            raise NotFound("There is nothing at this address.")
        page, task_id = found
        if task_id is not None:
            await current_services().tasks.get_status(user, task_id)
        document = app_document(_title(page, task_id), user.name or user.external_id or "", request.path)
        return html(document.html, headers=document.headers)

    def root(user: User, path: str, query: str) -> Any:
        found = find_page(path)
        page = found[0].build(found[1], query) if found else NotFoundPage()
        return PageRoot(PageSession(user=user, services=current_services()), page)

    install_assets(app)
    install_socket(app, PageSocket(find_user, origin_allowed, root, tap))
    for number, page in enumerate(PAGES):
        app.add_route(show, page.pattern, methods=["GET", "HEAD"], name=f"page_{number}")


def _title(page: PageRoute, task_id: UUID | None) -> str:
    return page.title if task_id is None else f"{page.title} {str(task_id)[:8]}"
