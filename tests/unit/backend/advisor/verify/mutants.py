"""Wrong rewrites, made from right ones by one small change each: what a verifier has to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from sqlglot import exp

Change = Callable[[exp.Expr], exp.Expr | None]


def mutants(tree: exp.Query) -> Iterator[tuple[str, exp.Query]]:
    """(kind, tree) of every single change that applies; the input tree stays as it is."""
    for place, node in enumerate(tree.walk()):
        for kind, change in _changes(node):
            copy = tree.copy()
            target = list(copy.walk())[place]
            replacement = change(target)
            if replacement is not None and target is not replacement:
                target.replace(replacement)
            yield kind, copy


def _changes(node: exp.Expr) -> Iterator[tuple[str, Change]]:
    if isinstance(node, exp.And):
        yield "drop conjunct", lambda n: n.this.copy()
        yield "drop conjunct", lambda n: n.expression.copy()
    if isinstance(node, exp.Or):
        yield "drop alternative", lambda n: n.this.copy()
        yield "drop alternative", lambda n: n.expression.copy()
    for found, other in _BOUNDARIES:
        if type(node) is found:
            yield "boundary", lambda n, other=other: other(this=n.this.copy(), expression=n.expression.copy())
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Is):
        yield "drop NOT NULL", lambda n: exp.true()
    if isinstance(node, exp.Literal) and not node.is_string and _moves(node):
        yield "literal + 1", lambda n: exp.Literal.number(str(Decimal(n.this) + 1))
        yield "literal - 1", _minus_one
    if isinstance(node, exp.Where):
        yield "drop WHERE", lambda n: _set(n, "this", exp.true())
    if isinstance(node, exp.Having):
        yield "drop HAVING", lambda n: _set(n, "this", exp.true())
    yield from _aggregate_changes(node)
    yield from _query_changes(node)


def _aggregate_changes(node: exp.Expr) -> Iterator[tuple[str, Change]]:
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
        yield "drop DISTINCT", lambda n: exp.Count(this=n.this.expressions[0].copy(), big_int=True)
    elif isinstance(node, exp.Count) and isinstance(node.this, exp.Column):
        yield "COUNT(x) to COUNT(*)", lambda n: exp.Count(this=exp.Star(), big_int=True)
        yield "COUNT to SUM", lambda n: exp.Sum(this=n.this.copy())
    if isinstance(node, exp.Sum):
        yield "SUM to COUNT", lambda n: exp.Count(this=n.this.copy(), big_int=True)
        yield "SUM to AVG", lambda n: exp.Avg(this=n.this.copy())
        yield "SUM to MAX", lambda n: exp.Max(this=n.this.copy())
    if isinstance(node, exp.Avg):
        yield "AVG to MAX", lambda n: exp.Max(this=n.this.copy())
        yield "AVG to SUM", lambda n: exp.Sum(this=n.this.copy())
    if isinstance(node, exp.Min):
        yield "MIN to MAX", lambda n: exp.Max(this=n.this.copy())
    if isinstance(node, exp.Max):
        yield "MAX to MIN", lambda n: exp.Min(this=n.this.copy())
    if isinstance(node, exp.Coalesce):
        yield "missing COALESCE", lambda n: n.this.copy()
    if isinstance(node, exp.Nullif):
        yield "missing NULLIF", lambda n: n.this.copy()
    if isinstance(node, exp.Case) and node.args.get("default") is not None:
        yield "drop ELSE", lambda n: _set(n, "default", None)
    if isinstance(node, exp.Case) and node.args.get("default") is None:
        yield "NULL to 0 in CASE", lambda n: _set(n, "default", exp.Literal.number(0))
    if isinstance(node, exp.Rank):
        yield "RANK to ROW_NUMBER", lambda n: exp.RowNumber()
        yield "RANK to DENSE_RANK", lambda n: exp.DenseRank()
    if isinstance(node, exp.Filter):
        yield "drop FILTER", lambda n: n.this.copy()


def _query_changes(node: exp.Expr) -> Iterator[tuple[str, Change]]:
    if isinstance(node, exp.Join):
        side = (node.side or "").upper()
        if side == "LEFT":
            yield "LEFT to INNER", lambda n: _set(n, "side", None)
        elif not side and node.args.get("on") is not None:
            yield "INNER to LEFT", lambda n: _set(n, "side", "LEFT")
    if isinstance(node, exp.Union) and not node.args.get("distinct"):
        yield "UNION ALL to UNION", lambda n: _set(n, "distinct", True)
    if isinstance(node, exp.Select) and node.args.get("distinct") is not None:
        yield "drop SELECT DISTINCT", lambda n: _set(n, "distinct", None)
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        yield "shorter IN list", lambda n: _set(n, "expressions", [item.copy() for item in n.expressions[1:]])
    if (
        isinstance(node, exp.Ordered)
        and isinstance(node.parent, exp.Order)
        and isinstance(node.parent.parent, exp.Window)
    ):
        yield "window order", lambda n: _set(n, "desc", not n.args.get("desc"))


_BOUNDARIES: tuple[tuple[type[exp.Expr], type[exp.Expr]], ...] = (
    (exp.GT, exp.GTE),
    (exp.GTE, exp.GT),
    (exp.LT, exp.LTE),
    (exp.LTE, exp.LT),
    (exp.EQ, exp.NEQ),
)


def _moves(node: exp.Expr) -> bool:
    """Literals whose change a rewriter could make by mistake: not of a type, a number of places or an ordinal."""
    if isinstance(node.parent, (exp.Limit, exp.Offset, exp.DataTypeParam, exp.Ordered, exp.Group, exp.Order)):
        return False
    if node.find_ancestor(exp.Interval, exp.Substring) is not None:
        return False
    return not (isinstance(node.parent, exp.Round) and node.arg_key == "decimals")


def _minus_one(node: exp.Expr) -> exp.Expr:
    value = Decimal(node.this) - 1
    literal = exp.Literal.number(str(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def _set(node: exp.Expr, name: str, value: object) -> None:
    node.set(name, value)
