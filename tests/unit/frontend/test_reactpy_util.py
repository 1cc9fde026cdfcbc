"""Handlers with one unit of work each, and who gets a HeavyContext."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import text

from heavy_stack.backend.data.db_connection import db_session
from heavy_stack.backend.services import Services
from heavy_stack.errors import Conflict
from heavy_stack.frontend.reactpy_util import (
    UNEXPECTED,
    HeavyContext,
    component,
    create_context,
    heavy_event,
    heavy_use_context,
    heavy_use_effect,
    heavy_use_poll,
    html,
    use_computed,
    use_state,
)
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.users import User
from tests.support.screens import Screen

Show = Callable[[Any], Screen]


@component
def Button(handler: Callable[..., Any], **options: Any) -> Component:
    return html.button({"onClick": heavy_event(handler, **options)}, "press")


@component
def Effect(handler: Callable[..., Any], dependencies: list[object] | None) -> Component:
    heavy_use_effect(handler, dependencies)
    return html.p("shown")


class TestHeavyEvent:
    async def test_an_async_handler_gets_user_services_and_an_open_unit_of_work(
        self, show: Show, ann: User, page_services: Services
    ) -> None:
        seen: list[Any] = []

        async def press(context: HeavyContext, event: dict[str, Any]) -> None:
            session = db_session.get()
            assert session is not None
            seen.append((context.user, context.services, (await session.exec(text("SELECT 1"))).scalar()))

        async with show(Button(press)) as screen:
            await screen.click("press")
            await screen.until(lambda: seen)
        assert seen == [(ann, page_services, 1)]

    async def test_each_event_has_a_session_of_its_own_and_none_between_them(self, show: Show) -> None:
        sessions: list[object] = []

        async def press(context: HeavyContext, event: dict[str, Any]) -> None:
            sessions.append(db_session.get())

        async with show(Button(press)) as screen:
            for number in (1, 2):
                await screen.click("press")
                await screen.until(lambda number=number: len(sessions) == number)
        assert None not in sessions
        assert sessions[0] is not sessions[1]
        assert db_session.get() is None

    async def test_a_plain_handler_gets_the_event_and_no_session(self, show: Show) -> None:
        seen: list[Any] = []

        def press(event: dict[str, Any]) -> None:
            seen.append((event["target"]["value"], db_session.get()))

        async with show(Button(press)) as screen:
            await screen.fire(screen.get(text="press", tag="button"), "onClick", "given")
            await screen.until(lambda: seen)
        assert seen == [("given", None)]

    async def test_what_an_event_wrote_is_committed(self, show: Show, page_services: Services) -> None:
        written = asyncio.Event()

        async def press(context: HeavyContext, event: dict[str, Any]) -> None:
            await context.services.users.ensure_user("bob")
            context.after_commit(written.set)

        async with show(Button(press)) as screen:
            await screen.click("press")
            await asyncio.wait_for(written.wait(), 5)
        assert await _count_users(page_services) == 2

    async def test_a_failed_event_is_rolled_back_and_what_should_follow_the_commit_is_not_done(
        self, show: Show, page_services: Services
    ) -> None:
        followed: list[int] = []

        async def press(context: HeavyContext, event: dict[str, Any]) -> None:
            await context.services.users.ensure_user("bob")
            context.after_commit(lambda: followed.append(1))
            raise Conflict("Somebody else was faster.")

        async with show(Button(press)) as screen:
            await screen.click("press")
            await screen.until(lambda: "Somebody else was faster." in screen.text())
        assert await _count_users(page_services) == 1
        assert followed == []

    async def test_an_unexpected_error_is_logged_and_shown_without_its_text(self, show: Show) -> None:
        def press(event: dict[str, Any]) -> None:
            raise ValueError("a secret detail")

        async with show(Button(press)) as screen:
            await screen.click("press")
            await screen.until(lambda: UNEXPECTED in screen.text())
            assert "secret" not in screen.text()

    async def test_a_notice_can_be_dismissed(self, show: Show) -> None:
        def press(event: dict[str, Any]) -> None:
            raise Conflict("Read me.")

        async with show(Button(press)) as screen:
            await screen.click("press")
            await screen.until(lambda: "Read me." in screen.text())
            await screen.click("Dismiss")
            await screen.until(lambda: "Read me." not in screen.text())

    async def test_options_reach_the_browser(self, show: Show) -> None:
        def press(event: dict[str, Any]) -> None:
            """Nothing."""

        async with show(Button(press, prevent_default=True, stop_propagation=True, debounce_ms=250)) as screen:
            handler = screen.get(text="press", tag="button")["eventHandlers"]["onClick"]
        assert (handler["preventDefault"], handler["stopPropagation"], handler["debounce"]) == (True, True, 250)


class TestHeavyUseEffect:
    async def test_an_async_effect_gets_a_context_and_its_session_is_closed_after_it(
        self, show: Show, ann: User
    ) -> None:
        seen: list[Any] = []

        async def effect(context: HeavyContext) -> None:
            seen.append((context.user, db_session.get() is not None, context.timezone))

        async with show(Effect(effect, [])) as screen:
            await screen.until(lambda: seen)
        assert seen == [(ann, True, "UTC")]

    async def test_a_plain_effect_gets_nothing(self, show: Show) -> None:
        seen: list[object] = []

        async with show(Effect(lambda: seen.append(db_session.get()), [])) as screen:
            await screen.until(lambda: seen)
        assert seen == [None]

    async def test_a_plain_effect_can_clean_up(self, show: Show) -> None:
        steps: list[str] = []

        def effect() -> Callable[[], None]:
            steps.append("begun")
            return lambda: steps.append("ended")

        async with show(Effect(effect, [])) as screen:
            await screen.until(lambda: steps)
        assert steps == ["begun", "ended"]

    async def test_a_failing_effect_is_shown(self, show: Show) -> None:
        async def effect(context: HeavyContext) -> None:
            raise Conflict("The effect was refused.")

        async with show(Effect(effect, [])) as screen:
            await screen.until(lambda: "The effect was refused." in screen.text())

    async def test_an_effect_that_runs_when_its_page_closes_is_ended(self, show: Show) -> None:
        begun = asyncio.Event()
        ended: list[str] = []

        async def effect(context: HeavyContext) -> None:
            begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("cancelled")

        async with show(Effect(effect, [])):
            await begun.wait()
        assert ended == ["cancelled"]


class TestHeavyUsePoll:
    async def test_it_runs_until_it_says_so_each_time_in_a_unit_of_work_of_its_own(self, show: Show) -> None:
        sessions: list[object] = []

        @component
        def Poll() -> Component:
            async def read(context: HeavyContext) -> bool:
                sessions.append(db_session.get())
                return len(sessions) < 3

            heavy_use_poll(read, 0.01, [])
            return html.p("polls")

        async with show(Poll()) as screen:
            await screen.until(lambda: len(sessions) == 3)
            await asyncio.sleep(0.05)
        assert len(sessions) == 3
        assert len({id(session) for session in sessions}) == 3
        assert None not in sessions

    async def test_it_goes_on_after_an_unexpected_error_and_says_so_once(self, show: Show) -> None:
        runs: list[int] = []

        @component
        def Poll() -> Component:
            async def read(context: HeavyContext) -> bool:
                runs.append(1)
                if len(runs) < 3:
                    raise OSError("the database is away")
                return False

            heavy_use_poll(read, 0.01, [])
            return html.p("polls")

        async with show(Poll()) as screen:
            await screen.until(lambda: len(runs) == 3)
            assert UNEXPECTED in screen.text()


class TestHeavyUseContext:
    async def test_the_provided_value(self, show: Show) -> None:
        colour: Any = create_context(None)

        @component
        def Child() -> Component:
            return html.p(heavy_use_context(colour))

        async with show(colour(Child(), value="green")) as screen:
            assert "green" in screen.text()

    async def test_a_missing_value_is_a_clear_error(self) -> None:
        errors: list[str] = []
        colour: Any = create_context(None)

        @component
        def Child() -> Component:
            with pytest.raises(LookupError, match="no component above"):
                heavy_use_context(colour)
            errors.append("refused")
            return html.p("done")

        async with Screen(Child()):
            assert errors == ["refused"]


class TestUseComputed:
    async def test_it_shows_a_value_that_a_thread_worked_out_and_follows_its_arguments(self, show: Show) -> None:
        @component
        def Squares() -> Component:
            number, set_number = use_state(3)
            square = use_computed(lambda value: value * value, number)
            button = html.button({"onClick": lambda event: set_number(number + 1)}, "next")
            return html.div(html.p("working" if square is None else f"square {square}"), button)

        async with show(Squares()) as screen:
            await screen.until(lambda: "square 9" in screen.text())
            await screen.click("next")
            await screen.until(lambda: "square 16" in screen.text())


async def _count_users(services: Services) -> int:
    async with services.unit_of_work() as session:
        return int((await session.exec(text("SELECT count(*) FROM users"))).scalar_one())
