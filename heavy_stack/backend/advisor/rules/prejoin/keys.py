"""Which columns tell a table's rows apart, by its statistics, and the query that proves it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Protocol

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table, TableFacts, TableName
from heavy_stack.backend.advisor.rules.rollup.trees import joined
from heavy_stack.backend.advisor.sql.printing import trino_sql

EXACT_ROWS = 200_000
"""Up to here engines count distinct values exactly; above, a sketch errs by some per cent."""
SKETCH_ERROR = 0.12
MAX_KEY_COLUMNS = 3
"""Longer keys are seldom joined on whole, and counting their values is slow."""

Repeats = Callable[[str], int | None]
"""Number of rows of a condition: keys that stand in several rows; None where that is unknown."""


class KeyFinder(Protocol):
    """Knows which columns tell a table's rows apart."""

    def key_among(self, table: Table, columns: frozenset[str]) -> tuple[str, ...] | None:
        """The shortest key that consists of some of these columns."""


class Keys:
    """Finds unique keys among columns that a query joins on.

    Args:
        facts: Statistics by full table name.
        repeats: Counts the keys that a condition finds in several rows.
    """

    def __init__(self, facts: Mapping[str, TableFacts], repeats: Repeats | None = None) -> None:
        self._facts = facts
        self._repeats = repeats
        self._known: dict[tuple[TableName, tuple[str, ...]], bool] = {}
        self._declared: dict[TableName, tuple[tuple[str, ...], ...]] = {}

    def declare(self, name: TableName, keys: tuple[tuple[str, ...], ...]) -> None:
        """What is unique by construction, the key to be preferred first."""
        self._declared[name] = keys

    def is_filled(self, table: Table, columns: tuple[str, ...]) -> bool:
        """Whether these columns have a value in every row, as far as statistics say."""
        facts = self._facts.get(str(table.name))
        by_name = {name.lower(): column for name, column in facts.columns.items()} if facts is not None else {}
        return all(column in by_name and not by_name[column].nulls for column in columns)

    def key_among(self, table: Table, columns: frozenset[str]) -> tuple[str, ...] | None:
        """The shortest key that consists of some of these columns."""
        if table.name in self._declared:
            return next((key for key in self._declared[table.name] if columns.issuperset(key)), None)
        for size in range(1, min(len(columns), MAX_KEY_COLUMNS) + 1):
            for key in combinations(sorted(columns), size):
                if self.is_key(table, key):
                    return key
        return None

    def is_key(self, table: Table, columns: tuple[str, ...]) -> bool:
        """Whether no two rows have the same values in these columns, as far as statistics say."""
        known = self._known.get((table.name, columns))
        if known is None:
            known = self._known[(table.name, columns)] = self._looks_unique(table, columns)
        return known

    def _looks_unique(self, table: Table, columns: tuple[str, ...]) -> bool:
        """By statistics where they are exact, else by the very condition that a rewrite will rest on."""
        facts = self._facts.get(str(table.name))
        if facts is None or not facts.rows:
            return False
        by_name = {name.lower(): column for name, column in facts.columns.items()}
        known = [by_name.get(column.lower()) for column in columns]
        counts = [column.distinct for column in known if column is not None and column.distinct is not None]
        nulls = max((column.nulls or 0 for column in known if column is not None), default=0)
        if len(counts) != len(columns) or not _fits(math.prod(counts), facts.rows - nulls):
            return False
        if len(columns) == 1 and facts.rows <= EXACT_ROWS:
            return True
        found = self._repeats(key_condition(table.name, columns)[1]) if self._repeats is not None else None
        return found == 0 if found is not None else len(columns) == 1


def _fits(distinct: int, rows: int) -> bool:
    if rows <= EXACT_ROWS:
        return rows > 0 and distinct >= rows
    return distinct >= rows * (1 - SKETCH_ERROR)


def key_condition(name: TableName, columns: tuple[str, ...]) -> tuple[str, str]:
    """(name, SQL that returns a row where the key is not unique); keys with a NULL join nothing."""
    keys = [exp.column(column, quoted=True) for column in columns]
    filled = joined([exp.Not(this=exp.Is(this=key, expression=exp.Null())) for key in keys])
    many = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
    select = exp.Select(expressions=keys).from_(table_of(name)).where(filled).group_by(*keys).having(many)
    return f"{name.name} has one row per {', '.join(columns)}", trino_sql(select)


def filled_condition(name: TableName, column: str) -> tuple[str, str]:
    """(name, SQL that returns a row where the column is NULL)."""
    found = exp.column(column, quoted=True)
    empty = exp.Is(this=found.copy(), expression=exp.Null())
    select = exp.Select(expressions=[found]).from_(table_of(name)).where(empty)
    return f"{name.name} has {column} in every row", trino_sql(select)


def table_of(name: TableName, alias: str | None = None) -> exp.Table:
    """A table's full name as a source."""
    source = exp.Table(
        this=exp.to_identifier(name.name, quoted=True),
        db=exp.to_identifier(name.schema, quoted=True),
        catalog=exp.to_identifier(name.catalog, quoted=True),
    )
    if alias is not None:
        source.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return source
