"""The browser's clipboard."""

from __future__ import annotations

from reactpy_bridge import called_from_reactpy

try:
    from browser import document, window  # type: ignore[import-not-found]
except ImportError:  # on the server: importable, never run
    document = window = None


@called_from_reactpy
async def copy_text_of(element_id: str) -> bool:
    """Copy an element's text; False when the browser refuses."""
    try:
        await window.navigator.clipboard.writeText(document[element_id].textContent)
    except Exception:  # an edge: browsers refuse in several ways, all with the same meaning
        return False
    return True
