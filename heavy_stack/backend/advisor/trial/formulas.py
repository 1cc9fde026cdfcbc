"""Which columns of a built table others of it give: looked for among the values of a few rows.

What is found need not hold in all rows, and is exact all the same (see rules/prejoin/derived.py); the sample only says
how much is left to store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations_with_replacement, permutations

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, NotCheckable, QuerySession, RunFailed, RunTimeout
from heavy_stack.backend.advisor.rules import READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.derived import (
    Derived,
    Formula,
    exact_number,
    names_of,
    operands,
    result_type,
)
from heavy_stack.backend.advisor.rules.prejoin.keys import table_of
from heavy_stack.backend.advisor.sql.printing import trino_sql
from heavy_stack.backend.advisor.sql.trino_types import TrinoType

SAMPLE_ROWS = 3_000
LEAST_ROWS = 300
"""Rows in which both a column and its formula must have had a value, and the same one in each."""
DEAR_SHARE = 0.01
"""Of the table's bytes: a smaller column is not worth a formula."""
MOST_LEFT = 0.25
"""Of the rows, where the formula gives another value than the column, or only one of them gives one."""
MOST_COLUMNS = 40
"""Of a table's exact numbers, those with the most bytes are looked at."""
QUERY_LIMIT_S = 10.0
_FACTOR = 1.5
"""What is left is spread thinly, so it takes more than its share of the column's bytes."""
_MARK_BYTES = 0.04
"""Of a mark that is seldom set, per row."""
Values = Sequence[int | None]
"""A column of the sample, in units of its scale."""


@dataclass(frozen=True)
class Found:
    """A column that need not be stored.

    Attributes:
        derived: What gives it.
        reads: The stored columns that are read in its stead, without the two that are added.
        rest_bytes, mark_bytes: What these two would take.
    """

    derived: Derived
    reads: frozenset[str]
    rest_bytes: float
    mark_bytes: float


def formulas_of(session: QuerySession, name: TableName, wide: Candidate, built: BuiltTable) -> dict[str, Found]:
    """By stored column, what could stand in its stead; nothing where the table is not pre-joined or cannot be asked."""
    if wide.rule != READ_FROM_PREJOIN.id:
        return {}
    own = _numbers(wide, built)
    if len(own) < 2:
        return {}
    asked = exp.select(*(exp.column(stored, quoted=True) for stored in own.values())).from_(table_of(name, "w"))
    sql = trino_sql(asked.limit(SAMPLE_ROWS))
    try:
        rows = session.query(sql, limit_s=QUERY_LIMIT_S, max_rows=SAMPLE_ROWS).rows
    except (NotCheckable, RunFailed, RunTimeout):
        return {}
    kinds = {each.name: each.type for each in wide.columns}
    types = {column: kind for column, stored in own.items() if (kind := exact_number(kinds[stored])) is not None}
    sample = _Sample(types, {column: [_units(row[at], types[column]) for row in rows] for at, column in enumerate(own)})
    dear = [column for column, stored in own.items() if built.column_bytes[stored] >= DEAR_SHARE * built.bytes]
    found: dict[str, Found] = {}
    for column, formula in sample.formulas(dear).items():
        stored = own[column]
        left = sample.left(column, formula)
        if left > MOST_LEFT or {*names_of(stored)} & kinds.keys():
            continue
        found[stored] = Found(
            Derived(column, formula, kinds[stored]),
            frozenset(own[each] for each in operands(formula)),
            min(1.0, _FACTOR * left) * built.column_bytes[stored],
            _MARK_BYTES * built.rows,
        )
    return found


def _numbers(wide: Candidate, built: BuiltTable) -> dict[str, str]:
    """The fact's own columns with exact numbers → the stored column's name; those with the most bytes first."""
    stored, sort = wide.evidence["stored"], {str(name) for name in wide.evidence["sort"]}
    kinds = {each.name: each.type for each in wide.columns}
    names = [
        name
        for name, kind in kinds.items()
        if str(stored[name][0]) == str(wide.evidence["alias"])
        and exact_number(kind) is not None
        and name not in sort
        and name in built.column_bytes
    ]
    names.sort(key=lambda name: (-built.column_bytes[name], name))
    return {str(stored[name][1]): name for name in names[:MOST_COLUMNS]}


def _units(value: object, kind: TrinoType) -> int | None:
    if value is None:
        return None
    digits = kind.as_decimal
    return int(Decimal(str(value)).scaleb(digits[1])) if digits is not None else None


class _Sample:
    """Values of some rows, and the formulas that hold in all of them.

    Args:
        types: By column; those with the most bytes first.
        values: Their values.
    """

    def __init__(self, types: Mapping[str, TrinoType], values: Mapping[str, Values]) -> None:
        self._types, self._values = types, values

    def formulas(self, wanted: Sequence[str]) -> dict[str, Formula]:
        """For each of these that others give, a formula over columns that no formula gives."""
        found: dict[str, Formula] = {}
        for shapes in (self._products, self._sums):
            for column in wanted:
                if column not in found:
                    formula = next((each for each in shapes(column, found) if self._holds(column, each)), None)
                    if formula is not None:
                        found[column] = formula
        whole = {column: _whole(formula, found) for column, formula in found.items()}
        return {column: each for column, each in whole.items() if result_type(each, self._types) is not None}

    def left(self, column: str, formula: Formula) -> float:
        """The share of rows in which a column is something else than its formula."""
        pairs = list(zip(self._values[column], self._given(formula), strict=True))
        return sum(own != given for own, given in pairs) / max(1, len(pairs))

    def _products(self, column: str, found: Mapping[str, Formula]) -> Iterator[Formula]:
        others = self._others(column, found)
        yield from (each for each in others if self._scale(each) == self._scale(column))
        for one, two in combinations_with_replacement(others, 2):
            if self._scale(one) + self._scale(two) == self._scale(column):
                yield "*", one, two

    def _sums(self, column: str, found: Mapping[str, Formula]) -> Iterator[Formula]:
        """Those of columns that formulas give first: they cost nothing more."""
        others = [each for each in self._others(column, found) if self._scale(each) == self._scale(column)]
        others.sort(key=lambda each: each not in found)
        for one, two in permutations(others, 2):
            yield "-", one, two
        for one, two in combinations_with_replacement(others, 2):
            yield "+", one, two

    def _others(self, column: str, found: Mapping[str, Formula]) -> list[str]:
        """All columns that are not given by this one."""
        return [each for each in self._types if column not in operands(_whole(each, found))]

    def _scale(self, column: str) -> int:
        digits = self._types[column].as_decimal
        return 0 if digits is None else digits[1]

    def _holds(self, column: str, formula: Formula) -> bool:
        seen = 0
        for own, given in zip(self._values[column], self._given(formula), strict=True):
            if own is not None and given is not None:
                if own != given:
                    return False
                seen += 1
        return seen >= LEAST_ROWS

    def _given(self, formula: Formula) -> Iterator[int | None]:
        if isinstance(formula, str):
            yield from self._values[formula]
            return
        operator, left, right = formula
        for one, two in zip(self._given(left), self._given(right), strict=True):
            if one is None or two is None:
                yield None
            else:
                yield one * two if operator == "*" else one - two if operator == "-" else one + two


def _whole(formula: Formula, found: Mapping[str, Formula]) -> Formula:
    """The formula with formulas in place of the columns that they give."""
    if isinstance(formula, str):
        return _whole(found[formula], found) if formula in found else formula
    operator, left, right = formula
    return operator, _whole(left, found), _whole(right, found)
