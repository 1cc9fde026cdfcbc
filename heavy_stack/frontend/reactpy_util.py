"""What pages import instead of ReactPy itself: its parts, and hooks with one unit of work around each handler.

Handlers passed to `heavy_event` and `heavy_use_effect` may be plain or async. An async one gets a `HeavyContext` as its
first argument, and the `db_session` variable is set while it runs; a plain one gets neither.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import structlog
from reactpy import (
    component,
    create_context,
    event,
    html,
    use_async_effect,
    use_context,
    use_effect,
    use_memo,
    use_ref,
    use_state,
)
from reactpy.types import Context

from heavy_stack.backend.services import Services
from heavy_stack.errors import HeavyStackError
from heavy_stack.frontend.failures import log_failure
from heavy_stack.shared_models.users import User

__all__ = [
    "HeavyContext",
    "NoticeContext",
    "PageSession",
    "PageSessionContext",
    "TimezoneContext",
    "component",
    "create_context",
    "heavy_event",
    "heavy_use_context",
    "heavy_use_effect",
    "heavy_use_poll",
    "heavy_wrapper_common",
    "html",
    "use_computed",
    "use_context",
    "use_memo",
    "use_ref",
    "use_state",
]

log = structlog.get_logger("heavy_stack.frontend")

T = TypeVar("T")
UNEXPECTED = "Something went wrong on our side. The error has been logged; please try again."


@dataclass(frozen=True)
class PageSession:
    """Whose page this is and what it may use; provided at the root of every page."""

    user: User
    services: Services


@dataclass(frozen=True)
class HeavyContext:
    """What an async handler gets. `heavy_wrapper_common` builds it: extend both together.

    Attributes:
        user: Whose page this is.
        services: The managers; their unit of work is open.
        timezone: IANA name of the browser's zone, `UTC` until the browser has told it.
        after_commit: Takes functions that run once the unit of work has committed, e.g. to leave for a page that shows
            what was stored.
    """

    user: User
    services: Services
    timezone: str
    after_commit: Callable[[Callable[[], None]], None]


PageSessionContext: Context[PageSession | None] = create_context(None)
TimezoneContext: Context[str] = create_context("UTC")
NoticeContext: Context[Callable[[str], None]] = create_context(lambda message: None)
"""Shows a message at the top of the page, e.g. when a handler failed."""


def heavy_use_context(context: Context[T | None]) -> T:
    """The value of a context that must have been provided.

    Raises:
        LookupError: No component above provides it.
    """
    value = use_context(context)
    if value is None:
        raise LookupError("this context has no value here: no component above this one provides it")
    return value


def heavy_wrapper_common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a handler of the component that is being rendered; the one place to extend for your project.

    An async handler gets a `HeavyContext` first and runs inside one unit of work. Errors end here: expected ones are
    shown to the user as they are, others are logged and shown as a plain sentence.
    """
    notify = use_context(NoticeContext)
    if not inspect.iscoroutinefunction(function):

        @wraps(function)
        def plain(*args: Any) -> Any:
            try:
                return function(*args)
            except Exception as error:  # an edge: ReactPy would swallow it
                _report(error, notify)
                return None

        return plain

    session = heavy_use_context(PageSessionContext)
    timezone = use_context(TimezoneContext)

    @wraps(function)
    async def with_context(*args: Any) -> Any:
        try:
            async with _heavy_context(session, timezone) as context:
                return await function(context, *args)
        except Exception as error:  # an edge: ReactPy would swallow it
            _report(error, notify)
            return None

    return with_context


@asynccontextmanager
async def _heavy_context(session: PageSession, timezone: str) -> AsyncIterator[HeavyContext]:
    # All events of one element run in one long-lived task: the unit of work itself sets and resets the variable.
    later: list[Callable[[], None]] = []
    async with session.services.unit_of_work():
        yield HeavyContext(session.user, session.services, timezone, after_commit=later.append)
    for function in later:
        function()


def _report(error: Exception, notify: Callable[[str], None]) -> None:
    if isinstance(error, HeavyStackError):
        log.info("page.refused", code=error.code)
        notify(error.message)
    else:
        log_failure("page.handler_failed", error)
        notify(UNEXPECTED)


def heavy_event(
    function: Callable[..., Any],
    *,
    prevent_default: bool = False,
    stop_propagation: bool = False,
    debounce_ms: int | None = None,
) -> Any:
    """An event handler for the component that is being rendered; see the module's docstring.

    Args:
        function: Gets the event, after the `HeavyContext` when it is async.
        prevent_default: Keep the browser from doing what it usually does.
        stop_propagation: Keep the event from the elements around.
        debounce_ms: For fields: send one event after so many milliseconds without another.
    """
    wrapped = heavy_wrapper_common(function)
    rules: dict[str, Any] = {
        "prevent_default": prevent_default,
        "stop_propagation": stop_propagation,
        "debounce": debounce_ms,
    }
    if inspect.iscoroutinefunction(wrapped):

        async def on_event(*data: Any) -> None:
            await wrapped(*data)

        return event(on_event, **rules)

    def on_plain_event(*data: Any) -> None:
        wrapped(*data)

    return event(on_plain_event, **rules)


def heavy_use_effect(function: Callable[..., Any], dependencies: Sequence[Any] | None = None) -> None:
    """Run `function` after the render in which `dependencies` changed; None = after every render, `[]` = once.

    A returned function is run before the next time and when the component goes.
    """
    wrapped = heavy_wrapper_common(function)
    if not inspect.iscoroutinefunction(wrapped):
        use_effect(wrapped, dependencies)
        return

    async def run() -> Callable[[], None] | None:
        return cast("Callable[[], None] | None", await wrapped())

    use_async_effect(run, dependencies)


def use_computed(function: Callable[..., T], *arguments: Any) -> T | None:
    """The value of `function(*arguments)`, worked out in a thread; None until it is there.

    For work that would hold up every session of the process. The arguments must be comparable.
    """
    result, set_result = use_state(cast("Callable[[], tuple[tuple[Any, ...], T] | None]", _nothing))

    async def compute() -> None:
        try:
            set_result((arguments, await asyncio.to_thread(function, *arguments)))
        except Exception as error:  # an edge: nobody awaits an effect
            log_failure("page.computation_failed", error)

    use_async_effect(compute, list(arguments))
    return result[1] if result is not None and result[0] == arguments else None


def _nothing() -> None:
    return None


def heavy_use_poll(
    function: Callable[[HeavyContext], Awaitable[bool]], interval_s: float, dependencies: Sequence[Any]
) -> None:
    """Run an async handler now and every `interval_s` seconds until it returns False or the component goes.

    Each run is a unit of work of its own. A run that fails unexpectedly is logged once and tried again: a database that
    is away for a moment must not freeze the page.
    """
    session = heavy_use_context(PageSessionContext)
    timezone = use_context(TimezoneContext)
    notify = use_context(NoticeContext)

    async def poll() -> None:
        failing = False
        while True:
            try:
                async with _heavy_context(session, timezone) as context:
                    go_on = await function(context)
                failing = False
            except Exception as error:  # an edge: nobody awaits a poll
                if not failing:
                    _report(error, notify)
                failing, go_on = True, not isinstance(error, HeavyStackError)
            if not go_on:
                return
            await asyncio.sleep(interval_s)

    use_async_effect(poll, dependencies)
