"""Which literals move: next month's query has another date, threshold or list, so a stored table must not hold it.

Baked in may be: booleans, flags (columns of at most 3 values), comparisons with 0 or '', NULL tests, NOT IN, LIKE and
regular expressions. Every other compared literal moves, and what it is compared with becomes a dimension.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.trees import is_constant, is_volatile, own_nodes, unwrapped

MAX_FLAG_VALUES = 3
"""A column of at most this many values is a flag: a query asks for a side of it, never for another literal."""

IsFlag = Callable[[exp.Column], bool]

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_PATTERNS = (exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.SimilarTo, exp.Escape)


def literal_moves(node: exp.Expr, is_flag: IsFlag) -> bool:
    """Whether the expression holds a comparison whose literal moves, or a value that differs from day to day."""
    return is_volatile(node) or any(_moves_here(part, is_flag) for part in own_nodes(node))


def _moves_here(node: exp.Expr, is_flag: IsFlag) -> bool:
    if isinstance(node, COMPARISONS):
        return _comparison_moves(node, is_flag)
    if isinstance(node, exp.In):
        return _list_moves(node, is_flag)
    if isinstance(node, exp.Between):
        bounds = [node.args["low"], node.args["high"]]
        return any(_value_moves(bound) for bound in bounds) and not _asks_flag(node.this, is_flag)
    if isinstance(node, exp.Nullif):
        return _value_moves(node.expression) and not _asks_flag(node.this, is_flag)
    if isinstance(node, exp.Case) and node.this is not None:
        branches = [branch.this for branch in node.args.get("ifs") or []]
        return any(_value_moves(value) for value in branches) and not _asks_flag(node.this, is_flag)
    if isinstance(node, exp.Lambda):
        return node.find(exp.Literal) is not None  # what it compares are elements, of which nothing is known
    if isinstance(node, (exp.Func, exp.Predicate)) and not isinstance(node, (*_PATTERNS, exp.Connector, exp.Case)):
        # A test of any other shape (starts_with, contains, date ranges): its literals count as moving.
        return _is_boolean(node) and any(
            isinstance(child, exp.Literal) or (isinstance(child, exp.Array) and is_constant(child))
            for child in node.iter_expressions()
        )
    return False


def _comparison_moves(node: exp.Expr, is_flag: IsFlag) -> bool:
    left, right = node.this, node.expression
    for subject, value in ((left, right), (right, left)):
        if is_constant(value):
            # 1 = 1 compares nothing that a query could ask otherwise.
            return not is_constant(subject) and _value_moves(value) and not _asks_flag(subject, is_flag)
    return False


def _list_moves(node: exp.In, is_flag: IsFlag) -> bool:
    values = node.expressions
    if node.args.get("query") is not None or node.args.get("unnest") is not None:
        return False
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.Not):
        return False  # a list of exceptions is part of the question's meaning
    return any(_value_moves(value) for value in values) and not _asks_flag(node.this, is_flag)


def _asks_flag(subject: exp.Expr, is_flag: IsFlag) -> bool:
    bare = unwrapped(subject)
    return isinstance(bare, exp.Column) and is_flag(bare)


def _value_moves(value: exp.Expr) -> bool:
    """Whether a compared value is one that may be another next time: not a boolean, NULL, 0 or ''."""
    bare = unwrapped(value)
    if not is_constant(bare):
        return False
    while isinstance(bare, (exp.Neg, exp.Cast, exp.TryCast)):
        bare = unwrapped(bare.this)
    if isinstance(bare, (exp.Boolean, exp.Null)):
        return False
    if isinstance(bare, exp.Literal):
        return not is_zero_or_empty(bare)
    return True


def is_zero_or_empty(literal: exp.Literal) -> bool:
    """Whether a literal is 0 (of any number type) or ''."""
    text = str(literal.this)
    if text == "":
        return True
    try:
        return float(text) == 0.0
    except ValueError:
        return False


def _is_boolean(node: exp.Expr) -> bool:
    kind = node.type
    return kind is not None and kind.this == exp.DType.BOOLEAN
