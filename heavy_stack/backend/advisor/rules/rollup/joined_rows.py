"""How many rows the joins of a core make on the way: a join of many to many costs its build more than queries save."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import conjuncts, unwrapped

MAX_GROWTH = 4.0
"""Joins that make so many times more rows than the largest table has are not worth a table."""
MIN_JOINED_ROWS = 10_000_000
"""Fewer rows are made in no time."""


def joined_rows(core: Core, sizes: Sizes) -> float | None:
    """The most rows at one time, joined in the best order that is found; None where too little is known.

    Equalities are taken for independent, and a column without statistics for a key, so this errs to the low side.
    """
    rows = {name: sizes.table_rows(str(table.name)) for name, table in core.tables.items()}
    if len(rows) < 2 or not all(sizes.knows(str(table.name)) for table in core.tables.values()):
        return None
    values: dict[tuple[str, str], float] = {}
    links: list[tuple[exp.Column, exp.Column]] = []
    for join in core.from_.args.get("joins") or []:
        for part in conjuncts(join.args.get("on")):
            pair = [unwrapped(part.this), unwrapped(part.expression)] if isinstance(part, exp.EQ) else []
            columns = [side for side in pair if isinstance(side, exp.Column) and side.table in rows]
            if len(columns) == 2 and columns[0].table != columns[1].table:
                links.append((columns[0], columns[1]))
                for column in columns:
                    known = sizes.column_values(core, column)
                    values[column.table, column.name] = rows[column.table] if known is None else max(1.0, known)
    return min(_most_rows(start, rows, links, values) for start in rows)


def makes_too_many_rows(core: Core, sizes: Sizes) -> str | None:
    """A sentence why no table is made of these joins; None where they are cheap enough."""
    most, source = joined_rows(core, sizes), sizes.core_rows(core)
    if most is None or source is None or most <= max(MIN_JOINED_ROWS, MAX_GROWTH * source):
        return None
    return (
        f"Its joins would make about {most:,.0f} rows of {source:,} for each build of a table: each row has many"
        " partners, so no table of them is kept."
    )


def _most_rows(
    start: str,
    rows: dict[str, float],
    links: list[tuple[exp.Column, exp.Column]],
    values: dict[tuple[str, str], float],
) -> float:
    placed, current = {start}, rows[start]
    most = current
    while len(placed) < len(rows):
        sizes = {name: _after(name, current, placed, rows, links, values) for name in rows if name not in placed}
        name = min(sizes, key=lambda each: (sizes[each], each))
        placed.add(name)
        current = sizes[name]
        most = max(most, current)
    return most


def _after(
    name: str,
    current: float,
    placed: set[str],
    rows: dict[str, float],
    links: list[tuple[exp.Column, exp.Column]],
    values: dict[tuple[str, str], float],
) -> float:
    found = current * rows[name]
    seen: set[str] = set()
    for one, two in links:
        if name not in (one.table, two.table) or not ({one.table, two.table} - {name}) <= placed:
            continue
        own = one if one.table == name else two
        if own.name not in seen:  # the same column twice says nothing more
            seen.add(own.name)
            found /= max(values[one.table, one.name], values[two.table, two.name])
    return max(1.0, found)
