"""Measures that a table need not store, since its dimensions give them.

Before: a table by `rate` stores SUM(rate), MIN(rate) and SUM(rate * amount) beside COUNT(*) and SUM(amount).
After: it stores COUNT(*) and SUM(amount); the first sum is rate * row_count, the extreme is rate itself.
Safe when: every column of the argument (or of one factor) is a dimension, so that it has one value in each stored row.
Never when: the argument may fail, its sum would not fit its type, or rows of an outer join may be missing.
Source: distributivity of SUM; MIN and MAX of a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.measures import Measure, Test, type_at
from heavy_stack.backend.advisor.rules.rollup.partial_values import may_fail
from heavy_stack.backend.advisor.rules.rollup.trees import text_of, unwrapped

MAX_DIGITS = 19
"""A decimal of more digits times a number of rows may not fit 38 of them."""


def stored_instead(wanted: Measure, dimensions: Container[str]) -> Measure | None:
    """The measure that gives `wanted` together with the dimensions; None where they do not give it.

    Args:
        wanted: A measure in the core's canonical names.
        dimensions: The texts of the table's dimensions.
    """
    if wanted.argument is None or wanted.function == "COUNT_DISTINCT" or may_fail(wanted.argument):
        return None
    if _is_constant_in_groups(wanted.argument, dimensions):
        if wanted.function == "SUM" and not _times_rows_fits(wanted.argument):
            return None
        return _rows(wanted.conditions)
    factors = _factors(wanted, dimensions)
    if factors is None:
        return None
    other = factors[1]
    return Measure("SUM", other, text_of(other), wanted.conditions, wanted.type)


def from_dimensions(
    wanted: Measure,
    dimensions: Container[str],
    column: Callable[[Measure], exp.Expr],
    derived: Callable[[exp.Expr], exp.Expr],
    *,
    has_rows: bool,
) -> exp.Expr | None:
    """A stored row's contribution to `wanted`; None where the dimensions do not give it.

    Args:
        wanted: The measure, without the conditions that all rows of the table meet.
        dimensions: The texts of the table's dimensions.
        column: The stored column of a measure.
        derived: An expression over the table's dimensions.
        has_rows: Every stored row that counts stands for rows that meet the measure's conditions.
    """
    source = stored_instead(wanted, dimensions)
    if source is None or wanted.argument is None:
        return None
    stored = column(source)
    if source.argument is not None:
        factors = _factors(wanted, dimensions)
        return None if factors is None else _product(derived(factors[0]), stored)
    value = derived(wanted.argument)
    if wanted.function == "COUNT":
        missing = exp.Is(this=_operand(value), expression=exp.Null())
        return exp.Case(ifs=[exp.If(this=missing, true=exp.Literal.number(0))], default=stored)
    if wanted.function == "SUM":
        # The sum over no rows is NULL.
        return _product(value, stored if has_rows else exp.Nullif(this=stored, expression=exp.Literal.number(0)))
    if has_rows:
        return value
    return exp.Case(ifs=[exp.If(this=exp.GT(this=stored, expression=exp.Literal.number(0)), true=value)])


def without_given(measures: dict[str, Measure], dimensions: Iterable[str]) -> dict[str, Measure]:
    """The measures that a table with these dimensions has to store for all of `measures`."""
    known = frozenset(dimensions)
    found: dict[str, Measure] = {}
    for each in measures.values():
        needed = stored_instead(each, known) or each
        found[needed.text] = needed
    return found


def _rows(conditions: tuple[Test, ...]) -> Measure:
    return Measure("COUNT", None, "*", conditions, "bigint")


def _is_constant_in_groups(node: exp.Expr, dimensions: Container[str]) -> bool:
    columns = list(node.find_all(exp.Column))
    return bool(columns) and node.find(exp.Query) is None and all(text_of(each) in dimensions for each in columns)


def _times_rows_fits(argument: exp.Expr) -> bool:
    kind = type_at(argument)
    if kind is None:
        return False
    if kind.is_decimal:
        return kind.args[0] <= MAX_DIGITS
    return kind.is_integer or kind.base == "double"


def _factors(wanted: Measure, dimensions: Container[str]) -> tuple[exp.Expr, exp.Expr] | None:
    """(what the dimensions give, the rest) of a product of doubles that is summed up."""
    product = unwrapped(wanted.argument) if wanted.argument is not None else None
    if wanted.function != "SUM" or not isinstance(product, exp.Mul):
        return None
    sides = [unwrapped(product.this), unwrapped(product.expression)]
    if any((kind := type_at(side)) is None or kind.base != "double" for side in sides):
        return None
    for own, other in (sides, reversed(sides)):
        if _is_constant_in_groups(own, dimensions) and next(other.find_all(exp.Column), None) is not None:
            return own, other
    return None


def _product(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Mul(this=_operand(left), expression=right))


def _operand(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node
