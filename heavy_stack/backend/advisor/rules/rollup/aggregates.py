"""Aggregates put together again from stored measures: COUNT, SUM, AVG, MIN, MAX, BOOL_AND, STDDEV, VAR, CORR, COVAR.

Every rebuilt aggregate has exactly the original's Trino type. Exact are counts, extremes, and sums of integers and
decimals; AVG of a decimal is one decimal division, which Trino rounds half up at the decimal's scale as AVG does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.branches import Leaf, Moves, Tree, split
from heavy_stack.backend.advisor.rules.rollup.disjoint_counts import DisjointCount, disjoint_count
from heavy_stack.backend.advisor.rules.rollup.measures import Measure, measure, type_at
from heavy_stack.backend.advisor.rules.rollup.stored_parts import Canonical, Lookup, Part, part_of
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, conjuncts, unwrapped, with_filter
from heavy_stack.backend.advisor.sql.printing import cast_to

Build = Callable[[dict[str, exp.Expr]], exp.Expr]


@dataclass(frozen=True)
class AggregatePlan:
    """How one aggregate call is answered.

    Attributes:
        top: The call in the block's tree, with its FILTER.
        parts: Merged aggregates that `build` combines.
        exact: No rounding can differ from the original's.
        distinct: A distinct count that may be stored at exactly the block's keys.
        over_dimensions: What must be a dimension for the call to be kept as it is (DISTINCT), else empty.
        disjoint: The call as a sum over groups, where those share no value.
    """

    top: exp.Expr
    parts: dict[str, Part] = field(default_factory=dict)
    build: Build | None = None
    exact: bool = True
    distinct: Measure | None = None
    over_dimensions: tuple[exp.Expr, ...] = ()
    disjoint: DisjointCount | None = None

    def measures(self) -> Iterator[Measure]:
        """Every stored measure that the plan reads."""
        for part in self.parts.values():
            yield from part.measures()

    def summed(self) -> AggregatePlan | None:
        """The plan of a distinct count as a sum of the groups' own; None where it is none."""
        if self.disjoint is None:
            return None
        return replace(self, parts={"n": self.disjoint.part}, build=lambda p: p["n"], distinct=None, over_dimensions=())

    def conditions(self) -> Iterator[exp.Expr]:
        """Every condition decided per group, in the block's names."""
        for part in self.parts.values():
            yield from part.conditions()

    def answer(self, lookup: Lookup, may_be_empty: bool, *, single: bool = False) -> exp.Expr:
        """The expression over the rollup that replaces the call; `single`: each of its rows is a whole group.

        Raises:
            NotAnswerable: The table does not hold what it takes.
        """
        if self.build is None:
            raise NotAnswerable("A DISTINCT aggregate needs its argument as a dimension.")
        merged = {name: part.merge(lookup, may_be_empty, single=single) for name, part in self.parts.items()}
        answer = self.build(merged)
        answer.type = self.top.type
        return exp.Paren(this=answer) if isinstance(answer, exp.Binary) else answer


def plan_of(call: exp.AggFunc, moves: Moves, names: Canonical) -> AggregatePlan:
    """The plan for an aggregate call of a block.

    Args:
        call: The call, in the block's tree.
        moves: Whether a condition must be decided per group.
        names: Puts an expression into the core's canonical names.

    Raises:
        NotAnswerable: The aggregate does not merge.
    """
    top = with_filter(call)
    condition = top.expression.this if isinstance(top, exp.Filter) else None
    if call.args.get("order") is not None or isinstance(call.this, exp.Order):
        raise NotAnswerable("An aggregate over ordered rows does not merge.")
    if isinstance(call.this, exp.Distinct):
        return _distinct(call, top, condition, moves, names)
    if isinstance(call, (exp.Corr, exp.CovarSamp, exp.CovarPop)):
        return _paired(call, top, condition, moves, names)
    argument: exp.Expr | None = None if isinstance(call.this, exp.Star) or call.this is None else call.this
    if isinstance(call, exp.CountIf):
        argument = _case(call.this, exp.Literal.number(1))
    if argument is None:
        if not isinstance(call, exp.Count):
            raise NotAnswerable(f"{call.sql_name()} does not merge.")
        argument = exp.Literal.number(1)
    if call.expressions or (call.args.get("expression") is not None):
        raise NotAnswerable(f"{call.sql_name()} of several arguments does not merge.")
    if isinstance(call, (exp.LogicalAnd, exp.LogicalOr)) and moves(argument):
        argument = _sides(argument)
    tree = split(argument if condition is None else _case(condition, argument), moves)
    return _plan(call, top, tree, argument, names)


def _case(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    """CASE WHEN condition THEN value END: a FILTER, since every aggregate here passes over NULL."""
    case = exp.Case(ifs=[exp.If(this=condition.copy(), true=value.copy())])
    case.type = value.type
    return case


def _sides(condition: exp.Expr) -> exp.Expr:
    """A condition as a CASE of its three values, so that what moves in it is decided per group."""
    negated = exp.Not(this=_operand(condition))
    ifs = [exp.If(this=condition.copy(), true=exp.true()), exp.If(this=negated, true=exp.false())]
    case = exp.Case(ifs=ifs)
    case.type = condition.type
    return case


def _plan(call: exp.AggFunc, top: exp.Expr, tree: Tree, argument: exp.Expr, names: Canonical) -> AggregatePlan:
    kind = type_at(argument)
    if isinstance(call, (exp.Count, exp.CountIf)):
        counted = replace(part_of("COUNT", tree, names), fills=True)
        return AggregatePlan(top, {"n": counted}, lambda p: p["n"])
    if isinstance(call, (exp.Min, exp.Max)):
        part = part_of("MIN" if isinstance(call, exp.Min) else "MAX", tree, names)
        return AggregatePlan(top, {"m": part}, _typed("m", part, call))
    if isinstance(call, (exp.LogicalAnd, exp.LogicalOr)):
        part = part_of("BOOL_AND" if isinstance(call, exp.LogicalAnd) else "BOOL_OR", tree, names)
        return AggregatePlan(top, {"m": part}, lambda p: p["m"])
    if kind is None or not kind.is_numeric or kind.base == "real":
        # Trino sums real in its own precision: stored sums would not give the same digits.
        raise NotAnswerable(f"{call.sql_name()} over values of type {kind or 'unknown'} does not merge.")
    if isinstance(call, exp.Sum):
        part = part_of("SUM", tree, names)
        return AggregatePlan(top, {"s": part}, _typed("s", part, call), exact=not kind.is_float)
    if isinstance(call, exp.Avg):
        # AVG of a bigint adds doubles in Trino; a bigint sum could overflow where the query does not.
        sums = part_of("SUM", tree, names, as_double=kind.base == "bigint")
        parts = {"s": sums, "n": part_of("COUNT", tree, names)}
        exact = not kind.is_float and kind.base != "bigint"
        return AggregatePlan(top, parts, _average(call, sums), exact=exact)
    if isinstance(call, (exp.Stddev, exp.StddevSamp, exp.StddevPop, exp.Variance, exp.VariancePop)):
        return _spread(call, top, tree, names)
    raise NotAnswerable(f"{call.sql_name()} does not merge.")


def _typed(name: str, part: Part, call: exp.Expr) -> Build:
    """The merged value with the call's own type."""
    kind = type_at(call)

    def build(p: dict[str, exp.Expr]) -> exp.Expr:
        value = p[name]
        if kind is None:
            raise NotAnswerable("The type of an aggregate is not known.")
        stored = next((m.type for m in part.measures()), None)
        if part.is_plain and stored == str(kind):
            return value
        # Sums of counts times a whole constant are bigint as they are; everything else is brought back.
        if kind.base == "bigint" and part.function == "SUM":
            return value
        return cast_to(value, str(kind))

    return build


def _average(call: exp.Expr, sums: Part) -> Build:
    kind = type_at(call)

    def build(p: dict[str, exp.Expr]) -> exp.Expr:
        total, count = p["s"], p["n"]
        if kind is None:
            raise NotAnswerable("The type of an average is not known.")
        if kind.is_decimal:
            if not sums.is_plain:
                total = cast_to(total, f"decimal(38,{kind.args[1]})")
            return cast_to(_div(total, count), str(kind))
        plain = all(leaf.factor is None for leaf in sums.leaves())
        if not (plain and {m.type for m in sums.measures()} == {"double"}):
            total = cast_to(total, "double")
        return _div(total, count)

    return build


def _spread(call: exp.AggFunc, top: exp.Expr, tree: Tree, names: Canonical) -> AggregatePlan:
    """Variance from n, Σx, Σx². Equal values (min = max) give exactly 0, which the sums of doubles may miss."""
    parts = {
        "n": part_of("COUNT", tree, names),
        "s": part_of("SUM", tree, names, as_double=True),
        "q": part_of("SUM", tree, names, square=True),
        "low": part_of("MIN", tree, names),
        "high": part_of("MAX", tree, names),
    }
    population = isinstance(call, (exp.StddevPop, exp.VariancePop))
    rooted = isinstance(call, (exp.Stddev, exp.StddevSamp, exp.StddevPop))

    def build(p: dict[str, exp.Expr]) -> exp.Expr:
        degrees = p["n"].copy() if population else exp.Sub(this=p["n"].copy(), expression=exp.Literal.number(1))
        over = exp.Nullif(this=degrees, expression=exp.Literal.number(0))
        centred = exp.Sub(this=p["q"], expression=_div(_mul(p["s"], p["s"].copy()), p["n"].copy()))
        variance = _not_negative(_div(centred, over))
        spread = exp.Sqrt(this=variance) if rooted else variance
        equal = exp.EQ(this=p["low"], expression=p["high"])
        return exp.Case(ifs=[exp.If(this=equal, true=_mul(exp.Literal.number("0E0"), over.copy()))], default=spread)

    return AggregatePlan(top, parts, build, exact=False)


def _paired(
    call: exp.AggFunc, top: exp.Expr, condition: exp.Expr | None, moves: Moves, names: Canonical
) -> AggregatePlan:
    """CORR and COVAR from sums over the rows where both arguments are there."""
    one, two = unwrapped(call.this), unwrapped(call.expression)
    if str(type_at(call)) != "double":
        # Over integers and decimals Trino computes it in real: its digits cannot be rebuilt.
        raise NotAnswerable(f"{call.sql_name()} of these types is computed in single precision and does not merge.")
    for argument in (one, two):
        kind = type_at(argument)
        if moves(argument) or kind is None or not kind.is_numeric:
            raise NotAnswerable(f"{call.sql_name()} over an argument with a moving condition does not merge.")
    both = [exp.Not(this=exp.Is(this=_operand(argument), expression=exp.Null())) for argument in (one, two)]
    present = exp.And(this=both[0], expression=both[1])
    tree = split(_case(present if condition is None else _both(condition, present), exp.Literal.number(1)), moves)

    def sums(*factors: exp.Expr) -> Part:
        return _over(tree, names, "SUM", factors)

    x, y = one, two
    parts = {"n": part_of("COUNT", tree, names), "x": sums(x), "y": sums(y), "xy": sums(x, y)}
    if not isinstance(call, exp.Corr):
        population = isinstance(call, exp.CovarPop)
        return AggregatePlan(top, parts, lambda p: _covariance(p, population), exact=False)
    parts |= {"xx": sums(x, x), "yy": sums(y, y)}
    for name, argument in (("x", x), ("y", y)):
        parts[name + "_low"] = _over(tree, names, "MIN", (argument,))
        parts[name + "_high"] = _over(tree, names, "MAX", (argument,))
    return AggregatePlan(top, parts, _correlation, exact=False)


def _over(tree: Tree, names: Canonical, function: str, factors: tuple[exp.Expr, ...]) -> Part:
    """A part over the rows of a row-counting tree, with a product of `factors` as the argument."""

    def valued(cases: Tree) -> Tree:
        if isinstance(cases, Leaf):
            if cases.value is None:
                return cases
            product: exp.Expr = _double(factors[0])
            for factor in factors[1:]:
                product = exp.Mul(this=product, expression=_double(factor))
            product.type = exp.DataType.build("DOUBLE")
            return Leaf(product, cases.conditions)
        return type(cases)(cases.condition, valued(cases.yes), valued(cases.no))

    return part_of("SUM" if function == "SUM" else "MIN" if function == "MIN" else "MAX", valued(tree), names)


def _double(node: exp.Expr) -> exp.Expr:
    kind = type_at(node)
    return _operand(node) if kind is not None and kind.base == "double" else cast_to(node.copy(), "double")


def _covariance(p: dict[str, exp.Expr], population: bool) -> exp.Expr:
    degrees = p["n"].copy() if population else exp.Sub(this=p["n"].copy(), expression=exp.Literal.number(1))
    centred = exp.Sub(this=p["xy"], expression=_div(_mul(p["x"], p["y"]), p["n"]))
    return _div(centred, exp.Nullif(this=degrees, expression=exp.Literal.number(0)))


def _correlation(p: dict[str, exp.Expr]) -> exp.Expr:
    def deviation(squares: str, plain: str) -> exp.Expr:
        left = _mul(p["n"].copy(), p[squares])
        right = _mul(p[plain].copy(), p[plain].copy())
        return exp.Sqrt(this=_not_negative(exp.Sub(this=left, expression=right)))

    top = exp.Sub(this=_mul(p["n"].copy(), p["xy"]), expression=_mul(p["x"].copy(), p["y"].copy()))
    bottom = _mul(deviation("xx", "x"), deviation("yy", "y"))
    value = _div(top, exp.Nullif(this=bottom, expression=exp.Literal.number("0E0")))
    spread = exp.And(
        this=exp.LT(this=p["x_low"], expression=p["x_high"]),
        expression=exp.LT(this=p["y_low"], expression=p["y_high"]),
    )
    return exp.Case(ifs=[exp.If(this=spread, true=value)])  # no spread on one side: NULL, as Trino says


def _distinct(
    call: exp.AggFunc, top: exp.Expr, condition: exp.Expr | None, moves: Moves, names: Canonical
) -> AggregatePlan:
    """COUNT(DISTINCT x): x as a dimension keeps the call as it is; or stored, at exactly the block's keys."""
    arguments = call.this.expressions
    if len(arguments) != 1:
        raise NotAnswerable("A DISTINCT aggregate of several arguments does not merge.")
    needs = [arguments[0], *conjuncts(condition)]
    stored: Measure | None = None
    # A value that moves, or another source's, is no one's to store; the call then stands over it as it is.
    if isinstance(call, exp.Count) and not moves(arguments[0]):
        argument = arguments[0] if condition is None else _case(condition, arguments[0])
        tree = split(argument, moves)
        if isinstance(tree, Leaf) and tree.value is not None and not moves(tree.value):
            where = [names(part) for part in tree.conditions]
            stored = measure("COUNT_DISTINCT", names(tree.value), where, "bigint")
    kind = type_at(arguments[0])
    exact = isinstance(call, (exp.Count, exp.Min, exp.Max)) or (kind is not None and not kind.is_float)
    summed = _disjoint(arguments[0], condition, moves, names) if isinstance(call, exp.Count) else None
    return AggregatePlan(top, exact=exact, distinct=stored, over_dimensions=tuple(needs), disjoint=summed)


def _disjoint(argument: exp.Expr, condition: exp.Expr | None, moves: Moves, names: Canonical) -> DisjointCount | None:
    try:
        tree = split(argument if condition is None else _case(condition, argument), moves)
    except NotAnswerable:
        return None
    return disjoint_count(tree, names)


def _not_negative(value: exp.Expr) -> exp.Expr:
    """0 where rounding made a sum of squares less than that; NULL stays NULL."""
    zero = exp.Literal.number("0E0")
    below = exp.LTE(this=_operand(value), expression=zero)
    return exp.Case(ifs=[exp.If(this=below, true=zero.copy())], default=value.copy())


def _operand(node: exp.Expr) -> exp.Expr:
    copied = node.copy()
    return exp.Paren(this=copied) if isinstance(copied, (exp.Binary, exp.Predicate)) else copied


def _both(one: exp.Expr, two: exp.Expr) -> exp.Expr:
    first = one.copy()
    return exp.And(this=exp.Paren(this=first) if isinstance(first, exp.Connector) else first, expression=two.copy())


def _mul(one: exp.Expr, two: exp.Expr) -> exp.Expr:
    return exp.Mul(this=_operand(one), expression=_operand(two))


def _div(one: exp.Expr, two: exp.Expr) -> exp.Expr:
    return exp.Div(this=_operand(one), expression=_operand(two), typed=True, safe=False)
