"""DISTINCT aggregates kept as they are over a table's groups, where rows are counted by the values of a column.

`COUNT(DISTINCT CASE WHEN kind = 'a' THEN user END)` counts the users of the groups that have a row of that kind at all:
`COUNT(DISTINCT CASE WHEN row_count_if_kind_is_a > 0 THEN user END)`.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.aggregates import AggregatePlan
from heavy_stack.backend.advisor.rules.rollup.disjoint_counts import DisjointCount
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
    count = plan.disjoint
    if count is None or lookup.asks_spread(count.part.conditions()):
        return None
    conditions = _apart(count, lookup)
    if conditions is None:
        return None
    try:
        summed = count.part.merge(lookup, may_be_empty, single=single)
    except NotAnswerable:
        return None
    lookup.conditions.update(conditions)
    return summed


def _apart(count: DisjointCount, lookup: TableLookup, *beside: str) -> dict[str, str] | None:
    """What must hold for a counted value to stand in one of the rows that are put together; None where nothing helps.

    Args:
        count: The count.
        lookup: The table.
        beside: Dimensions that are left out of account.
    """
    table, needs = lookup.table, lookup.needs
    if not needs.stands_alone:
        return None
    open_ = {(count.text, text) for text in table.dimensions - needs.same_in_all(count) - set(beside)}
    if not open_ <= table.determined.keys():
        return None
    return dict(table.determined[pair] for pair in sorted(open_))


def kept_distinct(plan: AggregatePlan, lookup: TableLookup) -> exp.Expr | None:
    """A DISTINCT aggregate over a table that has its argument as a dimension; None where it is derived as it stands.

    Where all other dimensions are the same in a group, each value stands in one row of it: COUNT(x) will do.

    Raises:
        NotAnswerable: The table's dimensions do not give it.
    """
    kept = distinct_over_groups(plan.top, lookup)
    count = plan.disjoint
    if count is None or count.text not in lookup.table.dimensions:
        return kept
    conditions = _apart(count, lookup, count.text)
    if conditions is None:
        return kept
    plain = kept if kept is not None else lookup.derived(plan.top)
    call = plain.this if isinstance(plain, exp.Filter) else plain
    call.set("this", call.this.expressions[0])
    lookup.conditions.update(conditions)
    return plain


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
