"""Small inversions: what a condition on an expression asks of the column inside it."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from sqlglot import exp

from heavy_stack.backend.advisor.verify.column_types import is_number
from heavy_stack.backend.advisor.verify.constraints import FLIPPED, Constraint
from heavy_stack.backend.advisor.verify.literals import constant

_NUMERIC = (int, float)
OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.NullSafeEQ: "=",
    exp.NullSafeNEQ: "<>",
}
PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.WeekOfYear: "week",
    exp.Week: "week",
    exp.Day: "day",
    exp.DayOfMonth: "day",
    exp.DayOfWeekIso: "dow",
    exp.DayOfWeek: "dow",
    exp.DayOfYear: "doy",
    exp.Hour: "hour",
    exp.Minute: "minute",
}
THROUGH = (
    exp.Cast, exp.TryCast, exp.Round, exp.Coalesce, exp.Abs, exp.Lower, exp.Upper, exp.Trim, exp.Nullif, exp.Date,
    exp.Floor, exp.Ceil, exp.TimestampTrunc, exp.DateTrunc, exp.TsOrDsToDate, exp.Paren,
)  # fmt: skip
"""Functions whose argument meets a condition, more or less, when it is asked of the argument itself."""
MOST_PARTS = 1_000
"""The largest denominator of a bound on a share that is tried exactly."""
FEW_PARTS = 20
"""The same where numbers may have to be counts of rows."""


def amount(node: exp.Expr) -> float | None:
    """The number that is added or taken away: days for an interval; None when it is no constant."""
    if isinstance(node, exp.Interval):
        count = constant(node.this)
        try:
            days = {"DAY": 1, "WEEK": 7, "MONTH": 30, "YEAR": 365, "HOUR": 1 / 24}[
                node.text("unit").upper().rstrip("S")
            ]
            return float(count) * days
        except (KeyError, TypeError, ValueError):
            return None
    value = constant(node)
    return float(value) if is_number(value) else None


def part_name(name: str) -> str | None:
    """The part of a date that EXTRACT names, in this package's words; None when it is not known here."""
    known = {"DAY_OF_WEEK": "dow", "DAYOFWEEK": "dow", "DOW": "dow", "DAY_OF_YEAR": "doy", "DOY": "doy"}
    upper = name.upper()
    return known.get(upper) or (upper.lower() if upper in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR") else None)


def may_satisfy(result: exp.Expr, constraint: Constraint) -> bool:
    """Whether a branch of a CASE can give a value that satisfies the constraint."""
    if isinstance(result, exp.Null):
        return constraint.kind == "is_null"
    value = constant(result)
    return value is None or constraint.holds(value)


def is_indicator(node: exp.Case | exp.If) -> bool:
    """A CASE whose results are only 0, 1 and NULL."""
    whens = list(node.args.get("ifs") or ()) if isinstance(node, exp.Case) else [node]
    results = [when.args["true"] for when in whens]
    results.append(node.args.get("default") if isinstance(node, exp.Case) else node.args.get("false"))
    return all(item is None or isinstance(item, exp.Null) or constant(item) in (0, 1) for item in results)


def solved(node: exp.Expr, left: Any, right: Any, constraint: Constraint) -> Constraint | None:
    """`x + k op v` as `x op v − k`, and so on; None when neither side is a number."""
    known = right if left is None else left
    value = constraint.value
    if not is_number(known) or (left is not None and right is not None):
        return None
    if isinstance(known, _NUMERIC) != isinstance(value, _NUMERIC):
        known, value = float(known), float(value)
    if isinstance(node, exp.Add):
        return Constraint("compare", constraint.op, value - known)
    if isinstance(node, exp.Sub):
        if left is None:
            return Constraint("compare", constraint.op, value + known)
        return Constraint("compare", FLIPPED[constraint.op], known - value)
    if known == 0:
        return None
    op = constraint.op if known > 0 else FLIPPED[constraint.op]
    if isinstance(node, exp.Mul):
        quotient = value / known
        exact = isinstance(quotient, float) and quotient.is_integer()
        return Constraint("compare", op, int(quotient) if exact else quotient)
    return Constraint("compare", op, value * known) if left is None else None


def share_beside(constraint: Constraint, draw: random.Random | None) -> tuple[int, int] | None:
    """Two whole numbers whose share is a bound, or (with `draw`, sometimes) just satisfies the comparison with it."""
    bound = Fraction(str(constraint.value))
    if bound <= 0 or bound.denominator > (MOST_PARTS if draw is None else FEW_PARTS):
        return None
    if draw is None or "=" in constraint.op:
        exact = bound.numerator, bound.denominator
        return exact if draw is None or draw.random() < 0.5 else None
    # The smallest numbers on the good side: shares of counts need as many rows.
    step = Fraction(1 if constraint.op == ">" else -1, 2 * bound.denominator)
    near = min(
        (Fraction(round((bound + step) * parts), parts) for parts in range(1, 2 * bound.denominator + 1)),
        key=lambda share: (
            not min(bound, bound + step) <= share <= max(bound, bound + step) or share == bound,
            share.denominator,
        ),
    )
    return (near.numerator, near.denominator) if draw.random() < 0.5 else None
