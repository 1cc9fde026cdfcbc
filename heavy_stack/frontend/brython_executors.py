"""Calling Python in the browser from a page: the server's half of `reactpy_bridge`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import structlog
from reactpy import component, create_context, html, use_effect, use_state
from reactpy.types import Context
from reactpy_bridge import find_allowed, target_of
from reactpy_bridge.resident import BRIDGE_ID, REPLY_ID

from heavy_stack.errors import BrowserCallFailed
from heavy_stack.frontend.failures import log_failure
from heavy_stack.frontend.types import Component

log = structlog.get_logger("heavy_stack.frontend")

ANSWER_TIMEOUT_S = 30.0

Callback = Callable[[Any], Awaitable[None] | None]


@dataclass(frozen=True)
class _Call:
    target: str
    arguments: dict[str, Any]
    callback: Callback | None
    answer: asyncio.Future[Any] | None


class BrythonExecutor:
    """Calls functions marked with `called_from_reactpy` in the browser of one open page.

    What comes back was written by the client: check it like any other input.
    """

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._refresh: Callable[[str], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def call(self, function: Callable[..., Any], callback: Callback | None = None, /, **kwargs: Any) -> None:
        """Call `function(**kwargs)` in the browser; `callback`, plain or async, gets what it returns.

        Raises:
            TypeError: The function is not marked with `called_from_reactpy`, or does not take these arguments.
        """
        self._add(function, kwargs, callback, None)

    async def ask(self, function: Callable[..., Any], /, **kwargs: Any) -> Any:
        """Call `function(**kwargs)` in the browser and return its answer.

        Do not await this inside a unit of work: a browser may take its time.

        Raises:
            TypeError: As for `call`.
            BrowserCallFailed: The function raised, or no answer came within `ANSWER_TIMEOUT_S`.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        call_id = self._add(function, kwargs, None, answer)
        try:
            return await asyncio.wait_for(answer, ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise BrowserCallFailed("The browser did not answer; reload the page and try again.") from None
        finally:
            self._calls.pop(call_id, None)

    def waiting(self) -> str:
        """The calls that have no answer yet, as JSON for the bridge's attribute."""
        return orjson.dumps([[key, call.target, call.arguments] for key, call in self._calls.items()]).decode()

    def attach(self, refresh: Callable[[str], None]) -> None:
        """Name the function that renders the bridge again; called by the bridge itself."""
        self._refresh = refresh

    def close(self) -> None:
        """End everything that still waits: the page is gone."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for call in self._calls.values():
            if call.answer is not None and not call.answer.done():
                call.answer.cancel()
        self._calls.clear()

    def take_reply(self, text: object) -> None:
        """Take the browser's answer to one call: JSON of `[call id, succeeded, value]`."""
        try:
            call_id, succeeded, value = orjson.loads(text if isinstance(text, str) else b"")
        except (orjson.JSONDecodeError, ValueError, TypeError):
            return
        call = self._calls.pop(call_id, None) if isinstance(call_id, str) else None
        if call is None:
            return
        if succeeded is not True:
            log.warning("browser.call_failed", target=call.target, error=str(value)[:300])
            if call.answer is not None and not call.answer.done():
                call.answer.set_exception(BrowserCallFailed("The browser could not do this.", context={"why": value}))
        elif call.answer is not None:
            if not call.answer.done():
                call.answer.set_result(value)
        elif call.callback is not None:
            self._run_callback(call.callback, value)

    def _add(
        self,
        function: Callable[..., Any],
        arguments: dict[str, Any],
        callback: Callback | None,
        answer: asyncio.Future[Any] | None,
    ) -> str:
        target = target_of(function)
        if find_allowed(target) is not function:
            raise TypeError(f"{target} is not marked with called_from_reactpy")
        inspect.signature(function).bind(**arguments)
        call_id = uuid4().hex
        if not self._closed:
            self._calls[call_id] = _Call(target, arguments, callback, answer)
            if self._refresh is not None:
                self._refresh(call_id)
        return call_id

    def _run_callback(self, callback: Callback, value: Any) -> None:
        result = callback(value)
        if inspect.isawaitable(result):
            # In a task of its own: replies arrive one after the other, and an async callback may ask the browser again.
            task = asyncio.ensure_future(_awaited(result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _awaited(result: Awaitable[None]) -> None:
    try:
        await result
    except Exception as error:  # an edge: nobody awaits a callback
        log_failure("browser.callback_failed", error)


BrythonExecutorContext: Context[BrythonExecutor] = create_context(BrythonExecutor())
"""The page's executor. Outside of a page it is one that nobody reads."""


@component
def BrythonBridge(executor: BrythonExecutor) -> Component:
    """The hidden element through which calls and answers travel; one per page."""
    _, refresh = use_state("")

    def attach() -> Callable[[], None]:
        executor.attach(refresh)
        if executor.waiting() != "[]":
            refresh("attached")
        return executor.close

    use_effect(attach, [])

    def on_reply(event: dict[str, Any]) -> None:
        executor.take_reply((event.get("target") or {}).get("value"))

    return html.div(
        {"id": BRIDGE_ID, "hidden": True, "data-calls": executor.waiting()},
        html.input({"id": REPLY_ID, "type": "text", "tabIndex": -1, "aria-label": "Bridge", "onInput": on_reply}),
    )
