"""Conditions of an analysed tree in a form in which joins and filters are seen: exact in three-valued logic.

`(a = b AND x) OR (a = b AND y)` is `a = b AND (x OR y)`: AND and OR distribute over each other, and absorb each other,
also where a term is NULL. What is always true goes. EXISTS asks whether there is a row, not what stands in it.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.inlining import groups_rows
from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.trees import canonical, conjuncts, joined, terms, text_of, unwrapped
from heavy_stack.backend.advisor.sql.trino_types import INTEGER_DIGITS

_CHANGES_ROW_NUMBER = ("limit", "offset", "fetch", "having", "qualify", "with_")


def simplify_conditions(tree: exp.Query) -> None:
    """Bring every WHERE, and every ON of an inner join, into that form, and every EXISTS to `SELECT 1`; in place."""
    for select in list(tree.find_all(exp.Select)):
        where = select.args.get("where")
        if where is not None:
            kept = _simplified(where.this)
            select.set("where", exp.Where(this=joined(kept)) if kept else None)
        for join in select.args.get("joins") or []:
            on = join.args.get("on")
            if on is not None and not join.side:
                kept = _simplified(on)
                join.set("on", joined(kept) if kept else exp.true())
    for exists in list(tree.find_all(exp.Exists)):
        _ask_for_a_row(exists.this)
    for cast in list(tree.find_all(exp.Cast)):
        _drop_widening(cast)


def _simplified(condition: exp.Expr) -> list[exp.Expr]:
    """The terms of the condition as a chain of AND, without what is always true; none for one that always is."""
    found: list[exp.Expr] = []
    for part in conjuncts(condition):
        found += _factored(part) if isinstance(part, exp.Or) else [part]
    return [part for part in found if not _is_always_true(part)]


def _factored(chain: exp.Or) -> list[exp.Expr]:
    """The terms that every arm of an OR holds, each once, and the OR of what is left of the arms."""
    arms = [{text_of(canonical(part, {})): part for part in conjuncts(arm)} for arm in terms(chain, exp.Or)]
    shared = [text for text in arms[0] if all(text in arm for arm in arms[1:])]
    if not shared:
        return [chain]
    found = [arms[0][text] for text in shared]
    rests = [[part for text, part in arm.items() if text not in shared] for arm in arms]
    if all(rests):
        # An arm of which nothing is left is true wherever the shared terms are: the whole OR then says no more.
        left = joined([joined(rest) for rest in rests], exp.Or)
        found += _factored(left) if isinstance(left, exp.Or) else [left]
    return found


def _is_always_true(part: exp.Expr) -> bool:
    bare = unwrapped(part)
    if isinstance(bare, exp.Boolean):
        return bool(bare.this)
    if not isinstance(bare, exp.EQ):
        return False
    left, right = unwrapped(bare.this), unwrapped(bare.expression)
    # 1 = 1, as machines write it; NULL = NULL is no literal.
    return isinstance(left, exp.Literal) and left == right


_COERCES = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is)
_SAME_ANSWER = (exp.Count, exp.Sum, exp.Group)


def _drop_widening(cast: exp.Cast) -> None:
    """A column cast to a wider type of its kind is the column, where it is compared, counted, summed or grouped by.

    A comparison widens by itself, a sum has the widest type anyway, and no two values become one.
    """
    column, node = unwrapped(cast.this), cast.parent
    if not isinstance(column, exp.Column) or isinstance(cast, exp.TryCast) or not _is_wider(cast, column):
        return
    key = cast.arg_key
    while isinstance(node, exp.Paren):
        key, node = node.arg_key, node.parent
    counted = isinstance(node, exp.Distinct) and isinstance(node.parent, exp.Count) and len(node.expressions) == 1
    subject = isinstance(node, (exp.Between, exp.In)) and key == "this"
    if isinstance(node, (*_COERCES, *_SAME_ANSWER)) or counted or subject:
        cast.replace(column)


def _is_wider(cast: exp.Cast, column: exp.Column) -> bool:
    target, own = type_at(cast), type_at(column)
    if target is None or own is None:
        return False
    if own.is_integer and target.is_integer:
        return INTEGER_DIGITS[target.base] >= INTEGER_DIGITS[own.base]
    if own.is_decimal and target.is_decimal:
        return own.args[1] == target.args[1] and own.args[0] <= target.args[0]
    return False


def _ask_for_a_row(query: exp.Expr) -> None:
    """`EXISTS (SELECT a, b …)` as `EXISTS (SELECT 1 …)`, where the SELECT gives a row for each row that it reads."""
    select = unwrapped(query)
    if isinstance(select, exp.Subquery):
        select = unwrapped(select.this)
    if not isinstance(select, exp.Select) or groups_rows(select) or select.args.get("from_") is None:
        return  # an aggregate without GROUP BY has a row where it reads none
    if any(select.args.get(key) for key in _CHANGES_ROW_NUMBER):
        return
    if any(isinstance(part, (exp.Unnest, exp.Explode)) for item in select.expressions for part in item.walk()):
        return
    one = exp.Literal.number(1)
    one.type = exp.DataType.build("INT")
    select.set("expressions", [exp.alias_(one, "one", quoted=True)])
    select.set("order", None)
