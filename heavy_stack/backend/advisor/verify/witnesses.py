"""Turns a sketch into rows: one value per class of slots, copies where a count asks for them, and near misses.

A near miss differs from a witness row in one column that a condition looks at. Most wrong rewrites (a lost conjunct, a
moved bound, COUNT(x) for COUNT(*)) show up exactly there and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.verify.column_types import ColumnType, Kind, around, fitted, is_number, read_type
from heavy_stack.backend.advisor.verify.constraints import Constraint, candidates
from heavy_stack.backend.advisor.verify.literals import plus
from heavy_stack.backend.advisor.verify.sketch import Link, Sketch, Slot
from heavy_stack.backend.advisor.verify.value_pools import WITNESS_BASE, Pools, key_value

MAX_COPIES = 2_600
"""A HAVING COUNT(*) above this is not planted; such a query needs the real data, or by-rule equality."""
LINK_ROUNDS = 4
KEYS = 50
"""Keys reserved for each witness."""
MAX_BOUNDS = 12

Row = dict[str, Any]


@dataclass(frozen=True)
class Witness:
    """Rows that should make a query return one group: table, column values, and how often.

    Attributes:
        rows: One per sketch row, in order.
        fixed: Columns of each row that must keep their value in every copy.
        watched: Columns of each row that conditions look at.
        bounds: By column of each row, the constants it is compared with and their neighbours.
        group: The values of its group keys.
    """

    tables: tuple[Table, ...]
    rows: tuple[Row, ...]
    fixed: tuple[frozenset[str], ...]
    watched: tuple[frozenset[str], ...]
    bounds: tuple[dict[str, list[Any]], ...]
    group: Mapping[tuple[TableName, str], Any] = field(default_factory=dict)


def solve_values(
    sketch: Sketch,
    pools: Pools,
    draw: random.Random,
    number: int,
    *,
    beside: int | None = None,
    group: Mapping[tuple[TableName, str], Any] | None = None,
) -> Witness:
    """Give every slot of the sketch a value.

    Args:
        number: Different for every witness: keys made from it meet no other rows.
        beside: Put the witness exactly beside the thresholds on aggregates: 1 where they just hold, 0 where they just
            fail. Group keys that nothing else fixes are new then, so that nothing else falls into the group.
        group: Values of group keys, so that the witness falls into another one's group.
    """
    values: dict[Slot, Any] = {}
    members: dict[Slot, list[Slot]] = {}
    for place, (slots, constraints) in enumerate(sketch.classes()):
        root = sketch.find(slots[0])
        members[root] = slots
        key = WITNESS_BASE + number * KEYS + place
        asking = [item for item in constraints if item.kind != "not_null"]
        value = None
        if beside is not None and not asking and any(slot in sketch.group_slots for slot in slots):
            value = key_value(_type(sketch, slots[0]), key)
        if beside is not None:
            limits = [sketch.thresholds[slot] for slot in slots if slot in sketch.thresholds]
            value = _beside(_type(sketch, slots[0]), limits[0], bool(beside)) if limits else value
        for slot in slots if group is not None else ():
            given = group.get((sketch.rows[slot.row].table.name, slot.column)) if group is not None else None
            if value is None and slot in sketch.group_slots and given is not None:
                value = given if all(item.holds(given) for item in asking) else None
        if value is None:
            value = _class_value(sketch, slots, asking, pools, draw, key)
        for slot in slots:
            values[slot] = fitted(_type(sketch, slot), value) if value is not None else None
    _settle_links(sketch, values, members, draw)
    return _witness(sketch, values, pools)


def _witness(sketch: Sketch, values: Mapping[Slot, Any], pools: Pools) -> Witness:
    rows: list[Row] = []
    for place, row in enumerate(sketch.rows):
        assigned = {slot.column: value for slot, value in values.items() if slot.row == place}
        full = {}
        for column in row.table.columns:
            name = column.name.lower()
            given = name in assigned and (assigned[name] is not None or column.nullable)
            full[name] = assigned[name] if given else pools.random_value(row.table, column)
        rows.append(full)
    touched = [{slot.column for slot in values if slot.row == place} for place in range(len(rows))]
    watched = [{slot.column for slot in sketch.constraints if slot.row == place} for place in range(len(rows))]
    for left, right in sketch.joins:
        for slot in (left, right):
            watched[slot.row].add(slot.column)
    return Witness(
        tuple(row.table for row in sketch.rows),
        tuple(rows),
        tuple(frozenset(columns) for columns in touched),
        tuple(frozenset(columns) for columns in watched),
        tuple(_bounds(sketch, place) for place in range(len(rows))),
        {(sketch.rows[slot.row].table.name, slot.column): values.get(slot) for slot in sketch.group_slots},
    )


def _bounds(sketch: Sketch, place: int) -> dict[str, list[Any]]:
    """The constants that a row's columns are compared with, each with its neighbours."""
    found: dict[str, list[Any]] = {}
    for slot, constraints in sketch.constraints.items():
        if slot.row != place:
            continue
        kind = _type(sketch, slot)
        for constraint in constraints:
            if constraint.kind in ("compare", "in", "not_in"):
                values = constraint.value if isinstance(constraint.value, tuple) else (constraint.value,)
                for value in (fitted(kind, item) for item in values[:MAX_BOUNDS]):
                    if value is not None:
                        found.setdefault(slot.column, []).extend((value, *around(kind, value)))
    return found


def _type(sketch: Sketch, slot: Slot) -> ColumnType:
    return read_type(_column(sketch.rows[slot.row].table, slot.column).type)


def _column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.name.lower() == name)


def _class_value(
    sketch: Sketch,
    slots: Sequence[Slot],
    asking: Sequence[Constraint],
    pools: Pools,
    draw: random.Random,
    key: int,
) -> Any:
    slot = slots[0]
    table = sketch.rows[slot.row].table
    kind = _type(sketch, slot)
    joined = len({slot.row for slot in slots}) > 1
    if joined and not asking:
        spaced = fitted(kind, f"K{key} ") if kind.kind is Kind.TEXT and key // KEYS % 2 else None
        return spaced or key_value(kind, key)  # a join that ignores blanks or case loses these
    pool = pools.values(table, _column(table, slot.column))
    found = candidates(kind, asking, pool, draw)
    if found:
        return found[0]
    guesses = [fitted(kind, item.value) for item in asking if not isinstance(item.value, tuple)]
    return next((value for value in guesses if value is not None), pool[0] if pool else None)


def _settle_links(
    sketch: Sketch, values: dict[Slot, Any], members: Mapping[Slot, Sequence[Slot]], draw: random.Random
) -> None:
    """Move one end of each comparison between columns until it holds, keeping what constraints ask."""
    for _ in range(LINK_ROUNDS):
        broken = [link for link in sketch.links if not _link_holds(link, values)]
        if not broken:
            return
        for link in broken:
            ends = [(link.right, _mirror(link), values.get(link.left)), (link.left, link, values.get(link.right))]
            draw.shuffle(ends)
            for slot, oriented, anchor in ends:
                if anchor is None:
                    anchor = values.setdefault(slot, None)
                if _move(sketch, values, members, slot, oriented, anchor):
                    break


def _beside(kind: ColumnType, limit: Constraint, holds: bool) -> Any:
    """The value next to a threshold, on its good side or its bad one."""
    for value in (fitted(kind, limit.value), *around(kind, fitted(kind, limit.value) or 0)):
        if value is not None and limit.holds(value) == holds:
            return value
    return None


def _mirror(link: Link) -> Link:
    flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
    return Link(link.right, flipped[link.op], link.left, -link.offset)


def _link_holds(link: Link, values: Mapping[Slot, Any]) -> bool:
    left, right = values.get(link.left), values.get(link.right)
    if left is None or right is None:
        return False
    shifted = plus(right, link.offset) if link.offset else right
    return Constraint("compare", link.op, shifted).holds(left)


def _move(
    sketch: Sketch,
    values: dict[Slot, Any],
    members: Mapping[Slot, Sequence[Slot]],
    slot: Slot,
    link: Link,
    anchor: Any,
) -> bool:
    """Give `slot` (the link's left end) a value on the right side of `anchor`."""
    if anchor is None:
        return False
    target = plus(anchor, link.offset) if link.offset else anchor
    if target is None:
        return False
    step = 0 if "=" in link.op else 1 if link.op in (">", "<>") else -1
    slots = members.get(sketch.find(slot), [slot])
    constraints = [item for member in slots for item in sketch.constraints.get(member, ())]
    for distance in (step, step * 3, step * 40, 1 if link.op[0] == ">" else -1):
        moved = plus(target, distance) if distance and (is_number(target) or hasattr(target, "year")) else target
        value = fitted(_type(sketch, slot), moved)
        holds = value is not None and Constraint("compare", link.op, target).holds(value)
        if holds and all(item.holds(value) for item in constraints):
            for member in slots:
                values[member] = fitted(_type(sketch, member), value)
            return True
    return False


def copies_of(
    witness: Witness,
    place: int,
    count: int,
    pools: Pools,
    free: frozenset[str],
    others: frozenset[str],
    draw: random.Random,
) -> list[Row]:
    """`count` rows of the same group.

    Args:
        free: Columns that the query reads and that may vary, also to NULL.
        others: Columns that only other queries read; a few of them vary too, since a shared table may be keyed by them.
    """
    table, row = witness.tables[place], witness.rows[place]
    varying = [c for c in table.columns if c.name.lower() in free and c.name.lower() not in witness.fixed[place]]
    beside = [c for c in table.columns if c.name.lower() in others and c.name.lower() not in witness.fixed[place]]
    found = []
    for number in range(count):
        copy = dict(row)
        for column in varying:
            if number and draw.random() < 0.6:
                copy[column.name.lower()] = pools.random_value(table, column)
        for column in draw.sample(beside, min(len(beside), 2)) if number else ():
            copy[column.name.lower()] = pools.random_value(table, column)
        found.append(copy)
    return found


def share_sum(rows: list[Row], slot: Slot, limit: Constraint, table: Table) -> None:
    """Make a SUM pass its threshold by many rows that would not pass alone."""
    kind = read_type(_column(table, slot.column).type)
    if limit.op in (">", ">=") and limit.value > 0:
        share = fitted(kind, math.floor(limit.value / len(rows)) + 1)
        for row in rows if share is not None else ():
            row[slot.column] = share


def spread_copies(rows: list[Row], table: Table, columns: set[str], first: int = 1_000) -> None:
    """Make `columns` differ from row to row, for a COUNT(DISTINCT …) above a threshold: keys from `first` on."""
    for name in columns:
        kind = read_type(_column(table, name).type)
        for number, row in enumerate(rows):
            row[name] = key_value(kind, first + number)


def spread_partners(
    sketch: Sketch, witness: Witness, place: int, count: int, first: int
) -> Iterator[tuple[TableName, Row]]:
    """What spread copies of a row join, where they are spread by a key: a row of each other table for every key."""
    columns = sketch.rows[place].spread
    for slots, _ in sketch.classes():
        if not any(slot.row == place and slot.column in columns for slot in slots):
            continue
        for slot in slots:
            if slot.row != place and slot.row not in sketch.missing:
                for number in range(count):
                    key = key_value(_type(sketch, slot), first + number)
                    yield witness.tables[slot.row].name, {**witness.rows[slot.row], slot.column: key}


def near_misses(
    witness: Witness, place: int, pools: Pools, constants: Sequence[str], draw: random.Random
) -> list[tuple[str, Row]]:
    """Rows one column away from a witness row, for every column that conditions look at, in random order."""
    table, row = witness.tables[place], witness.rows[place]
    found: list[tuple[str, Row]] = []
    for name in sorted({*witness.watched[place], *constants}):
        column = _column(table, name)
        kind = read_type(column.type)
        value = row[name]
        others: list[Any] = around(kind, value) if value is not None else []
        pool = pools.values(table, column)
        others += draw.sample(pool, min(3, len(pool)))
        if isinstance(value, dt.date):
            others += [moved for days in (-365, -31, 31, 365) if (moved := fitted(kind, plus(value, days))) is not None]
        draw.shuffle(others)
        bounds = list(witness.bounds[place].get(name, ()))
        draw.shuffle(bounds)
        keeps = [other for other in (*bounds[:4], *others) if other != value]
        chosen = [other for other in dict.fromkeys(keeps) if pools.keeps((table.name, name), other)][:6]
        if column.nullable and value is not None:
            chosen.insert(draw.randrange(2), None)
        found += [(name, {**row, name: other}) for other in chosen]
    draw.shuffle(found)
    return found


def one_missed(witness: Witness, place: int, sketch: Sketch, pools: Pools, draw: random.Random) -> Row | None:
    """A row that a subquery with NOT EXISTS just misses: one of its own conditions, not a join, is broken."""
    joined = {slot.column for pair in sketch.joins for slot in pair if slot.row == place}
    for name, row in near_misses(witness, place, pools, (), draw):
        asked = sketch.constraints.get(Slot(place, name), ())
        if name not in joined and not all(item.holds(row[name]) for item in asked):
            return row
    return None


def as_tuple(table: Table, row: Row) -> tuple[Any, ...]:
    """The row in the table's column order."""
    return next(as_tuples(table, [row]))


def as_tuples(table: Table, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """The rows in the table's column order."""
    names = [column.name.lower() for column in table.columns]
    return (tuple(map(row.__getitem__, names)) for row in rows)


def table_names(witness: Witness) -> set[TableName]:
    """Tables that the witness has rows in."""
    return {table.name for table in witness.tables}
