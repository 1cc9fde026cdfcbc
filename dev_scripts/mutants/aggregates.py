"""Aggregates that are not the query's: another function, other rows, another weight."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dev_scripts.mutants.kinds import Change, Kind, child, owner, replaced_by, setting, wrapped
from heavy_stack.backend.advisor.sql.types import type_name

_SPREAD: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.StddevSamp: exp.StddevPop,
    exp.Stddev: exp.StddevPop,
    exp.StddevPop: exp.StddevSamp,
    exp.Variance: exp.VariancePop,
    exp.VariancePop: exp.Variance,
}


def _is_star(call: exp.Expr) -> bool:
    return isinstance(call, exp.Count) and isinstance(call.this, exp.Star)


def _is_distinct(call: exp.Expr) -> bool:
    return isinstance(call, exp.AggFunc) and isinstance(call.this, exp.Distinct)


def _plain(call: exp.Expr, kind: type[exp.Expr]) -> bool:
    return (
        type(call) is kind and isinstance(call.this, exp.Expr) and not isinstance(call.this, (exp.Distinct, exp.Star))
    )


def _is_number(node: exp.Expr) -> bool:
    kind = type_name(node)
    return kind is None or kind.startswith(("decimal", "double", "real", "bigint", "integer", "smallint", "tinyint"))


def _count(argument: exp.Expr) -> exp.Count:
    return exp.Count(this=argument, big_int=True)


def _count_all(node: exp.Expr) -> Iterator[Change]:
    if _plain(node, exp.Count) and not isinstance(node.this, exp.Literal):
        yield lambda node: _count(exp.Star())


def _count_column(node: exp.Expr) -> Iterator[Change]:
    select = owner(node)
    if not _is_star(node) or select is None:
        return
    columns = {
        column.sql(): column for column in select.find_all(exp.Column) if column.table and owner(column) is select
    }
    keys = select.args["group"].sql() if select.args.get("group") is not None else ""
    for text in [text for text in sorted(columns) if text not in keys][:2]:
        yield replaced_by(_count(columns[text].copy()))


def _distinct_dropped(node: exp.Expr) -> Iterator[Change]:
    if _is_distinct(node) and len(node.this.expressions) == 1:
        yield lambda node: setting("this", node.this.expressions[0].copy())(node)


def _distinct_added(node: exp.Expr) -> Iterator[Change]:
    plain = _plain(node, exp.Count) or _plain(node, exp.Sum)
    if plain and not isinstance(node.this, exp.Literal) and not isinstance(node.parent, exp.Window):
        yield lambda node: setting("this", exp.Distinct(expressions=[node.this.copy()]))(node)


def _instead(name: str, kind: type[exp.Expr], other: type[exp.Expr]) -> Kind:
    def changes(node: exp.Expr) -> Iterator[Change]:
        if _plain(node, kind) and (other not in (exp.Sum, exp.Avg) or _is_number(node.this)):
            yield lambda node: _count(node.this.copy()) if other is exp.Count else other(this=node.this.copy())

    return Kind(name, changes)


def _unweighted(node: exp.Expr) -> Iterator[Change]:
    """SUM(a) / SUM(b) becomes AVG(a / b)."""
    if not isinstance(node, exp.Div):
        return
    sums = [next(iter(node.args[part].find_all(exp.Sum)), None) for part in ("this", "expression")]
    if any(call is None or not _plain(call, exp.Sum) for call in sums):
        return

    def change(node: exp.Expr) -> exp.Expr:
        upper, lower = (next(iter(node.args[part].find_all(exp.Sum))) for part in ("this", "expression"))
        share = exp.Div(
            this=exp.cast(wrapped(upper.this.copy()), "DOUBLE"),
            expression=exp.Nullif(this=wrapped(lower.this.copy()), expression=exp.Literal.number(0)),
            typed=True,
        )
        return exp.Avg(this=share)

    yield change


def _divided_by_all(node: exp.Expr) -> Iterator[Change]:
    """AVG(x) becomes SUM(x) / COUNT(*)."""
    if _plain(node, exp.Avg) and not isinstance(node.parent, (exp.Window, exp.Filter)):
        yield lambda node: exp.paren(
            exp.Div(this=exp.cast(exp.Sum(this=node.this.copy()), "DOUBLE"), expression=_count(exp.Star()), typed=True)
        )


def _spread(node: exp.Expr) -> Iterator[Change]:
    if type(node) in _SPREAD:
        yield lambda node: _SPREAD[type(node)](this=node.this.copy())


def _filter_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Filter):
        yield child("this")


def _other_filter(node: exp.Expr) -> Iterator[Change]:
    """A measure under the condition of its neighbour: FILTER, or the CASE inside an aggregate."""
    select = owner(node)
    if select is None:
        return
    if isinstance(node, exp.Filter):
        others = {each.expression.sql(): each.expression for each in select.find_all(exp.Filter)}
        others.pop(node.expression.sql(), None)
        for text in sorted(others)[:2]:
            yield setting("expression", others[text])
    elif isinstance(node, exp.If) and isinstance(node.parent, exp.Case) and node.find_ancestor(exp.AggFunc) is not None:
        branches = [each for each in select.find_all(exp.If) if each.find_ancestor(exp.AggFunc) is not None]
        conditions = {each.this.sql(): each.this for each in branches}
        conditions.pop(node.this.sql(), None)
        for text in sorted(conditions)[:2]:
            yield setting("this", conditions[text])


def _multiplicity(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Mul) and node.find_ancestor(exp.AggFunc) is not None:
        yield child("this")
        yield child("expression")


def _constant_measure(node: exp.Expr) -> Iterator[Change]:
    if _plain(node, exp.Sum) and not isinstance(node.this, exp.Literal):
        yield setting("this", exp.Literal.number(1))


def _integer_average(node: exp.Expr) -> Iterator[Change]:
    if _plain(node, exp.Avg) and type_name(node) == "double" and not isinstance(node.parent, exp.Window):
        yield lambda node: exp.Avg(this=exp.cast(wrapped(node.this.copy()), "BIGINT"))


KINDS = (
    Kind("COUNT(*) for COUNT(x)", _count_all),
    Kind("COUNT(x) for COUNT(*)", _count_column),
    Kind("DISTINCT dropped in an aggregate", _distinct_dropped),
    Kind("DISTINCT added in an aggregate", _distinct_added),
    _instead("MAX for SUM", exp.Sum, exp.Max),
    _instead("COUNT for SUM", exp.Sum, exp.Count),
    _instead("AVG for SUM", exp.Sum, exp.Avg),
    _instead("SUM for COUNT", exp.Count, exp.Sum),
    _instead("SUM for MAX", exp.Max, exp.Sum),
    _instead("MIN for MAX", exp.Max, exp.Min),
    _instead("MAX for MIN", exp.Min, exp.Max),
    _instead("MAX for AVG", exp.Avg, exp.Max),
    Kind("average of averages", _unweighted),
    Kind("AVG over all rows", _divided_by_all),
    Kind("AVG of whole numbers", _integer_average),
    Kind("sample for population", _spread),
    Kind("FILTER dropped", _filter_dropped),
    Kind("another measure's condition", _other_filter),
    Kind("multiplicity dropped", _multiplicity),
    Kind("rows for a sum", _constant_measure),
)
