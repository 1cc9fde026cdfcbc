"""What machines write around a query and what means nothing: casts to the type that is there, `1 = 1`.

Done to the analysed tree, so that `CAST(day AS DATE)` of a date is the same dimension as `day`.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.trees import conjuncts, joined, unwrapped


def spell_plainly(tree: exp.Query) -> None:
    """Change the tree in place; its meaning, names and types stay."""
    for cast in list(tree.find_all(exp.Cast)):
        inner = unwrapped(cast.this)
        kind = type_at(cast)
        # Types compare with their parameters: timestamp(6) to timestamp rounds to milliseconds.
        if kind is not None and isinstance(inner, exp.Column) and type_at(inner) == kind and cast.parent is not None:
            cast.replace(inner)
    for trunc in list(tree.find_all(exp.DateTrunc)):
        # The parser knows two nodes for date_trunc, by how its argument is written.
        if trunc.args.get("zone") is None and trunc.parent is not None and isinstance(trunc.args.get("unit"), exp.Expr):
            same = exp.TimestampTrunc(this=trunc.this, unit=exp.var(str(trunc.args["unit"].name).upper()))
            same.type = trunc.type
            trunc.replace(same)
    for select in tree.find_all(exp.Select):
        _drop_true_conditions(select)


def _drop_true_conditions(select: exp.Select) -> None:
    where = select.args.get("where")
    if where is None:
        return
    parts = conjuncts(where.this)
    kept = [part for part in parts if not _is_true(part)]
    if len(kept) == len(parts):
        return
    select.set("where", exp.Where(this=joined(kept)) if kept else None)


def _is_true(condition: exp.Expr) -> bool:
    if isinstance(condition, exp.Boolean):
        return bool(condition.this)
    if not isinstance(condition, exp.EQ):
        return False
    left, right = unwrapped(condition.this), unwrapped(condition.expression)
    return isinstance(left, exp.Literal) and left == right
