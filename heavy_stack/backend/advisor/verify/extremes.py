"""Rows with the largest numbers of their types: they tell exact sums from sums that went through a double."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import inf, nextafter
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.verify.column_types import ColumnType, Kind, extreme_values, fitted, read_type
from heavy_stack.backend.advisor.verify.surveys import Studied, Survey
from heavy_stack.backend.advisor.verify.witnesses import Row

UNEVEN = (100_000.9, 100_000.1, 109_804_926, 94_906_267)
"""Three of one of them: what is left of their squares, where it should be 0, is more or (the second that fits) less."""
NEARLY = 100_000.4
"""Less is left of two of it and the next double."""
VANISHING = 1e-170
"""Its square is no double but 0."""
MOMENTS = 4
"""Columns of deviations and correlations that are looked at one by one."""
MOMENT_ROWS = 3
"""Rows of a witness that are looked at so."""
CANCELLED = 16
"""Copies of the numbers that cancel."""
MANY = (200, 500, 1_000, 2_000)
"""Rows of one number, whose doubles lose a unit of the last place when they are added up."""
MANY_TABLES = 2
_TRIED = 100
_MOST_DIGITS = 14
"""Decimals with more digits lose them when they cancel."""


@dataclass(frozen=True)
class Placed:
    """A row in a table."""

    table: Table
    row: Row


Rows = tuple[Placed, ...]


class Extremes:
    """Makes such rows from witnesses.

    Args:
        found: What the query, its rewrite and its tables say about the columns.
        query: The query alone.
        values: What is tried in a column.
    """

    def __init__(self, found: Survey, query: Studied, values: Callable[[Table, Column], list[Any]]) -> None:
        self._found = found
        self._query = query
        self._values = values
        self._groups = {
            (sketch.rows[slot.row].table.name, slot.column) for sketch in query.sketches for slot in sketch.group_slots
        }

    def around(self, witnesses: Sequence[Rows]) -> Iterator[Rows]:
        """Large numbers once, twice and beside the first; then decimals that cancel, or stand there many times."""
        for base in witnesses[:1]:
            large = tuple(self._enlarged(placed, 1) for placed in base)
            yield from (large, (*large, *large), (*base, *large))
        for base in witnesses:
            yield from self._losing_digits(base)

    def _losing_digits(self, base: Rows) -> Iterator[Rows]:
        for apart, rank in ((False, 0), (True, 0), (True, 1)):
            alike = tuple(self._uneven(placed, rank) for placed in base)
            if alike != base:
                yield self._thrice(alike, base, apart)
        yield from self._one_uneven(base)
        if self._query.inexact:  # sums of doubles depend on their order there, also in the original
            return
        for rows in (self._cancelling(base, False), self._cancelling(base, True), *self._cancelling_one(base)):
            if rows != base:
                yield rows
        yield from self._many(base)

    def _enlarged(
        self, placed: Placed, sign: int, kinds: tuple[Kind, ...] = (Kind.INTEGER, Kind.DECIMAL), only: str = ""
    ) -> Placed:
        """The row with the largest (1), the smallest (-1) or a tiny number (0) in each free column that is exact."""
        row = dict(placed.row)
        for column in placed.table.columns:
            kind = read_type(column.type)
            if kind.kind in kinds and self._is_free(placed.table, column) and only in ("", column.name.lower()):
                ends = extreme_values(kind)
                tiny = fitted(kind, 7 * Decimal(1).scaleb(-kind.scale))
                row[column.name.lower()] = ends[0] if sign > 0 else ends[-1] if sign else tiny
        return Placed(placed.table, row)

    def _uneven(self, placed: Placed, rank: int) -> Placed:
        """The row with numbers whose squares no double holds, where deviations and correlations are computed.

        All rows have the same: a deviation is 0 then, unless it is rebuilt from sums and nothing looks at the values.
        """
        row = dict(placed.row)
        for name, kind in self._moments(placed):
            numbers = [value for number in UNEVEN if (value := fitted(kind, number)) is not None]
            numbers = [value for value in numbers if self._passes_alike(placed, name, value)]
            row[name] = numbers[min(rank, len(numbers) - 1)] if numbers else row[name]
        return Placed(placed.table, row)

    def _moments(self, placed: Placed) -> list[tuple[str, ColumnType]]:
        """The columns of a row that deviations and correlations read."""
        wanted = (self._found.moments - self._found.products) & self._found.used
        columns = [(column.name.lower(), read_type(column.type)) for column in placed.table.columns]
        return [
            (name, kind)
            for name, kind in columns
            if (placed.table.name, name) in wanted and (placed.table.name, name) not in self._found.keys
        ]

    def _passes_alike(self, placed: Placed, name: str, value: Any) -> bool:
        """Whether every condition on a column says the same of another value as of the one that the row has."""
        asked = self._found.constraints.get((placed.table.name, name), ())
        return all(item.holds(value) == item.holds(placed.row[name]) for item in asked)

    def _one_uneven(self, base: Rows) -> Iterator[Rows]:
        """Such numbers in one column of a row that stands three times, while the others differ, or are tiny."""
        for placed in list({id(each): each for each in base}.values())[:MOMENT_ROWS]:
            names = [name for name, _ in self._moments(placed)]
            wanted = [(name, tiny) for name in names[:MOMENTS] for tiny in (False, True)] if len(names) > 1 else []
            for alone, tiny in (*wanted, *([("", True)] if names else [])):
                rows = [self._differing(placed, number, alone, tiny) for number in (1, 1, 2)]
                if rows[0] != rows[2]:
                    yield (*(each for each in base if each is not placed), *rows)

    def _differing(self, placed: Placed, number: int, alone: str, tiny: bool) -> Placed:
        """One of two rows that differ in the columns of moments, but hardly in one of them."""
        even = self._uneven(placed, 0).row
        row = self._with_others(placed, number).row
        for name, kind in self._moments(placed):
            value = fitted(kind, number * (VANISHING if tiny else 1))
            if name == alone:
                nearly = tiny and kind.kind is Kind.FLOAT
                value = (NEARLY if number == 1 else nextafter(NEARLY, inf)) if nearly else even[name]
            if value is not None and self._passes_alike(placed, name, value):
                row[name] = value
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

    def _cancelling_one(self, base: Rows) -> Iterator[Rows]:
        """The same with one column after the other: products of large numbers overflow."""
        names = [
            (place, column.name.lower())
            for place, placed in enumerate(base)
            for column in placed.table.columns
            if read_type(column.type).kind is Kind.DECIMAL and self._is_free(placed.table, column)
        ]
        for place, name in names if len(names) > 1 else ():
            yield self._cancelling(base[place : place + 1], True, name) + base[:place] + base[place + 1 :]

    def _many(self, base: Rows) -> Iterator[Rows]:
        """One row of a table so often that a sum of its decimals as doubles loses a unit."""
        tables: set[TableName] = set()
        for place, placed in enumerate(base):
            row, times = dict(placed.row), 0
            for column in placed.table.columns:
                kind = read_type(column.type)
                if kind.kind is Kind.DECIMAL and self._is_free(placed.table, column):
                    value, copies = losing(kind)
                    row[column.name.lower()] = value if copies else row[column.name.lower()]
                    times = max(times, copies)
            if times and placed.table.name not in tables and len(tables) < MANY_TABLES:
                tables.add(placed.table.name)
                yield (*base[:place], *[Placed(placed.table, row)] * times, *base[place + 1 :])

    def _cancelling(self, base: Rows, apart: bool, only: str = "") -> Rows:
        """Large decimals, tiny ones, and the opposites of the large ones: a sum of doubles loses what is left of them.

        Args:
            only: The only column in which they stand.
            apart: What the query does not read differs, so that tables with finer groups keep them in several rows.
        """
        found: list[Placed] = []
        for placed in base:
            parts = [self._enlarged(placed, sign, (Kind.DECIMAL,), only) for sign in (1, 0, -1)]
            if parts[0] == placed:
                found.append(placed)
                continue
            parts = [self._with_others(part, place) if apart else part for place, part in enumerate(parts)]
            for part, times in zip(parts, (CANCELLED, 1, CANCELLED), strict=True):
                found += [part] * times
        return tuple(found)

    def _with_others(self, placed: Placed, place: int) -> Placed:
        """The row with other values in columns that only rewrites read, or that conditions see alike."""
        row = dict(placed.row)
        for column in placed.table.columns:
            name = (placed.table.name, column.name.lower())
            if name not in self._found.used - self._found.moments or name in self._found.keys or name in self._groups:
                continue
            values = [value for value in self._values(placed.table, column) if value is not None]
            if name in self._query.used:
                asked = name in self._found.constraints
                values = [value for value in values if asked and self._passes_alike(placed, name[1], value)]
            row[name[1]] = values[place % len(values)] if values else row[name[1]]
        return Placed(placed.table, row)


@lru_cache(maxsize=256)
def losing(kind: ColumnType) -> tuple[Decimal, int]:
    """A decimal, and how many of it make a sum of doubles lose a unit of the last place; 0 where too many would."""
    top, unit = Decimal(10) ** (kind.precision - kind.scale), Decimal(1).scaleb(-kind.scale)
    for times in MANY if kind.precision <= _MOST_DIGITS else ():
        for number in range(1, _TRIED):
            value = top - number * unit
            total = 0.0
            for _ in range(times):
                total += float(value)
            if abs(Decimal(total) - value * times) > unit * 3 / 4:
                return value, times
    return top - unit, 0
