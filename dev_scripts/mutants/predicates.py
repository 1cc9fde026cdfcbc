"""Conditions that are lost, weakened or turned."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dev_scripts.mutants.kinds import Change, Kind, as_kind, child, setting, without, wrapped

_WEAKER: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.GTE, exp.LT: exp.LTE}
_STRICTER: dict[type[exp.Expr], type[exp.Expr]] = {exp.GTE: exp.GT, exp.LTE: exp.LT}
_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE}
_EQUALITY: dict[type[exp.Expr], type[exp.Expr]] = {exp.EQ: exp.NEQ, exp.NEQ: exp.EQ}


def _sides(kind: type[exp.Expr]) -> Kind:
    def changes(node: exp.Expr) -> Iterator[Change]:
        if type(node) is kind:
            yield child("this")
            yield child("expression")

    return Kind("predicate dropped" if kind is exp.And else "alternative dropped", changes)


def _operator(name: str, kinds: dict[type[exp.Expr], type[exp.Expr]]) -> Kind:
    def changes(node: exp.Expr) -> Iterator[Change]:
        if type(node) in kinds:
            yield as_kind(kinds[type(node)])

    return Kind(name, changes)


def _clause_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Where):
        yield setting("this", exp.true())


def _having_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Having):
        yield setting("this", exp.true())


def _having_to_where(node: exp.Expr) -> Iterator[Change]:
    """HAVING SUM(x) > 5 becomes WHERE x > 5."""
    if not isinstance(node, exp.Select) or node.args.get("having") is None:
        return
    calls = list(node.args["having"].find_all(exp.AggFunc))
    if not calls or any(not isinstance(call.this, exp.Column) for call in calls):
        return

    def change(select: exp.Expr) -> exp.Expr:
        condition = select.args["having"].this
        for call in list(condition.find_all(exp.AggFunc)):
            call.replace(call.this.copy()) if call is not condition else None
        select.set("having", None)
        where = select.args.get("where")
        both = condition if where is None else exp.And(this=wrapped(where.this), expression=wrapped(condition))
        select.set("where", exp.Where(this=both))
        return select

    yield change


def _not_null_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Not) and isinstance(node.this.unnest(), exp.Is):
        yield lambda node: exp.true()


def _null_test_turned(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Is) and not isinstance(node.parent, exp.Not):
        yield lambda node: exp.Not(this=node.copy())


def _not_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Not) and not isinstance(node.this.unnest(), exp.Is):
        yield child("this")


def _in_member_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        for place in (0, len(node.expressions) - 1):
            yield without("expressions", place)


def _half_open(node: exp.Expr) -> Iterator[Change]:
    if not isinstance(node, exp.Between):
        return

    def change(node: exp.Expr) -> exp.Expr:
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        return exp.paren(exp.And(this=low, expression=exp.LT(this=node.this.copy(), expression=node.args["high"])))

    yield change


def _like_pattern(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Like) and isinstance(node.expression, exp.Literal) and "%" in node.expression.this:
        pattern = node.expression.this
        changed = {pattern.rstrip("%"), pattern.lstrip("%"), "%" + pattern, pattern + "%"}
        for text in sorted(text for text in changed if text.strip("%") and text.replace("%%", "%") != pattern):
            yield setting("expression", exp.Literal.string(text))


def _null_safe(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Column) and isinstance(node.expression, exp.Column):
        yield as_kind(exp.NullSafeEQ)


def _equal_nulls_lost(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.NullSafeEQ):
        yield as_kind(exp.EQ)


def _exists_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Exists) or (isinstance(node, exp.In) and node.args.get("query") is not None):
        yield lambda node: exp.true()


KINDS = (
    _sides(exp.And),
    _sides(exp.Or),
    Kind("WHERE dropped", _clause_dropped),
    Kind("HAVING dropped", _having_dropped),
    Kind("HAVING moved to WHERE", _having_to_where),
    Kind("AND became OR", lambda node: [as_kind(exp.Or)] if type(node) is exp.And else []),
    Kind("OR became AND", lambda node: [as_kind(exp.And)] if type(node) is exp.Or else []),
    _operator("bound included", _WEAKER),
    _operator("bound left out", _STRICTER),
    _operator("comparison turned", _TURNED),
    _operator("equality negated", _EQUALITY),
    Kind("IS NOT NULL dropped", _not_null_dropped),
    Kind("NULL test negated", _null_test_turned),
    Kind("NOT dropped", _not_dropped),
    Kind("IN list member dropped", _in_member_dropped),
    Kind("BETWEEN half open", _half_open),
    Kind("LIKE pattern", _like_pattern),
    Kind("NULLs joined", _null_safe),
    Kind("NULLs no longer joined", _equal_nulls_lost),
    Kind("semi-join dropped", _exists_dropped),
)
