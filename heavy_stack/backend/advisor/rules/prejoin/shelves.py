"""A pre-joined table as it stands: which column of which role of its fact lies in which of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heavy_stack.backend.advisor.artefacts import Candidate, StoredColumn, Table, TableName
from heavy_stack.backend.advisor.rules.prejoin.derived import Derived, derived_of
from heavy_stack.backend.advisor.rules.prejoin.extremes import base_of, extreme_named
from heavy_stack.backend.advisor.rules.prejoin.keys import filled_condition, key_condition
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Step
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.measures import stored_type
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.sql.trino_types import read_type

RoleColumn = tuple[str, str]
"""(role, column in lower case)."""
EXISTS = ""
"""In the place of a column: whether the role has a partner."""


@dataclass(frozen=True, eq=False)
class Shelf:
    """A pre-joined table: every row of the fact once, with its partners.

    Attributes:
        table: Name and columns, as the rest of a rewrite knows tables.
        fact: The fact's name.
        steps: Role → its join.
        columns: What is stored → the stored column's name.
        sort: What the rows are sorted by.
        filled: Of the joined columns those without NULL in their own table, so that NULL means: no partner. The first
            ones are asked first.
        is_draft: It holds more than will be built: what costs little is preferred to what needs no condition.
        derived: Columns of the fact that are not stored, but all that they are derived from is.
    """

    table: StoredTable
    fact: TableName
    steps: dict[str, Step]
    columns: dict[RoleColumn, str]
    sort: tuple[RoleColumn, ...] = ()
    filled: tuple[RoleColumn, ...] = ()
    is_draft: bool = False
    derived: Mapping[str, Derived] = field(default_factory=dict)

    def holds(self, place: RoleColumn) -> bool:
        """Whether the table gives this column."""
        return place in self.columns or (place[0] == FACT and place[1] in self.derived)

    def key_among(self, table: Table, columns: frozenset[str]) -> tuple[str, ...] | None:
        """The key by which this table was joined, where the columns hold it (see Keys.key_among)."""
        for step in self.steps.values():
            key = tuple(theirs for _, theirs in step.pairs)
            if step.table == table.name and set(key) <= columns:
                return key
        return None

    def conditions(self, asked: Iterable[RoleColumn]) -> dict[str, str]:
        """What must hold of the data, name → SQL that returns no row.

        Every key counts, also of joins that a text has no use for: one that repeats would repeat the fact's rows.

        Args:
            asked: The columns whose NULL a rewrite takes for a missing partner.
        """
        steps = [self.steps[role] for role in sorted(self.steps) if extreme_named(self.steps[role].table) is None]
        found = dict(key_condition(step.table, tuple(theirs for _, theirs in step.pairs)) for step in steps)
        for extreme in (extreme_named(self.steps[role].table) for role in sorted(self.steps)):
            if extreme is not None and extreme.rows:
                found |= extreme.conditions()
        return found | dict(filled_condition(base_of(self.steps[role].table), name) for role, name in sorted(asked))

    def above(self, role: str) -> list[str]:
        """The roles between a role and the fact."""
        found: list[str] = []
        while role != FACT:
            role = self.steps[role].parent
            found.append(role)
        return found


def storable_type(kind: str) -> str | None:
    """The type of a stored copy of a column; None where the copy's values would behave in another way."""
    known = read_type(kind)
    try:
        stored = stored_type(known)
    except NotAnswerable:
        return None
    return stored if known is not None and (str(known) == stored or known.base == "varchar") else None


def shelf_of(candidate: Candidate, name: TableName, columns: Iterable[StoredColumn]) -> Shelf:
    """The table of a candidate under its name, with the columns that were built."""
    evidence = candidate.evidence
    fact = TableName(*evidence["fact"])
    built = tuple(columns)
    steps: dict[str, Step] = {}
    roles: dict[str, str] = {str(evidence["alias"]): FACT}
    for alias, parent, parts, pairs in evidence["roles"]:
        step = Step(roles[parent], TableName(*parts), tuple((str(own), str(theirs)) for own, theirs in pairs))
        roles[alias] = step.role
        steps[step.role] = step
    stored: Mapping[str, Any] = evidence["stored"]
    places = {column.name: (roles[stored[column.name][0]], str(stored[column.name][1])) for column in built}
    table = StoredTable(
        candidate=candidate.id,
        name=name,
        core="",
        common=frozenset(),
        columns={column.sql: (column.name, column.type) for column in built},
        dimensions=frozenset(),
        rows=candidate.rows,
    )
    sort = tuple(places[str(column)] for column in evidence["sort"] if column in places)
    filled = tuple(places[str(column)] for column in evidence["filled"] if column in places)
    columns_by_place = {place: column for column, place in places.items()}
    derived = {
        name: each
        for name, each in derived_of(evidence).items()
        if all((FACT, part) in columns_by_place for part in each.parts)
    }
    return Shelf(table, fact, steps, columns_by_place, sort, filled, derived=derived)
