"""At which step a number is asked for: as dates have months, numbers have round steps (5, 10, 20, 50, …).

`delay >= 15` is answered from `delay - delay % 5` exactly, since no step has values on both sides of 15. Where a column
itself would make too many groups, a rollup holds it at a step that its literals are multiples of, fine enough (a third
of the smallest literal) that another round literal is likely to be one too. The arithmetic is exact for every type:
a remainder of doubles is, and so is a difference whose result is a multiple of a whole number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.date_grains import compared_with
from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.partial_values import IS_FINITE
from heavy_stack.backend.advisor.rules.rollup.trees import columns_of, unwrapped
from heavy_stack.backend.advisor.sql.printing import cast_to
from heavy_stack.backend.advisor.sql.trino_types import TrinoType

STEPS = tuple(unit * 10**power for power in range(12) for unit in (1, 2, 5))[1:]
"""The steps that people count in, from 2 up."""
LITERALS_PER_STEP = 3
"""The smallest literal is at least so many steps, so that a neighbour of it is likely to be a whole step too."""
MAX_LITERAL = Decimal(2) ** 50
"""Beyond, doubles do not hold every whole number, so that a step's inside could not be told from its bound."""
FROM, BOTH = "from", "both"
"""FROM: each step with its nearer bound. BOTH: whole steps apart from what lies between them."""

STEPPED_KINDS = frozenset({"Case", "Sub", "Cast"})
"""The outermost kinds of expression that `stepped` makes."""


def use_of_number(node: exp.Expr, aliases: AbstractSet[str]) -> tuple[exp.Column, list[tuple[str, Decimal]]] | None:
    """(column, [(operator, literal)]) where `node` compares a numeric column with number literals."""
    compared = compared_with(node)
    if compared is None:
        return None
    subject, values = compared
    if not isinstance(subject, exp.Column) or not any(True for _ in columns_of(subject, aliases)):
        return None
    kind = type_at(subject)
    if kind is None or not _is_steppable(kind):
        return None
    found = [(operator, _number(value)) for operator, value in values]
    known = [(operator, number) for operator, number in found if number is not None]
    return (subject, known) if len(known) == len(found) else None


def step_for(values: Iterable[Decimal]) -> int | None:
    """The step to store for these literals; None where they have none in common."""
    sizes = [abs(value) for value in values if value]
    fitting = [step for step in steps_of(sizes) if step * LITERALS_PER_STEP <= min(sizes)]
    return fitting[-1] if fitting else None


def steps_of(values: Iterable[Decimal]) -> list[int]:
    """All steps that every literal is a multiple of, from the smallest; none for no literals but 0."""
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return []
    return [step for step in STEPS if step <= min(sizes) and all(size % step == 0 for size in sizes)]


def form_for(uses: Iterable[tuple[str, Decimal]]) -> str:
    """The coarsest form that answers all these comparisons."""
    return FROM if all(_looks_from(operator, value) for operator, value in uses) else BOTH


def forms_for(uses: Iterable[tuple[str, Decimal]]) -> tuple[str, ...]:
    """All forms that answer these comparisons."""
    return (FROM, BOTH) if form_for(uses) == FROM else (BOTH,)


def stepped(column: exp.Column, step: int, form: str) -> exp.Expr:
    """A column at a step: a value of the column's type on the same side of every multiple of `step` (NULL for NULL)."""
    kind = type_at(column)
    if kind is None:
        raise ValueError("a column without a type has no step")
    width = exp.Literal.number(f"{step}E0" if kind.is_float else str(step))
    rest = exp.Mod(this=column.copy(), expression=width)
    floor = exp.Sub(this=column.copy(), expression=rest)
    floor.type = column.type
    value = _typed(floor, kind, column) if form == FROM else _both(column, rest, floor, kind)
    if kind.is_float:
        # Infinity has no remainder and is not a number; both are kept as they are.
        finite = exp.Anonymous(this=IS_FINITE, expressions=[column.copy()])
        value = exp.Case(ifs=[exp.If(this=finite, true=value)], default=column.copy())
    value.type = column.type
    return value


def step_in(node: exp.Expr) -> tuple[exp.Column, str] | None:
    """(column, step) of an expression that `stepped` made."""
    if not isinstance(node, (exp.Case, exp.Sub, exp.Cast)):
        return None
    rest, column = node.find(exp.Mod), node.find(exp.Column)
    if rest is None or column is None or not isinstance(rest.expression, exp.Literal):
        return None
    size = Decimal(str(rest.expression.this))
    if size not in STEPS:
        return None
    made = {stepped(column, int(size), form) for form in (FROM, BOTH)} if type_at(column) is not None else set()
    return (column, str(int(size))) if node in made else None


def _both(column: exp.Column, rest: exp.Expr, floor: exp.Expr, kind: TrinoType) -> exp.Expr:
    """Whole steps as they are; what lies between two of them as the value next to the one nearer to 0."""
    one = exp.Literal.number("1E0" if kind.is_float else "1")
    zero = exp.Literal.number("0E0" if kind.is_float else "0")
    above, below = exp.Add(this=floor.copy(), expression=one), exp.Sub(this=floor.copy(), expression=one.copy())
    above.type = below.type = column.type
    return exp.Case(
        ifs=[
            exp.If(this=exp.EQ(this=rest.copy(), expression=zero), true=column.copy()),
            exp.If(this=exp.GT(this=column.copy(), expression=zero.copy()), true=_typed(above, kind, column)),
        ],
        default=_typed(below, kind, column),
    )


def _typed(value: exp.Expr, kind: TrinoType, column: exp.Column) -> exp.Expr:
    """A difference of decimals has a digit more than the column; the value fits the column's type."""
    if not kind.is_decimal:
        return value
    typed = cast_to(value, str(kind))
    typed.type = column.type
    return typed


def _looks_from(operator: str, value: Decimal) -> bool:
    """Steps are cut towards 0, so a bound belongs to the step away from 0; 0 itself stands amid its step."""
    if value > 0:
        return operator in (">=", "<")
    return value < 0 and operator in (">", "<=")


def _is_steppable(kind: TrinoType) -> bool:
    if kind.is_decimal:
        return kind.args[0] - kind.args[1] >= 2
    return kind.base in ("integer", "bigint", "double")


def _number(value: exp.Expr) -> Decimal | None:
    bare = unwrapped(value)
    sign = 1
    while isinstance(bare, (exp.Neg, exp.Paren)):
        sign = -sign if isinstance(bare, exp.Neg) else sign
        bare = bare.this
    if isinstance(bare, exp.Cast) and bare.to.this in exp.DataType.NUMERIC_TYPES:
        bare = unwrapped(bare.this)
    if not isinstance(bare, exp.Literal) or bare.is_string:
        return None
    try:
        number = sign * Decimal(str(bare.this))
    except InvalidOperation:
        return None
    return number if abs(number) <= MAX_LITERAL else None


def columns_stepped(uses: dict[str, tuple[exp.Column, list[tuple[str, Decimal]]]]) -> Iterator[tuple[str, exp.Expr]]:
    """For each column (by text) whose comparisons have a step in common: the column at that step."""
    for text, (column, compared) in uses.items():
        step = step_for(value for _, value in compared)
        if step is not None:
            yield text, stepped(column, step, form_for(compared))
