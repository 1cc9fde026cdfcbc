"""Columns of a fact that others of it give in nearly every row: an amount is a price times a quantity.

Where a stored table holds what is multiplied or added, such a column need not be stored. Two others stand for it: its
*rest*, the value where the formula gives another one, and a mark where it is NULL and the formula gives a value. With
them it can be told in every row, whatever the data; how few rows the formula misses decides only what they take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, StoredColumn
from heavy_stack.backend.advisor.rules.rollup.rollups import DIMENSION
from heavy_stack.backend.advisor.rules.rollup.trees import text_of
from heavy_stack.backend.advisor.sql.trino_types import TrinoType, arithmetic, read_type

Formula = str | tuple[str, "Formula", "Formula"]
"""A column of the fact in lower case, or an operator of OPERATORS and its two sides."""
Read = Callable[[str], exp.Expr]
"""What stands for a column."""
OPERATORS: Mapping[str, type[exp.Binary]] = {"*": exp.Mul, "+": exp.Add, "-": exp.Sub}
MAX_DIGITS = 38
_REST, _IS_NULL = "rest of ", "is null: "
"""Before a column's name: what is stored in its stead. No column of a table is called so: names are in lower case."""


@dataclass(frozen=True)
class Derived:
    """A column that is not stored: its formula, and its own type in Trino's spelling."""

    column: str
    formula: Formula
    type: str

    @property
    def rest(self) -> str:
        """In the place of a column's name: its values where the formula gives others."""
        return _REST + self.column

    @property
    def is_null(self) -> str:
        """In the place of a column's name: whether it is NULL where the formula gives a value."""
        return _IS_NULL + self.column

    @property
    def parts(self) -> tuple[str, ...]:
        """All that it is read from."""
        return (self.rest, self.is_null, *operands(self.formula))

    def value(self, read: Read) -> exp.Expr:
        """The column as what is stored gives it, exactly and in its own type."""
        # A product may be out of the type's range only where the rest is what counts.
        given = exp.TryCast(this=_spelled(self.formula, read), to=exp.DataType.build(self.type, dialect="trino"))
        told = exp.Coalesce(this=read(self.rest), expressions=[given])
        return exp.Case(ifs=[exp.If(this=read(self.is_null), true=exp.Null())], default=told)

    def stored(self, part: str, read: Read) -> exp.Expr:
        """What a stored part is made of; `read` gives the fact's own columns."""
        formula = _spelled(self.formula, read)
        if part == self.rest:
            differs = exp.NullSafeNEQ(this=read(self.column), expression=formula)
            return exp.Case(ifs=[exp.If(this=differs, true=read(self.column))])
        none = exp.Is(this=read(self.column), expression=exp.Null())
        return exp.And(this=none, expression=exp.Not(this=exp.Is(this=exp.paren(formula), expression=exp.Null())))


def operands(formula: Formula) -> tuple[str, ...]:
    """The columns of a formula, each once."""
    return tuple(dict.fromkeys(_columns(formula)))


def _columns(formula: Formula) -> Iterator[str]:
    if isinstance(formula, str):
        yield formula
    else:
        yield from _columns(formula[1])
        yield from _columns(formula[2])


def result_type(formula: Formula, types: Mapping[str, TrinoType]) -> TrinoType | None:
    """Trino's type of a formula over exact numbers; None where some values could overflow."""
    if isinstance(formula, str):
        return types[formula]
    operator, *sides = formula
    found = arithmetic(operator, *(result_type(side, types) for side in sides))
    # Integers stay integers and fail beyond their range; a decimal of all digits has been cut to them.
    return found if found is not None and found.is_decimal and found.args[0] < MAX_DIGITS else None


def derived_of(evidence: Mapping[str, Any]) -> dict[str, Derived]:
    """The columns of a candidate's fact that it may derive, by name."""
    listed = evidence.get("derived", ())
    return {str(name): Derived(str(name), _read(formula), str(kind)) for name, formula, kind in listed}


def with_derived(candidate: Candidate, columns: Mapping[str, Derived]) -> Candidate:
    """A pre-joined table that holds, beside all it has, what these columns are derived from.

    Args:
        candidate: The table; its SELECT stays what it was.
        columns: By the name of the stored column.
    """
    alias, known = str(candidate.evidence["alias"]), derived_of(candidate.evidence)
    stored, added = dict(candidate.evidence["stored"]), list[StoredColumn]()
    for name, each in columns.items():
        for part, word, kind in ((each.rest, "rest", each.type), (each.is_null, "is_null", "boolean")):
            made = each.stored(part, lambda column: exp.column(column, table=alias, quoted=True))
            added.append(StoredColumn(f"{name}_{word}", text_of(made), kind, DIMENSION))
            stored[added[-1].name] = [alias, part]
        known[each.column] = each
    listed = [[each.column, each.formula, each.type] for each in known.values()]
    evidence = {**candidate.evidence, "stored": stored, "derived": listed}
    why = f"{candidate.why} What other columns give is computed: {', '.join(sorted(columns))}."
    return replace(candidate, columns=(*candidate.columns, *added), why=why, evidence=evidence)


def names_of(name: str) -> tuple[str, str]:
    """The stored columns that `with_derived` adds for one."""
    return f"{name}_rest", f"{name}_is_null"


def exact_number(kind: str) -> TrinoType | None:
    """The type of a column that may stand in a formula, or be given by one; None for others."""
    found = read_type(kind)
    return found if found is not None and found.as_decimal is not None else None


def _spelled(formula: Formula, read: Read) -> exp.Expr:
    if isinstance(formula, str):
        return read(formula)
    sides = [_spelled(side, read) for side in formula[1:]]
    left, right = (exp.paren(side) if isinstance(side, exp.Binary) else side for side in sides)
    return OPERATORS[formula[0]](this=left, expression=right)


def _read(formula: Any) -> Formula:
    if isinstance(formula, str):
        return formula
    operator, left, right = formula
    return str(operator), _read(left), _read(right)
