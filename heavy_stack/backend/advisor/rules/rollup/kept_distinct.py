"""DISTINCT aggregates kept as they are over a table's groups, where rows are counted by the values of a column.

`COUNT(DISTINCT CASE WHEN kind = 'a' THEN user END)` counts the users of the groups that have a row of that kind at all:
`COUNT(DISTINCT CASE WHEN row_count_if_kind_is_a > 0 THEN user END)`.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.matching import TableLookup
from heavy_stack.backend.advisor.rules.rollup.spread_values import guarded_value
from heavy_stack.backend.advisor.rules.rollup.trees import conjuncts, joined, rebuilt


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
