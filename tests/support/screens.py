"""A page without a browser: renders a component, shows its tree, and lets a test act on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from reactpy.core.layout import Layout
from reactpy.types import Component
from reactpy_bridge.resident import BRIDGE_ID, REPLY_ID

Node = dict[str, Any]
WAIT_S = 5.0


class Screen:
    """Shows one component; use it as an async context manager."""

    def __init__(self, component: Component) -> None:
        self._layout = Layout(component)
        self._tree: Node = {}
        self._loop: asyncio.Task[None] | None = None
        self._answered: set[str] = set()

    async def __aenter__(self) -> Screen:
        await self._layout.__aenter__()
        self._loop = asyncio.create_task(self._show())
        await self.until(lambda: bool(self._tree))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])
        await self._layout.__aexit__(kind, error, trace)  # type: ignore[arg-type]

    async def _show(self) -> None:
        while True:
            update: Any = await self._layout.render()
            if update["path"] == "":
                self._tree = update["model"]
                continue
            *steps, last = [step for step in update["path"].split("/") if step]
            place: Any = self._tree
            for step in steps:
                place = place[int(step) if step.isdigit() else step]
            place[int(last) if last.isdigit() else last] = update["model"]

    def nodes(self) -> Iterator[Node]:
        """Every element, from the outside in."""
        yield from _walk(self._tree)

    def find(self, **attributes: Any) -> Node | None:
        """The first element with these attributes; `tag` means its name, `text` its whole text."""
        return next((node for node in self.nodes() if _fits(node, attributes)), None)

    def get(self, **attributes: Any) -> Node:
        """As `find`; an assertion error when there is none."""
        node = self.find(**attributes)
        assert node is not None, f"no element with {attributes} in: {self.text()}"
        return node

    def text(self) -> str:
        """All text that is shown, elements parted by a space."""
        return text_of(self._tree)

    async def fire(self, node: Node, event: str, value: object = None) -> None:
        """Send an event of an element, with its target's value."""
        target = node["eventHandlers"][event]["target"]
        await self._layout.deliver({"target": target, "data": [{"target": {"value": value}}]})

    async def click(self, text: str) -> None:
        """Click the button with this text."""
        await self.fire(self.get(tag="button", text=text), "onClick")

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.005)

    def calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        """The calls that wait for the browser: id, function, arguments."""
        shown = json.loads(self.get(id=BRIDGE_ID)["attributes"]["data-calls"])
        return [(key, target, arguments) for key, target, arguments in shown if key not in self._answered]

    async def answer(self, function: str, value: object, *, succeeded: bool = True) -> dict[str, Any]:
        """Answer the waiting call of a function as the browser would; returns the call's arguments."""
        found: list[tuple[str, str, dict[str, Any]]] = []

        def waits() -> bool:
            found[:] = [call for call in self.calls() if call[1] == function]
            return bool(found)

        await self.until(waits)
        call_id, _, arguments = found[0]
        self._answered.add(call_id)
        reply = json.dumps([call_id, succeeded, value])
        await self.fire(self.get(id=REPLY_ID), "onInput", reply)
        return arguments


def text_of(node: object) -> str:
    """The text inside an element."""
    if isinstance(node, str):
        return node
    if not isinstance(node, dict):
        return ""
    return " ".join(part for part in (text_of(child) for child in node.get("children", ())) if part)


def _walk(node: object) -> Iterator[Node]:
    if isinstance(node, dict):
        yield node
        for child in node.get("children", ()):
            yield from _walk(child)


def _fits(node: Node, wanted: dict[str, Any]) -> bool:
    given = node.get("attributes", {})
    for name, value in wanted.items():
        if name == "tag":
            fits = node.get("tagName") == value
        elif name == "text":
            fits = text_of(node).strip() == value
        else:
            fits = given.get(name) == value
        if not fits:
            return False
    return True
