"""The adapter on a real socket: who may connect, what may be sent, and how a page ends."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import websockets
from reactpy import component, html, use_effect, use_state
from sanic import Request, Sanic

from heavy_stack.frontend import reactpy_sanic
from heavy_stack.frontend.reactpy_sanic import MAX_FRAME_BYTES, STREAM_PATH, PageSocket, install_socket
from heavy_stack.frontend.types import Component

ORIGIN = "http://here.example"


@component
def Counter(visitor: str) -> Component:
    """Counts clicks; has a part that breaks, and a handler that fails."""
    number, set_number = use_state(0)

    def fail(event: object) -> None:
        raise ValueError("handler")

    return html.div(
        html.p({"id": "who"}, f"{visitor} {number}"),
        html.button({"id": "more", "onClick": lambda event: set_number(lambda old: old + 1)}),
        html.button({"id": "fail", "onClick": fail}),
        Broken() if number == 3 else None,
    )


@component
def Broken() -> Component:
    """Cannot be shown."""
    raise RuntimeError("a secret detail")


@component
def Ticker(ended: list[str]) -> Component:
    """Goes on changing after its page is gone."""
    _, set_number = use_state(0)

    def tick() -> Any:
        async def go_on() -> None:
            for number in range(20):
                set_number(number)
                await asyncio.sleep(0.01)
            ended.append("ticker")

        task = asyncio.ensure_future(go_on())
        ended.append(task.get_name())
        return lambda: ended.append("page")

    use_effect(tick, [])
    return html.p("ticks")


class Site:
    """A server with one page, and what it saw."""

    def __init__(self) -> None:
        self.visitor: str | None = "ann"
        self.frames: list[tuple[str, bytes]] = []
        self.ended: list[str] = []
        self.address = ""

    async def find_visitor(self, request: Request[Any, Any]) -> str | None:
        return self.visitor

    def connect(self, path: str = "/", origin: str = ORIGIN) -> Any:
        url = f"{self.address}{STREAM_PATH}?path={path}&qs=%3Fa%3Db"
        return websockets.connect(url, origin=websockets.Origin(origin))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A running server."""
    site = Site()

    def root(visitor: str, path: str, query: str) -> Any:
        return Ticker(site.ended) if path == "/ticker" else Counter(f"{visitor} {path} {query}")

    app: Sanic[Any, Any] = Sanic(f"Adapter{uuid4().hex}", configure_logging=False)
    app.config.TOUCHUP = False  # it rewrites methods of Sanic, which works once per process
    install_socket(
        app,
        PageSocket(
            find_visitor=site.find_visitor,
            origin_allowed=lambda request: request.headers.get("origin") == ORIGIN,
            root=root,
            tap=lambda direction, session, frame: site.frames.append((direction, frame)),
        ),
    )
    listener = socket.create_server(("127.0.0.1", 0))  # Sanic takes port 0 for its default port
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()
    await server.before_start()
    site.address = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    yield site
    for connection in list(server.connections):
        connection.close()
    server.close()
    await server.wait_closed()
    Sanic.unregister_app(app)


async def model(page: Any) -> str:
    """The next frame's text."""
    async with asyncio.timeout(5):
        return str(await page.recv())


async def click(page: Any, first: str, button: str) -> None:
    """Send a click on a button of the first frame."""
    await page.send(
        json.dumps({"type": "layout-event", "target": target_of(json.loads(first)["model"], button), "data": [{}]})
    )


def target_of(node: Any, name: str) -> str | None:
    """The click target of the element with that id."""
    if not isinstance(node, dict):
        return None
    if node.get("attributes", {}).get("id") == name:
        return str(node["eventHandlers"]["onClick"]["target"])
    return next((found for child in node.get("children", ()) if (found := target_of(child, name))), None)


class TestHandshake:
    async def test_a_page_is_built_for_its_visitor_path_and_query(self, site: Site) -> None:
        async with site.connect("/tasks/1") as page:
            assert "ann /tasks/1 a=b 0" in await model(page)

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "https://here.example", f"{ORIGIN}.evil.example"]
    )
    async def test_a_foreign_origin_is_refused_before_the_handshake(self, site: Site, origin: str) -> None:
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with site.connect(origin=origin):
                pass
        assert refused.value.response.status_code == 403

    async def test_nobody_signed_in_is_told_so_by_the_close_code(self, site: Site) -> None:
        site.visitor = None
        async with site.connect() as page:
            with pytest.raises(websockets.ConnectionClosed):
                await model(page)
            assert page.close_code == reactpy_sanic.CLOSE_SIGNED_OUT

    async def test_a_session_that_ends_takes_its_page_with_it(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reactpy_sanic, "RECHECK_S", 0.05)
        async with site.connect() as page:
            await model(page)
            site.visitor = None
            with pytest.raises(websockets.ConnectionClosed):
                await model(page)
            assert page.close_code == reactpy_sanic.CLOSE_SIGNED_OUT


class TestFrames:
    async def test_an_event_changes_the_page(self, site: Site) -> None:
        async with site.connect() as page:
            first = await model(page)
            await click(page, first, "more")
            assert "a=b 1" in await model(page)

    async def test_the_tap_sees_both_directions(self, site: Site) -> None:
        async with site.connect() as page:
            await click(page, await model(page), "more")
            await model(page)
        assert [direction for direction, _ in site.frames] == ["send", "recv", "send"]
        assert b"layout-event" in site.frames[1][1]

    async def test_two_visitors_do_not_see_each_other(self, site: Site) -> None:
        async with site.connect("/a") as one, site.connect("/b") as two:
            first, other = await model(one), await model(two)
            await click(one, first, "more")
            assert "/a a=b 1" in await model(one)
            await click(two, other, "more")
            assert "/b a=b 1" in await model(two)

    @pytest.mark.parametrize(
        "frame",
        [
            "",
            "[",
            "null",
            "[]",
            "7",
            '{"type": "other"}',
            '{"type": "layout-event"}',
            "[" * 5000,
            '{"type": "layout-event", "target": 1, "data": []}',
        ],
    )
    async def test_a_frame_that_is_no_event_closes_the_socket(self, site: Site, frame: str) -> None:
        async with site.connect() as page:
            await model(page)
            await page.send(frame)
            with pytest.raises(websockets.ConnectionClosed):
                await model(page)
            assert page.close_code == reactpy_sanic.CLOSE_MALFORMED

    async def test_an_unknown_target_is_ignored(self, site: Site) -> None:
        async with site.connect() as page:
            first = await model(page)
            await page.send(json.dumps({"type": "layout-event", "target": "/nowhere:onClick", "data": [{}]}))
            await click(page, first, "more")
            assert "a=b 1" in await model(page)

    async def test_a_frame_above_the_limit_closes_the_socket(self, site: Site) -> None:
        async with site.connect() as page:
            await model(page)
            await page.send("x" * (MAX_FRAME_BYTES + 1))
            with pytest.raises(websockets.ConnectionClosed):
                await model(page)
            assert page.close_code == reactpy_sanic.CLOSE_TOO_BIG

    async def test_a_flood_is_slowed_down_and_nothing_is_lost(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reactpy_sanic, "FRAME_BURST", 5)
        monkeypatch.setattr(reactpy_sanic, "FRAMES_PER_S", 50)
        async with site.connect() as page:
            first = await model(page)
            begun = asyncio.get_running_loop().time()
            for _ in range(25):
                await click(page, first, "more")
            while "a=b 25" not in await model(page):
                pass
            assert asyncio.get_running_loop().time() - begun > 0.3


class TestErrors:
    async def test_a_part_that_cannot_be_shown_leaves_a_visible_message(self, site: Site) -> None:
        async with site.connect() as page:
            first = await model(page)
            for _ in range(3):
                await click(page, first, "more")
                shown = await model(page)
            assert "could not be shown" in shown
            assert "a=b 3" in shown
            assert "secret" not in shown

    async def test_a_failing_handler_leaves_the_page_alive(self, site: Site) -> None:
        async with site.connect() as page:
            first = await model(page)
            await click(page, first, "fail")
            await click(page, first, "more")
            assert "a=b 1" in await model(page)


class TestEnd:
    async def test_a_closed_page_ends_its_effects_and_late_changes_are_no_error(
        self, site: Site, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            async with site.connect("/ticker") as page:
                await model(page)
            async with asyncio.timeout(5):
                while not {"page", "ticker"} <= set(site.ended):
                    await asyncio.sleep(0.01)
        assert [record.getMessage() for record in caplog.records] == []

    async def test_an_event_on_its_way_when_the_page_closes_is_no_error(
        self, site: Site, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            async with site.connect() as page:
                first = await model(page)
                for _ in range(30):
                    await click(page, first, "more")
            await asyncio.sleep(0.3)
        assert [record.getMessage() for record in caplog.records] == []
