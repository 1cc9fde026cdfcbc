"""Mergeable measures: what a rollup stores so that aggregates of its groups can be put together again."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, joined, text_of, unwrapped
from heavy_stack.backend.advisor.sql.trino_types import TrinoType, from_node

Function = Literal["COUNT", "SUM", "MIN", "MAX", "BOOL_AND", "BOOL_OR", "COUNT_DISTINCT"]

_MERGED_BY: dict[Function, type[exp.AggFunc]] = {
    "COUNT": exp.Sum,
    "SUM": exp.Sum,
    "MIN": exp.Min,
    "MAX": exp.Max,
    "BOOL_AND": exp.LogicalAnd,
    "BOOL_OR": exp.LogicalOr,
    # Stored at exactly the query's keys, so there is one row to a group.
    "COUNT_DISTINCT": exp.Max,
}
_CALLS: dict[Function, type[exp.AggFunc]] = {
    "SUM": exp.Sum,
    "MIN": exp.Min,
    "MAX": exp.Max,
    "BOOL_AND": exp.LogicalAnd,
    "BOOL_OR": exp.LogicalOr,
}
_STORABLE = frozenset(
    {"boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal", "varchar", "date"}
)


@dataclass(frozen=True, eq=False)
class Test:
    """A condition with its text, which is written once and compared often."""

    text: str
    node: exp.Expr


def tests_of(nodes: Iterable[exp.Expr]) -> list[Test]:
    """The conditions with their texts."""
    return [Test(text_of(node), node) for node in nodes]


@dataclass(frozen=True, eq=False)
class Measure:
    """One stored aggregate over a core's rows; expressions are in the core's canonical names.

    Attributes:
        function: How it is computed and merged.
        argument: What is aggregated; None counts rows.
        argument_text: Its text, "*" for None.
        conditions: Only rows where all are true count; each once, sorted by text.
        type: Trino's type of the stored column.
    """

    function: Function
    argument: exp.Expr | None
    argument_text: str
    conditions: tuple[Test, ...]
    type: str

    def given(self, more: Iterable[Test]) -> Measure:
        """The same over only those rows where `more` holds too, in its shortest spelling."""
        by_text = {test.text: test for test in (*self.conditions, *more)}
        tests = tuple(by_text[text] for text in sorted(by_text))
        if self.function == "COUNT" and self.argument is not None and f"NOT {self.argument_text} IS NULL" in by_text:
            return Measure("COUNT", None, "*", tests, self.type)  # COUNT(x) where x is not NULL
        return Measure(self.function, self.argument, self.argument_text, tests, self.type)

    def without(self, common: AbstractSet[str]) -> Measure:
        """The same without the conditions that every row of the table meets anyway."""
        kept = tuple(test for test in self.conditions if test.text not in common)
        return Measure(self.function, self.argument, self.argument_text, kept, self.type)

    def expression(self) -> exp.Expr:
        """The aggregate call, with a FILTER for its conditions."""
        call: exp.Expr
        if self.argument is None:
            call = exp.Count(this=exp.Star(), big_int=True)
        elif self.function == "COUNT":
            call = exp.Count(this=self.argument.copy(), big_int=True)
        elif self.function == "COUNT_DISTINCT":
            call = exp.Count(this=exp.Distinct(expressions=[self.argument.copy()]), big_int=True)
        else:
            call = _CALLS[self.function](this=self.argument.copy())
        if self.conditions:
            where = exp.Where(this=joined([test.node for test in self.conditions]))
            call = exp.Filter(this=call, expression=where)
        return call

    @cached_property
    def text(self) -> str:
        """What the measure is known by: its SQL."""
        if self.function == "COUNT_DISTINCT":
            call = f"COUNT(DISTINCT {self.argument_text})"
        else:
            call = f"{self.function}({self.argument_text})"
        if not self.conditions:
            return call
        tests = (f"({test.text})" if isinstance(test.node, exp.Connector) else test.text for test in self.conditions)
        return f"{call} FILTER(WHERE {' AND '.join(tests)})"


def measure(function: Function, argument: exp.Expr | None, conditions: Iterable[exp.Expr], kind: str) -> Measure:
    """A measure over the rows where all conditions are true."""
    text = "*" if argument is None else text_of(argument)
    return Measure(function, argument, text, (), kind).given(tests_of(conditions))


def merged(function: Function, column: exp.Expr) -> exp.Expr:
    """The aggregate that merges stored values of many groups."""
    return _MERGED_BY[function](this=unwrapped(column))


def stored_type(kind: TrinoType | None) -> str:
    """The type of a column that stores values of `kind` in a new table.

    Raises:
        NotAnswerable: Such values cannot be stored so that they come back the same.
    """
    if kind is None:
        raise NotAnswerable("The type of an expression is not known.")
    if kind.base in ("tinyint", "smallint"):
        return "integer"  # Iceberg has neither; widening loses nothing
    if kind.base == "varchar":
        return "varchar"
    if kind.base in ("timestamp", "time") and not kind.zone and kind.args and kind.args[0] <= 6:
        return f"{kind.base}(6)"
    if kind.base in _STORABLE:
        return str(kind)
    # char pads, zones are folded to UTC, and nested types have no grouping of their own in every format.
    raise NotAnswerable(f"A value of type {kind} cannot be kept in a table without a change.")


def type_of_sum(kind: TrinoType | None) -> str:
    """Trino's type of SUM over values of `kind`.

    Raises:
        NotAnswerable: There is no exact way to store such a sum.
    """
    if kind is not None:
        if kind.is_integer:
            return "bigint"
        if kind.is_decimal:
            return f"decimal(38,{kind.args[1]})"
        if kind.base == "double":
            return "double"
    raise NotAnswerable("A sum over values of this type cannot be stored.")


def type_at(node: exp.Expr | None) -> TrinoType | None:
    """The Trino type noted on a node of a resolved tree."""
    return None if node is None else from_node(node.type)
