"""The browser's time zone."""

from __future__ import annotations

import json

from reactpy_bridge import called_from_reactpy

try:
    from browser import window  # type: ignore[import-not-found]
except ImportError:  # on the server: importable, never run
    window = None


@called_from_reactpy
def get_timezone_name_and_offset() -> str:
    """JSON of `[name, minutes]`: the IANA name (`Europe/Berlin`) and the current offset in minutes east of UTC."""
    name = window.Intl.DateTimeFormat.new().resolvedOptions().timeZone
    return json.dumps([name, -window.Date.new().getTimezoneOffset()])
