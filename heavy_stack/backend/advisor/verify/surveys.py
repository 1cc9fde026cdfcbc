"""What all queries together say about each base column: constants beside it, what it joins, how it is used."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import build_scope

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.sketch import Sketch, Slot
from heavy_stack.backend.advisor.verify.solver import Solver

MOMENTS = (
    exp.Corr, exp.CovarPop, exp.CovarSamp, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
    exp.Skewness, exp.Kurtosis, exp.RegrSlope, exp.RegrIntercept,
)  # fmt: skip
"""Aggregates whose value rebuilt from sums loses digits to cancellation."""
MAX_KEPT = 400
SKETCHES = 6
"""Sketches per query: alternatives of an OR and branches of a CASE are chosen anew in each."""
_OTHERS_READ = ("expressions",)
_EXACT = ("decimal", "bigint", "integer", "smallint", "tinyint")

ColumnId = tuple[TableName, str]


@dataclass
class Survey:
    """What is known about base columns.

    Attributes:
        constraints: Conditions on the column, each once, in order of appearance.
        used: Columns that any query reads.
        moments: Columns inside CORR, STDDEV, … (no huge values there: their squares would not fit a double).
        products: Those of them that only stand in products of exact numbers.
        keys: Columns that are equated with a column of another table or with another column → representative.
    """

    constraints: dict[ColumnId, dict[Constraint, None]] = field(default_factory=dict)
    used: set[ColumnId] = field(default_factory=set)
    moments: set[ColumnId] = field(default_factory=set)
    products: set[ColumnId] = field(default_factory=set)
    keys: dict[ColumnId, ColumnId] = field(default_factory=dict)

    def key_of(self, column: ColumnId) -> ColumnId | None:
        """The representative of the column's key class; None when it joins nothing."""
        if column not in self.keys:
            return None
        while self.keys[column] != column:
            column = self.keys[column]
        return column

    def equate(self, left: ColumnId, right: ColumnId) -> None:
        """Both columns hold the same keys."""
        for column in (left, right):
            self.keys.setdefault(column, column)
        mine, other = self.key_of(left), self.key_of(right)
        if mine is not None and other is not None:
            self.keys[mine] = other


@dataclass(frozen=True)
class Studied:
    """What data sets need to know of one query; small, so that thousands of texts cost no trees.

    Attributes:
        sketches: Rows that the query would return, each found with other choices; none for a query that only adds
            constants.
        shape: Texts that differ in literals only share it; "" when not known.
        asked: The largest number of rows that a threshold on a count asks of one group.
        constraints: Conditions on base columns, also inside CASE and in branches that no sketch chose.
        links: Comparisons of a column with another one, an offset apart: left, right, offset.
        used, moments: See `Survey`.
        exact: Those of `moments` that only stand in products of whole numbers or decimals.
        inexact: Columns that a sum reads as doubles.
        joins: Pairs of columns that are equated.
    """

    sketches: tuple[Sketch, ...]
    shape: str
    asked: int
    constraints: dict[ColumnId, tuple[Constraint, ...]]
    used: frozenset[ColumnId]
    moments: frozenset[ColumnId]
    joins: frozenset[tuple[ColumnId, ColumnId]]
    links: frozenset[tuple[ColumnId, ColumnId, float]] = frozenset()
    exact: frozenset[ColumnId] = frozenset()
    inexact: frozenset[ColumnId] = frozenset()

    @property
    def tables(self) -> frozenset[TableName]:
        """Base tables that it reads."""
        return frozenset(name for name, _ in self.used) | {row.table.name for s in self.sketches for row in s.rows}


def study(
    tree: exp.Query, catalog: Catalog, draw: random.Random, *, shape: str = "", sketches: int = SKETCHES
) -> Studied:
    """Look at every predicate of a resolved query, and sketch rows that it would return.

    Args:
        draw: Decides the sketches' choices.
        shape: The text's fingerprint.
        sketches: How many sketches to make.
    """
    scope = build_scope(tree)
    if scope is None:
        return Studied((), shape, 0, {}, frozenset(), frozenset(), frozenset())
    solver = Solver(catalog, random.Random(0), survey=True)
    seen = solver.walk(scope)
    made = tuple(Solver(catalog, draw, arms=bool(number % 3)).walk(scope) for number in range(sketches))
    constraints: dict[ColumnId, tuple[Constraint, ...]] = {}
    for slot, asked in seen.constraints.items():
        column = _column(seen, slot)
        constraints[column] = tuple(dict.fromkeys((*constraints.get(column, ()), *asked)))[:MAX_KEPT]
    return Studied(
        made,
        shape,
        max((row.copies for sketch in made for row in sketch.rows), default=0),
        constraints,
        frozenset(_used_columns(solver)),
        frozenset(_moment_columns(solver)),
        frozenset((_column(seen, left), _column(seen, right)) for left, right in seen.joins),
        frozenset((_column(seen, link.left), _column(seen, link.right), link.offset) for link in seen.links),
        frozenset(_moment_columns(solver, exact=True)) - frozenset(_moment_columns(solver, exact=False)),
        frozenset(_inexact_columns(solver)),
    )


def survey(queries: Iterable[Studied]) -> Survey:
    """What all queries together say."""
    found = Survey()
    others: set[ColumnId] = set()
    for query in queries:
        for column, constraints in query.constraints.items():
            kept = found.constraints.setdefault(column, {})
            for constraint in constraints:
                if len(kept) < MAX_KEPT:
                    kept[constraint] = None
        found.used |= query.used
        found.moments |= query.moments
        others |= query.moments - query.exact
        found.products |= query.exact
        for left, right in sorted(query.joins):
            if left != right:  # a base column joined to its own aggregate is no key
                found.equate(left, right)
    found.products -= others
    return found


def _column(sketch: Sketch, slot: Slot) -> ColumnId:
    return sketch.rows[slot.row].table.name, slot.column


def _used_columns(solver: Solver) -> Iterator[ColumnId]:
    """Columns that decide the result; what a derived table selects counts only where the query around it reads it."""
    sketch = solver.sketch
    for node, frame, derived in solver.selects:
        for name, part in node.args.items():
            if name in _OTHERS_READ and derived or name == "with_":
                continue
            for item in part if isinstance(part, list) else [part]:
                if isinstance(item, exp.Expr):
                    yield from (_column(sketch, slot) for slot in solver.slots_in(item, frame))
    for slots in (sketch.group_slots, *sketch.joins):
        yield from (_column(sketch, slot) for slot in slots)


def _moment_columns(solver: Solver, *, exact: bool | None = None) -> Iterator[ColumnId]:
    """Columns inside CORR, STDDEV, … and in products of columns, whose sums must stay exact too.

    Args:
        exact: Only those in products whose type is exact; False: only the others.
    """
    for node, frame, _ in solver.selects:
        for call in node.find_all(*MOMENTS, exp.Mul, exp.Pow):
            if isinstance(call, (exp.Mul, exp.Pow)) and len(list(call.find_all(exp.Column))) < 2:
                continue
            is_exact = isinstance(call, exp.Mul) and (type_name(call) or "").startswith(_EXACT)
            if exact is not None and exact != is_exact:
                continue
            yield from (_column(solver.sketch, slot) for slot in solver.slots_in(call, frame))


def _inexact_columns(solver: Solver) -> Iterator[ColumnId]:
    """Columns inside aggregates over doubles: their sums depend on the order of rows in the last digits."""
    for node, frame, _ in solver.selects:
        for call in node.find_all(exp.AggFunc):
            argument = call.this
            counted = isinstance(call, (exp.Count, exp.CountIf, exp.Min, exp.Max))
            if isinstance(argument, exp.Expr) and not counted and not (type_name(argument) or "").startswith(_EXACT):
                yield from (_column(solver.sketch, slot) for slot in solver.slots_in(argument, frame))
