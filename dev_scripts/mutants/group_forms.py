"""Rewritings of groups that keep a result: keys that others decide, aggregates over one row, distinct values."""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from dev_scripts.mutants.null_facts import (
    Known,
    conditions,
    fixed_columns,
    group_keys,
    has_sets,
    owner_of,
    source_key,
    sources,
    terms,
)
from heavy_stack.backend.advisor.sql.types import type_name
from heavy_stack.backend.advisor.verify.literals import constant


def constant_key(node: exp.Expr, known: Known) -> exp.Expr | None:
    """A group key that has one value in all rows, beside others."""
    if not isinstance(node, exp.Group) or len(node.expressions) < 2 or not isinstance(node.parent, exp.Select):
        return None
    if any(node.args.get(name) for name in ("grouping_sets", "rollup", "cube")):
        return None
    fixed = fixed_columns(node.parent)
    kept = [key for key in node.expressions if key.sql() not in fixed]
    if len(kept) == len(node.expressions) or not kept:
        return None
    dropped = [key for key in node.expressions if key.sql() in fixed]
    if any(key in item.find_all(type(key)) for key in dropped for item in node.parent.selects):
        return None
    node.set("expressions", kept)
    return node


def joined_key(node: exp.Expr, known: Known) -> exp.Expr | None:
    """A group key that each value of another one decides: a join equates them, and asks the other side nothing else."""
    select = node.parent
    if not isinstance(node, exp.Group) or not isinstance(select, exp.Select) or has_sets(select):
        return None
    for key in node.expressions:
        others = [other for other in node.expressions if other is not key]
        if (
            isinstance(key, exp.Column)
            and not _is_shown(key, select)
            and any(_decided(key, other, select) for other in others)
        ):
            node.set("expressions", others)
            return node
    return None


def months_fixed(select: exp.Select, known: Known) -> set[str]:
    """Columns of first days of months that bounds hold to a single month."""
    found = set()
    for term in conditions(select):
        if isinstance(term, exp.GTE) and isinstance(term.this, exp.Column) and holds_months(term.this, known):
            first = constant(term.expression)
            if isinstance(first, dt.date) and first.day == 1:
                following = (first + dt.timedelta(days=32)).replace(day=1)
                ends = [each for each in conditions(select) if isinstance(each, exp.LT) and each.this == term.this]
                if any(constant(end.expression) == following for end in ends):
                    found.add(term.this.name.lower())
    return found


def holds_months(column: exp.Column, known: Known) -> bool:
    """Whether all values of a column are first days of a month."""
    select = owner_of(column)
    if select is None:
        return False
    query = known.query_behind(sources(select)[column.table.lower()])
    for item in query.selects if isinstance(query, exp.Select) else ():
        if item.alias_or_name.lower() == column.name.lower():
            inner = item.unalias()
            if isinstance(inner, exp.Column):
                return holds_months(inner, known)
            return isinstance(inner, (exp.DateTrunc, exp.TimestampTrunc)) and inner.text("unit").upper() == "MONTH"
    return False


def _is_shown(key: exp.Column, select: exp.Select) -> bool:
    """Whether a group key is read outside aggregates."""
    clauses = [*select.selects, select.args.get("having"), select.args.get("order")]
    found = (column for clause in clauses if clause is not None for column in clause.find_all(exp.Column))
    return any(column == key and column.find_ancestor(exp.AggFunc, exp.Select) is select for column in found)


def _decided(key: exp.Column, other: exp.Expr, select: exp.Select) -> bool:
    alias = key.table.lower()
    joins = select.args.get("joins") or ()
    join = next((join for join in joins if join.this.alias_or_name.lower() == alias), None)
    if join is None or any((each.side or "").upper() not in ("", "LEFT") for each in joins):
        return False
    asked = list(terms(join.args.get("on")))
    equal = [term for term in asked if isinstance(term, exp.EQ) and {term.this, term.expression} == {key, other}]
    outside = (column for term in asked for column in term.find_all(exp.Column) if column.table.lower() != alias)
    return bool(equal) and (not join.side or all(column == other for column in outside))


def key_order(node: exp.Expr, known: Known) -> exp.Expr | None:
    """The keys of GROUP BY in one order, each once."""
    if not isinstance(node, exp.Group) or any(node.args.get(name) for name in ("grouping_sets", "rollup", "cube")):
        return None
    if any(isinstance(key, exp.Literal) for key in node.expressions):
        return None
    ordered = list({key.sql(): key for key in sorted(node.expressions, key=lambda key: str(key.sql()))}.values())
    if [id(key) for key in ordered] == [id(key) for key in node.expressions]:
        return None
    node.set("expressions", ordered)
    return node


def one_row(node: exp.Expr, known: Known) -> exp.Expr | None:
    """MIN, MAX, SUM and exact AVG over at most one row are the row's value; MIN of a group key is its MAX."""
    select = node.find_ancestor(exp.Select)
    if type(node) not in (exp.Min, exp.Sum, exp.Avg) or select is None or isinstance(node.this, exp.Distinct):
        return None
    keys = group_keys(select)
    if isinstance(node.parent, (exp.Window, exp.Filter)) or (keys and has_sets(select)):
        return None
    if isinstance(node, exp.Min) and node.this in keys:
        return exp.Max(this=node.this)
    if isinstance(node, exp.Avg) and type_name(node) != type_name(node.this):
        return None
    return exp.Max(this=node.this) if _one_row_each(select, keys, known) else None


def _one_row_each(select: exp.Select, keys: list[exp.Expr], known: Known) -> bool:
    """Whether no group has more than one row: the keys of all sources are held, or joined to what is."""
    if select.args.get("joins"):
        return _joined_rows_held(select, keys, known)
    key = source_key(next(iter(sources(select).values()), None), known)
    held = {exp.to_column(name).name.lower() for name in fixed_columns(select)}
    held |= {each.name.lower() for each in keys if isinstance(each, exp.Column)} | months_fixed(select, known)
    return key is not None and key <= held


def _joined_rows_held(select: exp.Select, keys: list[exp.Expr], known: Known) -> bool:
    joins = select.args["joins"]
    if any((join.side or "").upper() not in ("", "LEFT") for join in joins):
        return False
    fixed = (exp.to_column(name) for name in fixed_columns(select))
    columns = [each for each in (*keys, *fixed) if isinstance(each, exp.Column)]
    held = {(each.args["table"].name.lower(), each.name.lower()) for each in columns}
    left = [
        (term, join.this.alias_or_name.lower()) for join in joins if join.side for term in terms(join.args.get("on"))
    ]
    pairs = [(term, None) for term in conditions(select)] + left
    for _ in range(len(pairs)):
        for term, only in pairs:
            sides = [term.this, term.expression] if isinstance(term, exp.EQ) else []
            kinds = {type_name(side) for side in sides}
            if not all(isinstance(side, exp.Column) for side in sides) or len(kinds) != 1 or None in kinds:
                continue
            names = [(side.table.lower(), side.name.lower()) for side in sides]
            for one, other in (names, names[::-1]):
                if one in held and (only is None or other[0] == only):
                    held.add(other)
    for alias, source in sources(select).items():
        key = source_key(source, known)
        if key is None or not all((alias, name) in held for name in key):
            return False
    return True


def distinct_values(node: exp.Expr, known: Known) -> exp.Expr | None:
    """COUNT(DISTINCT k) where the group keys and k together are the source's key."""
    select = node.find_ancestor(exp.Select)
    if not isinstance(node, exp.Count) or not isinstance(node.this, exp.Distinct) or select is None:
        return None
    if len(node.this.expressions) != 1 or select.args.get("joins"):
        return None
    key = source_key(next(iter(sources(select).values()), None), known)
    held = {
        each.name.lower() for each in (*group_keys(select), node.this.expressions[0]) if isinstance(each, exp.Column)
    }
    held |= {exp.to_column(name).name.lower() for name in fixed_columns(select)}
    if key is None or not key <= held:
        return None
    return exp.Count(this=node.this.expressions[0], big_int=True)
