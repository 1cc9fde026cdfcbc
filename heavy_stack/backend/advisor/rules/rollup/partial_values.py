"""Which expressions may fail on a row, and which are NULL when a join found no partner."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.guards_against_zero import is_guarded, nodes_with_divisors
from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.trees import is_constant, own_nodes, rebuilt, unwrapped
from heavy_stack.backend.advisor.sql.printing import cast_to
from heavy_stack.backend.advisor.sql.trino_types import INTEGER_DIGITS

_NEVER_FAIL: tuple[type[exp.Expr], ...] = (
    exp.Column,
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Paren,
    exp.Identifier,
    exp.Var,
    exp.Star,
    exp.Connector,
    exp.Not,
    exp.Is,
    exp.In,
    exp.Between,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Like,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Nullif,
    exp.Abs,
    exp.Upper,
    exp.Lower,
    exp.Trim,
    exp.Length,
    exp.DPipe,
    exp.Concat,
    exp.Substring,
    exp.StrPosition,
    exp.StartsWith,
    exp.Greatest,
    exp.Least,
    exp.Round,
    exp.Ceil,
    exp.Floor,
    exp.Year,
    exp.Quarter,
    exp.Month,
    exp.Day,
    exp.DayOfMonth,
    exp.DayOfWeek,
    exp.DayOfWeekIso,
    exp.DayOfYear,
    exp.Week,
    exp.WeekOfYear,
    exp.YearOfWeek,
    exp.YearOfWeekIso,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.Extract,
    exp.TimestampTrunc,
    exp.DateTrunc,
    exp.DateDiff,
    exp.TimeToStr,
    exp.LastDay,
    exp.RegexpLike,
    exp.TryCast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Interval,
)
IS_FINITE = "IS_FINITE"
_DIVISIONS = (exp.Div, exp.Mod, exp.IntDiv)
_ROOMY = frozenset({"double", "real", "varchar"})


def may_fail(node: exp.Expr) -> bool:
    """Whether evaluating it on some row could fail (division by zero, a bad cast, overflow of a product).

    In a query such an expression meets only the rows that pass its filters; in a table that other queries share, or
    whose filter moved out of it, it would meet rows that the query never saw, and the build would fail.
    """
    return any(
        _may_fail_here(part) and not (isinstance(part, _DIVISIONS) and is_guarded(part, known))
        for part, known in nodes_with_divisors(node)
    )


def condition_may_fail(node: exp.Expr) -> bool:
    """Whether a condition of HAVING could fail on a group; its aggregates do not (they are stored, or NULL)."""
    return any(not isinstance(part, exp.AggFunc) and _may_fail_here(part) for part in own_nodes(node))


def _may_fail_here(node: exp.Expr) -> bool:
    if isinstance(node, _NEVER_FAIL):
        return False
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return _is_narrow(node)
    if isinstance(node, exp.Neg):
        return False
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() != IS_FINITE
    if isinstance(node, _DIVISIONS):
        kind = type_at(node)
        divisor = unwrapped(node.expression)
        safe = isinstance(divisor, exp.Nullif) or (isinstance(divisor, exp.Literal) and not _is_zero(divisor))
        return not safe and not (kind is not None and kind.is_float)
    if isinstance(node, exp.Cast):
        return _cast_may_fail(node)
    return True


_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)


def _is_narrow(node: exp.Expr) -> bool:
    """Whether a result may well not fit its type: any product of integers, any sum of small ones."""
    kind = type_at(node)
    if kind is None or not kind.is_integer or kind.base == "bigint":
        return False
    return isinstance(node, exp.Mul) or kind.base != "integer"


def widened(node: exp.Expr) -> exp.Expr:
    """The expression with narrow integer arithmetic done in bigint; the same values, but no overflow on any row.

    An overflow on a row that a query filters out would fail the build of a table that holds all rows.
    """
    if isinstance(node, exp.Query):
        return node.copy()
    new = rebuilt(node, widened)
    if isinstance(new, _ARITHMETIC) and _is_narrow(node):
        for side in ("this", "expression"):
            operand = new.args[side]
            if str(type_at(operand)) != "bigint":
                new.set(side, cast_to(unwrapped(operand).copy(), "bigint"))
        new.type = exp.DataType.build("BIGINT")
    elif isinstance(new, exp.Paren):
        new.type = new.this.type
    return new


def roomy(node: exp.Expr) -> exp.Expr:
    """A difference (sum, product) of integers as a key of a table: done in bigint, so that no row overflows."""
    bare, kind = unwrapped(node), type_at(node)
    if not isinstance(bare, _ARITHMETIC) or kind is None or not kind.is_integer or kind.base == "bigint":
        return node.copy()
    left, right = roomy(bare.this), roomy(bare.expression)
    if str(type_at(left)) != "bigint":
        left = cast_to(unwrapped(left), "bigint")
    # The other operand is widened by the first.
    new = type(bare)(this=_in_parens(left), expression=_in_parens(right))
    new.type = exp.DataType.build("BIGINT")
    return new


def _in_parens(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Binary):
        return node
    kept = exp.Paren(this=node)
    kept.type = node.type
    return kept


def _is_zero(literal: exp.Literal) -> bool:
    try:
        return float(str(literal.this)) == 0.0
    except ValueError:
        return True


def _cast_may_fail(cast: exp.Cast) -> bool:
    source, target = type_at(unwrapped(cast.this)), type_at(cast)
    if is_constant(cast.this):
        return False  # DATE '2024-01-01'
    if source is None or target is None:
        return True
    if source == target or target.base == "varchar":
        return False
    if source.is_numeric and target.base in _ROOMY:
        return False
    if source.is_datetime and target.is_datetime:
        return False
    if source.is_integer and target.is_integer:
        return INTEGER_DIGITS[target.base] < INTEGER_DIGITS[source.base]
    if source.as_decimal is not None and target.is_decimal:
        (p1, s1), (p2, s2) = source.as_decimal, (target.args[0], target.args[1])
        return p2 - s2 < p1 - s1 or s2 < s1
    return source.base != "boolean"


_STRICT: tuple[type[exp.Expr], ...] = (
    exp.Column,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.Neg,
    exp.Paren,
    exp.Cast,
    exp.TryCast,
    exp.Abs,
    exp.Round,
    exp.Ceil,
    exp.Floor,
    exp.Upper,
    exp.Lower,
    exp.Trim,
    exp.Length,
    exp.Substring,
    exp.Year,
    exp.Quarter,
    exp.Month,
    exp.Day,
    exp.DayOfMonth,
    exp.DayOfWeekIso,
    exp.DayOfYear,
    exp.Week,
    exp.WeekOfYear,
    exp.Hour,
    exp.Extract,
    exp.TimestampTrunc,
    exp.DateTrunc,
)


def is_null_without_partner(node: exp.Expr, aliases: AbstractSet[str]) -> bool:
    """Whether the expression is surely NULL when every column of `aliases` is NULL."""
    bare = unwrapped(node)
    if isinstance(bare, exp.Null):
        return True
    if isinstance(bare, exp.Column):
        return bare.table in aliases
    if isinstance(bare, exp.Case) and bare.this is None:
        default = bare.args.get("default")
        if default is not None and not is_null_without_partner(default, aliases):
            return False
        # A condition that is not true on NULLs leaves the default; a value that is NULL is NULL anyway.
        return all(
            _not_true_without_partner(branch.this, aliases) or is_null_without_partner(branch.args["true"], aliases)
            for branch in bare.args["ifs"]
        )
    if isinstance(bare, exp.Nullif):
        return is_null_without_partner(bare.this, aliases)
    if isinstance(bare, _STRICT):
        return any(is_null_without_partner(child, aliases) for child in bare.iter_expressions())
    return False


def _not_true_without_partner(condition: exp.Expr, aliases: AbstractSet[str]) -> bool:
    bare = unwrapped(condition)
    if isinstance(bare, exp.And):
        return _not_true_without_partner(bare.this, aliases) or _not_true_without_partner(bare.expression, aliases)
    if isinstance(bare, exp.Or):
        return _not_true_without_partner(bare.this, aliases) and _not_true_without_partner(bare.expression, aliases)
    if isinstance(bare, exp.Not):
        inner = unwrapped(bare.this)
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return is_null_without_partner(inner.this, aliases)
        return isinstance(inner, exp.Column) and inner.table in aliases
    if isinstance(bare, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
        return is_null_without_partner(bare.this, aliases) or is_null_without_partner(bare.expression, aliases)
    if isinstance(bare, (exp.Between, exp.In)) and bare.args.get("query") is None:
        return is_null_without_partner(bare.this, aliases)
    return is_null_without_partner(bare, aliases)
