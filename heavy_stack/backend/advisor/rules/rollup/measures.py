"""Mergeable measures: what a rollup stores so that aggregates of its groups can be put together again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, joined, text_of
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


@dataclass(frozen=True)
class Measure:
    """One stored aggregate over a core's rows; expressions are in the core's canonical names.

    Attributes:
        function: How it is computed and merged.
        argument: What is aggregated; None counts rows.
        conditions: Only rows where all are true count; sorted by text.
        type: Trino's type of the stored column.
    """

    function: Function
    argument: exp.Expr | None
    conditions: tuple[exp.Expr, ...]
    type: str

    def given(self, more: list[exp.Expr]) -> Measure:
        """The same over only those rows where `more` holds too."""
        return measure(self.function, self.argument, [*self.conditions, *more], self.type)

    def without(self, common: set[str]) -> Measure:
        """The same without the conditions that every row of the table meets anyway."""
        kept = tuple(condition for condition in self.conditions if text_of(condition) not in common)
        return Measure(self.function, self.argument, kept, self.type)

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
            where = exp.Where(this=joined(list(self.conditions)))
            call = exp.Filter(this=call, expression=where)
        return call

    @property
    def text(self) -> str:
        """What the measure is known by."""
        return text_of(self.expression())


def measure(function: Function, argument: exp.Expr | None, conditions: list[exp.Expr], kind: str) -> Measure:
    """A measure with its conditions sorted and each once."""
    by_text = {text_of(condition): condition for condition in conditions}
    return Measure(function, argument, tuple(by_text[text] for text in sorted(by_text)), kind)


def merged(function: Function, column: exp.Expr) -> exp.Expr:
    """The aggregate that merges stored values of many groups."""
    return _MERGED_BY[function](this=column)


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


def type_at(node: exp.Expr) -> TrinoType | None:
    """The Trino type noted on a node of a resolved tree."""
    return from_node(node.type)
