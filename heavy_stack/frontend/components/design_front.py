"""The front of designs, speed against bytes, as a drawing made here and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from heavy_stack.frontend.components.elements import Column, disclosure, table
from heavy_stack.frontend.components.figures import count, plural, score, size
from heavy_stack.frontend.reactpy_util import html
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import FrontPointReport

WIDTH, HEIGHT = 360, 250
"""In the drawing's own units: narrow, so that its letters stay readable on a phone."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 28, 24, 44
_LABEL_WIDTH = 110
_WIDE_RANGE = 30.0
"""Above this ratio of the largest to the smallest value an axis is logarithmic."""
_TICKS = 4
_COLUMNS = (
    Column("Design"),
    Column("Tables", figures=True),
    Column("New storage", figures=True),
    Column("Faster (x, estimated)", figures=True),
    Column("z, estimated", figures=True),
)


def front_section(front: Sequence[FrontPointReport]) -> Component:
    """What more or less storage would have bought; nothing for fewer than two designs."""
    if len(front) < 2:
        return None
    points = sorted(front, key=lambda point: (point.bytes, point.x))
    rows: list[list[Component]] = [
        [
            html.strong("chosen") if point.chosen else f"{number}",
            count(point.tables),
            size(point.bytes),
            score(point.x),
            score(point.z_total),
        ]
        for number, point in enumerate(points, 1)
    ]
    return html.section(
        {"className": "card", "aria-labelledby": "front-heading"},
        html.h2({"id": "front-heading"}, "Speed against storage"),
        html.p(
            "Each point is a design that was weighed: no other one is faster with as few bytes. These are estimates, "
            "made before anything was built; what was measured stands under Score."
        ),
        html.figure({"className": "front", "dangerouslySetInnerHTML": {"__html": draw_front(points)}}),
        disclosure("The same as a table", table("Designs on the front", _COLUMNS, rows)),
    )


def draw_front(points: Sequence[FrontPointReport]) -> str:
    """The drawing as SVG; all text in it is ours or a number."""
    across = _Axis([point.bytes for point in points], _LEFT, WIDTH - _RIGHT)
    up = _Axis([point.x for point in points], HEIGHT - _BOTTOM, _TOP)
    places = [(across.place(point.bytes), up.place(point.x)) for point in points]
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="front-title front-desc" '
        'xmlns="http://www.w3.org/2000/svg">',
        '<title id="front-title">Speed against storage of the designs</title>',
        f'<desc id="front-desc">{escape(_described(points))}</desc>',
        *_grid(across, up),
        f'<polyline class="front-line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>',
    ]
    for point, (x, y) in zip(points, places, strict=True):
        if not point.chosen:
            parts.append(f'<circle class="front-point" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    for point, (x, y) in zip(points, places, strict=True):
        if point.chosen:
            parts += _chosen(point, x, y)
    return "".join([*parts, "</svg>"])


def _described(points: Sequence[FrontPointReport]) -> str:
    first, last = points[0], points[-1]
    text = (
        f"{len(points)} designs, from {size(first.bytes)} and {score(first.x)} times faster "
        f"to {size(last.bytes)} and {score(last.x)} times faster."
    )
    for point in points:
        if point.chosen:
            text += f" Chosen: {plural(point.tables, 'table')}, {size(point.bytes)}, {score(point.x)} times faster."
    return text


def _chosen(point: FrontPointReport, x: float, y: float) -> list[str]:
    # The front bends down to the right, so below the point on the right there is room.
    at, below = min(x + 10, WIDTH - _RIGHT - _LABEL_WIDTH), y + 20
    return [
        f'<path class="front-chosen" d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7-7z"/>',
        f'<text class="front-label" x="{at:.1f}" y="{below if below < HEIGHT - _BOTTOM else y - 12:.1f}">'
        f"chosen: {escape(plural(point.tables, 'table'))}</text>",
    ]


def _grid(across: _Axis, up: _Axis) -> list[str]:
    base = HEIGHT - _BOTTOM
    parts: list[str] = []
    for value in up.ticks():
        y = up.place(value)
        parts.append(f'<line class="front-grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="front-tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(_times(value))}</text>'
        )
    for value in across.ticks():
        x = across.place(value)
        parts.append(f'<line class="front-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{base}"/>')
        words = escape(size(round(value)))
        parts.append(f'<text class="front-tick" x="{x:.1f}" y="{base + 16}" text-anchor="middle">{words}</text>')
    parts.append(f'<text class="front-name" x="{_LEFT}" y="13">times faster (x)</text>')
    name = f'<text class="front-name" x="{WIDTH - _RIGHT}" y="{HEIGHT - 6}" text-anchor="end">'
    parts.append(f"{name}size of the new tables</text>")
    return parts


def _times(value: float) -> str:
    return f"{value:,.0f}×" if value >= 10 or float(value).is_integer() else f"{value:.1f}×"


class _Axis:
    """An axis over some values, linear, or logarithmic when they range widely."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._start, self._end = float(start), float(end)
        positive = [float(value) for value in values if value > 0]
        least, most = (min(positive), max(positive)) if positive else (1.0, 1.0)
        self._log = most > _WIDE_RANGE * least
        # On a logarithmic axis, nothing at all stands well before the least.
        self._has_zero = len(positive) < len(values)
        self._low = (least / 4 if self._has_zero else least) if self._log else 0.0
        self._high = most

    def place(self, value: float) -> float:
        """Where a value stands."""
        low, high = self._bent(self._low), self._bent(self._high)
        share = (self._bent(max(value, self._low)) - low) / (high - low) if high > low else 1.0
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """A few round values within the axis."""
        if self._log:
            room = 3 if self._has_zero else 1
            least, last = math.ceil(math.log10(self._low * room)), math.floor(math.log10(self._high))
            apart = max(1, -(-(last - least) // _TICKS))
            zero = [0.0] if self._has_zero else []
            return zero + [10.0**power for power in range(least, last + 1, apart)]
        step = _round_step(self._high / _TICKS)
        return [step * number for number in range(int(self._high / step + 1e-9) + 1)]

    def _bent(self, value: float) -> float:
        return math.log10(value) if self._log else value


def _round_step(rough: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
