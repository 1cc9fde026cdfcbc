"""A block rewritten onto a stored table. New trees are built; the block's own tree is read only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.rules.rollup.inlining import side_of, sources_of
from heavy_stack.backend.advisor.rules.rollup.kept_distinct import kept_distinct, summed_count
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable, TableLookup
from heavy_stack.backend.advisor.rules.rollup.measures import Measure, merged
from heavy_stack.backend.advisor.rules.rollup.missing import what_is_missing
from heavy_stack.backend.advisor.rules.rollup.needs import Needs, needs_an_empty_group
from heavy_stack.backend.advisor.rules.rollup.single_groups import rows_are_groups, without_grouping
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, columns_of, conjuncts, copied, joined

_PARTS = ("expressions", "group", "having", "order", "windows", "distinct")
_KEPT = ("with_", "kind", "limit", "offset", "fetch", "operation_modifiers")


@dataclass(frozen=True)
class Replacement:
    """A SELECT that gives the block's rows from a table, where the conditions hold."""

    select: exp.Select
    table: StoredTable
    needs: Needs
    conditions: tuple[tuple[str, str], ...] = ()

    @property
    def weight(self) -> float:
        """For choosing among ways to answer one block: each table joined to the groups costs about as many rows."""
        return self.table.weight * (1 + len(self.needs.block.others))


def answer_block(
    needs: Needs, tables: list[StoredTable], alias: str, replaced: Mapping[int, exp.Select]
) -> Replacement:
    """The block's SELECT over the lightest of `tables` that answers it.

    Args:
        needs: The block's needs.
        tables: Tables of the block's core.
        alias: An alias that no query of the text uses.
        replaced: Blocks inside this one that are rewritten already, by the id of their SELECT.

    Raises:
        NotAnswerable: None of them does.
    """
    read = ", ".join(str(name) for name in needs.block.core.table_names)
    reason = f"No table of the design stands for {read} as the query reads it."
    for table in sorted(tables, key=lambda each: (each.weight, str(each.name))):
        for prefer_dimensions in (False, True):
            try:
                lookup = TableLookup(needs, table, alias, replaced, prefer_dimensions=prefer_dimensions)
                select = _select(needs, lookup)
                return Replacement(select, table, needs, tuple(lookup.conditions.items()))
            except NotAnswerable as why:
                reason = str(why)
    raise NotAnswerable(what_is_missing(needs, tables) or reason)


def _select(needs: Needs, lookup: TableLookup) -> exp.Select:
    block = needs.block
    filtered = bool(needs.residual or lookup.residual or lookup.flag is not None)
    single = rows_are_groups(needs, lookup.table, filtered=filtered)
    single = single and all(plan.build or plan.distinct for plan in needs.plans)
    _answer_aggregates(needs, lookup, single)
    if len(lookup.answers) < len(needs.plans) and single:
        single = False
        _answer_aggregates(needs, lookup, single)
    new = exp.Select()
    for key in _PARTS:
        value = block.select.args.get(key)
        if isinstance(value, list):
            new.set(key, [lookup.derived(item) for item in value])
        elif isinstance(value, exp.Expr):
            new.set(key, lookup.derived(value))
    for key in _KEPT:
        value = block.select.args.get(key)
        if isinstance(value, exp.Expr):
            new.set(key, copied(value, lookup.replaced))
        elif value:
            new.set(key, value)
    source = _source(lookup.table.name, lookup.alias)
    where = [lookup.derived(part) for part in lookup.open] + [part.copy() for part in lookup.residual]
    if single:
        where += without_grouping(new)
    if lookup.flag is not None:
        where.append(lookup.flag)
    if block.shape == "outer":
        _outer(new, needs, lookup, source, where)
    elif block.shape == "inner":
        _inner(new, needs, lookup, source, where)
    else:
        new.set("from_", exp.From(this=source))
        _filter(new, where)
    return new


def _answer_aggregates(needs: Needs, lookup: TableLookup, single: bool) -> None:
    may_be_empty = needs_an_empty_group(needs.block.select) or needs.block.null_extended
    for plan in needs.plans:
        if plan.build is not None:
            lookup.answers[id(plan.top)] = plan.answer(lookup, may_be_empty, single=single)
        elif plan.distinct is not None and lookup.exact_keys():
            stored = _stored_distinct(lookup, needs, plan.distinct, single)
            if stored is not None:
                lookup.answers[id(plan.top)] = stored
        if id(plan.top) in lookup.answers:
            continue
        summed = summed_count(plan, lookup, may_be_empty, single)
        if summed is not None:
            lookup.answers[id(plan.top)] = summed
        elif not single:
            kept = kept_distinct(plan, lookup)
            if kept is not None:
                lookup.answers[id(plan.top)] = kept


def _stored_distinct(lookup: TableLookup, needs: Needs, wanted: Measure, single: bool) -> exp.Expr | None:
    try:
        value = lookup.column(wanted)
    except NotAnswerable:
        return None
    if single:
        return value
    value = merged("COUNT_DISTINCT", value)
    if needs.block.has_groups:
        return value
    return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])


def _source(name: TableName, alias: str) -> exp.Table:
    source = exp.Table(
        this=exp.to_identifier(name.name, quoted=True),
        db=exp.to_identifier(name.schema, quoted=True),
        catalog=exp.to_identifier(name.catalog, quoted=True),
    )
    source.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return source


def _filter(select: exp.Select, where: list[exp.Expr]) -> None:
    if where:
        select.set("where", exp.Where(this=joined(where)))


def _inner(select: exp.Select, needs: Needs, lookup: TableLookup, source: exp.Table, where: list[exp.Expr]) -> None:
    """The rollup first, then the other sources in their order, each joined on what can be asked by then."""
    select.set("from_", exp.From(this=source))
    others = [each for each, _ in needs.block.others]
    names = {each.alias_or_name for each in others}
    waiting = list(where)
    placed: set[str] = set()
    for each in others:
        placed.add(each.alias_or_name)
        # Trino takes no correlated subquery in ON; it stays in WHERE.
        plain = [part for part in waiting if part.find(exp.Query) is None]
        ready = [part for part in plain if each.alias_or_name in (asked := _asked(part, names)) and asked <= placed]
        waiting = [part for part in waiting if not any(part is one for one in ready)]
        other = copied(each, lookup.replaced)
        join = exp.Join(this=other, on=joined(ready)) if ready else exp.Join(this=other, kind="CROSS")
        select.append("joins", join)
    _filter(select, waiting)


def _asked(part: exp.Expr, names: set[str]) -> set[str]:
    return {column.table for column in columns_of(part, names)}


def _outer(select: exp.Select, needs: Needs, lookup: TableLookup, source: exp.Table, where: list[exp.Expr]) -> None:
    """The rollup in the place of its table; each LEFT JOIN keeps its place and its conditions."""
    block = needs.block
    own_flag: list[exp.Expr] = []
    if block.null_extended:
        # What says that a partner exists belongs to the join: in WHERE it would drop the rows without one.
        own_flag = where
        where = [lookup.derived(part) for part in block.fixed.get("", ())]
    for each, join in sources_of(block.select):
        mine = each.alias_or_name in block.aliases
        placed = source if mine else copied(each, lookup.replaced)
        if join is None:
            select.set("from_", exp.From(this=placed))
            continue
        conditions = [lookup.derived(part) for part in block.fixed.get(each.alias_or_name, ())]
        if mine and block.null_extended:
            conditions += own_flag
        side = side_of(join)
        on = joined(conditions) if conditions else exp.true() if side or conjuncts(join.args.get("on")) else None
        select.append("joins", exp.Join(this=placed, side=join.args.get("side"), on=on, kind=None if on else "CROSS"))
    _filter(select, where)
