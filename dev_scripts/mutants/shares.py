"""Whether a SELECT shows shares and averages only, which stay as they are when every row stands twice."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dev_scripts.mutants.null_facts import has_sets, optional
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.column_types import read_type

Leaf = Callable[[exp.Expr], int | None]
_AVERAGES = (exp.Avg, exp.Min, exp.Max, exp.AnyValue)
_SUMS = (exp.Sum, exp.Count, exp.CountIf)
_THROUGH = (exp.Paren, exp.Neg, exp.Abs, exp.Filter)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def shows_shares_only(select: exp.Select, alias: str) -> bool:
    """Whether a SELECT comes to the same when every row of one of its sources stands twice."""
    calls = [call for call in select.find_all(exp.AggFunc) if call.find_ancestor(exp.Select) is select]
    joins = select.args.get("joins") or ()
    outer = any((join.side or "").upper() in ("RIGHT", "FULL") for join in joins) or alias.lower() in optional(select)
    if not calls or outer or any(select.find_all(exp.Window)):
        return False
    if select.args.get("group") is not None and has_sets(select):
        return False
    having, order = select.args.get("having"), select.args.get("order")
    shown = [item.unalias() for item in select.selects] + ([having.this] if having is not None else [])
    shown += [item.this for item in order.expressions] if order is not None else []
    return all(_degree(item) == 0 for item in shown)


def shares_of_table(place: exp.Table, table: exp.Select) -> bool:
    """Whether a SELECT that reads a table of the design comes to the same when its sums and counts are twice as large.

    Args:
        place: Where it is read.
        table: The SELECT that fills it.
    """
    select = place.find_ancestor(exp.Select)
    if select is None or any(select.find_all(exp.Window)):
        return False
    alias = place.alias_or_name.lower()
    doubled = {item.alias_or_name.lower() for item in table.selects if _degree(item.unalias()) == 1}
    kept = {item.alias_or_name.lower() for item in table.selects if _degree(item.unalias()) == 0}

    def degree(node: exp.Expr) -> int | None:
        if isinstance(node, exp.Column) and node.table.lower() == alias:
            return 1 if node.name.lower() in doubled else 0 if node.name.lower() in kept else None
        return _degree_over(node, degree) if isinstance(node, exp.AggFunc) else 0

    clauses = [select.args.get(name) for name in ("where", "having", "order", "group")]
    clauses += [join.args.get("on") for join in select.args.get("joins") or ()]
    shown = [item.unalias() for item in select.selects]
    shown += [clause.this if isinstance(clause, (exp.Where, exp.Having)) else clause for clause in clauses if clause]
    return all(_degree(item, degree) == 0 for item in shown)


def _degree_over(call: exp.AggFunc, degree: Leaf) -> int | None:
    """The same of an aggregate over rows that are as many as before."""
    if not isinstance(call.this, exp.Expr) or isinstance(call, (exp.Count, exp.CountIf)):
        parts = list(call.iter_expressions())
        counted = [_degree(part, degree) for part in parts if not isinstance(part, (exp.Star, exp.Distinct))]
        return 0 if not any(call.find_all(exp.Distinct)) and None not in counted else _of_parts(call, degree)
    if isinstance(call, (exp.Sum, *_AVERAGES)) and not isinstance(call.this, exp.Distinct):
        return _degree(call.this, degree)
    return _of_parts(call, degree)


def _degree(node: exp.Expr, degree: Leaf | None = None) -> int | None:
    """The power of two by which a value grows when every row stands twice; None when that is not known.

    Args:
        degree: The same of columns and aggregates; None for columns that do not grow.
    """
    if isinstance(node, (exp.Query, exp.Subquery)):
        return 0 if degree is None or not any(degree(column) for column in node.find_all(exp.Column)) else None
    if isinstance(node, (exp.AggFunc, exp.Column)) and degree is not None:
        return degree(node)
    if isinstance(node, exp.AggFunc):
        if isinstance(node, _AVERAGES) or isinstance(node.this, exp.Distinct):
            return 0
        return 1 if isinstance(node, _SUMS) else None
    if degree is None and not any(node.find_all(exp.AggFunc)):
        return 0
    if isinstance(node, exp.Case):
        return _of_case(node, degree)
    if isinstance(node, exp.Filter) and degree is not None and _degree(node.expression.this, degree) != 0:
        return None
    if isinstance(node, _THROUGH):
        return _degree(node.this, degree)
    if isinstance(node, exp.Cast):
        return _cast(node, degree)
    if isinstance(node, (exp.Nullif, exp.Coalesce)):
        others = node.expressions if isinstance(node, exp.Coalesce) else [node.expression]
        plain = all(other.sql() == "0" for other in others)
        return _degree(node.this, degree) if plain else _of_parts(node, degree)
    if isinstance(node, (exp.Mul, exp.Div, exp.Add, exp.Sub, *_COMPARISONS)):
        return _of_two(node, _degree(node.this, degree), _degree(node.expression, degree))
    return _of_parts(node, degree)


def _of_case(node: exp.Case, degree: Leaf | None) -> int | None:
    """All branches grow alike, or are 0 or NULL; conditions stay."""
    branches = node.args.get("ifs") or []
    ends = [branch.args["true"] for branch in branches]
    ends += [node.args["default"]] if node.args.get("default") is not None else []
    grows = {_degree(end, degree) for end in ends if end.sql() not in ("0", "NULL")}
    asked = [branch.this for branch in branches] + ([node.this] if node.this is not None else [])
    return grows.pop() if len(grows) == 1 and all(_degree(test, degree) == 0 for test in asked) else None


def _cast(node: exp.Cast, degree: Leaf | None) -> int | None:
    inner = _degree(node.this, degree)
    kinds = [read_type(name) for name in (type_name(node.this), type_name(node)) if name is not None]
    exact = len(kinds) == 2 and kinds[1].kind == "decimal" and kinds[0].scale <= kinds[1].scale
    exact = exact and kinds[0].kind in ("decimal", "integer")
    return inner if inner == 0 or exact or node.is_type("double") else None


def _of_two(node: exp.Expr, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    if isinstance(node, exp.Mul):
        return left + right
    if isinstance(node, exp.Div):
        rounded = type_name(node) != "double"
        return left - right if left == right or not rounded else None
    if isinstance(node, _COMPARISONS):
        return 0 if left == right or "0" in (node.this.sql(), node.expression.sql()) else None
    return left if left == right else None


def _of_parts(node: exp.Expr, degree: Leaf | None) -> int | None:
    return 0 if all(_degree(part, degree) == 0 for part in node.iter_expressions()) else None
