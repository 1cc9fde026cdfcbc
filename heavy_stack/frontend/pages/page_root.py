"""What stands around every page: the bridge to the browser, the reader's time zone, and messages."""

from __future__ import annotations

import orjson
from heavy_stack_brython.timezones import get_timezone_name_and_offset

from heavy_stack.frontend.brython_executors import BrythonBridge, BrythonExecutor, BrythonExecutorContext
from heavy_stack.frontend.components.elements import notice
from heavy_stack.frontend.components.figures import find_zone
from heavy_stack.frontend.reactpy_util import (
    NoticeContext,
    PageSession,
    PageSessionContext,
    TimezoneContext,
    component,
    heavy_use_effect,
    html,
    use_context,
    use_memo,
    use_state,
)
from heavy_stack.frontend.types import Component


@component
def PageRoot(session: PageSession, page: Component) -> Component:
    """Provide the contexts that hooks and pages need, and show `page` in them."""
    executor = use_memo(BrythonExecutor, [])
    zone, set_zone = use_state("UTC")
    message, set_message = use_state("")

    def dismiss(event: object) -> None:
        set_message("")

    content = html.div(
        BrythonBridge(executor),
        ZoneQuestion(set_zone),
        _message_bar(message, dismiss),
        page,
    )
    inner = NoticeContext(TimezoneContext(content, value=zone), value=set_message)
    return BrythonExecutorContext(PageSessionContext(inner, value=session), value=executor)


def _message_bar(message: str, dismiss: object) -> Component:
    if not message:
        return html.div({"key": "no-message"})
    close = html.button({"type": "button", "className": "quiet", "onClick": dismiss}, "Dismiss")
    return html.div({"key": "message"}, notice("error", html.p(message), close))


@component
def ZoneQuestion(set_zone: object) -> Component:
    """Ask the browser once for its time zone."""
    executor = use_context(BrythonExecutorContext)

    def take(value: object) -> None:
        name = read_zone_name(value)
        if name is not None and callable(set_zone):
            set_zone(name)

    def ask() -> None:
        executor.call(get_timezone_name_and_offset, take)

    heavy_use_effect(ask, [])
    return None


def read_zone_name(value: object) -> str | None:
    """The IANA name in the browser's answer `[name, minutes]`, or None: it is the client's word."""
    if not isinstance(value, str):
        return None
    try:
        name, _minutes = orjson.loads(value[:200])
    except (orjson.JSONDecodeError, ValueError, TypeError):
        return None
    return name if isinstance(name, str) and find_zone(name) is not None else None


@component
def NotFoundPage() -> Component:
    """For addresses that lead nowhere, when they are reached without loading a new document."""
    return html.section(
        {"className": "card narrow"},
        html.h1("Page not found"),
        html.p("There is nothing at this address. The task may belong to someone else."),
        html.p(html.a({"className": "button", "href": "/"}, "Go to your tasks")),
    )
