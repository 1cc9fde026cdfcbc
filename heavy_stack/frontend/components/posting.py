"""What a browser reports about something that it posted itself: where the new task is, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from heavy_stack.frontend.components.elements import notice
from heavy_stack.frontend.reactpy_util import html
from heavy_stack.frontend.types import Component


@dataclass(frozen=True)
class Refusal:
    """Why something was not taken: what is wrong, where, and the server's word for it."""

    message: str
    code: str = ""


def refusal_notice(refusal: Refusal, what: str, element_id: str) -> Component:
    """The refusal as an error that is announced; `what` begins the sentence."""
    code = [html.p({"className": "hint"}, "Code: ", html.code(refusal.code))] if refusal.code else []
    return notice(
        "error", html.p(html.strong(f"{what} was not taken. "), refusal.message), *code, element_id=element_id
    )


def read_answer(value: object) -> tuple[UUID, None] | tuple[None, Refusal]:
    """The new task's id, or why there is none.

    Args:
        value: JSON of `[status, url, body]` as `heavy_stack_brython.forms` gives it; the client's word.
    """
    try:
        status, url, body = orjson.loads(value if isinstance(value, str) else b"")
    except (orjson.JSONDecodeError, ValueError, TypeError):
        return None, Refusal("The browser gave an unreadable answer; reload the page and try again.")
    if status == 0:
        return None, Refusal("The server could not be reached. Your text is still here; try again in a moment.")
    content = _find_object(body)
    task_id = _find_task_id(content.get("taskid")) or _find_task_id(_last_part(url))
    if status == 200 and task_id is not None:
        return task_id, None
    if status == 413:
        fallback = "It is larger than this server takes."
    elif status == 401:
        fallback = "Your session has ended. Sign in again in another tab; your text stays here."
    else:
        fallback = f"The server answered with status {status}."
    message = content.get("detail") or content.get("message") or content.get("title")
    code = content.get("code")
    return None, Refusal(str(message or fallback), str(code) if code else "")


def _last_part(url: object) -> str:
    return url.split("?")[0].rsplit("/", 1)[-1] if isinstance(url, str) else ""


def _find_task_id(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _find_object(body: object) -> dict[str, Any]:
    try:
        content = orjson.loads(body if isinstance(body, str) else b"")
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
