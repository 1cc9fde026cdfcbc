"""Small data sets made to break wrong rewrites: deterministic from the task's id and texts, pure Python.

Every data set holds, for each table the queries read:
    - background rows around a few templates, that share keys across tables but leave some without partner;
    - per query, witness rows of two or three groups, with near misses beside them;
    - NULLs everywhere, exact duplicates, ties, empty strings, the queries' constants and their neighbours.
The flavours differ in how dense the groups are, how many NULLs there are and whether the ends of the types occur.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.verify.column_types import read_type
from heavy_stack.backend.advisor.verify.sketch import Sketch
from heavy_stack.backend.advisor.verify.surveys import Studied, Survey, survey
from heavy_stack.backend.advisor.verify.value_pools import KEY_BASE, Flavour, Pools, key_value
from heavy_stack.backend.advisor.verify.witnesses import (
    MAX_COPIES,
    Row,
    Witness,
    as_tuples,
    copies_of,
    near_misses,
    one_missed,
    share_sum,
    solve_values,
    spread_copies,
    spread_partners,
)

FLAVOURS: tuple[Flavour, ...] = (
    Flavour("dense", 0.06, 4, 160, 0.15, 0.10, False, 0.10),
    Flavour("nulls", 0.30, 9, 200, 0.25, 0.20, True, 0.05),
    Flavour("sparse", 0.03, 26, 260, 0.05, 0.15, False, 0.15),
    Flavour("thin", 0.15, 3, 9, 0.0, 0.20, False, 0.20, witnesses=1, near_misses=False, most_queries=25),
    Flavour("bare", 0.10, 3, 3, 0.0, 0.30, False, 0.0, witnesses=0, near_misses=False),
    Flavour("empty", 0.0, 2, 0, 0.0, 0.0, False, 0.0, witnesses=0, near_misses=False),
)
"""The data sets that every task gets; more rounds repeat the first three with other seeds. The small ones show what
crowded data hides: groups of one row, groups in which no row satisfies a CASE, aggregates over nothing."""
WITHOUT_NULL_IN_LISTS = ("sparse", "dense")
"""Flavours whose repeats have no NULL in what a NOT IN lists: one would leave the query no row."""
CROWDED = 3
"""How many of them are made to return rows."""
FEW_QUERIES = 80
"""Up to so many queries, the crowded ones are made twice: cheap then, and what one misses the other mostly shows."""
WITNESSES = 3
ROWS_FOR_WITNESSES = 9_000
"""Shared by all queries of a data set; each gets at least a dozen rows beside its copies."""
FEW_COPIES = 8
"""Small data sets plant no more than this."""
ALL_PLANTED = 60
"""Up to so many queries, each gets the rows that its thresholds on counts ask for; of more, one of each shape."""
ROWS_FOR_COPIES = 40_000
"""Bound on the copies that HAVING thresholds ask for, over all queries of a data set."""


@dataclass(frozen=True)
class KeyRules:
    """What side conditions promise about the data, so that data sets keep the promise.

    Attributes:
        unique: Columns per table that together are unique.
        not_null: Columns per table that hold no NULL.
        determined: (column, columns of which each of its values has one value) per table.
    """

    unique: Mapping[TableName, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    not_null: Mapping[TableName, frozenset[str]] = field(default_factory=dict)
    determined: Mapping[TableName, tuple[tuple[str, tuple[str, ...]], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSet:
    """One data set: rows by table, in the table's column order."""

    name: str
    rows: dict[TableName, list[tuple[Any, ...]]]

    @property
    def size(self) -> int:
        """Rows of all tables."""
        return sum(len(rows) for rows in self.rows.values())


class DataSetMaker:
    """Makes data sets for the queries of one task.

    Args:
        catalog: The tables of the DDL.
        queries: What the data sets are for: they are to return rows.
        seed: Data sets are the same for the same seed and queries.
        also: Further queries (rewrites, tables of the design) whose constants are to occur too.
    """

    def __init__(self, catalog: Catalog, queries: Sequence[Studied], seed: str, also: Sequence[Studied] = ()) -> None:
        self._queries = queries
        self._seed = seed
        self._survey = survey([*queries, *also])
        self._planted = one_of_each_shape(queries) if len(queries) > ALL_PLANTED else None
        read = frozenset(name for query in (*queries, *also) for name in query.tables)
        self._tables = sorted((t for t in catalog.tables if t.name in read), key=lambda table: table.name)

    @property
    def survey(self) -> Survey:
        """What the queries say about each column."""
        return self._survey

    def small(self, rules: KeyRules | None = None) -> Iterator[DataSet]:
        """Data sets that show what crowded ones hide."""
        many = len(self._queries) > FEW_QUERIES
        wanted = (flavour for flavour in FLAVOURS[CROWDED:] if not many or flavour.name != "bare")
        return (self.make(flavour, 0, rules) for flavour in wanted)

    def crowded(self, rules: KeyRules | None = None) -> Iterator[DataSet]:
        """Data sets on which every query should return rows, at least three; made one by one."""
        repeats = range(2 if len(self._queries) <= FEW_QUERIES else 1)
        return (self.make(flavour, repeat, rules) for repeat in repeats for flavour in FLAVOURS[:CROWDED])

    def make(self, flavour: Flavour, round_number: int = 0, rules: KeyRules | None = None) -> DataSet:
        """One data set; another `round_number` gives other rows of the same flavour."""
        name = f"{flavour.name} {round_number + 1}" if round_number else flavour.name
        making = _Making(self._survey, self._tables, flavour, f"{self._seed}|{name}")
        return making.make(name, self._queries, rules or KeyRules(), self._planted)


class _Making:
    """One data set in the making."""

    def __init__(self, found: Survey, tables: Sequence[Table], flavour: Flavour, seed: str) -> None:
        self.draw = random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
        self.found = found
        self.tables = tables
        self.flavour = flavour
        self.pools = Pools(found, flavour, self.draw)
        self.rows: dict[TableName, list[Row]] = {table.name: [] for table in tables}
        self.copies_left = ROWS_FOR_COPIES
        self.plants = True
        self.listed: dict[TableName, set[str]] = {}

    def make(self, name: str, queries: Sequence[Studied], rules: KeyRules, planted: frozenset[int] | None) -> DataSet:
        if self.flavour.name in WITHOUT_NULL_IN_LISTS and name != self.flavour.name:
            for sketch in (sketch for query in queries for sketch in query.sketches):
                for slot in (slot for pair in sketch.joins for slot in pair if slot.row in sketch.missing):
                    self.listed.setdefault(sketch.rows[slot.row].table.name, set()).add(slot.column)
        for place, table in enumerate(self.tables):
            self._add_background(table, place)
        budget = max(12, min(70, ROWS_FOR_WITNESSES // max(1, len(queries))))
        if len(queries) > self.flavour.most_queries:
            queries = self.draw.sample(list(queries), self.flavour.most_queries)
        for number, query in enumerate(queries):
            self.plants = planted is None or id(query) in planted
            self._add_witnesses(query, number, budget)
        by_name = {table.name: table for table in self.tables}
        return DataSet(
            name, {name: self._finished(by_name[name], rows, rules) for name, rows in sorted(self.rows.items())}
        )

    # Background rows

    def _add_background(self, table: Table, place: int) -> None:
        used = [column for column in table.columns if (table.name, column.name.lower()) in self.found.used]
        keys = [column for column in used if self._key(table, column) is not None]
        own_key = len({self._key(table, column) for column in keys}) == 1
        templates = [self._fresh_row(table) for _ in range(max(3, min(self.flavour.pool, 12)))]
        others = [column for column in used if column not in keys]
        for number in range(self.flavour.rows):
            row = dict(self.draw.choice(templates))
            for column in self.draw.sample(others, min(len(others), self.draw.randint(0, 1 + len(others) // 3))):
                row[column.name.lower()] = self.pools.random_value(table, column)
            for column in keys:
                row[column.name.lower()] = self._key_for(table, column, number if own_key else None, place)
            self.rows[table.name].append(row)
            if self.draw.random() < self.flavour.duplicates and not own_key:
                self.rows[table.name].append(dict(row))

    def _key(self, table: Table, column: Column) -> object:
        return self.found.key_of((table.name, column.name.lower()))

    def _fresh_row(self, table: Table) -> Row:
        row: Row = {}
        for column in table.columns:
            known = (table.name, column.name.lower()) in self.found.used or not column.nullable
            row[column.name.lower()] = self.pools.random_value(table, column) if known else None
        return row

    def _key_for(self, table: Table, column: Column, number: int | None, place: int) -> Any:
        """A key that other tables have too, mostly; `number` where the table's keys are to be nearly unique."""
        kind = read_type(column.type)
        constants = self.found.constraints.get((table.name, column.name.lower()))
        if constants and self.draw.random() < 0.3:
            return self.pools.random_value(table, column)
        if column.nullable and self.draw.random() < self.flavour.null_rate / 2:
            return None
        if self.draw.random() < self.flavour.orphans:
            return key_value(kind, KEY_BASE * (place + 2) + self.draw.randrange(self.flavour.rows))
        if number is None or self.draw.random() < self.flavour.repeated_keys:
            number = min(self.draw.randrange(self.flavour.rows), self.draw.randrange(self.flavour.rows))
        return key_value(kind, KEY_BASE + number)

    # Witness rows

    def _add_witnesses(self, query: Studied, number: int, budget: int) -> None:
        left = budget
        first = self.draw.randrange(len(query.sketches) or 1)
        for repeat in range(self.flavour.witnesses):
            sketch = query.sketches[(first + repeat) % len(query.sketches)] if query.sketches else None
            if sketch is None or not sketch.rows:
                return
            # Beside a count's threshold: one group well above, one just above, one just below it, the latter two
            # exactly, so nothing else may fall into them.
            exactly = repeat > 0 and (bool(sketch.thresholds) or any(row.copies > 1 for row in sketch.rows))
            beside = (None, 1, 0)[repeat] if exactly else None
            witness = solve_values(sketch, self.pools, self.draw, number * WITNESSES + repeat, beside=beside)
            budget_here = max(4, left // (self.flavour.witnesses - repeat)) if self.flavour.near_misses else 0
            left -= self._add_witness(query, sketch, witness, beside, 0 if exactly else budget_here)

    def _add_witness(self, query: Studied, sketch: Sketch, witness: Witness, beside: int | None, budget: int) -> int:
        """Add a witness and rows near it.

        Args:
            beside: 1 just above the thresholds, 0 just below, None well above.
            budget: How many rows may stand beside it.

        Returns:
            How many rows count against the query's budget.
        """
        free = [
            frozenset(column for name, column in query.used if name == table.name) - witness.fixed[place]
            for place, table in enumerate(witness.tables)
        ]
        added = 0
        busiest = max(range(len(witness.rows)), key=lambda place: (len(witness.watched[place]), -place))
        for place, sketched in enumerate(sketch.rows):
            if place in sketch.missing:
                missed = one_missed(witness, place, sketch, self.pools, self.draw)
                self.rows[sketched.table.name] += [missed] if missed is not None else []
                continue
            count = 1
            if beside is None and self.flavour.near_misses and (place == busiest or sketched.copies):
                count = self.draw.choice((2, 3, 3, 4))
            if sketched.copies > 1:
                count = self._planted(max(1, sketched.copies + (2 if beside is None else beside - 1)))
            if sketched.most is not None:
                count = max(1, min(count, sketched.most + (beside == 0)))
            others = frozenset(name for table, name in self.found.used if table == sketched.table.name) - free[place]
            rows = copies_of(witness, place, count, self.pools, free[place], others, self.draw)
            for slot in sorted(sketch.sums) if beside is None and self.draw.random() < 0.5 else ():
                if slot.row == place:
                    share_sum(rows, slot, sketch.thresholds[slot], sketched.table)
            if sketched.spread:
                first = self.draw.randrange(1_000, KEY_BASE - MAX_COPIES)
                spread_copies(rows, sketched.table, sketched.spread, first)
                for name, row in spread_partners(sketch, witness, place, len(rows), first):
                    self.rows[name].append(row)
            self.rows[sketched.table.name] += rows
            added += min(count, 4)
        return added + self._add_near_misses(query, witness, free, max(0, budget - added))

    def _planted(self, count: int) -> int:
        """How many copies to plant for a threshold; two when they are too many, and the query then returns nothing."""
        few = not (self.flavour.near_misses and self.plants) and count > FEW_COPIES
        if few or count > MAX_COPIES or count > self.copies_left:
            return 2
        self.copies_left -= count
        return count

    def _add_near_misses(self, query: Studied, witness: Witness, free: Sequence[frozenset[str]], budget: int) -> int:
        found: list[tuple[TableName, Row]] = []
        for place, table in enumerate(witness.tables):
            decided = {column for name, column in query.constraints if name == table.name}
            misses = near_misses(witness, place, self.pools, sorted(decided & free[place]), self.draw)
            found += [(table.name, row) for _, row in misses]
        self.draw.shuffle(found)
        for name, row in found[:budget]:
            self.rows[name].append(row)
        return min(len(found), budget)

    # The end

    def _finished(self, table: Table, rows: list[Row], rules: KeyRules) -> list[tuple[Any, ...]]:
        listed = self.listed.get(table.name, ())
        kept = _keeping_rules(table, [row for row in rows if all(row[name] is not None for name in listed)], rules)
        self.draw.shuffle(kept)
        return list(as_tuples(table, kept))


def one_of_each_shape(queries: Sequence[Studied]) -> frozenset[int]:
    """Of the queries that differ in literals only, the one that asks for the largest groups (by `id`).

    The rows planted for it pass the lower thresholds of the others too; who still returns nothing is tried again in a
    further round, among fewer.
    """
    most: dict[str, Studied] = {}
    for query in queries:
        known = most.get(query.shape)
        if known is None or query.asked > known.asked:
            most[query.shape] = query
    return frozenset(id(query) for query in most.values())


def _keeping_rules(table: Table, rows: list[Row], rules: KeyRules) -> list[Row]:
    """The rows without those that break a promise."""
    required = {column.name.lower() for column in table.columns if not column.nullable}
    required |= rules.not_null.get(table.name, frozenset())
    kept = [row for row in rows if all(row[name] is not None for name in required)]
    for column, others in rules.determined.get(table.name, ()):
        first: dict[Any, Row] = {}
        kept = [
            row
            if row[column] is None
            else {**row, **{name: first.setdefault(row[column], row)[name] for name in others}}
            for row in kept
        ]
    for columns in rules.unique.get(table.name, ()):
        seen: set[tuple[Any, ...]] = set()
        unique = []
        for row in kept:
            key = tuple(row[name] for name in columns)
            if key not in seen:
                seen.add(key)
                unique.append(row)
        kept = unique
    return kept
