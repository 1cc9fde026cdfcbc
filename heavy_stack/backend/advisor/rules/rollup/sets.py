"""SELECTs of which only the set of rows matters: each row once, or ten times, is the same to the query around them.

So they may be answered from groups as SELECT DISTINCT is: EXISTS (…), x IN (…), x = ANY (…), and the branches of UNION,
INTERSECT and EXCEPT without ALL.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.inlining import groups_rows
from heavy_stack.backend.advisor.rules.rollup.trees import select_nodes

_COUNTS_ROWS = ("limit", "offset", "fetch", "having", "qualify", "windows")


def folds_rows(select: exp.Select) -> bool:
    """Whether a SELECT makes groups, or its rows might as well be groups."""
    return groups_rows(select) or is_asked_as_a_set(select)


def is_asked_as_a_set(select: exp.Select) -> bool:
    """Whether the query around a plain SELECT cannot tell how often a row of it stands there."""
    if groups_rows(select) or select.args.get("from_") is None or any(select.args.get(key) for key in _COUNTS_ROWS):
        return False
    if any(isinstance(node, (exp.Window, exp.Unnest, exp.Explode)) for node in select_nodes(select)):
        return False
    return _is_a_set(select)


def _is_a_set(query: exp.Expr) -> bool:
    node: exp.Expr = query
    parent = node.parent
    while parent is not None:
        if isinstance(parent, (exp.Exists, exp.Any, exp.All)):
            return True
        if isinstance(parent, exp.In):
            return node.arg_key == "query"
        if isinstance(parent, exp.SetOperation):
            if parent.args.get("distinct"):
                return node.arg_key in ("this", "expression")
            if not isinstance(parent, exp.Union):
                return False  # INTERSECT ALL and EXCEPT ALL count
            # The rows of UNION ALL are what its branches give: a set where that is asked of the whole.
        elif not isinstance(parent, (exp.Paren, exp.Subquery)) or parent.alias:
            return False
        if any(parent.args.get(key) for key in ("limit", "offset", "fetch", "order", "with_")):
            return False
        node, parent = parent, parent.parent
    return False
