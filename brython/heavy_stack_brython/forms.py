"""Sending forms without leaving the page, so that what was typed stays when the server refuses it."""

from __future__ import annotations

import json

from reactpy_bridge import called_from_reactpy

try:
    from browser import document, window  # type: ignore[import-not-found]
except ImportError:  # on the server: importable, never run
    document = window = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_ANSWER_CHARS = 16_000


async def _post(url: str, body: Any, content_type: str) -> str:
    headers = window.Headers.new()
    headers.append("Accept", "application/json")
    if content_type:
        headers.append("Content-Type", content_type)
    try:
        response = await window.fetch(url, {"method": "POST", "body": body, "headers": headers})
        text = await response.text()
    except Exception as error:  # an edge: browsers name a lost connection in many ways
        print("not posted:", repr(error))
        return json.dumps([0, "", ""])
    return json.dumps([response.status, response.url, text[:MAX_ANSWER_CHARS]])


@called_from_reactpy
async def post_form(form_id: str) -> str:
    """Post a form as it stands, files included, to its own address.

    Returns:
        JSON of `[status, url, body]`: HTTP status (0 when the server could not be reached), the address after
        redirects, and at most `MAX_ANSWER_CHARS` of the answer's text.
    """
    form = document[form_id]
    return await _post(form.getAttribute("action"), window.FormData.new(form), "")


@called_from_reactpy
async def post_text(field_id: str, url: str, content_type: str) -> str:
    """Post what stands in a field to `url`; returns the same as `post_form`."""
    return await _post(url, document[field_id].value, content_type)


@called_from_reactpy
def focus_element(element_id: str) -> None:
    """Move the keyboard focus, e.g. to an error that has just appeared."""
    if element_id in document:
        document[element_id].focus()
