"""Moving the browser to another address."""

from __future__ import annotations

from reactpy_bridge import called_from_reactpy

try:
    from browser import window  # type: ignore[import-not-found]
except ImportError:  # on the server: importable, never run
    window = None


@called_from_reactpy
def navigate_to(url: str) -> None:
    """Leave this page for `url`."""
    window.location.href = url


@called_from_reactpy
def open_new_tab(url: str) -> None:
    """Open `url` in a new tab that cannot reach back into this page."""
    window.open(url, "_blank", "noopener")


@called_from_reactpy
def replace_query(query: str) -> None:
    """Show `query` (without `?`) in the address bar, so that a reload or a shared link comes back to the same view."""
    path = window.location.pathname
    window.history.replaceState("", "", path + "?" + query if query else path)
