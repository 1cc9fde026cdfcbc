"""DISTINCT aggregates kept as they are over a table's groups, where rows are counted by the values of a column.

`COUNT(DISTINCT CASE WHEN kind = 'a' THEN user END)` counts the users of the groups that have a row of that kind at all:
`COUNT(DISTINCT CASE WHEN row_count_if_kind_is_a > 0 THEN user END)`.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.aggregates import AggregatePlan
from heavy_stack.backend.advisor.rules.rollup.matching import TableLookup
from heavy_stack.backend.advisor.rules.rollup.spread_values import guarded_value
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, conjuncts, joined, rebuilt


def summed_count(plan: AggregatePlan, lookup: TableLookup, may_be_empty: bool, single: bool) -> exp.Expr | None:
    """A distinct count as the sum of the groups' own; None where they are not stored, or may share values.

    Args:
        plan: The call's plan.
        lookup: The table.
        may_be_empty: There may be no group at all, and still a row of the query's.
        single: Each row of the table is one group of the query's.
    """
    table, needs, count = lookup.table, lookup.needs, plan.disjoint
    if (
        count is None
        or lookup.asks_spread(count.part.conditions())
        or needs.block.shape != "whole"
        or needs.block.null_extended
    ):
        return None
    if needs.block.others or any(needs.block.fixed.values()):
        return None
    open_ = {(count.text, text) for text in table.dimensions - needs.same_in_all(count)}
    if not open_ <= table.determined.keys():
        return None
    try:
        summed = count.part.merge(lookup, may_be_empty, single=single)
    except NotAnswerable:
        return None
    lookup.conditions.update(table.determined[pair] for pair in sorted(open_))
    return summed


def distinct_over_groups(top: exp.Expr, lookup: TableLookup) -> exp.Expr | None:
    """The call (with its FILTER) over the table; None where it asks nothing of a spread column.

    Raises:
        NotAnswerable: The table's dimensions do not give the rest of it.
    """
    call = top.this if isinstance(top, exp.Filter) else top
    if not lookup.table.spread or not isinstance(call.this, exp.Distinct) or len(call.this.expressions) != 1:
        return None
    filters = conjuncts(top.expression.this) if isinstance(top, exp.Filter) else []
    guarded = guarded_value(call.this.expressions[0])
    value, inner = (guarded[0], guarded[1:]) if guarded is not None else (call.this.expressions[0], [])
    condition = joined([*inner, *filters]) if inner or filters else None
    asked = lookup.narrowed(condition, ()) if condition is not None else None
    if asked is None:
        return None
    # A row of the group with one of the values is enough: the other conditions are the same for all its rows.
    narrow, others = asked
    here = exp.GT(this=narrow.rows(), expression=exp.Literal.number(0))
    case = exp.Case(ifs=[exp.If(this=joined([*others, here]), true=lookup.derived(value))])
    kept = rebuilt(call, lambda child: exp.Distinct(expressions=[case]) if child is call.this else child.copy())
    kept.type = top.type
    return kept
