"""Ways to change a tiny database a little: a row gone, changed, or one more; a value renamed wherever it stands."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.verify.column_types import Kind, around, fitted, read_type
from heavy_stack.backend.advisor.verify.extremes import Placed, Rows
from heavy_stack.backend.advisor.verify.literals import plus
from heavy_stack.backend.advisor.verify.surveys import ColumnId, Survey
from heavy_stack.backend.advisor.verify.value_pools import Pools

MOST_LINKS = 6
"""Comparisons with another column of the row that are tried exactly."""
MOST_ROLES = 3
"""Rows of one table whose changes are told apart."""

Change = tuple[Hashable, Callable[[], Rows]]
"""What is changed, and into what; and what makes the rows then: most of many changes are never made."""


class Changes:
    """Makes them.

    Args:
        found: What the query, its rewrite and its tables say about the columns.
        links: Comparisons of columns, an offset apart.
        pools: Says which values a column may hold.
        values: What is tried in a column.
        draw: Decides which of too many are made.
    """

    def __init__(
        self,
        found: Survey,
        links: Iterable[tuple[ColumnId, ColumnId, float]],
        pools: Pools,
        values: Callable[[Table, Column], list[Any]],
        draw: random.Random,
    ) -> None:
        self._found = found
        self._pools = pools
        self._values = values
        self._draw = draw
        self._used: dict[TableName, set[str]] = defaultdict(set)
        for table, column in found.used:
            self._used[table].add(column)
        self._links: dict[ColumnId, list[tuple[str, float]]] = defaultdict(list)
        for (table, left), (other, right), offset in sorted(links):
            if table == other:
                self._links[table, left].append((right, offset))
                self._links[table, right].append((left, -offset))

    def some(self, changes: list[Change], most: int) -> Iterator[Rows]:
        """At most so many; of each kind of change one before any has two."""
        if len(changes) <= most:
            return (make() for _, make in changes)
        kinds: dict[Hashable, list[Callable[[], Rows]]] = defaultdict(list)
        for kind, make in changes:
            kinds[kind].append(make)
        waiting = list(kinds.values())
        self._draw.shuffle(waiting)
        for each in waiting:
            self._draw.shuffle(each)
        found: list[Callable[[], Rows]] = []
        while len(found) < most:
            waiting = [each for each in waiting if each]
            found += [each.pop() for each in waiting[: most - len(found)]]
        return (make() for make in found)

    def one_gone(self, base: Rows) -> Iterator[Change]:
        """Without one row."""
        for place, placed in enumerate(base):
            yield ("gone", placed.table.name, place), partial(_without, base, place)

    def one_changed(self, base: Rows) -> Iterator[Change]:
        """One row changed; where it stands several times, also all of them."""
        copies = Counter(id(each) for each in base)
        roles = _roles(base)
        for place, placed in enumerate(base):
            times = copies.pop(id(placed), 0)
            for kind, column, value in self._near(placed) if times else ():
                yield (roles[id(placed)], kind, 1), partial(_changed, base, place, column, value)
                if times > 1:
                    yield (roles[id(placed)], kind, 2), partial(_all_changed, base, [(placed, column)], value)

    def partners_unknown(self, base: Rows) -> Iterator[Change]:
        """NULL for a key of one row and for the same key of its partner: they join no longer."""
        slots = [
            (place, column)
            for place, placed in enumerate(base)
            for column in placed.table.columns
            if column.nullable and (placed.table.name, column.name.lower()) in self._found.keys
        ]
        for (left, mine), (right, other) in combinations(slots, 2):
            held = base[left].row[mine.name.lower()]
            if left != right and held is not None and held == base[right].row[other.name.lower()]:
                kind = (base[left].table.name, mine.name, base[right].table.name, other.name)
                yield kind, partial(_both_unknown, base, (left, mine), (right, other))

    def renamed(self, base: Rows) -> Iterator[Change]:
        """Another value in the place of one, in all rows that have it in a column or in what the column joins."""
        for (name, held), slots in self._alike(base).items():
            tried = (self._tried(placed, column) for placed, column in slots) if len(slots) > 1 else ()
            for value in dict.fromkeys(value for values in tried for value in values):
                if value != held and all(_holds(column, value) for _, column in slots):
                    yield (name, value), partial(_all_changed, base, slots, value)

    def spelled_otherwise(self, base: Rows) -> Iterator[Change]:
        """The rows with a text once more, in capitals or small letters, or with a blank behind it."""
        for (name, held), slots in self._alike(base).items():
            for number, value in enumerate((held.swapcase(), held + " ") if isinstance(held, str) else ()):
                if value != held and all(_holds(column, value) for _, column in slots):
                    yield (name, number), partial(_also_changed, base, slots, value)

    def _alike(self, base: Rows) -> dict[tuple[Any, Any], list[tuple[Placed, Column]]]:
        """By value, and by column or what the column joins: where it stands."""
        places: dict[tuple[Any, Any], list[tuple[Placed, Column]]] = defaultdict(list)
        for placed in {id(each): each for each in base}.values():
            for column in placed.table.columns:
                name = (placed.table.name, column.name.lower())
                held = placed.row[name[1]]
                if name[1] in self._used.get(name[0], ()) and held is not None and not isinstance(held, list):
                    places[self._found.key_of(name) or name, held].append((placed, column))
        return places

    def last_changed(self, base: Rows) -> Iterator[Change]:
        """The last row changed."""
        for kind, column, value in self._near(base[-1]):
            yield kind, partial(_changed, base, len(base) - 1, column, value)

    def one_more(self, base: Rows) -> Iterator[Change]:
        """One row more, the same or with a difference; where a row stands several times, also as often again."""
        copies = Counter(id(each) for each in base)
        roles = _roles(base)
        for placed in {id(each): each for each in base}.values():
            role = roles[id(placed)]
            yield (role, placed.table.name), partial(_added, base, placed, None, None, 1)
            for kind, column, value in self._near(placed):
                for times in {1, copies[id(placed)]}:
                    yield (role, kind, times > 1), partial(_added, base, placed, column, value, times)

    def often(self, base: Rows) -> Rows:
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
        values = self._values(placed.table, column)
        return _with(placed, column, self._draw.choice(values)) if values else placed

    def _near(self, placed: Placed) -> Iterator[tuple[Hashable, Column, Any]]:
        for column in placed.table.columns:
            if column.name.lower() not in self._used.get(placed.table.name, ()):
                continue
            held = placed.row[column.name.lower()]
            for value in self._tried(placed, column):
                if value != held:
                    yield (placed.table.name, column.name, _hashable(value)), column, value

    def _tried(self, placed: Placed, column: Column) -> Sequence[Any]:
        return (*self._values(placed.table, column), *self._beside(placed, column))

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


def _roles(base: Rows) -> dict[int, int]:
    """Which row of its table each row is."""
    found: dict[int, int] = {}
    seen: Counter[TableName] = Counter()
    for placed in base:
        if id(placed) not in found:
            found[id(placed)] = min(seen[placed.table.name], MOST_ROLES - 1)
            seen[placed.table.name] += 1
    return found


def _holds(column: Column, value: Any) -> bool:
    """Whether a value can stand in a column as it is."""
    return value is None and column.nullable if value is None else fitted(read_type(column.type), value) == value


def _with(placed: Placed, column: Column, value: Any) -> Placed:
    return Placed(placed.table, {**placed.row, column.name.lower(): value})


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, list) else value


def _without(base: Rows, place: int) -> Rows:
    return (*base[:place], *base[place + 1 :])


def _changed(base: Rows, place: int, column: Column, value: Any) -> Rows:
    return (*base[:place], _with(base[place], column, value), *base[place + 1 :])


def _all_changed(base: Rows, slots: Sequence[tuple[Placed, Column]], value: Any) -> Rows:
    changed = {id(placed): placed for placed, _ in slots}
    for placed, column in slots:
        changed[id(placed)] = _with(changed[id(placed)], column, value)
    return tuple(changed.get(id(each), each) for each in base)


def _also_changed(base: Rows, slots: Sequence[tuple[Placed, Column]], value: Any) -> Rows:
    wanted = {id(placed) for placed, _ in slots}
    return (*base, *_all_changed(tuple(each for each in base if id(each) in wanted), slots, value))


def _both_unknown(base: Rows, left: tuple[int, Column], right: tuple[int, Column]) -> Rows:
    rows = list(base)
    for place, column in (left, right):
        rows[place] = _with(rows[place], column, None)
    return tuple(rows)


def _added(base: Rows, placed: Placed, column: Column | None, value: Any, times: int) -> Rows:
    return (*base, *[placed if column is None else _with(placed, column, value)] * times)
