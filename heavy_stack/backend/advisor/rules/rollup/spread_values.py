"""A column of few values kept as one measure for every value of it, instead of as a dimension.

`SELECT day, COUNT(DISTINCT user) … WHERE kind IN ('a', 'b') GROUP BY day` from a table by day and user that counts the
rows of each kind: `WHERE row_count_if_kind_is_a + row_count_if_kind_is_b > 0`. With the column as a dimension the table
would have a row for every kind that a user had on a day. Every value has its measure, so that a list with other values
is answered as well; a value without one (it came with later rows) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.measures import Function, Test, type_at
from heavy_stack.backend.advisor.rules.rollup.trees import (
    NotAnswerable,
    canonical,
    conjuncts,
    terms,
    text_of,
    unwrapped,
)

MAX_SPREAD_VALUES = 16
"""More values are a dimension, not a row of measures (rule 8 of the contract)."""


@dataclass(frozen=True, eq=False)
class Spread:
    """A column (canonical names) and all its values."""

    column: exp.Column
    values: tuple[exp.Literal, ...]

    @cached_property
    def text(self) -> str:
        """The column's text."""
        return text_of(self.column)

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """One condition for every value."""
        return tuple(value_test(self.column, value) for value in self.values)

    def tests_in(self, node: exp.Expr, names: dict[str, str]) -> Iterable[Test]:
        """The conditions of the values that an expression (in the block's names) asks for."""
        for part in node.walk():
            found = asked_values(part)
            if found is not None and text_of(canonical(found[0], names)) == self.text:
                yield from (value_test(self.column, value) for value in found[1])


def value_test(column: exp.Column, value: exp.Literal) -> Test:
    """`column = value`, as a condition of a measure."""
    node = exp.EQ(this=column.copy(), expression=value.copy())
    node.type = exp.DataType.build("BOOLEAN")
    return Test(text_of(node), node)


def literals_of(values: Iterable[str], column: exp.Column) -> tuple[exp.Literal, ...]:
    """The values of a column's statistics as literals; none where they cannot be written so."""
    kind = type_at(column)
    texts = sorted(values)
    if kind is None or not 1 < len(texts) <= MAX_SPREAD_VALUES:
        return ()
    if kind.base == "varchar":
        return tuple(exp.Literal.string(text) for text in texts)
    if kind.is_integer and all(text.isascii() and text.isdigit() for text in texts):
        return tuple(_number(text) for text in sorted(texts, key=int))
    return ()


def _number(digits: str) -> exp.Literal:
    return exp.Literal(this=digits, is_string=False)


def asked_values(condition: exp.Expr) -> tuple[exp.Column, tuple[exp.Literal, ...]] | None:
    """(column, values) where a condition is true exactly for these values of one plain column."""
    bare = unwrapped(condition)
    if isinstance(bare, exp.Or):
        return _union(asked_values(term) for term in terms(bare, exp.Or))
    if isinstance(bare, exp.EQ):
        left, right = unwrapped(bare.this), unwrapped(bare.expression)
        if isinstance(right, exp.Column):
            left, right = right, left
        return _values(left, [right])
    if isinstance(bare, exp.In) and bare.expressions and bare.args.get("query") is None:
        return _values(unwrapped(bare.this), [unwrapped(value) for value in bare.expressions])
    if isinstance(bare, exp.Between) and not bare.args.get("symmetric"):
        return _range(unwrapped(bare.this), unwrapped(bare.args["low"]), unwrapped(bare.args["high"]))
    return None


def _union(
    found: Iterable[tuple[exp.Column, tuple[exp.Literal, ...]] | None],
) -> tuple[exp.Column, tuple[exp.Literal, ...]] | None:
    column: exp.Column | None = None
    values: dict[str, exp.Literal] = {}
    for each in found:
        if each is None or (column is not None and text_of(column) != text_of(each[0])):
            return None
        column = each[0]
        values.update((text_of(value), value) for value in each[1])
    return None if column is None else (column, tuple(values.values()))


def _values(column: exp.Expr, values: list[exp.Expr]) -> tuple[exp.Column, tuple[exp.Literal, ...]] | None:
    kind = type_at(column)
    if not isinstance(column, exp.Column) or kind is None:
        return None
    found: dict[str, exp.Literal] = {}
    for value in values:
        if not isinstance(value, exp.Literal) or value.is_string != (kind.base == "varchar"):
            return None
        # 1 and 1.0 would be told apart by their texts.
        if not value.is_string and not (kind.is_integer and str(value.this).isdigit()):
            return None
        found[text_of(value)] = value
    return column, tuple(found.values())


def _range(column: exp.Expr, low: exp.Expr, high: exp.Expr) -> tuple[exp.Column, tuple[exp.Literal, ...]] | None:
    ends = [str(end.this) for end in (low, high) if isinstance(end, exp.Literal) and not end.is_string]
    if len(ends) != 2 or not all(end.isdigit() for end in ends):
        return None
    first, last = int(ends[0]), int(ends[1])
    if not 0 <= last - first < MAX_SPREAD_VALUES:
        return None
    return _values(column, [_number(str(number)) for number in range(first, last + 1)])


def asks_spread(condition: exp.Expr, spread: Spread, names: dict[str, str]) -> bool:
    """Whether a condition (in the block's names) asks nothing but for values of the spread column."""
    found = asked_values(condition)
    if found is None or text_of(canonical(found[0], names)) != spread.text:
        return False
    return {text_of(value) for value in found[1]} <= {text_of(value) for value in spread.values}


def parts_beside(node: exp.Expr, spread: Spread, names: dict[str, str]) -> list[exp.Expr]:
    """What a DISTINCT aggregate's argument or filter needs of dimensions beside the spread column."""
    guarded = guarded_value(node)
    if guarded is not None:
        return [part for each in guarded for part in parts_beside(each, spread, names)]
    return [] if asks_spread(node, spread, names) else [node]


def guarded_value(node: exp.Expr) -> list[exp.Expr] | None:
    """[value, conditions…] of `CASE WHEN conditions THEN value END`."""
    bare = unwrapped(node)
    if not isinstance(bare, exp.Case) or bare.this is not None or len(bare.args["ifs"]) != 1:
        return None
    default = bare.args.get("default")
    if default is not None and not isinstance(unwrapped(default), exp.Null):
        return None
    branch = bare.args["ifs"][0]
    return [branch.args["true"], *conjuncts(branch.this)]


def together(function: Function, columns: list[exp.Expr]) -> exp.Expr:
    """What several values' measures of one group come to.

    Raises:
        NotAnswerable: There is no short way to say it.
    """
    if len(columns) == 1:
        return columns[0]
    if not columns:
        if function == "COUNT":
            return exp.Literal.number(0)
        raise NotAnswerable("No value is asked for.")
    if function == "COUNT":
        return _sum(columns)
    if function == "SUM":
        # Where no value has any row that is not NULL, a sum is NULL.
        present = exp.Coalesce(this=columns[0].copy(), expressions=[column.copy() for column in columns[1:]])
        zeros = [exp.Coalesce(this=column.copy(), expressions=[exp.Literal.number(0)]) for column in columns]
        known = exp.Not(this=exp.Is(this=present, expression=exp.Null()))
        return exp.Case(ifs=[exp.If(this=known, true=_sum(zeros))])
    raise NotAnswerable(f"{function} of several values of a column is not put together.")


def _sum(columns: Sequence[exp.Expr]) -> exp.Expr:
    total = columns[0].copy()
    for column in columns[1:]:
        total = exp.Add(this=total, expression=column.copy())
    return total
