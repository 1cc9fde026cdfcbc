"""Groups beside a witness's: one whose values are all NULL, and one whose values are larger, by steps.

An average that decides what is shown counts the group without values, or not; where the bound lies, a step finds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.verify.column_types import Kind, fitted, read_type
from heavy_stack.backend.advisor.verify.extremes import Placed, Rows
from heavy_stack.backend.advisor.verify.surveys import Studied, Survey
from heavy_stack.backend.advisor.verify.value_pools import key_value

STEPS = (1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36, 48, 65, 88, 120, 160, 220, 300, 400, 550, 750, 1_000)
MORE = 3
"""How often the rows without values stand there: an average over all rows is then clearly less."""
MOST_KEYS = 3
"""Group keys that get another value by themselves."""
_FIRST_KEY = 700_000
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)

Group = Mapping[tuple[TableName, str], Any]


class Neighbours:
    """Makes them.

    Args:
        found: What the query, its rewrite and its tables say about the columns.
        query: The query alone.
        values: What is tried in a column.
    """

    def __init__(
        self,
        found: Survey,
        query: Studied,
        values: Callable[[Table, Column], list[Any]],
    ) -> None:
        self._found = found
        self._query = query
        self._values = values

    def around(self, witnesses: tuple[Rows, Rows, Rows], group: Group) -> Iterator[Rows]:
        """Databases with three groups; the first is a witness, and stands twice where nothing is compared.

        Args:
            witnesses: Three in groups of their own.
            group: The group keys of the first.
        """
        mine, other, third = witnesses
        beside = [
            (other, tuple(self.unmeasured(placed, group, _NUMBERS) for placed in third)),
            *self._one_key_apart(mine, group),
        ]
        steps = STEPS if self._is_compared() else ()
        for larger, nothing in beside:
            yield (*mine, *mine, *nothing)
            yield (*mine, *mine, *(self._without_numbers(placed, group) for placed in nothing))
            for step in steps:
                yield (*self._scaled(mine, 1, group), *self._scaled(larger, step, group), *nothing * MORE)

    def unmeasured(self, placed: Placed, group: Group, kinds: Collection[Kind] = tuple(Kind)) -> Placed:
        """A row without values (of these kinds), but for those that decide where it belongs."""
        row = dict(placed.row)
        for column in placed.table.columns:
            name = (placed.table.name, column.name.lower())
            asked = any(item.kind not in ("high", "low") for item in self._query.constraints.get(name, ()))
            kept = asked or name in self._found.keys or name in group or read_type(column.type).kind not in kinds
            row[name[1]] = row[name[1]] if kept or not column.nullable else None
        return Placed(placed.table, row)

    def _without_numbers(self, placed: Placed, group: Group) -> Placed:
        """A row without any number but keys: what is asked of one may be asked of what it adds up to."""
        row = dict(placed.row)
        for column in placed.table.columns:
            name = (placed.table.name, column.name.lower())
            free = name not in self._found.keys and name not in group and column.nullable
            row[name[1]] = None if free and read_type(column.type).kind in _NUMBERS else row[name[1]]
        return Placed(placed.table, row)

    def _is_compared(self) -> bool:
        """Whether what is added up is compared with something else than a constant."""
        return any(item.kind in ("high", "low") for asked in self._query.constraints.values() for item in asked)

    def _one_key_apart(self, base: Rows, group: Group) -> Iterator[tuple[Rows, Rows]]:
        """A row with another value of one group key, and one with a third value and nothing else."""
        seen: set[tuple[TableName, str]] = set()
        for placed in base:
            for column in placed.table.columns:
                name = (placed.table.name, column.name.lower())
                if name not in group or name in seen or len(seen) >= MOST_KEYS:
                    continue
                keys = [value for value in self._keys(placed, column) if value != placed.row[name[1]]]
                if len(keys) > 1:
                    seen.add(name)
                    rows = [Placed(placed.table, {**placed.row, name[1]: key}) for key in keys[:2]]
                    yield (rows[0],), (self.unmeasured(rows[1], group, _NUMBERS),)

    def _keys(self, placed: Placed, column: Column) -> list[Any]:
        """Values that conditions see as they see the row's own."""
        name = (placed.table.name, column.name.lower())
        fresh = [key_value(read_type(column.type), _FIRST_KEY + number) for number in (1, 2)]
        tried = [value for value in self._values(placed.table, column)[::-1] if value is not None]  # plain ones first
        return [
            value
            for value in ((*fresh, *tried) if name in self._found.keys else (*tried, *fresh))
            if value is not None and self._alike(placed, name, value)
        ]

    def _alike(self, placed: Placed, name: tuple[TableName, str], value: Any) -> bool:
        asked = [item for item in self._found.constraints.get(name, ()) if item.kind not in ("high", "low")]
        return all(item.holds(value) == item.holds(placed.row[name[1]]) for item in asked)

    def _scaled(self, rows: Rows, step: int, group: Group) -> Rows:
        """Rows with one number in all columns that are free to have it; whole numbers, which may count, stay at 1."""
        return tuple(self._with_numbers(placed, step, group) for placed in rows)

    def _with_numbers(self, placed: Placed, step: int, group: Group) -> Placed:
        row = dict(placed.row)
        kinds = {column.name.lower(): read_type(column.type) for column in placed.table.columns}
        free = [
            name
            for name, kind in kinds.items()
            if kind.kind in _NUMBERS
            and (placed.table.name, name) in self._query.used
            and (placed.table.name, name) not in self._found.keys
            and (placed.table.name, name) not in group
        ]
        parts = any(kinds[name].kind is not Kind.INTEGER for name in free)
        for name in free:
            value = fitted(kinds[name], 1 if parts and kinds[name].kind is Kind.INTEGER else step)
            if value is not None and self._alike(placed, (placed.table.name, name), value):
                row[name] = value
        return Placed(placed.table, row)
