"""The values that each column of a data set may take: the queries' constants and what stands next to them, first."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.verify.column_types import (
    ColumnType,
    Kind,
    extreme_values,
    fitted,
    is_number,
    plain_values,
    read_type,
)
from heavy_stack.backend.advisor.verify.constraints import joint_dates
from heavy_stack.backend.advisor.verify.surveys import Survey

KEY_BASE = 10_000
"""Keys of background rows start here, far from ordinary constants; witnesses take theirs above `WITNESS_BASE`."""
WITNESS_BASE = 500_000
MAX_POOL = 90
_KEY_DAY = dt.date(1925, 1, 1)


@dataclass(frozen=True)
class Flavour:
    """How one data set differs from the next.

    Attributes:
        null_rate: Share of NULLs in columns that may be NULL.
        pool: About how many values a column takes: few make dense groups and ties, many make sparse ones.
        rows: Background rows of a table.
        duplicates: Share of rows that are an exact copy of another.
        orphans: Share of keys that find no partner.
        extremes: Whether the ends of the types occur.
        repeated_keys: Share of rows that repeat the key of another row where a key would be expected to be unique.
        witnesses: Groups planted per query.
        near_misses: Whether rows stand beside the witnesses.
        most_queries: Witnesses are planted for at most so many queries, drawn at random.
    """

    name: str
    null_rate: float
    pool: int
    rows: int
    duplicates: float
    orphans: float
    extremes: bool
    repeated_keys: float
    witnesses: int = 3
    near_misses: bool = True
    most_queries: int = 100_000


class Pools:
    """Values by table and column, for one data set."""

    def __init__(self, found: Survey, flavour: Flavour, draw: random.Random) -> None:
        self._found = found
        self._flavour = flavour
        self._draw = draw
        self._pools: dict[tuple[TableName, str], list[Any]] = {}

    def values(self, table: Table, column: Column) -> list[Any]:
        """The pool of a column; never holds NULL, empty when no data is made for the type."""
        name = (table.name, column.name.lower())
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools[name] = self._make(name, read_type(column.type))
        return pool

    def random_value(self, table: Table, column: Column) -> Any:
        """A value for a background row: mostly from the pool, NULL at the flavour's rate."""
        if column.nullable and self._draw.random() < self._flavour.null_rate:
            return None
        pool = self.values(table, column)
        if not pool:
            return None if column.nullable else _something(read_type(column.type))
        return pool[min(self._draw.randrange(len(pool)), self._draw.randrange(len(pool)))]

    def _make(self, name: tuple[TableName, str], kind: ColumnType) -> list[Any]:
        constants: list[Any] = []
        for constraint in self._found.constraints.get(name, ()):
            constants += constraint.suggestions(kind, self._draw)
        constants += joint_dates(kind, list(self._found.constraints.get(name, ())), edges=True)
        plain = plain_values(kind)
        self._draw.shuffle(plain)
        if kind.kind in (Kind.BOOLEAN, Kind.ARRAY):
            return plain  # all there are; lists are not hashable either
        distinct = list(dict.fromkeys(constants))
        self._draw.shuffle(distinct)
        wanted = max(self._flavour.pool, 2)
        pool = distinct[: max(MAX_POOL if len(distinct) > wanted * 3 else wanted * 2, wanted)]
        pool = list(dict.fromkeys(pool + plain[: max(2, wanted - len(pool))]))
        if self._flavour.pool > len(pool):
            pool += _more(kind, self._flavour.pool - len(pool))
        if self._flavour.extremes and name not in self._found.moments:
            pool += extreme_values(kind)[:2]
        return [value for value in dict.fromkeys(pool) if self.keeps(name, value)]

    def keeps(self, name: tuple[TableName, str], value: Any) -> bool:
        """Whether a value may stand in a column.

        Columns of CORR, STDDEV, … hold whole numbers, halves and the queries' own constants only: with quarters, a
        deviation of exactly 0.125 is common, and rounds up or down by the last bit of a sum.
        """
        if not isinstance(value, float) or (value * 2).is_integer() or name not in self._found.moments:
            return True
        return any(
            constraint.kind == "compare" and is_number(constraint.value) and float(constraint.value) == value
            for constraint in self._found.constraints.get(name, ())
        )


def key_value(kind: ColumnType, number: int) -> Any:
    """The key with this number in a column of any type, so that columns of different types still join."""
    if kind.kind is Kind.TEXT:
        return fitted(kind, f"k{number}") or fitted(kind, _short(number, kind.length or 1))
    if kind.kind in (Kind.DATE, Kind.TIMESTAMP):
        return fitted(kind, _KEY_DAY + dt.timedelta(days=number % 20_000))
    if kind.kind is Kind.BOOLEAN:
        return number % 2 == 0
    for reduced in (number, number % 30_000, number % 100, number % 10):
        value = fitted(kind, reduced)
        if value is not None:
            return value
    return None


def _short(number: int, length: int) -> str:
    """A short text for a number: base 36, the last `length` digits."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text[-length:]


def _more(kind: ColumnType, count: int) -> list[Any]:
    """Further values without meaning, for many distinct groups."""
    if kind.kind is Kind.TEXT:
        return [text for text in (fitted(kind, f"v{number:02d}") for number in range(count)) if text is not None]
    if kind.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT):
        return [value for value in (fitted(kind, 50 + number * 3) for number in range(count)) if value is not None]
    return []


def _something(kind: ColumnType) -> Any:
    """A value for a NOT NULL column that no data is made for."""
    plain = plain_values(kind)
    return plain[0] if plain else None
