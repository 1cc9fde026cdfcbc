"""ReactPy 2 on Sanic, natively: the adapter. No other module imports ReactPy's internals.

ReactPy 2 only ships ASGI middleware, which goes around Sanic's own middleware and sessions. This module serves one
websocket instead: it asks who the visitor is, keeps one `Layout` per connection, and moves frames. `tap` sees every
frame of both directions, for recording and for tests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import parse_qs
from uuid import uuid4

import orjson
import reactpy
import structlog
from reactpy import config
from reactpy.core.hooks import ConnectionContext
from reactpy.core.layout import Layout
from reactpy.core.serve import serve_layout
from reactpy.types import Component, Connection, Location
from sanic import Request, Sanic, Websocket
from sanic.exceptions import Forbidden, WebsocketClosed
from websockets.exceptions import ConnectionClosed

log = structlog.get_logger("heavy_stack.frontend")

Visitor = TypeVar("Visitor")
Tap = Callable[[Literal["send", "recv"], str, bytes], None]

PREFIX = "/reactpy/"
STREAM_PATH = f"{PREFIX}stream"
CLIENT_DIR = Path(reactpy.__file__).parent / "static"
CLIENT_VERSION: str = reactpy.__version__
CLIENT_FILES = tuple(sorted(p.name for p in CLIENT_DIR.glob("*.js")))

MAX_FRAME_BYTES = 64 * 1024
"""Largest frame that a browser may send: events are below 4 KB, answers of browser functions below 40 KB."""
FRAMES_PER_S = 50
"""Frames a browser may send per second in the long run; faster ones wait, so nobody's typing is lost."""
FRAME_BURST = 100
RECHECK_S = 60.0
"""Seconds between two looks at the session's cookie: an expired session loses its socket, also when it only watches."""
CLOSE_SIGNED_OUT = 4401
CLOSE_TOO_BIG = 1009
CLOSE_MALFORMED = 1007

_ERROR_KEY = b'"error":'
_BROKEN_PART = {
    "tagName": "div",
    "attributes": {"className": "notice notice-error", "role": "alert"},
    "children": ["This part of the page could not be shown. The error has been logged; reload the page to try again."],
}


class _SessionOver(Exception):
    """The socket is closed, whoever closed it."""


class _PageLayout(Layout):
    """A layout that lets late state changes of a closed page go by instead of logging a traceback for each."""

    def _schedule_render_task(self, lcs_id: Any) -> None:
        if hasattr(self, "_rendering_queue"):
            super()._schedule_render_task(lcs_id)


@dataclass(frozen=True)
class PageSocket(Generic[Visitor]):
    """What the websocket needs from outside.

    Attributes:
        find_visitor: Who the request's session belongs to; None closes the socket with `CLOSE_SIGNED_OUT`.
        origin_allowed: Whether the request's Origin is one of ours; False refuses the handshake with 403.
        root: Builds the page for a visitor at a path with a query string (without `?`).
        tap: Sees every frame: direction, session id, bytes.
    """

    find_visitor: Callable[[Request], Awaitable[Visitor | None]]
    origin_allowed: Callable[[Request], bool]
    root: Callable[[Visitor, str, str], Component]
    tap: Tap | None = None


def install_socket(app: Sanic[Any, Any], socket: PageSocket[Any]) -> None:
    """Serve the pages' websocket on `STREAM_PATH`."""
    # With parallel rendering a child's older frame may leave after its parent's newer one and hit the wrong place.
    config.REACTPY_ASYNC_RENDERING.current = False
    app.config.WEBSOCKET_MAX_SIZE = MAX_FRAME_BYTES

    async def refuse_foreign_origins(request: Request) -> None:
        if request.path == STREAM_PATH and not socket.origin_allowed(request):
            log.warning("page.origin_refused", origin=request.headers.get("origin"))
            raise Forbidden("This page belongs to another address.")

    async def stream(request: Request, ws: Websocket) -> None:
        await _Session(socket, request, ws).run()

    app.register_middleware(refuse_foreign_origins, "request")
    app.add_websocket_route(stream, STREAM_PATH, name="reactpy_stream")


def mount_script(mount_id: str) -> str:
    """The module script that starts ReactPy's client on the element `mount_id`."""
    return (
        f'import {{mountReactPy}} from "{client_url("index.js")}";\n'
        f'mountReactPy({{mountElement: document.getElementById("{mount_id}"), pathPrefix: "{PREFIX}",'
        f' componentPath: "stream", reconnectMaxInterval: 5000}});'
    )


def import_map() -> str:
    """The import map under which ReactPy's client, and JavaScript components, find their framework."""
    names = {
        "react": "preact.js",
        "react-dom": "preact-dom.js",
        "react-dom/client": "preact-dom.js",
        "react/jsx-runtime": "preact-jsx-runtime.js",
    }
    return orjson.dumps({"imports": {name: client_url(file) for name, file in names.items()}}).decode()


def client_url(file: str) -> str:
    """Where a file of ReactPy's client is served: the version is in the path, so it can be cached for good."""
    return f"/static/reactpy/{CLIENT_VERSION}/{file}"


class _Session(Generic[Visitor]):
    """One open page: one socket, one layout."""

    def __init__(self, socket: PageSocket[Visitor], request: Request, ws: Websocket) -> None:
        self._socket = socket
        self._request = request
        self._ws = ws
        self._id = uuid4().hex
        self._allowance = float(FRAME_BURST)
        self._counted_at = time.monotonic()

    async def run(self) -> None:
        """Serve until the socket closes, from whichever side."""
        visitor = await self._socket.find_visitor(self._request)
        if visitor is None:
            await self._ws.close(CLOSE_SIGNED_OUT, "signed out")
            return
        query = parse_qs(self._request.query_string)
        path = query.get("path", ["/"])[0]
        search = query.get("qs", [""])[0].removeprefix("?")
        connection = Connection(
            scope={"type": "websocket", "path": path},
            location=Location(path=path, query_string=search),
            carrier=self._request,
        )
        layout = _PageLayout(ConnectionContext(self._socket.root(visitor, path, search), value=connection))
        watch = asyncio.create_task(self._watch_session())
        try:
            await serve_layout(layout, self._send, self._receive)
        except* (ConnectionClosed, WebsocketClosed, _SessionOver):
            pass
        finally:
            watch.cancel()

    async def _watch_session(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            if await self._socket.find_visitor(self._request) is None:
                await self._ws.close(CLOSE_SIGNED_OUT, "signed out")
                return

    async def _send(self, message: Any) -> None:
        data = _encode(message)
        if _ERROR_KEY in data and _show_broken_parts(message.get("model")):
            data = _encode(message)
        if self._socket.tap is not None:
            self._socket.tap("send", self._id, data)
        await self._ws.send(data.decode())

    async def _receive(self) -> dict[str, Any]:
        while True:
            await self._wait_for_allowance()
            try:
                data = await self._ws.recv()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise _SessionOver from None  # Sanic says "closed" with a CancelledError that nobody asked for
            if data is None:
                raise _SessionOver
            raw = data.encode() if isinstance(data, str) else bytes(data)
            if len(raw) > MAX_FRAME_BYTES:
                await self._refuse(CLOSE_TOO_BIG, "frame too big")
            if self._socket.tap is not None:
                self._socket.tap("recv", self._id, raw)
            event = _read_event(raw)
            if event is None:
                await self._refuse(CLOSE_MALFORMED, "not an event")
            else:
                return event

    async def _refuse(self, code: int, why: str) -> None:
        log.warning("page.frame_refused", why=why, session=self._id)
        await self._ws.close(code, why)
        raise _SessionOver

    async def _wait_for_allowance(self) -> None:
        now = time.monotonic()
        self._allowance = min(float(FRAME_BURST), self._allowance + (now - self._counted_at) * FRAMES_PER_S)
        self._counted_at = now
        self._allowance -= 1.0
        if self._allowance < 0:
            await asyncio.sleep(-self._allowance / FRAMES_PER_S)


def _encode(message: Any) -> bytes:
    return orjson.dumps(message, default=str, option=orjson.OPT_NON_STR_KEYS)


def _read_event(raw: bytes) -> dict[str, Any] | None:
    """The frame as an event, or None: everything in it is the client's word, so its shape is checked first."""
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(event, dict) or event.get("type") != "layout-event":
        return None
    if not isinstance(event.get("target"), str) or not isinstance(event.get("data"), list):
        return None
    return event


def _show_broken_parts(model: Any) -> bool:
    """Give each part that failed to render a visible message; ReactPy itself leaves a silent hole."""
    if not isinstance(model, dict):
        return False
    if "error" in model and not model.get("children"):
        del model["error"]
        model["children"] = [_BROKEN_PART]
        return True
    found = [_show_broken_parts(child) for child in model.get("children") or ()]
    return any(found)
