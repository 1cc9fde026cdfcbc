"""Aggregate blocks: SELECTs that group rows of base tables, and which of those tables a rollup would stand for.

Three shapes: the whole FROM is base tables; base tables joined to derived ones, where the aggregates speak of the base
tables only (eager aggregation: groups are made below the join, on group keys and join keys); and a single base table on
either side of a LEFT JOIN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.advisor.rules.rollup.cores import Core, inner_core, join_tree_core
from heavy_stack.backend.advisor.rules.rollup.inlining import side_of, sources_of
from heavy_stack.backend.advisor.rules.rollup.sets import folds_rows
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    aggregates_of,
    columns_of,
    conjuncts,
    own_nodes,
    select_nodes,
    select_places,
    with_filter,
)
from heavy_stack.backend.advisor.sql.catalog import Catalog

_TABLE_KEYS = frozenset({"this", "db", "catalog", "alias"})
_SELECT_KEYS = frozenset(
    {
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "fetch",
        "distinct",
        "with_",
    }
    | {"kind", "operation_modifiers", "windows"}
)


@dataclass(frozen=True, eq=False)
class Block:
    """A SELECT that groups rows of base tables.

    Attributes:
        select: The SELECT, in the tree that is analysed.
        shape: `whole` (the FROM is the core), `inner` (inner joins to other sources), `outer` (with LEFT joins, one
            base table).
        core: The base tables that the rollup stands for.
        pool: WHERE and inner ON conditions, which a rollup of the core may have passed already.
        fixed: ON conditions that stay where they are, by the alias that they bring in.
        others: Sources beside the core in their order, with their joins.
        null_extended: The core is the right side of a LEFT JOIN: without a partner its columns are NULL.
    """

    select: exp.Select
    shape: str
    core: Core
    pool: tuple[exp.Expr, ...]
    fixed: dict[str, tuple[exp.Expr, ...]]
    others: tuple[tuple[exp.Expr, exp.Join | None], ...]
    null_extended: bool = False

    @property
    def aliases(self) -> frozenset[str]:
        """The block's names of the core's sources."""
        return frozenset(self.core.names)

    @property
    def has_groups(self) -> bool:
        """Whether no rows give no group; else they still give one row."""
        return rows_make_groups(self.select)


def rows_make_groups(select: exp.Select) -> bool:
    """Whether a block has a group only where it has rows: GROUP BY with keys, DISTINCT, or a set of plain rows.

    `SELECT DISTINCT COUNT(*)` and `GROUP BY ()` aggregate all rows into one group, which is there without any.
    """
    group = select.args.get("group")
    if group is None:
        return not aggregates_of(select)
    keys = [value for key, value in group.args.items() if value and key != "expressions"]
    return bool(keys) or any(not isinstance(key, exp.Tuple) or key.expressions for key in group.expressions)


def blocks_of(tree: exp.Query, catalog: Catalog) -> list[tuple[int, Block | str]]:
    """Each SELECT that groups rows of base tables, or might: (its place among all SELECTs, the block or why not)."""
    found: list[tuple[int, Block | str]] = []
    places = select_places(tree)
    for select in tree.find_all(exp.Select, bfs=False):
        if not folds_rows(select):
            continue
        if not any(isinstance(source, exp.Table) and source.db for source, _ in sources_of(select)):
            continue
        place = places[id(select)]
        try:
            found.append((place, _block(select, catalog)))
        except NotAnswerable as reason:
            found.append((place, str(reason)))
    return found


def _block(select: exp.Select, catalog: Catalog) -> Block:
    if any(value for key, value in select.args.items() if key not in _SELECT_KEYS):
        raise NotAnswerable("The query uses a clause that a rollup does not cover.")
    aggregates = aggregates_of(select)
    if not aggregates and any(isinstance(node, exp.Window) for node in select_nodes(select)):
        raise NotAnswerable("A window over single rows needs the rows themselves.")
    sources = list(sources_of(select))
    base: dict[str, tuple[exp.Table, Table]] = {}
    for source, _ in sources:
        if isinstance(source, exp.Table) and source.db:
            base[source.alias_or_name] = (source, table_of(source, catalog))
        elif not isinstance(source, (exp.Table, exp.Subquery)):
            raise NotAnswerable(_LATERAL if isinstance(source, exp.Lateral) else "An array of the rows is unnested.")
    sides = [side_of(join) for _, join in sources if join is not None]
    if "?" in sides:
        raise NotAnswerable("The query uses a kind of join that a rollup does not cover.")
    where = select.args.get("where")
    pool = conjuncts(where.this) if where is not None else []
    only_base = len(base) == len(sources)
    needed = _needed(select, base)
    if not needed and not any(sides):
        # Rows are counted: the table that the counts' conditions speak of is likely the one with many.
        needed = {column.table for call in aggregates for column in columns_of(with_filter(call), set(base))}
    if any(sides) and only_base:
        # Any outer joins: the rollup is made over the same join tree, and WHERE works on its result.
        try:
            return Block(select, "whole", join_tree_core(select, base), tuple(pool), {}, ())
        except NotAnswerable as reason:
            try:
                return _outer_block(select, sources, base, needed, pool)
            except NotAnswerable:
                raise reason from None
    if not any(sides):
        for _, join in sources:
            pool += conjuncts(join.args.get("on")) if join is not None else []
        try:
            core, used = inner_core(base, pool, needed, whole=only_base)
        except NotAnswerable:
            if not only_base or not needed:
                raise
            # A table that no equality joins (a range, a list of its own) stays outside.
            core, used = inner_core(base, pool, needed, whole=False)
            only_base = False
        rest = [part for part in pool if not any(part is each for each in used)]
        others = tuple((source, join) for source, join in sources if source.alias_or_name not in core.names)
        return Block(select, "whole" if only_base else "inner", core, tuple(rest), {}, others)
    return _outer_block(select, sources, base, needed, pool)


def _needed(select: exp.Select, base: dict[str, tuple[exp.Table, Table]]) -> set[str]:
    """The base tables that the aggregates are about: those whose values are aggregated, or else folded by DISTINCT."""
    calls = [call for call in aggregates_of(select) if isinstance(call.this, exp.Distinct)]
    folded = {column.table for call in calls for column in columns_of(call, set(base))}
    return aggregated_sources(select) & set(base) or folded


def aggregated_sources(select: exp.Select) -> set[str]:
    """The sources of which values are aggregated: the rollup must hold those.

    A condition inside an aggregate may be decided per group and partner; what DISTINCT folds may come several times.
    """
    calls = [call for call in aggregates_of(select) if not isinstance(call.this, exp.Distinct)]
    return {column.table for call in calls for column in _value_columns(call)}


def _value_columns(value: exp.Expr) -> Iterator[exp.Column]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Column):
            yield node
        elif isinstance(node, exp.If):
            waiting += [part for part in (node.args["true"], node.args.get("false")) if part is not None]
        else:
            waiting.extend(node.iter_expressions())


def outer_alternative(block: Block, catalog: Catalog) -> Block | None:
    """For a join tree with LEFT joins: the block that rolls up one table below the joins; None if there is none."""
    sources = list(sources_of(block.select))
    if len(sources) < 2 or not any(side_of(join) for _, join in sources if join is not None):
        return None
    base = {
        source.alias_or_name: (source, table_of(source, catalog))
        for source, _ in sources
        if isinstance(source, exp.Table) and source.db
    }
    needed = _needed(block.select, base)
    where = block.select.args.get("where")
    try:
        return _outer_block(block.select, sources, base, needed, conjuncts(where.this) if where is not None else [])
    except NotAnswerable:
        return None


def _outer_block(
    select: exp.Select,
    sources: list[tuple[exp.Expr, exp.Join | None]],
    base: dict[str, tuple[exp.Table, Table]],
    needed: set[str],
    where: list[exp.Expr],
) -> Block:
    if any(side_of(join) not in ("", "LEFT") for _, join in sources if join is not None):
        raise NotAnswerable("A RIGHT or FULL JOIN to a derived table keeps rows of both sides.")
    first = sources[0][0].alias_or_name
    if len(needed) > 1 or (not needed and first not in base):
        raise NotAnswerable("The aggregates speak of several tables of an outer join.")
    # Where rows are only counted, any table's groups will do; the first one's rows are all there.
    alias = next(iter(needed)) if needed else first
    core, _ = inner_core({alias: base[alias]}, [], {alias}, whole=False)
    own_join = next(join for source, join in sources if source.alias_or_name == alias)
    null_extended = own_join is not None and side_of(own_join) == "LEFT"
    pool: list[exp.Expr] = []
    fixed: dict[str, tuple[exp.Expr, ...]] = {}
    for source, join in sources:
        if join is None:
            continue
        conditions = tuple(conjuncts(join.args.get("on")))
        # What an inner join asks of the core alone filters it; what a LEFT JOIN asks decides about partners.
        mine = source.alias_or_name == alias
        filters = mine or (side_of(join) == "" and not null_extended)
        own = tuple(part for part in conditions if filters and _only_of(part, {alias}))
        pool += own
        fixed[source.alias_or_name] = tuple(part for part in conditions if not any(part is each for each in own))
    if null_extended:
        fixed[""] = tuple(where)
    else:
        pool += where
    return Block(select, "outer", core, tuple(pool), fixed, (), null_extended)


def _only_of(part: exp.Expr, aliases: set[str]) -> bool:
    columns = [node for node in own_nodes(part) if isinstance(node, exp.Column)]
    if any(isinstance(node, exp.Query) for node in own_nodes(part)):
        return False
    return bool(columns) and all(column.table in aliases for column in columns)


def table_of(source: exp.Table, catalog: Catalog) -> Table:
    """The table that a source of a FROM is.

    Raises:
        NotAnswerable: It is read in another way than by its rows as they are.
    """
    table = catalog.resolve_node(source)
    if table is None or any(value for key, value in source.args.items() if key not in _TABLE_KEYS):
        raise NotAnswerable("A table is read by sample, version or function.")
    return table


_LATERAL = "A LATERAL subquery runs for every row, so the rows themselves are needed."
