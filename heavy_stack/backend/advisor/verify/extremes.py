"""Rows with the largest numbers of their types: they tell exact sums from sums that went through a double."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table
from heavy_stack.backend.advisor.verify.column_types import Kind, extreme_values, fitted, read_type
from heavy_stack.backend.advisor.verify.surveys import Studied, Survey
from heavy_stack.backend.advisor.verify.witnesses import Row

UNEVEN = (100_000.1, 94_906_267)
CANCELLED = 16
"""Copies of the numbers that cancel."""


@dataclass(frozen=True)
class Placed:
    """A row in a table."""

    table: Table
    row: Row


Rows = tuple[Placed, ...]


class Extremes:
    """Makes such rows from a witness.

    Args:
        found: What the query, its rewrite and its tables say about the columns.
        query: The query alone.
        values: What is tried in a column.
    """

    def __init__(self, found: Survey, query: Studied, values: Callable[[Table, Column], list[Any]]) -> None:
        self._found = found
        self._query = query
        self._values = values

    def around(self, base: Rows) -> Iterator[Rows]:
        """Large numbers once, twice and beside the witness; then decimals that cancel."""
        large = tuple(self._enlarged(placed, 1) for placed in base)
        yield from (large, (*large, *large), (*base, *large))
        for apart in (False, True):
            alike = tuple(self._uneven(placed) for placed in base)
            if alike != base:
                yield self._thrice(alike, base, apart)
        if not self._query.inexact:  # sums of doubles depend on their order there, also in the original
            for apart in (False, True):
                rows = self._cancelling(base, apart)
                if rows != base:
                    yield rows

    def _enlarged(self, placed: Placed, sign: int, kinds: tuple[Kind, ...] = (Kind.INTEGER, Kind.DECIMAL)) -> Placed:
        """The row with the largest (1), the smallest (-1) or a tiny number (0) in each free column that is exact."""
        row = dict(placed.row)
        for column in placed.table.columns:
            kind = read_type(column.type)
            if kind.kind in kinds and self._is_free(placed.table, column):
                ends = extreme_values(kind)
                tiny = fitted(kind, 7 * Decimal(1).scaleb(-kind.scale))
                row[column.name.lower()] = ends[0] if sign > 0 else ends[-1] if sign else tiny
        return Placed(placed.table, row)

    def _uneven(self, placed: Placed) -> Placed:
        """The row with numbers whose squares no double holds, where deviations and correlations are computed.

        All rows have the same: a deviation is 0 then, unless it is rebuilt from sums and nothing looks at the values.
        """
        row = dict(placed.row)
        for column in placed.table.columns:
            name = (placed.table.name, column.name.lower())
            asked = name in self._found.constraints or name in self._found.keys
            if name in self._found.moments - self._found.products and name in self._found.used and not asked:
                kind = read_type(column.type)
                row[name[1]] = next((v for number in UNEVEN if (v := fitted(kind, number)) is not None), row[name[1]])
        return Placed(placed.table, row)

    def _thrice(self, rows: Rows, base: Rows, apart: bool) -> Rows:
        """Three of each row that is not as it was in the witness."""
        found: list[Placed] = []
        for placed, former in zip(rows, base, strict=True):
            several = [self._with_others(placed, place) if apart else placed for place in range(3)]
            found += several if placed != former else [placed]
        return tuple(found)

    def _is_free(self, table: Table, column: Column) -> bool:
        name = (table.name, column.name.lower())
        asked = name in self._found.constraints or name in self._found.keys
        return name in self._found.used and not asked and name not in self._found.moments - self._found.products

    def _cancelling(self, base: Rows, apart: bool) -> Rows:
        """Large decimals, tiny ones, and the opposites of the large ones: a sum of doubles loses what is left of them.

        Args:
            apart: What the query does not read differs, so that tables with finer groups keep them in several rows.
        """
        found: list[Placed] = []
        for placed in base:
            parts = [self._enlarged(placed, sign, (Kind.DECIMAL,)) for sign in (1, 0, -1)]
            if parts[0] == placed:
                found.append(placed)
                continue
            parts = [self._with_others(part, place) if apart else part for place, part in enumerate(parts)]
            for part, times in zip(parts, (CANCELLED, 1, CANCELLED), strict=True):
                found += [part] * times
        return tuple(found)

    def _with_others(self, placed: Placed, place: int) -> Placed:
        """The row with other values in columns that only rewrites read."""
        row = dict(placed.row)
        for column in placed.table.columns:
            name = (placed.table.name, column.name.lower())
            if name in self._found.used - self._query.used and name not in self._found.keys:
                values = [value for value in self._values(placed.table, column) if value is not None]
                row[name[1]] = values[place % len(values)] if values else row[name[1]]
        return Placed(placed.table, row)
