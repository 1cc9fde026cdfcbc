"""The resident half of the bridge: runs in the browser for as long as the page is open.

The server renders pending calls as JSON into an attribute; a MutationObserver sees the change, runs what it has not run
yet, and answers through an input event on a hidden field, which ReactPy carries back like any other event.
"""

from __future__ import annotations

import json

from reactpy_bridge import find_allowed

try:
    from browser import aio, document, window  # type: ignore[import-not-found]
except ImportError:  # on the server: importable, never started
    aio = document = window = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BRIDGE_ID = "reactpy-bridge"
REPLY_ID = "reactpy-bridge-reply"
MAX_REPLY_CHARS = 32_000

_seen: set[str] = set()


def _send(call_id: str, ok: bool, value: Any) -> None:
    text = json.dumps([call_id, ok, value])
    if len(text) > MAX_REPLY_CHARS:
        text = json.dumps([call_id, False, "the function returned more than the bridge carries"])
    field = document[REPLY_ID]
    field.value = text
    field.dispatchEvent(window.Event.new("input", {"bubbles": True}))


async def _send_awaited(call_id: str, coroutine: Any) -> None:
    try:
        value = await coroutine
    except Exception as error:  # an edge: the server must hear of it
        _send(call_id, False, repr(error))
    else:
        _send(call_id, True, value)


def _run(call_id: str, target: str, arguments: dict[str, Any]) -> None:
    try:
        __import__(target.split(":")[0])  # from the bundle or by its path, then cached
        function = find_allowed(target)
        if function is None:
            raise PermissionError(f"{target} is not marked with called_from_reactpy")
        value = function(**arguments)
        # Brython's coroutines are told by their type's name
        if type(value).__name__ == "coroutine":
            aio.run(_send_awaited(call_id, value))
        else:
            _send(call_id, True, value)
    except Exception as error:  # an edge: the server must hear of it
        _send(call_id, False, repr(error))


def run_pending(*_: Any) -> None:
    """Run every call that the page shows and that has not been run yet."""
    node = document.select_one("#" + BRIDGE_ID)
    if node is None:
        return
    for call_id, target, arguments in json.loads(node.attrs.get("data-calls") or "[]"):
        if call_id not in _seen:
            _seen.add(call_id)
            _run(call_id, target, arguments)


def start() -> None:
    """Begin to watch the page; called once, by the page's boot script."""
    observer = window.MutationObserver.new(run_pending)
    options = {"childList": True, "subtree": True, "attributes": True, "attributeFilter": ["data-calls"]}
    observer.observe(document, options)
    run_pending()
