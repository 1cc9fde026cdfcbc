"""What a query asks of one column's value, as data: it tests values, and suggests some that satisfy or just miss it."""

from __future__ import annotations

import datetime as dt
import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from heavy_stack.backend.advisor.verify.column_types import ColumnType, Kind, around, fitted, is_number
from heavy_stack.backend.advisor.verify.patterns import like_matches, like_samples, near_misses, regexp_samples

NEGATED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
FLIPPED = {"=": "=", "<>": "<>", "<": ">", ">=": "<=", ">": "<", "<=": ">="}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PART_OF: dict[str, Callable[[Any], int]] = {
    "year": lambda day: day.year,
    "quarter": lambda day: (day.month - 1) // 3 + 1,
    "month": lambda day: day.month,
    "week": lambda day: day.isocalendar()[1],
    "day": lambda day: day.day,
    "dow": lambda day: day.isoweekday(),
    "doy": lambda day: day.timetuple().tm_yday,
    "hour": lambda day: day.hour if isinstance(day, dt.datetime) else 0,
    "minute": lambda day: day.minute if isinstance(day, dt.datetime) else 0,
}
MAX_SUGGESTIONS = 80


@dataclass(frozen=True)
class Constraint:
    """One condition on one value; a NULL value satisfies only `is_null`.

    Attributes:
        kind: compare, in, not_in, is_null, not_null, like, not_like, regexp, prefix, length, part, high or low.
        op: Comparison operator of compare, length and part.
        value: The constant; a tuple for in and not_in; a pattern for like and regexp.
        part: Which part of a date (`part`), or the escape sign (`like`).
    """

    kind: str
    op: str = "="
    value: Any = None
    part: str | None = None

    def holds(self, value: Any) -> bool:
        """Whether `value` satisfies it; False when that cannot be told."""
        if value is None or self.kind == "is_null":
            return value is None and self.kind == "is_null"
        try:
            return self._holds(value)
        except (TypeError, ValueError, AttributeError):
            return False

    def _holds(self, value: Any) -> bool:
        if self.kind == "compare":
            return _TESTS[self.op](*_comparable(value, self.value))
        if self.kind in ("in", "not_in"):
            found = any(operator.eq(*_comparable(value, item)) for item in self.value)
            return found == (self.kind == "in")
        if self.kind in ("like", "not_like"):
            return like_matches(self.value, self.part, value) == (self.kind == "like")
        if self.kind == "prefix":
            return bool(value.startswith(self.value))
        if self.kind == "length":
            return _TESTS[self.op](len(value), self.value)
        if self.kind == "part":
            found_part = _PART_OF[self.part or "year"](value)
            return any(_TESTS[self.op](found_part, item) for item in _items(self.value))
        return self.kind in ("not_null", "high", "low") or (self.kind == "regexp" and isinstance(value, str))

    def suggestions(self, kind: ColumnType, draw: random.Random) -> list[Any]:
        """Values of the type that sit on the condition or next to it, on both sides; duplicates possible."""
        bases: list[Any] = []
        if self.kind in ("compare", "in", "not_in"):
            bases = [fitted(kind, item) for item in _items(self.value)]
            bases += [step for base in bases if base is not None for step in around(kind, base)]
            bases += _between(kind, self, draw)
        elif kind.kind is Kind.TEXT:
            bases = [fitted(kind, text) for text in self._texts(draw)]
        elif self.kind == "part":
            bases = [fitted(kind, day) for day in _days_by_part(self.part or "year", _items(self.value))]
        elif self.kind in ("high", "low"):
            sign = 1 if self.kind == "high" else -1
            bases = [fitted(kind, sign * 10**power) for power in (6, 4)]
        return [base for base in bases if base is not None][:MAX_SUGGESTIONS]

    def _texts(self, draw: random.Random) -> list[str]:
        if self.kind in ("like", "not_like"):
            hits = like_samples(self.value, self.part, draw)
        elif self.kind == "regexp":
            hits = regexp_samples(self.value, draw)
        elif self.kind == "prefix":
            hits = [self.value, self.value + "1", self.value + "z"]
        elif self.kind == "length" and is_number(self.value):
            return ["x" * size for size in range(max(0, int(self.value) - 1), min(300, int(self.value) + 2))]
        else:
            return []
        # A space in front matters to a pattern that fixes the start; to others it would be one more match.
        fixed = self.kind == "prefix" or (self.kind in ("like", "not_like") and not self.value.startswith("%"))
        spaced = [" " + hit for hit in hits[:1]] if fixed else []
        return hits + spaced + [miss for hit in hits[:2] for miss in near_misses(hit, draw)[:3]]


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)


def _comparable(value: Any, other: Any) -> tuple[Any, Any]:
    """Both in one Python type: floats with decimals, dates with timestamps."""
    if isinstance(value, float) and isinstance(other, Decimal):
        return value, float(other)
    if isinstance(other, float) and isinstance(value, Decimal):
        return float(value), other
    if isinstance(value, dt.datetime) != isinstance(other, dt.datetime):
        return _at_midnight(value), _at_midnight(other)
    if isinstance(value, dt.datetime) and isinstance(other, dt.datetime):
        return _at_midnight(value), _at_midnight(other)
    if isinstance(value, dt.date) and isinstance(other, str):
        return value.isoformat(), other[:10]
    return value, other


def _at_midnight(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    return value


def _between(kind: ColumnType, constraint: Constraint, draw: random.Random) -> list[Any]:
    """Values well inside an open range, so that a range's two ends are not all that is ever tried."""
    if constraint.kind != "compare" or constraint.op == "=":
        return []
    base = fitted(kind, constraint.value)
    if base is None:
        return []
    inside = []
    for distance in (draw.randint(2, 9), draw.randint(20, 60)):
        if isinstance(base, dt.date):
            inside += [_moved(base, distance), _moved(base, -distance)]
        elif is_number(base):
            inside += [fitted(kind, base + distance), fitted(kind, base - distance)]
    return inside


def _moved(day: dt.date, days: int) -> dt.date | None:
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        return None


def _days_by_part(part: str, values: Sequence[Any]) -> list[dt.date | dt.datetime]:
    days: list[dt.date | dt.datetime] = []
    for value in values:
        if not is_number(value):
            continue
        number = int(value)
        if part in ("hour", "minute"):
            for near in (number - 1, number, number + 1):
                clock = dt.datetime(2020, 3, 4)
                inside = 0 <= near < (24 if part == "hour" else 60)
                days += [clock + dt.timedelta(**{part + "s": near})] if inside else []
            continue
        days += [day for near in (number, number - 1, number + 1) for day in _with_part(part, near)]
    return days


def _with_part(part: str, number: int) -> list[dt.date | dt.datetime]:
    if part == "year":
        return [dt.date(number, *place) for place in ((1, 1), (6, 15), (12, 31))] if 1 < number < 9998 else []
    if part == "quarter":
        return _with_part("month", number * 3 - 2) + _with_part("month", number * 3) if 1 <= number <= 4 else []
    if part == "month":
        return [dt.date(year, number, day) for year in (2019, 2020) for day in (1, 28)] if 1 <= number <= 12 else []
    if part == "day":
        return [dt.date(2020, month, number) for month in (1, 3, 12)] if 1 <= number <= 31 else []
    if part == "dow":  # the 1st of June 2020 is a Monday
        return [dt.date(2020, 6, number) for number in (number, number + 7)] if 1 <= number <= 7 else []
    if part == "week":
        return [dt.date.fromisocalendar(2020, number, 3)] if 1 <= number <= 53 else []
    return [dt.date(2020, 1, 1) + dt.timedelta(days=number - 1)] if 1 <= number <= 366 else []


def candidates(
    kind: ColumnType, constraints: Sequence[Constraint], pool: Sequence[Any], draw: random.Random
) -> list[Any]:
    """Values that satisfy all constraints, in random order; empty when none was found."""
    if any(item.kind == "is_null" for item in constraints):
        return [None]
    tried = [value for item in constraints for value in item.suggestions(kind, draw)]
    tried += joint_dates(kind, constraints)
    tried += [value for value in pool if value is not None]
    found = [value for value in dict.fromkeys(tried) if all(item.holds(value) for item in constraints)]
    patterns = [item.value for item in constraints if item.kind == "regexp"]
    if patterns:
        # Whether a text matches a regular expression is known only for those that were built to match.
        built = [text for pattern in patterns for text in regexp_samples(pattern, draw, 8)]
        others = [item for item in constraints if item.kind != "regexp"]
        found = [v for v in built if fitted(kind, v) is not None and all(item.holds(v) for item in others)]
    if any(item.kind == "high" for item in constraints):
        return sorted(found, reverse=True)[:3]
    if any(item.kind == "low" for item in constraints):
        return sorted(found)[:3]
    draw.shuffle(found)
    return found


def joint_dates(kind: ColumnType, constraints: Sequence[Constraint], *, edges: bool = False) -> list[Any]:
    """Days for several parts at once (year = 2019 and month = 12 and day ≥ 20).

    Args:
        edges: Only the first and last days of the months that are named and of their neighbours.
    """
    parts = [item for item in constraints if item.kind == "part"]
    if kind.kind not in (Kind.DATE, Kind.TIMESTAMP) or not parts:
        return []
    years = {int(v) for item in parts if item.part == "year" for v in _items(item.value) if is_number(v)}
    for item in constraints:
        days = [fitted(kind, v) for v in _items(item.value)] if item.kind in ("compare", "in") else []
        years |= {day.year for day in days if day is not None}
    if edges:
        named = {int(v) for item in parts if item.part == "month" for v in _items(item.value) if is_number(v)}
        months = sorted({near for month in named for near in (month - 1, month, month + 1) if 1 <= near <= 12})
        ends = [dt.datetime(year, month, day) for year in sorted(years)[:4] for month in months for day in (1, 28)]
        return [fitted(kind, moment) for moment in ends]
    found = []
    for year in sorted(years or {2019, 2020})[:6]:
        for near in (year, year - 1, year + 1):
            for month in range(1, 13):
                found += [dt.datetime(near, month, day, 11) for day in (1, 7, 15, 21, 28) if 1 < near < 9998]
    return [fitted(kind, moment) for moment in found]
