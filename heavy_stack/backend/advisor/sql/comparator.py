"""Compares two results as bags: exact types and names, exact values, a stated tolerance for floating point.

What counts as equal:
    - as many columns, the same names in the same order, the same Trino types (with decimal scale and varchar length);
    - NULL equals only NULL, NaN equals only NaN, −0.0 equals 0.0, an infinity equals only itself;
    - `double` and `real` values within `RELATIVE` of the larger magnitude (`RELATIVE_MOMENTS` for columns that the
      caller marks as rebuilt from sums of squares and products), with a tiny absolute floor for sums that cancel;
    - everything else exactly.

Rows are paired by their exact columns first, and only then by floats, so two nearly equal floats can never pull rows of
different groups together, and noise in the last bits can never put them in another order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from heavy_stack.backend.advisor.ports import ResultSet
from heavy_stack.backend.advisor.sql.row_pairing import (
    NAN,
    FloatColumns,
    Row,
    by_exact_columns,
    floats_close,
    pair_rows,
)

RELATIVE = 1e-9
"""For doubles: sums in another order differ in the last bits, some 1e-13 for a million rows."""
RELATIVE_MOMENTS = 1e-6
"""For CORR, STDDEV, VAR and COVAR rebuilt from sums: the subtraction in them costs half of the digits."""
RELATIVE_REAL = 1e-6
"""For `real`: its own resolution is 1.2e-7."""
ABSOLUTE = 1e-12
"""Floor: two values this close to each other are equal whatever their magnitude (a sum that cancels to zero)."""
ABSOLUTE_MOMENTS = 1e-9
TOLERANCE_TEXT = (
    "double within 1e-9 relative (1e-6 for real, and for CORR, STDDEV, VAR and COVAR rebuilt from sums), "
    "everything else exact"
)
_SHOWN_CHARS = 60


@dataclass(frozen=True)
class OrderKey:
    """One ORDER BY key by output position (from 0). Trino's default is NULLS LAST in both directions."""

    position: int
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class Comparison:
    """Whether two results are equal; `detail` is one sentence with at most one row of each side, cut short.

    Attributes:
        undecided: The rows could not be paired within the limits; `equal` is then False and means "not known".
        differing: Where results of one size differ: at least so many rows have no partner.
    """

    equal: bool
    detail: str
    undecided: bool = False
    differing: int | None = None


def compare(
    expected: ResultSet,
    actual: ResultSet,
    *,
    order: Sequence[OrderKey] = (),
    moments: Collection[int] = (),
) -> Comparison:
    """Compare the original's result with the rewrite's.

    Args:
        expected: The original's rows.
        actual: The rewrite's rows.
        order: The order that ORDER BY fixes; then `actual` must be sorted so, ties in any order. Leave it out when the
            ORDER BY was taken off and its keys are columns of both results.
        moments: Positions of columns that get the tolerance of rebuilt moments.
    """
    header = _compare_headers(expected, actual)
    if header is not None:
        return Comparison(False, header)
    if expected.truncated or actual.truncated:
        return Comparison(False, "the result has more rows than are fetched", undecided=True)
    if len(expected.rows) != len(actual.rows):
        return Comparison(False, f"{len(expected.rows)} rows became {len(actual.rows)}")
    columns = _Columns.of(expected.types, moments)
    bag = _compare_bags(expected, actual, columns)
    if not bag.equal or not order:
        return bag
    place = _first_unsorted(actual.rows, order, columns)
    if place is not None:
        return Comparison(False, f"the rows are not in the order asked for (row {place + 1})")
    return bag


def same_order(expected: Sequence[OrderKey], actual: Sequence[OrderKey]) -> bool:
    """Whether two ORDER BYs fix the same order: the same keys, directions and places of NULL."""
    return tuple(expected) == tuple(actual)


@dataclass(frozen=True)
class _Columns:
    """Which columns are compared exactly, and the tolerance of the others by position."""

    exact: tuple[int, ...]
    floats: FloatColumns
    nested: bool

    @classmethod
    def of(cls, types: Sequence[str], moments: Collection[int]) -> _Columns:
        exact: list[int] = []
        floats: dict[int, tuple[float, float]] = {}
        for position, name in enumerate(types):
            words = name.lower().replace("(", " ").replace(")", " ").replace(",", " ").split()
            if "double" not in words and "real" not in words:
                exact.append(position)
            elif position in moments:
                floats[position] = (RELATIVE_MOMENTS, ABSOLUTE_MOMENTS)
            else:
                floats[position] = (RELATIVE_REAL if "real" in words else RELATIVE, ABSOLUTE)
        nested = any("(" in name and name.lower().startswith(("array", "map", "row")) for name in types)
        return cls(tuple(exact), floats, nested)


def _compare_headers(expected: ResultSet, actual: ResultSet) -> str | None:
    if len(expected.names) != len(actual.names):
        return f"{len(expected.names)} columns became {len(actual.names)}"
    for position, (before, after) in enumerate(zip(expected.names, actual.names, strict=True)):
        if before != after:
            return f"column {position + 1}, {_shown(before)}, is named {_shown(after)} in the rewrite"
    for name, before, after in zip(expected.names, expected.types, actual.types, strict=True):
        if _type_key(before) != _type_key(after):
            return f"column {_shown(name)} is {before}, became {after}"
    return None


def _type_key(name: str) -> str:
    return "".join(name.lower().split())


def _compare_bags(expected: ResultSet, actual: ResultSet, columns: _Columns) -> Comparison:
    count = len(expected.rows)
    rows = _frozen(expected.rows, columns), _frozen(actual.rows, columns)
    left, right = _without_identical(*rows)
    if not left and not right:
        return Comparison(True, f"{count} rows equal")
    if not columns.floats:
        return Comparison(False, _difference(left, right, expected.names), differing=len(left))
    lost, undecided = _pair_groups(left, right, columns)
    if lost is not None and len(left) < count:
        # Taking out identical rows first may use up the partner of a row that is merely near; look at all of them.
        again, undecided = _pair_groups(*rows, columns)
        lost = lost if again is not None else None
    if lost is not None:
        return Comparison(False, _difference(*lost, expected.names), differing=len(lost[0]))
    if undecided:
        text = f"{undecided} rows differ only in floating point and are too many to be paired"
        return Comparison(False, text, undecided=True)
    return Comparison(True, f"{count} rows equal within the tolerance")


def _pair_groups(
    left: Sequence[Row], right: Sequence[Row], columns: _Columns
) -> tuple[tuple[Sequence[Row], Sequence[Row]] | None, int]:
    """Pair rows group by group of their exact columns.

    Returns:
        Rows of each side that have no partner, or None; and how many rows could not be decided.
    """
    by_key = by_exact_columns(right, columns.exact)
    unpaired: list[Row] = []
    undecided = 0
    for key, rows in by_exact_columns(left, columns.exact).items():
        lost, unknown = pair_rows(rows, by_key.pop(key, []), columns.floats)
        unpaired.extend(lost)
        undecided += unknown
    rest = [row for rows in by_key.values() for row in rows]
    if unpaired or rest:
        return (unpaired, rest or right), undecided
    return None, undecided


def _without_identical(left: Sequence[Row], right: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Both bags without the rows that are identical in them; what is left is small when the results are equal."""
    surplus = Counter(left)
    surplus.subtract(right)
    return list(_repeat(surplus, 1)), list(_repeat(surplus, -1))


def _repeat(surplus: Counter[Row], sign: int) -> Iterator[Row]:
    for row, times in surplus.items():
        for _ in range(times * sign):
            yield row


def _frozen(rows: Sequence[Sequence[Any]], columns: _Columns) -> Sequence[Row]:
    """The rows with hashable values; NaN becomes one value that equals itself."""
    if not columns.floats and not columns.nested:
        return [tuple(row) for row in rows]
    kinds = (float, list, tuple, dict)
    return [tuple([_freeze(value) if isinstance(value, kinds) else value for value in row]) for row in rows]


def _freeze(value: Any) -> Any:
    """A hashable value that equals another one exactly when the two are the same in a bag."""
    if isinstance(value, float):
        return NAN if math.isnan(value) else value
    if isinstance(value, (list, tuple)):
        return tuple(_freeze(item) for item in value)
    if isinstance(value, dict):
        return frozenset((key, _freeze(item)) for key, item in value.items())
    return value


def _first_unsorted(rows: Sequence[Row], order: Sequence[OrderKey], columns: _Columns) -> int | None:
    """The first row that stands before its predecessor in `order`; keys within the tolerance count as tied."""
    for place in range(1, len(rows)):
        if _is_before(rows[place], rows[place - 1], order, columns):
            return place
    return None


def _is_before(row: Row, other: Row, order: Sequence[OrderKey], columns: _Columns) -> bool:
    for key in order:
        mine, theirs = row[key.position], other[key.position]
        if mine is None or theirs is None:
            if mine is None and theirs is None:
                continue
            return (mine is None) == key.nulls_first
        mine, theirs = _sortable(mine), _sortable(theirs)
        if mine == theirs:
            continue
        tolerance = columns.floats.get(key.position)
        if tolerance is not None and floats_close(mine[1], theirs[1], tolerance):
            return False  # tied within the tolerance: what follows is not fixed either
        return bool(mine > theirs) if key.descending else bool(mine < theirs)
    return False


def _sortable(value: Any) -> Any:
    """NaN is the largest number in Trino's order."""
    if isinstance(value, float):
        return (1, 0.0) if math.isnan(value) else (0, value)
    return value


def _difference(left: Sequence[Row], right: Sequence[Row], names: Sequence[str]) -> str:
    """One sentence about rows that stand on one side only; never more than one row of each side."""
    if not left or not right:
        side, row = ("missing in the rewrite", left[0]) if left else ("only in the rewrite", right[0])
        return f"{max(len(left), len(right))} rows {side}, for example {_shown_row(row)}"
    mine = left[0]
    theirs = max(right[:1000], key=lambda other: sum(a == b for a, b in zip(mine, other, strict=True)))
    differing = [p for p, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b]
    cells = ", ".join(f"{names[p]}: {_shown(mine[p])} became {_shown(theirs[p])}" for p in differing[:4])
    more = f" and {len(differing) - 4} columns more" if len(differing) > 4 else ""
    return f"{len(left)} rows differ, for example {cells}{more}"


def _shown_row(row: Row) -> str:
    cells = ", ".join(_shown(value) for value in row[:8])
    return f"({cells}{', …' if len(row) > 8 else ''})"


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    text = "NaN" if value is NAN else str(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
