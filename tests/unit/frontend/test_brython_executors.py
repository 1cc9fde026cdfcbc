"""The server's half of the bridge to the browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from heavy_stack_brython.navigate import navigate_to, open_new_tab
from heavy_stack_brython.timezones import get_timezone_name_and_offset

from heavy_stack.errors import BrowserCallFailed
from heavy_stack.frontend import brython_executors
from heavy_stack.frontend.brython_executors import BrythonExecutor, BrythonExecutorContext
from heavy_stack.frontend.reactpy_util import component, heavy_event, html, use_context, use_state
from heavy_stack.frontend.types import Component
from tests.support.screens import Screen

Show = Callable[[Any], Screen]
ZONE = "heavy_stack_brython.timezones:get_timezone_name_and_offset"


def not_marked(url: str) -> None:
    """A function without the mark."""


def waiting(executor: BrythonExecutor) -> list[Any]:
    """The waiting calls."""
    found: list[Any] = json.loads(executor.waiting())
    return found


def reply(executor: BrythonExecutor, value: object, *, succeeded: bool = True) -> None:
    """Answer the first waiting call."""
    executor.take_reply(json.dumps([waiting(executor)[0][0], succeeded, value]))


class TestCall:
    def test_a_call_waits_with_its_target_and_keyword_arguments(self) -> None:
        executor = BrythonExecutor()
        executor.call(open_new_tab, url="/docs")
        assert [call[1:] for call in waiting(executor)] == [
            ["heavy_stack_brython.navigate:open_new_tab", {"url": "/docs"}]
        ]

    def test_the_callback_gets_what_the_browser_returned(self) -> None:
        executor, seen = BrythonExecutor(), []
        executor.call(get_timezone_name_and_offset, seen.append)
        reply(executor, '["Asia/Tokyo", 540]')
        assert seen == ['["Asia/Tokyo", 540]']
        assert waiting(executor) == []

    async def test_an_async_callback_may_ask_the_browser_again(self) -> None:
        executor, seen = BrythonExecutor(), []

        async def take(value: object) -> None:
            seen.append(value)
            seen.append(await executor.ask(get_timezone_name_and_offset))

        executor.call(get_timezone_name_and_offset, take)
        reply(executor, "first")
        await asyncio.sleep(0)
        reply(executor, "second")
        await asyncio.sleep(0.01)
        assert seen == ["first", "second"]

    def test_a_function_without_the_mark_is_refused(self) -> None:
        with pytest.raises(TypeError, match="not marked"):
            BrythonExecutor().call(not_marked, url="/")

    def test_arguments_are_checked_before_they_travel(self) -> None:
        with pytest.raises(TypeError, match="url"):
            BrythonExecutor().call(navigate_to, address="/")

    def test_positional_arguments_are_refused(self) -> None:
        with pytest.raises(TypeError):
            BrythonExecutor().call(navigate_to, None, "/")  # type: ignore[call-arg]

    def test_a_second_answer_to_one_call_is_ignored(self) -> None:
        executor, seen = BrythonExecutor(), []
        executor.call(get_timezone_name_and_offset, seen.append)
        call_id = waiting(executor)[0][0]
        for value in (1, 2):
            executor.take_reply(json.dumps([call_id, True, value]))
        assert seen == [1]

    def test_a_failure_in_the_browser_does_not_reach_the_callback(self) -> None:
        executor, seen = BrythonExecutor(), []
        executor.call(get_timezone_name_and_offset, seen.append)
        reply(executor, "ValueError('no')", succeeded=False)
        assert seen == []
        assert waiting(executor) == []

    @pytest.mark.parametrize(
        "text", [None, 7, "", "[", "{}", "[]", '["x", true]', '[["x"], true, 1]', '["x", true, 1]']
    )
    def test_nonsense_from_the_client_is_ignored(self, text: object) -> None:
        executor, seen = BrythonExecutor(), []
        executor.call(get_timezone_name_and_offset, seen.append)
        executor.take_reply(text)
        assert seen == []
        assert len(waiting(executor)) == 1


class TestAsk:
    async def test_it_returns_the_answer(self) -> None:
        executor = BrythonExecutor()
        asked = asyncio.ensure_future(executor.ask(get_timezone_name_and_offset))
        await asyncio.sleep(0)
        reply(executor, "answer")
        assert await asked == "answer"

    async def test_a_failure_in_the_browser_is_raised(self) -> None:
        executor = BrythonExecutor()
        asked = asyncio.ensure_future(executor.ask(get_timezone_name_and_offset))
        await asyncio.sleep(0)
        reply(executor, "ValueError('no')", succeeded=False)
        with pytest.raises(BrowserCallFailed):
            await asked

    async def test_silence_is_an_error_and_leaves_nothing_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(brython_executors, "ANSWER_TIMEOUT_S", 0.01)
        executor = BrythonExecutor()
        with pytest.raises(BrowserCallFailed, match="did not answer"):
            await executor.ask(get_timezone_name_and_offset)
        assert waiting(executor) == []

    async def test_closing_the_page_ends_the_waiting(self) -> None:
        executor = BrythonExecutor()
        asked = asyncio.ensure_future(executor.ask(get_timezone_name_and_offset))
        await asyncio.sleep(0)
        executor.close()
        with pytest.raises(asyncio.CancelledError):
            await asked
        executor.call(navigate_to, url="/")
        assert waiting(executor) == []


class TestBrythonBridge:
    async def test_a_handler_can_await_the_browser(self, show: Show) -> None:
        @component
        def Page() -> Component:
            executor = use_context(BrythonExecutorContext)
            said, set_said = use_state("nothing")

            def take(value: object) -> None:
                set_said(f"zone {value}")

            def press(event: dict[str, Any]) -> None:
                executor.call(get_timezone_name_and_offset, take)

            return html.div(html.button({"onClick": heavy_event(press)}, "ask"), html.p(said))

        async with show(Page()) as screen:
            await screen.answer(ZONE, '["UTC", 0]')
            await screen.click("ask")
            await screen.answer(ZONE, "from the button")
            await screen.until(lambda: "zone from the button" in screen.text())

    async def test_the_bridge_is_hidden_from_eyes_and_from_the_keyboard(self, show: Show) -> None:
        async with show(html.p("page")) as screen:
            bridge = screen.get(id="reactpy-bridge")
            field = screen.get(id="reactpy-bridge-reply")
        assert bridge["attributes"]["hidden"] is True
        assert field["attributes"]["tabIndex"] == -1
