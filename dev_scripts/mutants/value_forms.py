"""Rewritings that keep a result because of what values can be: positive counts, equal columns, defaults that fail."""

from __future__ import annotations

from sqlglot import exp

from dev_scripts.mutants.null_facts import (
    Known,
    conditions,
    group_keys,
    has_sets,
    optional,
    owner_of,
    sources,
    terms,
)
from dev_scripts.mutants.readers import null_rows_of_select_vanish, shown
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.column_types import is_number
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.literals import constant

_COMPARED: dict[type[exp.Expr], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.EQ: "="}


def decides(node: exp.Expr) -> bool:
    """Whether it is all the same if a condition is false or NULL."""
    around = node.parent
    inner = node
    while isinstance(around, (exp.And, exp.Or, exp.Paren)):
        inner, around = around, around.parent
    if isinstance(around, exp.If):
        searched = isinstance(around.parent, exp.Case) and around.parent.this is None
        return searched and around.this is inner
    return isinstance(around, (exp.Where, exp.Having, exp.Join))


def positive_count(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`count > 0`, `count >= 0` and NULLIF(count, 0) of a group, which has a row."""
    if isinstance(node, (exp.GT, exp.GTE)) and node.expression.sql() == "0" and decides(node):
        return exp.true() if _positive(node.this.unnest(), known) else None
    if isinstance(node, exp.Nullif) and node.expression.sql() == "0" and _positive(node.this.unnest(), known):
        return node.this if isinstance(node.this, exp.Expr) else None
    return None


def _positive(node: exp.Expr, known: Known) -> bool:
    select = node.find_ancestor(exp.Select)
    if isinstance(node, exp.Column):
        select = owner_of(node)
        if select is None or node.table.lower() in optional(select):
            return False
        query = known.query_behind(sources(select)[node.table.lower()])
        items = query.selects if isinstance(query, exp.Select) else []
        return any(
            item.alias_or_name.lower() == node.name.lower() and _positive(item.unalias(), known) for item in items
        )
    if (
        select is None
        or not group_keys(select)
        or has_sets(select)
        or isinstance(node.parent, (exp.Filter, exp.Window))
    ):
        return False
    if isinstance(node, exp.Count):
        return isinstance(node.this, exp.Star)
    return isinstance(node, exp.Sum) and isinstance(node.this, exp.Column) and _positive(node.this, known)


def default_that_fails(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`COALESCE(x, d) > c` in a condition, where d does not pass."""
    if type(node) not in _COMPARED or not decides(node):
        return None
    holder = _scalar_item(node.this) or node.this
    value_of = holder.unalias()
    if not isinstance(value_of, exp.Coalesce):
        return None
    defaults = value_of.expressions
    value, bound = constant(defaults[0]) if len(defaults) == 1 else None, constant(node.expression)
    if not is_number(value) or not is_number(bound) or Constraint("compare", _COMPARED[type(node)], bound).holds(value):
        return None
    value_of.replace(value_of.this.copy())
    return node


def _scalar_item(node: exp.Expr) -> exp.Expr | None:
    """What a scalar subquery selects."""
    query = node.this if isinstance(node, exp.Subquery) else None
    return query.selects[0] if isinstance(query, exp.Select) and len(query.selects) == 1 else None


def equal_columns(node: exp.Expr, known: Known) -> exp.Expr | None:
    """A column in the place of another that every row has equal to it."""
    if not isinstance(node, exp.Column) or isinstance(node.parent, exp.EQ):
        return None
    select = node.find_ancestor(exp.Select)
    if select is None or owner_of(node) is not select:
        return None
    pairs = [term for term in conditions(select) if isinstance(term, exp.EQ)]
    for term in pairs:
        sides = [term.this, term.expression]
        if not all(isinstance(side, exp.Column) and side.table.lower() in sources(select) for side in sides):
            continue
        kinds = {type_name(side) for side in sides}
        if len(kinds) == 1 and None not in kinds and not kinds & {"double", "real"} and node in sides:
            least = min(sides, key=lambda side: str(side.sql()))
            return least if least != node else None
    return None


def test_made_around(node: exp.Expr, known: Known) -> exp.Expr | None:
    """`k IS NOT NULL` in a query, where all queries around it refuse the NULL of k."""
    if not isinstance(node, exp.Not) or not isinstance(node.this, exp.Is):
        return None
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    if select is None or where is None or all(term is not node for term in terms(where.this)):
        return None
    tested = node.this.this
    gone = any(null_rows_of_select_vanish(select, tested, name) for name in shown(select, tested))
    return exp.true() if gone else None
