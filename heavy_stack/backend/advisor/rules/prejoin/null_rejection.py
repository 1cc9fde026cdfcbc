"""Which columns a condition needs to have values: where one of them is NULL, the condition is never true."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import own_nodes, terms, unwrapped

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.RegexpLike)
# NULL in, NULL out: for any of their operands.
_STRICT = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Cast, exp.Substring, exp.Lower, exp.Upper, exp.Year)


def columns_never_null(condition: exp.Expr) -> frozenset[tuple[str, str]]:
    """`(source, column)` of the columns that have a value in every row for which the condition is true."""
    node = unwrapped(condition)
    if isinstance(node, exp.And):
        return frozenset().union(*(columns_never_null(term) for term in terms(node, exp.And)))
    if isinstance(node, exp.Or):
        found = [columns_never_null(term) for term in terms(node, exp.Or)]
        return frozenset.intersection(*found)
    if isinstance(node, exp.Not):
        inner = unwrapped(node.this)
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return _strict_columns([inner.this])
        # NOT turns false into true: only a test that is NULL, not false, for NULL will do.
        return _unknown_for_null(inner)
    if isinstance(node, exp.Column):
        return frozenset({(node.table, node.name)})
    if isinstance(node, exp.Between):
        return _strict_columns([node.this, node.args["low"], node.args["high"]])
    return _unknown_for_null(node)


def _unknown_for_null(node: exp.Expr) -> frozenset[tuple[str, str]]:
    """Columns whose NULL makes the test NULL itself, so that its negation is not true either."""
    if any(isinstance(part, exp.Query) for part in own_nodes(node)):
        return frozenset()
    if isinstance(node, exp.Column):
        return frozenset({(node.table, node.name)})
    if isinstance(node, _COMPARISONS):
        return _strict_columns([node.this, node.expression])
    if isinstance(node, (exp.In, exp.Between)):
        # x BETWEEN NULL AND 5 may be false, and an empty list does not exist.
        return _strict_columns([node.this])
    return frozenset()


def _strict_columns(nodes: Iterable[exp.Expr]) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    waiting = list(nodes)
    while waiting:
        node = unwrapped(waiting.pop())
        if isinstance(node, exp.Column):
            found.add((node.table, node.name))
        elif isinstance(node, _STRICT):
            waiting.extend(node.iter_expressions())
    return frozenset(found)
