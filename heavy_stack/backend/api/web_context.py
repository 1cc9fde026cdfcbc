"""What handlers find on the request: the services, and who may do what. One per web process, kept in `app.ctx`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from sanic import Request

from heavy_stack.backend.api.authentication import Authenticator
from heavy_stack.backend.api.origin import Origins, client_address
from heavy_stack.backend.api.request_reading import BodyReader
from heavy_stack.backend.services import Services
from heavy_stack.shared_models.users import User

T = TypeVar("T")

SignInPage = Callable[[str, str | None, str], str]
"""(nonce, error, next path) → HTML; the pages' side draws it, since the API may not import the frontend."""


@dataclass(frozen=True)
class WebContext:
    """Everything that the routes need, built in the process that answers."""

    services: Services
    authenticator: Authenticator
    origins: Origins
    bodies: BodyReader
    sign_in_page: SignInPage

    @property
    def secure_cookies(self) -> bool:
        """True when browsers see the service behind https."""
        return (self.origins.public or "").startswith("https://")


def context_of(request: Request[Any, Any]) -> WebContext:
    """The process's `WebContext`."""
    context: WebContext = request.app.ctx.web
    return context


def user_of(request: Request[Any, Any]) -> User:
    """The caller, as the route's access check found them."""
    user: User = request.ctx.user
    return user


def address_of(request: Request[Any, Any]) -> str:
    """The client's address, behind believed proxies too."""
    return client_address(request.headers, request.ip, context_of(request).origins.proxies)


def is_own_origin(request: Request[Any, Any]) -> bool:
    """True when the request, or the websocket's handshake, comes from a page of ours."""
    return context_of(request).origins.allow(request.headers, request.ip)


_running: set[asyncio.Task[Any]] = set()


async def in_unit_of_work(context: WebContext, call: Callable[[Services], Awaitable[T]]) -> T:
    """One manager call in one unit of work, which a client that hangs up does not cut in two.

    Sanic cancels a handler whose client went away. The work therefore runs in a task that belongs to the service, in a
    context of its own, so that its context variables do not leak into the connection's next request.
    """

    async def work() -> T:
        async with context.services.unit_of_work():
            return await call(context.services)

    return await run_owned(work())


async def run_owned(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` in a task that goes on when the waiting handler is cancelled."""
    task = asyncio.get_running_loop().create_task(work, context=copy_context())
    _running.add(task)
    task.add_done_callback(_forget)
    return await asyncio.shield(task)


def _forget(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # the handler that would have read it may be gone; unread, it would be logged as lost


async def finish_owned_work() -> None:
    """Wait for the work of clients that hung up; called before the services close."""
    while _running:
        await asyncio.wait(_running)
