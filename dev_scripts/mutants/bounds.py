"""Bounds on a column that holds first days of months: many days mean the same bound."""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from heavy_stack.backend.advisor.verify.literals import constant


def month_bound(node: exp.Expr) -> exp.Expr | None:
    """The comparison with its bound at the first of a month, as >= or <; None where it is so already."""
    bound = constant(node.expression)
    if not isinstance(bound, dt.date):
        return None
    moment = bound if isinstance(bound, dt.datetime) else dt.datetime(bound.year, bound.month, bound.day)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    if isinstance(node, (exp.GTE, exp.LT)):
        edge = first if moment == first else following
    else:
        edge = following
    kind = exp.GTE if isinstance(node, (exp.GTE, exp.GT)) else exp.LT
    text = edge.date().isoformat() if not isinstance(bound, dt.datetime) else edge.isoformat(sep=" ")
    written = node.expression
    to = written.to.copy() if isinstance(written, exp.Cast) else exp.DataType.build("DATE")
    made = kind(this=node.this.copy(), expression=exp.Cast(this=exp.Literal.string(text), to=to))
    return made if made != node else None
