"""How many bytes a stored column takes, from the values that it has: Parquet, dictionary or plain, then compressed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from heavy_stack.backend.advisor.artefacts import ColumnFacts, Table, TableFacts
from heavy_stack.backend.advisor.rules.prejoin.extremes import table_named
from heavy_stack.backend.advisor.rules.prejoin.shelves import EXISTS, RoleColumn
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Step
from heavy_stack.backend.advisor.sql.catalog import Catalog

SORTED_BYTES = 0.01
"""A value of a column that follows the sort order: it is stored once per run."""
_UNKNOWN_SHARE = 1.5
"""A column without statistics is no key, filter or group, so most likely a measure: above the average width."""
_LONGEST = {"boolean": 0.15, "date": 2.5, "integer": 4.0, "real": 4.0}
_TEXT_BYTES = 12.0
_OVERHEAD = 1.1
_FACTORS = (0.4, 1.1)
"""How far a table's true size may lie from the sum of its columns' estimates: rows often lie in runs."""


class Widths:
    """Bytes per row of what a pre-joined table could hold.

    Args:
        fact: Its fact.
        steps: Role → join.
        sort: What it is sorted by.
        catalog: The DDL's tables.
        facts: Statistics by full table name.
        rows: Rows of the fact.
    """

    def __init__(
        self,
        fact: Table,
        steps: Mapping[str, Step],
        sort: tuple[RoleColumn, ...],
        catalog: Catalog,
        facts: Mapping[str, TableFacts],
        rows: int,
    ) -> None:
        self._steps, self._facts, self._rows = steps, facts, rows
        self._tables = {FACT: fact} | {
            role: table for role, step in steps.items() if (table := table_named(step.table, catalog)) is not None
        }
        # One column of a joined table orders the others along; of the fact's own only the first is in order.
        self._near, self._first = {role for role, _ in sort if role != FACT}, sort[:1]
        known = facts.get(str(fact.name))
        self._factor = 1.0
        if known is not None and known.bytes:
            guessed = rows * sum(self._bytes((FACT, column.name.lower())) for column in fact.columns)
            self._factor = min(max(known.bytes / max(1.0, guessed), _FACTORS[0]), _FACTORS[1])

    def of(self, place: RoleColumn) -> float:
        """Bytes per row of one column."""
        if place[0] in self._near or place in self._first or place[1] == EXISTS:
            return SORTED_BYTES
        return self._bytes(place) * self._factor

    def total(self, places: frozenset[RoleColumn]) -> float:
        """Bytes per row of all these."""
        return sum(self.of(place) for place in places)

    def is_filled(self, place: RoleColumn) -> bool:
        """Whether a joined column has a value in every row of its own table, as far as is known."""
        found = self._column(place)
        return place[0] != FACT and found is not None and found.nulls == 0

    def _column(self, place: RoleColumn) -> ColumnFacts | None:
        known = self._facts.get(str(self._tables[place[0]].name))
        if known is None:
            return None
        return next((each for name, each in known.columns.items() if name.lower() == place[1]), None)

    def _bytes(self, place: RoleColumn) -> float:
        role, name = place
        table = self._tables[role]
        kind = next((each.type for each in table.columns if each.name.lower() == name), "")
        longest = _LONGEST.get(kind.split("(")[0], _TEXT_BYTES if kind.startswith("varchar") else 7.0)
        known, found = self._facts.get(str(table.name)), self._column(place)
        if found is not None and found.distinct is not None:
            distinct = min(found.distinct, self._partners(role))
            # Of values that are nearly all different, the dictionary is as long as the column.
            spelled = longest * min(1.0, distinct / max(1, self._rows))
            return min(math.log2(distinct + 1) / 8 * _OVERHEAD + spelled, longest) * self._filled(role)
        if known is not None and known.rows and known.bytes:
            return min(longest, _UNKNOWN_SHARE * known.bytes / known.rows / len(table.columns)) * self._filled(role)
        return min(longest, 4.0)

    def _partners(self, role: str) -> int:
        """How many different partners the fact's rows have at most."""
        fewest = self._rows
        while role != FACT:
            step = self._steps[role]
            for own, _ in step.pairs:
                found = self._column((step.parent, own.lower()))
                if found is not None and found.distinct is not None and len(step.pairs) == 1:
                    fewest = min(fewest, found.distinct)
            role = step.parent
        return max(1, fewest)

    def _filled(self, role: str) -> float:
        """The share of rows that have a partner: a key of several columns is a row of another fact, seldom shared."""
        if role == FACT:
            return 1.0
        step = self._steps[role]
        known = self._facts.get(str(step.table))
        own = 1.0
        if len(step.pairs) > 1 and known is not None and known.rows is not None:
            own = min(1.0, known.rows / max(1, self._rows))
        return own * self._filled(step.parent)
