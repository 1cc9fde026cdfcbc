"""The parts of an aggregate: trees whose leaves are stored measures, and the expression that merges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.branches import Branch, Leaf, Tree
from heavy_stack.backend.advisor.rules.rollup.measures import (
    Function,
    Measure,
    measure,
    merged,
    stored_type,
    tests_of,
    type_at,
    type_of_sum,
)
from heavy_stack.backend.advisor.rules.rollup.partial_values import widened
from heavy_stack.backend.advisor.rules.rollup.spread_values import together
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, is_constant, joined, text_of, unwrapped
from heavy_stack.backend.advisor.sql.printing import cast_to


@dataclass(frozen=True)
class Stored:
    """A group's contribution in one case.

    Attributes:
        measure: The stored column; None contributes nothing.
        factor: A constant that every row contributes; the measure is then their number.
        guarded: The measure may be 0 rows in a group, which contribute NULL and not 0.
        constant: The constant itself where the measure counts any rows (MIN and MAX of a constant).
    """

    measure: Measure | None = None
    factor: exp.Expr | None = None
    guarded: bool = False
    constant: exp.Expr | None = None

    @property
    def text(self) -> tuple[object, ...]:
        """Equal for contributions that are the same."""
        parts = (self.factor, self.constant)
        kept = tuple(None if part is None else text_of(part) for part in parts)
        return (self.measure.text if self.measure is not None else None, self.guarded, *kept)


@dataclass(frozen=True)
class Choice:
    """`condition` (in the block's names) is decided per group."""

    condition: exp.Expr
    yes: Cases
    no: Cases


Cases = Stored | Choice


class Lookup(Protocol):
    """What a table offers to a block. Both raise NotAnswerable when it does not."""

    def column(self, wanted: Measure) -> exp.Expr:
        """The column that stores a measure of the block's rows."""

    def derived(self, node: exp.Expr) -> exp.Expr:
        """A condition of the block over the table's dimensions."""

    def rows(self) -> exp.Expr:
        """How many of the block's rows a group has."""

    def narrowed(self, condition: exp.Expr, taken: Sequence[Lookup]) -> tuple[Lookup, list[exp.Expr]] | None:
        """The table's measures of only those rows where a condition holds that asks for values of a spread column.

        With it come the condition's other parts, over the dimensions. None where the condition is none of that kind.
        `taken`: Lookups of earlier cases, whose rows do not count again.
        """


@dataclass(frozen=True)
class Part:
    """One merged aggregate. `fills`: over no rows it is 0, as COUNT is, and not NULL."""

    function: Function
    cases: Cases
    fills: bool = False

    def measures(self) -> Iterator[Measure]:
        """Every stored measure that the part reads."""
        for leaf in self.leaves():
            if leaf.measure is not None:
                yield leaf.measure

    def leaves(self) -> Iterator[Stored]:
        """Every case's contribution."""
        yield from _stored(self.cases)

    def conditions(self) -> Iterator[exp.Expr]:
        """Every condition that the part decides per group, in the block's names."""
        waiting: list[Cases] = [self.cases]
        while waiting:
            case = waiting.pop()
            if isinstance(case, Choice):
                yield case.condition
                waiting += [case.yes, case.no]

    @property
    def is_plain(self) -> bool:
        """Whether it is one stored column, merged."""
        return isinstance(self.cases, Stored) and self.cases.factor is None and self.cases.constant is None

    def merge(self, lookup: Lookup, may_be_empty: bool, *, single: bool = False) -> exp.Expr:
        """The aggregate over groups that gives what the block's aggregate gave over rows.

        Args:
            lookup: The table.
            may_be_empty: There may be no group at all, and still a row of the query's.
            single: Each row of the table is one group of the query's, so there is nothing to merge.
        """
        value = _group_value(self.cases, lookup, self.function)
        if not single:
            value = merged(self.function, value)
        if self.fills and may_be_empty:
            return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])  # COUNT over nothing is 0
        return value


def _stored(cases: Cases) -> Iterator[Stored]:
    if isinstance(cases, Stored):
        yield cases
    else:
        yield from _stored(cases.yes)
        yield from _stored(cases.no)


def _group_value(cases: Cases, lookup: Lookup, function: Function) -> exp.Expr:
    nothing: exp.Expr = exp.Literal.number(0) if function == "COUNT" else exp.Null()
    if isinstance(cases, Stored):
        return _leaf_value(cases, lookup, nothing)
    ifs: list[exp.If] = []
    current: Cases = cases
    while isinstance(current, Choice):
        spread = _spread_value(current, lookup, function, nothing)
        if spread is not None:
            return exp.Case(ifs=ifs, default=spread) if ifs else spread
        ifs.append(exp.If(this=lookup.derived(current.condition), true=_group_value(current.yes, lookup, function)))
        current = current.no
    default = _leaf_value(current, lookup, nothing)
    return exp.Case(ifs=ifs, default=None if isinstance(default, exp.Null) else default)


def _spread_value(cases: Choice, lookup: Lookup, function: Function, nothing: exp.Expr) -> exp.Expr | None:
    """The value where conditions are no matter of the group but of its rows, which the table counts value by value."""
    taken: list[Lookup] = []
    found: list[exp.Expr] = []
    counted: list[exp.Expr] = []
    current: Cases = cases
    while isinstance(current, Choice):
        asked = lookup.narrowed(current.condition, taken)
        if asked is None:
            break
        narrow, others = asked
        if others and (taken or isinstance(current.no, Choice)):
            raise NotAnswerable("Cases of a spread column are told apart by other columns too.")
        if not isinstance(current.yes, Stored) or current.yes.constant is not None:
            raise NotAnswerable("A case of a spread column is more than one measure.")
        # A group may have no row of these values: a constant summed over none is NULL.
        guarded = function != "COUNT" and current.yes.factor is not None
        value = _leaf_value(replace(current.yes, guarded=True) if guarded else current.yes, narrow, nothing)
        rows = narrow.rows()
        if others:
            value = exp.Case(ifs=[exp.If(this=joined(others), true=value)], default=_else(nothing))
            rows = exp.Case(ifs=[exp.If(this=joined(others), true=rows)], default=exp.Literal.number(0))
        found.append(value)
        counted.append(rows)
        taken.append(narrow)
        current = current.no
    if not found:
        return None
    if not isinstance(current, Stored):
        raise NotAnswerable("Cases of a spread column and of others stand among each other.")
    if current.measure is None and current.constant is None:
        return together(function, found)
    if current.factor is None or current.guarded or not _is_zero(current.factor) or function != "SUM":
        raise NotAnswerable("What the other values of a spread column contribute is not stored.")
    if len(found) == 1 and isinstance(cases.yes, Stored) and cases.yes.factor is not None and not cases.yes.guarded:
        return _zero_for_null(found[0])
    # ELSE 0: a group in which every row is of these values may still sum up to NULL.
    beside = exp.GT(this=lookup.rows(), expression=together("COUNT", counted))
    zero = exp.Case(ifs=[exp.If(this=beside, true=current.factor.copy())])
    return exp.Coalesce(this=together(function, found), expressions=[zero])


def _else(nothing: exp.Expr) -> exp.Expr | None:
    return None if isinstance(nothing, exp.Null) else nothing.copy()


def _zero_for_null(value: exp.Expr) -> exp.Expr:
    """A number of rows (times a constant), which is 0 and not NULL where there are none."""
    if isinstance(value, exp.Nullif) and isinstance(value.this, exp.Expr):
        return value.this
    if isinstance(value, exp.Mul) and isinstance(value.this, exp.Nullif):
        return exp.Mul(this=value.this.this, expression=value.expression)
    return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])


def _leaf_value(leaf: Stored, lookup: Lookup, nothing: exp.Expr) -> exp.Expr:
    if leaf.constant is not None:
        if leaf.measure is None:
            return leaf.constant.copy()
        present = exp.GT(this=lookup.column(leaf.measure), expression=exp.Literal.number(0))
        return exp.Case(ifs=[exp.If(this=present, true=leaf.constant.copy())])
    if leaf.measure is None:
        return nothing.copy()
    if leaf.factor is not None and not leaf.guarded and _is_zero(leaf.factor):
        return leaf.factor.copy()
    column = lookup.column(leaf.measure)
    if leaf.guarded:
        column = exp.Nullif(this=column, expression=exp.Literal.number(0))
    if leaf.factor is None or _is_one(leaf.factor):
        return column
    factor = leaf.factor.copy()
    return exp.Mul(this=column, expression=exp.Paren(this=factor) if isinstance(factor, exp.Binary) else factor)


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(str(node.this)) == 0.0


def _is_one(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and str(node.this) == "1"


Canonical = Callable[[exp.Expr], exp.Expr]


def part_of(function: Function, tree: Tree, names: Canonical, *, as_double: bool = False, square: bool = False) -> Part:
    """The part for a split argument.

    Args:
        function: COUNT, SUM, MIN, MAX, BOOL_AND or BOOL_OR of the argument.
        tree: The argument, split (block's names).
        names: Puts an expression into the core's canonical names.
        as_double: Sum the argument as a double.
        square: Sum the square of the argument (as a double).

    Raises:
        NotAnswerable: A type cannot be stored.
    """

    def stored(cases: Tree) -> Cases:
        if isinstance(cases, Branch):
            yes, no = stored(cases.yes), stored(cases.no)
            if isinstance(yes, Stored) and isinstance(no, Stored) and yes.text == no.text:
                return yes  # COUNT(CASE WHEN … THEN 1 ELSE 0 END) counts every row
            return Choice(cases.condition, yes, no)
        return _stored_leaf(function, cases, names, as_double or square, square)

    return Part(function, stored(tree))


def _stored_leaf(function: Function, leaf: Leaf, names: Canonical, as_double: bool, square: bool) -> Stored:
    if leaf.value is None:
        return Stored()
    where = [names(condition) for condition in leaf.conditions]
    value = widened(leaf.value)
    rows = measure("COUNT", None, where, "bigint")
    if function == "COUNT":
        if _is_never_null(value):
            return Stored(rows)
        return Stored(measure("COUNT", names(value), where, "bigint"))
    if function == "SUM":
        if is_constant(value):
            return Stored(rows, factor=_number(value, as_double, square), guarded=bool(where))
        weighted = _zero_or_constant(value)
        if weighted is not None and not where:
            condition, amount = weighted
            counted = rows.given(tests_of(names(part) for part in condition))
            return Stored(counted, factor=_number(amount, as_double, square))
        amount = names(_number(value, as_double, square))
        kind = "double" if as_double else type_of_sum(type_at(value))
        return Stored(measure("SUM", amount, where, kind))
    if is_constant(value):
        return Stored(rows if where else None, constant=value)
    return Stored(measure(function, names(value), where, stored_type(type_at(value))))


def _number(value: exp.Expr, as_double: bool, square: bool) -> exp.Expr:
    if not as_double:
        return value
    kind = type_at(value)
    number = value if kind is not None and kind.base == "double" else cast_to(value.copy(), "double")
    if not square:
        return number
    operand = exp.Paren(this=number.copy()) if isinstance(number, exp.Binary) else number.copy()
    return exp.Mul(this=operand, expression=operand.copy())


def _is_never_null(value: exp.Expr) -> bool:
    bare = unwrapped(value)
    if isinstance(bare, exp.Case):
        default = bare.args.get("default")
        return (
            default is not None
            and _is_never_null(default)
            and all(_is_never_null(branch.args["true"]) for branch in bare.args["ifs"])
        )
    return isinstance(bare, (exp.Literal, exp.Boolean)) or (isinstance(bare, exp.Neg) and _is_never_null(bare.this))


def _zero_or_constant(value: exp.Expr) -> tuple[list[exp.Expr], exp.Expr] | None:
    """(conditions, k) of `CASE WHEN conditions THEN k ELSE 0 END`: its sum is k times the number of such rows."""
    from_case = unwrapped(value)
    if not isinstance(from_case, exp.Case) or len(from_case.args["ifs"]) != 1:
        return None
    default = from_case.args.get("default")
    if default is None or not _is_zero(unwrapped(default)):
        return None
    branch = from_case.args["ifs"][0]
    amount = unwrapped(branch.args["true"])
    if not isinstance(amount, exp.Literal) or amount.is_string:
        return None
    return [branch.this], amount
