"""A witness in the making: rows of base tables whose columns are tied to each other and to conditions.

A *slot* is one column of one row. Slots that a join equates form a class and get one value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.advisor.verify.constraints import Constraint


class Slot(NamedTuple):
    """One column of one row of the sketch."""

    row: int
    column: str


class Link(NamedTuple):
    """`left` op `right` + `offset`, between slots that are not equated."""

    left: Slot
    op: str
    right: Slot
    offset: float


@dataclass(eq=False)
class Frame:
    """What the names of one SELECT mean: alias → output column → slot, or the expression behind it.

    Attributes:
        rows: Rows of the base tables in its own FROM.
        inner: Frames of the derived tables in its FROM.
        outer: The frame of the query around it, for correlated subqueries.
        grouped: It aggregates, so more rows in it do not mean more rows out of it.
        claimed: By slot, the aggregate (as SQL) whose rows were asked for by conditions on it.
        beside: By aggregate (as SQL), the frame of a row of its own in the same group.
    """

    sources: dict[str, dict[str, Meaning]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    inner: list[Frame] = field(default_factory=list)
    outer: Frame | None = None
    grouped: bool = False
    claimed: dict[Slot, str] = field(default_factory=dict)
    beside: dict[str, Frame] = field(default_factory=dict)

    def meaning(self, column: exp.Column) -> Meaning | None:
        """The slot or expression that a column reference means, also of the query around; None when unknown."""
        frame: Frame | None = self
        while frame is not None:
            source = frame.sources.get(column.table.lower())
            if source is not None:
                return source.get(column.name.lower())
            frame = frame.outer
        return None

    def countable_rows(self) -> list[int]:
        """Rows of which more copies mean more rows in this frame's aggregates."""
        found = list(self.rows)
        for frame in self.inner:
            if not frame.grouped:
                found += frame.countable_rows()
        return found


@dataclass(frozen=True, eq=False)
class Derived:
    """An output column of a derived table: its expression, in the frame where it stands."""

    node: exp.Expr
    frame: Frame


Meaning = Slot | Derived


@dataclass
class SketchRow:
    """One row to be made.

    Attributes:
        copies: How often it must stand there, at least; 0 when nothing asks for a number.
        most: How often it may stand there at most.
        spread: Columns that must differ from copy to copy (COUNT(DISTINCT …) above a threshold).
        optional: It stands on the outer side of a join: leaving it out is a case of its own.
    """

    table: Table
    copies: int = 0
    most: int | None = None
    spread: set[str] = field(default_factory=set)
    optional: bool = False


class Sketch:
    """Rows, classes of equal slots, their constraints, and links between classes.

    Attributes:
        rows: The rows to be made.
        constraints: What is asked of a slot.
        links: Comparisons between slots.
        group_slots: Slots that a query groups or partitions by.
        joins: Pairs of slots that were equated.
        missing: Rows that a NOT EXISTS or NOT IN must not find: only near misses of them may stand there.
        thresholds: What an aggregate over the slot is compared with.
        sums: Those of them where the aggregate is SUM.
    """

    def __init__(self) -> None:
        self.rows: list[SketchRow] = []
        self.constraints: dict[Slot, list[Constraint]] = defaultdict(list)
        self.links: list[Link] = []
        self.group_slots: set[Slot] = set()
        self.joins: list[tuple[Slot, Slot]] = []
        self.missing: set[int] = set()
        self.thresholds: dict[Slot, Constraint] = {}
        self.sums: set[Slot] = set()
        self._parent: dict[Slot, Slot] = {}

    def add_row(self, table: Table, *, optional: bool = False) -> int:
        """A new row of `table`; returns its place."""
        self.rows.append(SketchRow(table, optional=optional))
        return len(self.rows) - 1

    def find(self, slot: Slot) -> Slot:
        """The representative of the slot's class."""
        root = slot
        while self._parent.setdefault(root, root) != root:
            root = self._parent[root]
        while self._parent[slot] != root:
            self._parent[slot], slot = root, self._parent[slot]
        return root

    def equate(self, left: Slot, right: Slot) -> None:
        """Both slots get one value."""
        self.joins.append((left, right))
        self.unite(left, right)

    def unite(self, left: Slot, right: Slot) -> None:
        """The same where no join asks for it."""
        self._parent[self.find(left)] = self.find(right)

    def want_copies(self, rows: Sequence[int], op: str, number: int, spread: set[Slot]) -> None:
        """So many copies of one of these rows that a count compares so with a number."""
        busiest = max(rows, key=lambda row: (len(self.rows[row].table.columns), -row))
        row = self.rows[busiest]
        if op in (">", ">=", "="):
            row.copies = max(row.copies, number + (1 if op == ">" else 0))
        if op in ("<", "<=", "="):
            row.most = number - (1 if op == "<" else 0)
        row.spread |= {slot.column for slot in spread if slot.row == busiest}

    def classes(self) -> Iterator[tuple[list[Slot], list[Constraint]]]:
        """Every class of slots that anything is known about, with the constraints of all its slots."""
        members: dict[Slot, list[Slot]] = defaultdict(list)
        linked = {slot for link in self.links for slot in (link.left, link.right)}
        for slot in {*self._parent, *self.constraints, *self.group_slots, *linked}:
            members[self.find(slot)].append(slot)
        for slots in sorted(sorted(group) for group in members.values()):
            yield slots, [item for slot in slots for item in self.constraints.get(slot, ())]
