"""Tables that nobody has: one row per key with the greatest (or least) value of another column.

A pre-join may join one of these as it joins any table: its key is unique by construction. Joined to its own base table
by the key and the value, it marks the newest row of each key; the mark is a boolean that takes next to no room.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableFacts, TableName
from heavy_stack.backend.advisor.rules.prejoin.keys import filled_condition, key_condition, table_of
from heavy_stack.backend.advisor.rules.rollup.trees import joined
from heavy_stack.backend.advisor.sql.catalog import Catalog

_PREFIX = "extreme:"
MARKS = {"MAX": "is_newest", "MIN": "is_oldest"}
_EXACT = ("date", "timestamp", "tinyint", "smallint", "integer", "bigint", "decimal", "varchar")
"""Types whose greatest value equals the value of its row: NaN equals nothing."""
_CALLS: dict[str, type[exp.Func]] = {"MAX": exp.Max, "MIN": exp.Min}


@dataclass(frozen=True)
class Extreme:
    """`SELECT keys, MAX(column) AS column, TRUE AS mark FROM table GROUP BY keys`.

    Attributes:
        table: The base table.
        keys: What it groups by, sorted; lower case, as `column`.
        column: What the greatest or least value is taken of.
        function: MAX or MIN.
        unique: Keys and column tell the base table's rows apart, so that no two rows of a key have the value.
        rows: Not the values but the base table's rows that have them, one per key: only where `unique`.
    """

    table: TableName
    keys: tuple[str, ...]
    column: str
    function: str = "MAX"
    unique: bool = False
    rows: bool = False

    @property
    def name(self) -> TableName:
        """The name by which steps, shelves and artefacts know it."""
        spelled = json.dumps([self.table.name, self.function, self.column, list(self.keys), self.unique, self.rows])
        return TableName(self.table.catalog, self.table.schema, _PREFIX + spelled)

    @property
    def mark(self) -> str:
        """The column that is TRUE in every row."""
        return MARKS[self.function]

    def as_table(self, catalog: Catalog) -> Table | None:
        """It as a table of the DDL; None where columns are missing, of inexact types, or of the mark's name."""
        base = catalog.table(self.table)
        types = {each.name.lower(): each.type for each in base.columns} if base is not None else {}
        names = (*self.keys, self.column)
        if not all(types.get(name, "").startswith(_EXACT) for name in names):
            return None
        if self.mark in names or self.column in self.keys:
            return None
        if self.rows and base is not None:
            return Table(self.name, base.columns)
        columns = [Column(name, types[name]) for name in names]
        return Table(self.name, (*columns, Column(self.mark, "boolean", nullable=False)))

    def source(self, alias: str) -> exp.Subquery:
        """It as a source of a FROM."""
        keys = [exp.column(key, quoted=True) for key in self.keys]
        value = _CALLS[self.function](this=exp.column(self.column, quoted=True))
        items: list[exp.Expr] = [exp.alias_(key.copy(), key.name, quoted=True) for key in keys]
        items.append(exp.alias_(value, self.column, quoted=True))
        items.append(exp.alias_(exp.true(), self.mark, quoted=True))
        select = exp.Select(expressions=items).from_(table_of(self.table))
        select.set("group", exp.Group(expressions=keys))
        if self.rows:
            select = self._rows(select)
        return exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))

    def _rows(self, values: exp.Select) -> exp.Select:
        own, other = "every", MARKS[self.function].removeprefix("is_")
        every = exp.Column(this=exp.Star(), table=exp.to_identifier(own, quoted=True))
        on: list[exp.Expr] = [
            exp.EQ(this=exp.column(name, table=other, quoted=True), expression=exp.column(name, table=own, quoted=True))
            for name in (*self.keys, self.column)
        ]
        source = exp.Subquery(this=values, alias=exp.TableAlias(this=exp.to_identifier(other, quoted=True)))
        select = exp.Select(expressions=[every]).from_(table_of(self.table, own))
        select.append("joins", exp.Join(this=source, on=joined(on)))
        return select

    def conditions(self) -> dict[str, str]:
        """What must hold of the data where a window asks: name → SQL that returns no row."""
        columns = (*self.keys, self.column)
        found = dict([key_condition(self.table, columns)]) if self.unique else {}
        return found | dict(filled_condition(self.table, column) for column in columns)


def extreme_named(name: TableName) -> Extreme | None:
    """The one of this name; None where the name is a table's."""
    if not name.name.startswith(_PREFIX):
        return None
    try:
        table, function, column, keys, unique, rows = json.loads(name.name.removeprefix(_PREFIX))
    except ValueError:
        return None
    base = TableName(name.catalog, name.schema, str(table))
    return Extreme(base, tuple(map(str, keys)), str(column), str(function), bool(unique), bool(rows))


def table_named(name: TableName, catalog: Catalog) -> Table | None:
    """The table of the DDL, or the extreme, of this name."""
    extreme = extreme_named(name)
    return catalog.table(name) if extreme is None else extreme.as_table(catalog)


def base_of(name: TableName) -> TableName:
    """The table of the DDL that is read."""
    extreme = extreme_named(name)
    return name if extreme is None else extreme.table


def word_for(name: TableName) -> str:
    """What aliases and sentences call it."""
    extreme = extreme_named(name)
    return name.name if extreme is None else f"{extreme.mark.removeprefix('is_')}_{extreme.table.name}"


def source_named(name: TableName, alias: str) -> exp.Expr:
    """The table, or the extreme, as a source."""
    extreme = extreme_named(name)
    return table_of(name, alias) if extreme is None else extreme.source(alias)


def catalog_with(extremes: Iterable[Extreme], catalog: Catalog) -> Catalog:
    """A catalog that also knows these."""
    tables = {each.name: table for each in extremes if (table := each.as_table(catalog)) is not None}
    return catalog.with_tables([tables[name] for name in sorted(tables)]) if tables else catalog


def facts_with(extremes: Iterable[Extreme], facts: Mapping[str, TableFacts]) -> dict[str, TableFacts]:
    """Statistics that also speak of these."""
    found = dict(facts)
    for each in extremes:
        known = facts.get(str(each.table))
        if known is None or known.rows is None:
            continue
        columns = {name.lower(): ColumnFacts(distinct=column.distinct) for name, column in known.columns.items()}
        counts = [columns[key].distinct or known.rows for key in each.keys if key in columns]
        rows = min(known.rows, max(counts, default=known.rows))
        kept = {name: columns[name] for name in (*each.keys, each.column) if name in columns}
        found[str(each.name)] = TableFacts(rows, None, dict(known.columns) if each.rows else kept)
    return found
