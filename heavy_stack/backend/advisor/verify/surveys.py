"""What all queries together say about each base column: constants beside it, what it joins, how it is used."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.sketch import Sketch, Slot
from heavy_stack.backend.advisor.verify.solver import Solver

MOMENTS = (
    exp.Corr, exp.CovarPop, exp.CovarSamp, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
    exp.Skewness, exp.Kurtosis, exp.RegrSlope, exp.RegrIntercept,
)  # fmt: skip
"""Aggregates whose value rebuilt from sums loses digits to cancellation."""
MAX_KEPT = 400

ColumnId = tuple[TableName, str]


@dataclass
class Survey:
    """What is known about base columns.

    Attributes:
        constraints: Conditions on the column, each once, in order of appearance.
        used: Columns that any query reads.
        groups: Columns that any query groups or partitions by.
        moments: Columns inside CORR, STDDEV, … (no huge values there: their squares would not fit a double).
        keys: Columns that are equated with a column of another table or with another column → representative.
    """

    constraints: dict[ColumnId, dict[Constraint, None]] = field(default_factory=dict)
    used: set[ColumnId] = field(default_factory=set)
    groups: set[ColumnId] = field(default_factory=set)
    moments: set[ColumnId] = field(default_factory=set)
    keys: dict[ColumnId, ColumnId] = field(default_factory=dict)

    def key_of(self, column: ColumnId) -> ColumnId | None:
        """The representative of the column's key class; None when it joins nothing."""
        if column not in self.keys:
            return None
        while self.keys[column] != column:
            column = self.keys[column]
        return column

    def _equate(self, left: ColumnId, right: ColumnId) -> None:
        for column in (left, right):
            self.keys.setdefault(column, column)
        mine, other = self.key_of(left), self.key_of(right)
        if mine is not None and other is not None:
            self.keys[mine] = other


@dataclass(frozen=True)
class Studied:
    """A query with its resolved tree and scopes."""

    tree: exp.Query
    scope: Scope


def study(tree: exp.Query) -> Studied | None:
    """The tree with its scopes; None when it has none (VALUES, TABLE)."""
    scope = build_scope(tree)
    return Studied(tree, scope) if scope is not None else None


def survey(queries: Iterable[Studied], catalog: Catalog) -> Survey:
    """Look at every predicate of every query."""
    found = Survey()
    for query in queries:
        solver = Solver(catalog, random.Random(0), survey=True)
        sketch = solver.walk(query.scope)
        _note(sketch, found)
        _note_uses(query, solver, found)
    return found


def _column(sketch: Sketch, slot: Slot) -> ColumnId:
    return sketch.rows[slot.row].table.name, slot.column


def _note(sketch: Sketch, found: Survey) -> None:
    for slot, constraints in sketch.constraints.items():
        kept = found.constraints.setdefault(_column(sketch, slot), {})
        for constraint in constraints:
            if len(kept) < MAX_KEPT:
                kept[constraint] = None
    for left, right in sketch.joins:
        mine, other = _column(sketch, left), _column(sketch, right)
        if mine != other:  # a base column joined to its own aggregate is no key
            found._equate(mine, other)
    found.groups.update(_column(sketch, slot) for slot in sketch.group_slots)


def _note_uses(query: Studied, solver: Solver, found: Survey) -> None:
    sketch = solver.sketch
    for node, frame in solver.selects:
        for column in node.find_all(exp.Column):
            found.used.update(_column(sketch, slot) for slot in solver.slots_in(column, frame))
        for call in node.find_all(*MOMENTS):
            found.moments.update(_column(sketch, slot) for slot in solver.slots_in(call, frame))
        for product in node.find_all(exp.Mul, exp.Pow):
            # A product of two columns: its sum must stay exact too.
            slots = set(solver.slots_in(product, frame))
            if len(list(product.find_all(exp.Column))) > 1:
                found.moments.update(_column(sketch, slot) for slot in slots)
