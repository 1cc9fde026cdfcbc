"""Conditions of which at most one can hold for a row: ranges and constants of one expression, fixed-length patterns."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

from sqlglot import exp

from dev_scripts.mutants.null_facts import terms
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.column_types import read_type
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.literals import constant
from heavy_stack.backend.advisor.verify.patterns import fixed_places

_LAST_DIGITS = Decimal("1e-9")
"""By how much a share of doubles may be off."""
_OPERATORS: dict[type[exp.Expr], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}


def disjoint(left: exp.Expr, right: exp.Expr) -> bool:
    """Whether no row satisfies both; False where that cannot be told."""
    mine, others = left.unnest(), right.unnest()
    for one, other in ((mine, others), (others, mine)):
        if isinstance(one, exp.Or):
            return disjoint(one.this, other) and disjoint(one.expression, other)
    return any(_apart(one, other) for one in terms(mine) for other in terms(others))


def _apart(left: exp.Expr, right: exp.Expr) -> bool:
    mine, others = _values(left), _values(right)
    if mine is not None and others is not None and mine[0] == others[0]:
        return not set(mine[1]) & set(others[1])
    low, high = _bounds(left), _bounds(right)
    if any(_past(each, other) or _past(other, each) for each in low for other in high):
        return True
    for listed, bounds in ((mine, high), (others, low)):
        for subject, op, value in bounds if listed is not None else ():
            same = listed is not None and subject == listed[0]
            if same and listed and not any(Constraint("compare", op, value).holds(item) for item in listed[1]):
                return True
    return _patterns_apart(left, right) or _shares_apart(left, right)


def _past(lower: tuple[str, str, Any], upper: tuple[str, str, Any]) -> bool:
    """Whether a lower bound lies above an upper one of the same expression."""
    if lower[0] != upper[0] or lower[1][0] != ">" or upper[1][0] != "<":
        return False
    both = lower[1] == ">=" and upper[1] == "<="
    return bool(upper[2] < lower[2] or (upper[2] == lower[2] and not both))


def _values(node: exp.Expr) -> tuple[str, list[Any]] | None:
    if isinstance(node, exp.EQ):
        for subject, other in ((node.this, node.expression), (node.expression, node.this)):
            value = constant(other)
            if value is not None:
                return subject.sql(), [value]
        return None
    if isinstance(node, exp.In) and node.expressions:
        found = [constant(item) for item in node.expressions]
        return (node.this.sql(), found) if all(value is not None for value in found) else None
    return None


def _bounds(node: exp.Expr) -> list[tuple[str, str, Any]]:
    if isinstance(node, exp.Between):
        pairs = [(">=", constant(node.args["low"])), ("<=", constant(node.args["high"]))]
    elif type(node) in _OPERATORS:
        pairs = [(_OPERATORS[type(node)], constant(node.expression))]
    else:
        return []
    return [(node.this.sql(), op, value) for op, value in pairs if isinstance(value, (int, Decimal))]


def _patterns_apart(left: exp.Expr, right: exp.Expr) -> bool:
    if not isinstance(left, exp.RegexpLike) or not isinstance(right, exp.RegexpLike) or left.this != right.this:
        return False
    patterns = [constant(each.expression) for each in (left, right)]
    if not all(isinstance(pattern, str) for pattern in patterns):
        return False
    mine, other = (fixed_places(str(pattern)) for pattern in patterns)
    if mine is None or other is None:
        return False
    return len(mine) != len(other) or any(not set(a) & set(b) for a, b in zip(mine, other, strict=True))


def _shares_apart(left: exp.Expr, right: exp.Expr) -> bool:
    """`a / b > 1.5` and `b / a > 0.7`: the product of both shares is 1."""
    mine, other = _least_share(left), _least_share(right)
    if mine is None or other is None or mine[0] != other[1] or mine[1] != other[0]:
        return False
    return mine[2] > 0 and other[2] > 0 and mine[2] * other[2] > mine[3] * other[3]


def _least_share(node: exp.Expr) -> tuple[str, str, Decimal, Decimal] | None:
    """(a, b, bound, k) where a condition asks that a * k / b is at least a bound, before it is rounded."""
    if not isinstance(node, (exp.GT, exp.GTE)) or not isinstance(node.this.unnest(), exp.Div):
        return None
    share, bound = node.this.unnest(), constant(node.expression)
    kind = read_type(type_name(share) or "")
    if not isinstance(bound, (int, Decimal)) or kind.kind not in ("decimal", "float"):
        return None
    least = Decimal(bound)
    if kind.kind == "decimal":
        unit = Decimal(1).scaleb(-kind.scale)
        steps = least / unit
        whole = steps.to_integral_value(ROUND_FLOOR)
        passing = whole if isinstance(node, exp.GTE) and whole == steps else whole + 1
        least = passing * unit - unit / 2
    else:
        least -= abs(least) * _LAST_DIGITS
    upper, lower, factor = share.this.unnest(), share.expression.unnest(), Decimal(1)
    if isinstance(upper, exp.Mul):
        value = constant(upper.expression)
        if not isinstance(value, (int, Decimal)) or value <= 0:
            return None
        upper, factor = upper.this.unnest(), Decimal(value)
    if isinstance(lower, exp.Nullif) and lower.expression.sql() == "0":
        lower = lower.this.unnest()
    return upper.sql(), lower.sql(), least, factor
