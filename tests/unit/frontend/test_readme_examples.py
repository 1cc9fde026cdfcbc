"""The examples that the template has always shown, as they are written there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from heavy_stack_brython.navigate import navigate_to, open_new_tab
from heavy_stack_brython.timezones import get_timezone_name_and_offset
from reactpy import component, html, use_context
from reactpy_bridge import called_from_reactpy
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.unit_of_work import current_session
from heavy_stack.frontend.brython_executors import BrythonExecutorContext
from heavy_stack.frontend.reactpy_util import heavy_use_effect
from heavy_stack.frontend.types import Component
from tests.support.screens import Screen

Show = Callable[[Any], Screen]


class TestAClass:
    class TestAMethod:
        async def test_something(self, db_session: AsyncSession) -> None:
            assert current_session() is db_session


class TestExecutingFrontendCodeViaBrython:
    async def test_an_effect_opens_a_new_tab(self, show: Show) -> None:
        to = "https://example.org/"

        @component
        def MyComponent() -> Component:
            brython_executor = use_context(BrythonExecutorContext)

            def my_effect_func() -> None:
                brython_executor.call(open_new_tab, url=to)

            heavy_use_effect(my_effect_func, [])
            return html.p("mine")

        async with show(MyComponent()) as screen:
            sent = await screen.answer("heavy_stack_brython.navigate:open_new_tab", None)
        assert sent == {"url": to}

    async def test_data_comes_back_through_a_callback(self, show: Show) -> None:
        assigned: list[tuple[str, int]] = []

        def assign_user_timezone(name: str, offset: int) -> None:
            assigned.append((name, offset))

        @component
        def MyComponent() -> Component:
            brython_executor = use_context(BrythonExecutorContext)

            def my_effect_func() -> None:
                brython_executor.call(
                    get_timezone_name_and_offset,
                    lambda v: assign_user_timezone(*(json.loads(v[:200]))),
                )

            heavy_use_effect(my_effect_func, [])
            return html.p("mine")

        async with show(MyComponent()) as screen:
            for _ in range(2):  # the page itself asks too
                await screen.answer(
                    "heavy_stack_brython.timezones:get_timezone_name_and_offset", '["Europe/Berlin", 60]'
                )
            await screen.until(lambda: assigned)
        assert assigned == [("Europe/Berlin", 60)]

    def test_the_browsers_side_can_be_imported_on_the_server(self) -> None:
        @called_from_reactpy
        def mine(url: str) -> None:
            """Nothing."""

        assert callable(mine)
        assert callable(navigate_to)


class TestCustomComponentType:
    async def test_a_list_of_children(self, show: Show) -> None:
        something = something_else = True

        @component
        def SomeComponent() -> Component:
            return html.b("Some")

        @component
        def MyComponent() -> Component:
            children: list[Component] = []

            if something:
                children.append(SomeComponent())
            if something_else:
                children.append(html.p("Hello"))

            return html.div(*children)

        async with show(MyComponent()) as screen:
            assert "Some Hello" in screen.text()
