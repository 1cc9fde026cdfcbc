"""Whether a SELECT shows shares and averages only, which stay as they are when every row stands twice."""

from __future__ import annotations

from sqlglot import exp

from dev_scripts.mutants.null_facts import has_sets, optional
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.column_types import read_type

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


def _degree(node: exp.Expr) -> int | None:
    """The power of two by which a value grows when every row stands twice; None when that is not known."""
    if isinstance(node, (exp.Query, exp.Subquery)):
        return 0
    if isinstance(node, exp.AggFunc):
        if isinstance(node, _AVERAGES) or isinstance(node.this, exp.Distinct):
            return 0
        return 1 if isinstance(node, _SUMS) else None
    if not any(node.find_all(exp.AggFunc)):
        return 0
    if isinstance(node, _THROUGH):
        return _degree(node.this)
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, (exp.Nullif, exp.Coalesce)):
        others = node.expressions if isinstance(node, exp.Coalesce) else [node.expression]
        return _degree(node.this) if all(other.sql() == "0" for other in others) else _of_parts(node)
    if isinstance(node, (exp.Mul, exp.Div, exp.Add, exp.Sub, *_COMPARISONS)):
        return _of_two(node, _degree(node.this), _degree(node.expression))
    return _of_parts(node)


def _cast(node: exp.Cast) -> int | None:
    inner = _degree(node.this)
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


def _of_parts(node: exp.Expr) -> int | None:
    return 0 if all(_degree(part) == 0 for part in node.iter_expressions()) else None
