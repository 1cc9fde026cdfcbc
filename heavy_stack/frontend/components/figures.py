"""How numbers and times are written on the pages. A figure that nobody measured is said to be just that."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reactpy import html

from heavy_stack.frontend.types import Component

NOT_MEASURED = "not measured"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def count(value: int | None) -> str:
    """`20,000`."""
    return NOT_MEASURED if value is None else f"{value:,}"


def plural(value: int, noun: str) -> str:
    """`1 query`, `20,000 queries`, `30 days`: nouns in y and regular ones."""
    if value == 1:
        return f"1 {noun}"
    many = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeou" else noun + "s"
    return f"{value:,} {many}"


def seconds(value: float | None) -> str:
    """A duration: `0.4 ms`, `12 ms`, `1.24 s`, `3 min 20 s`."""
    if value is None:
        return NOT_MEASURED
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 99.95:
        return f"{value:.3g} s" if value < 9.995 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def clock(value: float) -> str:
    """Time that goes by, in whole seconds: `0:07`, `12:34`, `1:02:03`."""
    total = max(0, int(value))
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def size(value: int | None) -> str:
    """Bytes in decimal units: `812 B`, `4.2 MB`."""
    if value is None:
        return NOT_MEASURED
    number, unit = float(value), 0
    while number >= 999.5 and unit < len(_SIZES) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {_SIZES[unit]}" if unit == 0 or number >= 99.5 else f"{number:.1f} {_SIZES[unit]}"


def ratio(value: float | None) -> str:
    """How many times faster: `0.93×`, `4.2×`, `1,250×`."""
    if value is None:
        return NOT_MEASURED
    if value < 0.9995:
        return f"{value:.2f}×"
    return f"{value:.1f}×" if value < 99.95 else f"{value:,.0f}×"


def score(value: float | None) -> str:
    """A score figure with three significant digits: `0.982`, `12.4`, `1,250`."""
    if value is None:
        return NOT_MEASURED
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def share(value: float | None) -> str:
    """A part of one as per cent: `0.02 %`, `12 %`."""
    if value is None:
        return NOT_MEASURED
    percent = value * 100
    return f"{percent:.0f} %" if percent >= 9.95 or percent == 0 else f"{percent:.2g} %"


def find_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None when it is not one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def when(moment: datetime, zone_name: str) -> str:
    """`21 Nov 2026, 12:37:05` in the reader's zone."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    local = aware.astimezone(find_zone(zone_name) or UTC)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M:%S}"


def time_element(moment: datetime, zone_name: str) -> Component:
    """A moment in the reader's zone; the exact instant is in the `datetime` attribute."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return html.time({"dateTime": aware.isoformat(), "title": zone_name}, when(aware, zone_name))


def find_moment(text: str | None) -> datetime | None:
    """An ISO 8601 text as a moment, or None when it is missing or something else."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
