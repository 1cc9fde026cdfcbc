"""Blocks whose rollup stands for some of the joined tables only: the others are joined to its groups afterwards.

All rows of a group have the same join keys, so each meets the partners that the group meets: what is summed over the
rows of the join is summed over the groups of the join, each group's measures as often as it has partners. An attribute
of a table outside, a range that its join asks for, or a filter on its timestamps, then need not be a dimension.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.advisor.rules.rollup.blocks import Block, aggregated_sources, table_of
from heavy_stack.backend.advisor.rules.rollup.cores import inner_core, linked
from heavy_stack.backend.advisor.rules.rollup.inlining import side_of, sources_of
from heavy_stack.backend.advisor.rules.rollup.needs import Needs, group_keys
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    columns_of,
    conjuncts,
)
from heavy_stack.backend.advisor.sql.catalog import Catalog

MAX_TABLES = 12
"""Beyond, ways to leave tables out are not looked for."""
MANY_ATTRIBUTES = 3
"""A table of which so many columns are dimensions is better joined by its key than stored with every group."""


def smaller_cores(block: Block, catalog: Catalog) -> Iterator[Block]:
    """The block with tables left outside: one that it could do without, each in turn, then all of them.

    Only tables that the query asks for keys or filters, that no aggregate reads, and without which the others are
    still joined to each other.
    """
    attributes = _attribute_tables(block)
    inside = frozenset(block.core.names)
    if not attributes or not 2 <= len(inside) <= MAX_TABLES:
        return
    outside = [frozenset({alias}) for alias in attributes]
    if len(attributes) > 1:
        outside.append(frozenset(attributes))
    for left_out in outside:
        found = without_tables(block, inside - left_out, catalog)
        if found is not None:
            yield found


def without_wide_tables(needs: Needs, catalog: Catalog) -> Block | None:
    """The block without the tables of which many columns are dimensions; None where there are none."""
    block = needs.block
    names = {canonical: alias for alias, canonical in block.core.names.items()}
    counted: dict[str, set[str]] = {}
    for node in needs.dimensions.values():
        for column in node.find_all(exp.Column):
            counted.setdefault(names.get(column.table, ""), set()).add(column.name)
    wide = {alias for alias in _attribute_tables(block) if len(counted.get(alias, ())) >= MANY_ATTRIBUTES}
    inside = frozenset(block.core.names)
    if not wide or len(inside) > MAX_TABLES:
        return None
    return without_tables(block, _still_joined(block.select, inside - wide), catalog)


def _still_joined(select: exp.Select, inside: frozenset[str]) -> frozenset[str]:
    """Those that equalities still join to what is aggregated: what a table outside brought in stays with it."""
    where = select.args.get("where")
    parts = conjuncts(where.this) if where is not None else []
    for _, join in sources_of(select):
        parts += conjuncts(join.args.get("on")) if join is not None else []
    pairs = [pair for part in parts if (pair := linked(part)) is not None and pair <= inside]
    reached = set(aggregated_sources(select) & inside)
    while more := {alias for pair in pairs if pair & reached for alias in pair} - reached:
        reached |= more
    return frozenset(reached)


def without_tables(block: Block, inside: frozenset[str], catalog: Catalog) -> Block | None:
    """The block with a core of the tables `inside` only (the block's aliases); None where it has no such core."""
    select = block.select
    sources = list(sources_of(select))
    if not inside or any(side_of(join) for _, join in sources if join is not None):
        return None  # an outer join's partners are decided where it stands
    base: dict[str, tuple[exp.Table, Table]] = {}
    try:
        for source, _ in sources:
            if source.alias_or_name in inside and isinstance(source, exp.Table):
                base[source.alias_or_name] = (source, table_of(source, catalog))
        needed = aggregated_sources(select)
        if set(base) != inside or not needed <= inside:
            return None
        where = select.args.get("where")
        pool = conjuncts(where.this) if where is not None else []
        for _, join in sources:
            pool += conjuncts(join.args.get("on")) if join is not None else []
        core, used = inner_core(base, pool, needed, whole=True)
    except NotAnswerable:
        return None
    rest = tuple(part for part in pool if not any(part is each for each in used))
    others = tuple((source, join) for source, join in sources if source.alias_or_name not in inside)
    return Block(select, "inner", core, rest, {}, others)


def _attribute_tables(block: Block) -> list[str]:
    """The core's tables that keys or filters that are no joins speak of, and no aggregate."""
    aggregated = aggregated_sources(block.select)
    asked = [*group_keys(block.select), *block.pool]
    spoken = {column.table for part in asked for column in columns_of(part, set(block.core.names))}
    return [alias for alias in block.core.names if alias in spoken and alias not in aggregated]
