"""All tiny databases next to one on which a query returns something: every row gone, doubled, or changed in a column.

Crowded data sets show much at once, but a group of forty rows hides what one row more would show, and a wrong bound
shows only in a row that sits on it and passes everything else. Here every database is a handful of rows: the witness
rows of the query (one per table that it reads) with one or two changes. The values tried in a column are its constants,
what stands next to them, NULL, and a few plain ones.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog
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
from heavy_stack.backend.advisor.verify.literals import plus
from heavy_stack.backend.advisor.verify.neighbours import Neighbours
from heavy_stack.backend.advisor.verify.sketch import Sketch
from heavy_stack.backend.advisor.verify.surveys import Studied, Survey, survey
from heavy_stack.backend.advisor.verify.value_pools import Flavour, Pools
from heavy_stack.backend.advisor.verify.witnesses import as_tuple, solve_values

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
MOST_LINKS = 6
"""Comparisons with another column of the row that are tried exactly."""
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
        self._used = {name: set[str]() for name, _ in self._found.used}
        for name, column in self._found.used:
            self._used[name].add(column)
        self._values: dict[tuple[TableName, str], list[Any]] = {}
        self._unwanted: dict[int, list[Placed]] = defaultdict(list)
        self._groups: dict[int, Mapping[tuple[TableName, str], Any]] = {}
        self._links: dict[tuple[TableName, str], list[tuple[str, float]]] = defaultdict(list)
        for (table, left), (other, right), offset in sorted(link for each in (query, *others) for link in each.links):
            if table == other:
                self._links[table, left].append((right, offset))
                self._links[table, right].append((left, -offset))
        self._tables = {table.name: table for table in catalog.tables}
        self._beside_them = Neighbours(self._found, query, self.values)

    def make(self, most: int) -> list[Database]:
        """At most so many databases, no two the same; nearest to a witness first."""
        found: dict[Any, Database] = {}
        for rows in islice(self._all(most), most * 3):
            made = self._database(rows)
            key = tuple((name, tuple(sorted(map(repr, each)))) for name, each in sorted(made.items()))
            found.setdefault(key, made)
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
        for bases, change, share in (
            (refused, self._last_changed, 0.1),
            (witnesses, self._one_gone, 0.1),
            (witnesses, self._partners_unknown, 0.05),
            (witnesses, self._renamed, 0.1),
            (witnesses, self._one_changed, 0.2),
            (witnesses, self._one_more, 0.2),
            (pairs, self._one_changed, 0.1),
            (pairs[:1], self._one_more, 0.1),
            (twins, self._one_changed, 0.15),
        ):
            yield from self._some([rows for base in bases for rows in change(base)], int(most * share))
        while True:
            yield self._changed_often(self._draw.choice([*witnesses, *pairs, triple, *twins]))

    def _some(self, rows: list[Rows], most: int) -> list[Rows]:
        return rows if len(rows) <= most else self._draw.sample(rows, most)

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
            rows += [Placed(sketched.table, witness.rows[place])] * count
        return tuple(rows)

    def _plain_row(self, table: Table) -> Placed:
        return Placed(table, {column.name.lower(): self._pools.random_value(table, column) for column in table.columns})

    # Changes

    def _one_gone(self, base: Rows) -> Iterator[Rows]:
        for place in range(len(base)):
            yield (*base[:place], *base[place + 1 :])

    def _one_changed(self, base: Rows) -> Iterator[Rows]:
        """One row changed; where it stands several times, also all of them."""
        copies = Counter(id(each) for each in base)
        for place, placed in enumerate(base):
            times = copies.pop(id(placed), 0)
            for row in self._near(placed) if times else ():
                yield (*base[:place], row, *base[place + 1 :])
                if times > 1:
                    yield tuple(row if each is placed else each for each in base)

    def _partners_unknown(self, base: Rows) -> Iterator[Rows]:
        """NULL for a key of one row and for the same key of its partner: they join no longer."""
        slots = [
            (place, column.name.lower())
            for place, placed in enumerate(base)
            for column in placed.table.columns
            if column.nullable and (placed.table.name, column.name.lower()) in self._found.keys
        ]
        for (left, mine), (right, other) in combinations(slots, 2):
            if left != right and base[left].row[mine] is not None and base[left].row[mine] == base[right].row[other]:
                rows = list(base)
                rows[left] = Placed(base[left].table, {**base[left].row, mine: None})
                rows[right] = Placed(base[right].table, {**base[right].row, other: None})
                yield tuple(rows)

    def _renamed(self, base: Rows) -> Iterator[Rows]:
        """Another value in the place of one, in all rows that have it in a column or in what the column joins."""
        places: dict[tuple[Any, Any], list[tuple[Placed, Column]]] = defaultdict(list)
        for placed in {id(each): each for each in base}.values():
            for column in placed.table.columns:
                name = (placed.table.name, column.name.lower())
                held = placed.row[name[1]]
                if name[1] in self._used.get(name[0], ()) and held is not None and not isinstance(held, list):
                    places[self._found.key_of(name) or name, held].append((placed, column))
        for (_, held), slots in places.items():
            values = dict.fromkeys(
                value
                for placed, column in slots
                for value in (*self.values(placed.table, column), *self._beside(placed, column))
            )
            for value in values if len(slots) > 1 else ():
                if value != held and (
                    value is None or all(fitted(read_type(c.type), value) == value for _, c in slots)
                ):
                    changed = {id(placed): placed for placed, _ in slots}
                    for placed, column in slots:
                        changed[id(placed)] = self._with(changed[id(placed)], column, value)
                    yield tuple(changed.get(id(each), each) for each in base)

    def _last_changed(self, base: Rows) -> Iterator[Rows]:
        for row in self._near(base[-1]):
            yield (*base[:-1], row)

    def _one_more(self, base: Rows) -> Iterator[Rows]:
        """One row more, the same or with a difference; where a row stands several times, also as often again."""
        copies = Counter(id(each) for each in base)
        for placed in {id(each): each for each in base}.values():
            yield (*base, placed)
            for other in self._near(placed):
                yield (*base, other)
                if copies[id(placed)] > 1:
                    yield (*base, *[other] * copies[id(placed)])

    def _near(self, placed: Placed) -> Iterator[Placed]:
        for column in placed.table.columns:
            if column.name.lower() not in self._used.get(placed.table.name, ()):
                continue
            held = placed.row[column.name.lower()]
            for value in (*self.values(placed.table, column), *self._beside(placed, column)):
                if value != held:
                    yield self._with(placed, column, value)

    def _beside(self, placed: Placed, column: Column) -> list[Any]:
        """Values next to the one that a row has, and to those that a column beside it asks for."""
        name = (placed.table.name, column.name.lower())
        kind = read_type(column.type)
        held = placed.row[name[1]]
        found = around(kind, held)[-2:] if held is not None and kind.kind is not Kind.ARRAY else []
        for other, offset in self._links.get(name, ())[:MOST_LINKS]:
            anchor = placed.row.get(other)
            edge = fitted(kind, plus(anchor, offset)) if anchor is not None else None
            found += [edge, *around(kind, edge)[:2]] if edge is not None else []
        return [value for value in found if self._pools.keeps(name, value)]

    def _changed_often(self, base: Rows) -> Rows:
        """Two to four changes, drawn at random."""
        rows = list(base)
        for _ in range(self._draw.randint(2, 4)):
            if not rows:
                break
            place = self._draw.randrange(len(rows))
            what = self._draw.random()
            if what < 0.1:
                del rows[place]
                continue
            changed = self._drawn(rows[place])
            if what < 0.5:
                rows.append(changed)
            else:
                rows[place] = changed
        return tuple(rows)

    def _drawn(self, placed: Placed) -> Placed:
        used = self._used.get(placed.table.name, set())
        columns = [column for column in placed.table.columns if column.name.lower() in used]
        if not columns:
            return placed
        column = self._draw.choice(columns)
        values = self.values(placed.table, column)
        return self._with(placed, column, self._draw.choice(values)) if values else placed

    @staticmethod
    def _with(placed: Placed, column: Column, value: Any) -> Placed:
        return Placed(placed.table, {**placed.row, column.name.lower(): value})

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
                found.setdefault(table.name, []).append(as_tuple(table, placed.row))
        return found


def rows_of(databases: Sequence[Mapping[TableName, Sequence[Any]]]) -> int:
    """The rows of the largest."""
    return max((sum(len(rows) for rows in database.values()) for database in databases), default=0)


def _constants(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)
