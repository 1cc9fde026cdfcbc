"""All tiny databases next to one on which a query returns something: every row gone, doubled, or changed in a column.

Crowded data sets show much at once, but a group of forty rows hides what one row more would show, and a wrong bound
shows only in a row that sits on it and passes everything else. Here every database is a handful of rows: the witness
rows of the query (one per table that it reads) with one or two changes. The values tried in a column are its constants,
what stands next to them, NULL, and a few plain ones.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.verify.changes import Changes
from heavy_stack.backend.advisor.verify.check_texts import LOWERED
from heavy_stack.backend.advisor.verify.column_types import (
    Kind,
    around,
    fitted,
    is_number,
    plain_values,
    read_type,
)
from heavy_stack.backend.advisor.verify.extremes import Extremes, Placed, Rows
from heavy_stack.backend.advisor.verify.neighbours import Neighbours
from heavy_stack.backend.advisor.verify.sketch import Sketch
from heavy_stack.backend.advisor.verify.surveys import Studied, Survey, survey
from heavy_stack.backend.advisor.verify.value_pools import KEY_BASE, Flavour, Pools
from heavy_stack.backend.advisor.verify.witnesses import (
    Witness,
    as_tuple,
    solve_values,
    spread_copies,
    spread_partners,
)

Database = dict[TableName, list[tuple[Any, ...]]]
"""Rows by table, in the table's column order."""

TWINS = 3
"""Witnesses that get a second one in the same group, whose other rows and numbers differ, and are then the same."""
EXTREME = 3
"""Witnesses next to which numbers are large."""
WITNESSES = 6
"""Databases that the others are made from, beside unions of two and three of them."""
MOST_COPIES = 5
"""Rows planted at most for a threshold on a count."""
PASSING_COPIES = LOWERED + 1
"""Rows planted for a higher one: it is lowered on both sides."""
MOST_VALUES = 9
MOST_CONSTANTS = 40
"""Values tried in one column: of the constants and what stands next to them, and with all constants."""
MOST_SAMPLES = 8
"""Texts tried for one pattern: some match, some just miss."""
_PATTERNS = ("like", "not_like", "regexp", "prefix")
_FLAVOUR = Flavour("tiny", 0.0, 3, 0, 0.0, 0.0, False, 0.0)


class SmallDatabases:
    """Makes the databases for one query.

    Args:
        catalog: The tables that are read, with the columns that are to be filled.
        query: The original, studied.
        others: The rewrite and the tables it reads: their constants are tried too.
        draw: Decides which of too many are made.
    """

    def __init__(self, catalog: Catalog, query: Studied, others: Sequence[Studied], draw: random.Random) -> None:
        self._query = query
        self._draw = draw
        self._found: Survey = survey([query, *others])
        self._pools = Pools(self._found, _FLAVOUR, draw)
        self._values: dict[tuple[TableName, str], list[Any]] = {}
        self._unwanted: dict[int, list[Placed]] = defaultdict(list)
        self._groups: dict[int, Mapping[tuple[TableName, str], Any]] = {}
        self._tables = {table.name: table for table in catalog.tables}
        self._rows: dict[int, tuple[Placed, tuple[Any, ...], str]] = {}
        self._beside_them = Neighbours(self._found, query, self.values)
        links = [link for each in (query, *others) for link in each.links]
        self._changes = Changes(self._found, links, self._pools, self.values, draw)

    def make(self, most: int) -> list[Database]:
        """At most so many databases, no two the same; nearest to a witness first."""
        found: dict[Any, Database] = {}
        for rows in islice(self._all(most), most * 3):
            key = tuple(sorted(self._made(placed)[2] for placed in rows))
            if key not in found:
                found[key] = self._database(rows)
            if len(found) >= most:
                break
        return list(found.values())

    def extreme(self) -> list[Database]:
        """A witness whose free numbers are the largest of their types, and the databases next to it.

        Sums that a double cannot hold tell an exact sum from one that went through a double. They may overflow.
        """
        free = Extremes(self._found, self._query, self.values)
        return [self._database(rows) for rows in free.around(self._witnesses()[:EXTREME])]

    def _all(self, most: int) -> Iterator[Rows]:
        self._unwanted.clear()
        witnesses = self._witnesses()
        yield ()
        yield from witnesses
        if not witnesses:
            return
        pairs = [(*mine, *other) for mine, other in combinations(witnesses[:3], 2)]
        triple = tuple(row for each in witnesses[:3] for row in each)
        yield from pairs
        yield triple
        twins = list(self._twins(witnesses[:TWINS]))
        yield from twins
        yield from self._neighbours(witnesses[0])
        # A share for each way of changing, so that none is crowded out; what is left of all is changed at random.
        refused = [(*base, row) for number, base in enumerate(witnesses) for row in self._unwanted.get(number, ())]
        yield from refused
        by = self._changes
        for bases, change, share in (
            (refused, by.last_changed, 0.1),
            (witnesses, by.one_gone, 0.1),
            (witnesses, by.partners_unknown, 0.05),
            (witnesses, by.spelled_otherwise, 0.05),
            ([*witnesses, *twins], by.renamed, 0.15),
            (witnesses, by.one_changed, 0.2),
            (witnesses, by.one_more, 0.2),
            (pairs, by.one_changed, 0.1),
            (pairs[:1], by.one_more, 0.1),
            (twins, by.one_changed, 0.15),
        ):
            yield from by.some([each for base in bases for each in change(base)], int(most * share))
        while True:
            yield by.often(self._draw.choice([*witnesses, *pairs, triple, *twins]))

    # What they are made from

    def _witnesses(self) -> list[Rows]:
        found: list[Rows] = []
        for number in range(WITNESSES):
            sketches = self._query.sketches
            sketch = sketches[number % len(sketches)] if sketches else None
            if sketch is None or not sketch.rows:
                return [tuple(self._plain_row(table) for table in self._tables.values())]
            counted = bool(sketch.thresholds) or any(row.copies > 1 for row in sketch.rows)
            beside = {1: 1, 2: 0}.get(number) if counted else None
            found.append(self._witness(sketch, number, beside))
        return found

    def _twins(self, witnesses: Sequence[Rows]) -> Iterator[Rows]:
        """Two witnesses in one group, made with other choices; then with the same numbers."""
        sketches = self._query.sketches
        for number, mine in enumerate(witnesses if sketches else ()):
            sketch = sketches[(number + 1) % len(sketches)]
            if not sketch.rows or number not in self._groups:
                continue
            other = self._witness(sketch, WITNESSES + number, None, self._groups[number])
            yield (*mine, *other)
            yield (*mine, *(self._measured_alike(placed, mine) for placed in other))
            empty = tuple(self._beside_them.unmeasured(placed, self._groups[number]) for placed in other)
            yield (*mine, *empty)
            first = {placed.table.name: placed for placed in reversed(mine)}
            for placed in (*other, *empty):  # one row more, beside whatever it joins
                if placed.table.name in first:
                    yield (*mine, self._joined_alike(placed, first[placed.table.name]))

    def _neighbours(self, mine: Rows) -> Iterator[Rows]:
        """The first witness with other groups beside it."""
        if 0 in self._groups:
            sketch = self._query.sketches[0]
            others = [self._witness(sketch, 2 * WITNESSES + number, 1) for number in (1, 2)]
            yield from self._beside_them.around((mine, others[0], others[1]), self._groups[0])

    def _measured_alike(self, placed: Placed, others: Rows) -> Placed:
        """A row with the free values of another one of its table."""
        first = next((each.row for each in others if each.table.name == placed.table.name), None)
        row = dict(placed.row)
        for name in row if first is not None else ():
            column = (placed.table.name, name)
            if column not in self._found.constraints and column not in self._found.keys:
                row[name] = first[name] if first is not None else None
        return Placed(placed.table, row)

    def _joined_alike(self, placed: Placed, other: Placed) -> Placed:
        """A row with the keys of another one of its table."""
        keys = {column for name, column in self._found.keys if name == placed.table.name}
        return Placed(placed.table, {**placed.row, **{name: other.row[name] for name in keys}})

    def _witness(
        self,
        sketch: Sketch,
        number: int,
        beside: int | None,
        group: Mapping[tuple[TableName, str], Any] | None = None,
    ) -> Rows:
        witness = solve_values(sketch, self._pools, self._draw, number, beside=beside, group=group)
        self._groups[number] = witness.group
        rows: list[Placed] = []
        for place, sketched in enumerate(sketch.rows):
            if place in sketch.missing:  # what NOT EXISTS or NOT IN must not find: it comes in as a row more
                self._unwanted[number].append(Placed(sketched.table, witness.rows[place]))
                continue
            passing = max(PASSING_COPIES, min(sketched.most or 0, MOST_COPIES))
            wanted = sketched.copies if sketched.copies <= MOST_COPIES else passing
            count = max(1, wanted - (beside == 0))
            if sketched.spread and count > 1:
                rows += self._spread(sketch, witness, place, count)
            else:
                rows += [Placed(sketched.table, witness.rows[place])] * count
        return tuple(rows)

    def _spread(self, sketch: Sketch, witness: Witness, place: int, count: int) -> Iterator[Placed]:
        """Copies of a row that a COUNT(DISTINCT …) tells apart, and what they join."""
        sketched = sketch.rows[place]
        copies = [dict(witness.rows[place]) for _ in range(count)]
        first = self._draw.randrange(1_000, KEY_BASE)
        spread_copies(copies, sketched.table, sketched.spread, first)
        tables = {row.table.name: row.table for row in sketch.rows}
        yield from (Placed(sketched.table, row) for row in copies)
        for name, row in spread_partners(sketch, witness, place, count, first):
            yield Placed(tables[name], row)

    def _plain_row(self, table: Table) -> Placed:
        return Placed(table, {column.name.lower(): self._pools.random_value(table, column) for column in table.columns})

    # Values

    def values(self, table: Table, column: Column) -> list[Any]:
        """What is tried in a column."""
        name = (table.name, column.name.lower())
        if name not in self._values:
            self._values[name] = self._make_values(name, column)
        return self._values[name]

    def _make_values(self, name: tuple[TableName, str], column: Column) -> list[Any]:
        kind = read_type(column.type)
        near: list[Any] = []
        named: list[Any] = []
        inside: list[Any] = []
        for constraint in self._found.constraints.get(name, ()):
            exact = [fitted(kind, item) for item in _constants(constraint.value)]
            near += [item for item in exact if item is not None]
            named += [item for item in exact if item is not None]
            near += [step for item in exact if item is not None for step in around(kind, item)[:2]]
            suggested = constraint.suggestions(kind, self._draw)
            if constraint.kind in _PATTERNS:
                near += suggested[:MOST_SAMPLES]
            inside += suggested
        plain = plain_values(kind)
        if kind.kind in (Kind.ARRAY, Kind.BOOLEAN, Kind.BINARY):
            values = plain
        else:
            self._draw.shuffle(inside)
            near = near if len(near) <= MOST_VALUES else self._draw.sample(near, MOST_VALUES)
            self._draw.shuffle(named)
            near = list(dict.fromkeys([*near, *named]))[:MOST_CONSTANTS]
            below = [value for value in plain if is_number(value) and value < 0][:1]
            values = list(dict.fromkeys([*near, *inside[:3], *plain[:3], *below]))
        values = [value for value in values if self._pools.keeps(name, value)]
        return [*values, None] if column.nullable else values

    def _database(self, rows: Rows) -> Database:
        found: Database = {}
        for placed in rows:
            table = self._tables.get(placed.table.name)
            if table is not None:
                found.setdefault(table.name, []).append(self._made(placed)[1])
        return found

    def _made(self, placed: Placed) -> tuple[Placed, tuple[Any, ...], str]:
        """A row as it is loaded, and as a text to tell it from others; most rows stand in many databases."""
        known = self._rows.get(id(placed))
        if known is None:
            table = self._tables.get(placed.table.name)
            row = as_tuple(table, placed.row) if table is not None else ()
            known = self._rows[id(placed)] = (placed, row, f"{placed.table.name}{row!r}")
        return known


def rows_of(databases: Sequence[Mapping[TableName, Sequence[Any]]]) -> int:
    """The rows of the largest."""
    return max((sum(len(rows) for rows in database.values()) for database in databases), default=0)


def _constants(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)
