"""Joins, set operations and columns: other rows come in, or another source's column is read."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dev_scripts.mutants.kinds import Change, Kind, owner, setting, wrapped
from heavy_stack.backend.advisor.sql.types import type_name


def _side(node: exp.Expr) -> str:
    return str(node.args.get("side") or "").upper()


def _left_to_inner(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Join) and _side(node) == "LEFT":

        def change(node: exp.Expr) -> exp.Expr:
            node.set("side", None)
            node.set("kind", None)
            return node

        yield change


def _inner_to_left(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Join) and not _side(node) and node.args.get("on") is not None:
        yield setting("side", "LEFT")


def _full_to_left(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Join) and _side(node) in ("FULL", "RIGHT"):
        yield setting("side", "LEFT")


def _on_to_where(node: exp.Expr) -> Iterator[Change]:
    """A part of a LEFT JOIN's ON that becomes a filter on all rows."""
    joins = node.args.get("joins") or [] if isinstance(node, exp.Select) else []
    for place, join in enumerate(joins):
        if _side(join) != "LEFT" or not isinstance(join.args.get("on"), exp.And):
            continue

        def change(select: exp.Expr, place: int = place) -> exp.Expr:
            both = select.args["joins"][place].args["on"]
            kept, moved = both.this.copy(), both.expression.copy()
            select.args["joins"][place].set("on", kept)
            where = select.args.get("where")
            full = moved if where is None else exp.And(this=wrapped(where.this), expression=wrapped(moved))
            select.set("where", exp.Where(this=full))
            return select

        yield change


def _source_twice(node: exp.Expr) -> Iterator[Change]:
    """Every row of a base table twice: what a partner that is not unique does."""
    if not isinstance(node, exp.Table) or not node.db or not isinstance(node.parent, (exp.From, exp.Join)):
        return

    def change(table: exp.Expr) -> exp.Expr:
        bare = table.copy()
        bare.set("alias", None)
        rows = exp.select("*").from_(bare.copy())
        both = exp.Union(this=rows, expression=rows.copy(), distinct=False)
        return exp.Subquery(this=both, alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=True)))

    yield change


def _union_distinct(node: exp.Expr) -> Iterator[Change]:
    if type(node) is exp.Union and not node.args.get("distinct"):
        yield setting("distinct", True)


def _union_all(node: exp.Expr) -> Iterator[Change]:
    if type(node) is exp.Union and node.args.get("distinct"):
        yield setting("distinct", False)


def _branch_lost(node: exp.Expr) -> Iterator[Change]:
    """One side of a set operation reads nothing."""
    if not isinstance(node, exp.SetOperation):
        return
    for part in ("this", "expression"):
        if isinstance(node.args[part], exp.Select):

            def change(node: exp.Expr, part: str = part) -> exp.Expr:
                node.args[part].where(exp.false(), copy=False)
                return node

            yield change


def _set_operation(node: exp.Expr) -> Iterator[Change]:
    if type(node) is exp.Except:
        yield lambda node: exp.Intersect(**{key: node.args.get(key) for key in node.args})
    if type(node) is exp.Intersect:
        yield lambda node: exp.Union(**{key: node.args.get(key) for key in node.args})


def _distinct_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Select) and node.args.get("distinct") is not None:
        yield setting("distinct", None)


def _distinct_added(node: exp.Expr) -> Iterator[Change]:
    if not isinstance(node, exp.Select) or isinstance(node.parent, exp.Exists):
        return
    taken = any(node.args.get(part) is not None for part in ("distinct", "order", "group"))
    if not taken and node.find(exp.AggFunc) is None:
        yield setting("distinct", exp.Distinct())


def _another_role(node: exp.Expr) -> Iterator[Change]:
    """The same column of another alias of the same table."""
    select = owner(node)
    if not isinstance(node, exp.Column) or not node.table or select is None:
        return
    tables = {source.alias_or_name: source.name for source in _seen_from(node, select)}
    mine = tables.get(node.table)
    for alias in sorted(alias for alias, name in tables.items() if name and name == mine and alias != node.table)[:2]:
        yield setting("table", exp.to_identifier(alias, quoted=True))


def _another_column(node: exp.Expr) -> Iterator[Change]:
    """Another column of the same source and type that the query reads too: the next measure, the next key."""
    select = owner(node)
    if not isinstance(node, exp.Column) or not node.table or select is None:
        return
    kind = type_name(node)
    names = {
        other.name
        for other in select.find_all(exp.Column)
        if other.table == node.table and type_name(other) == kind and other.name != node.name and owner(other) is select
    }
    after = sorted(names, key=lambda name: (name < node.name, name))
    for name in after[:1] if kind is not None else ():
        yield setting("this", exp.to_identifier(name, quoted=True))


def _sources(select: exp.Select) -> list[exp.Expr]:
    source = select.args.get("from_")
    return ([source.this] if source is not None else []) + [join.this for join in select.args.get("joins") or []]


def _seen_from(node: exp.Expr, select: exp.Select) -> list[exp.Expr]:
    """The sources that an expression may name: in an ON those before it."""
    join = node.find_ancestor(exp.Join, exp.Select)
    found = _sources(select)
    joins = select.args.get("joins") or []
    return found if not isinstance(join, exp.Join) or join not in joins else found[: joins.index(join) + 2]


KINDS = (
    Kind("LEFT JOIN became INNER", _left_to_inner),
    Kind("INNER JOIN became LEFT", _inner_to_left),
    Kind("FULL or RIGHT JOIN became LEFT", _full_to_left),
    Kind("ON moved to WHERE", _on_to_where),
    Kind("every row of a source twice", _source_twice),
    Kind("UNION ALL became UNION", _union_distinct),
    Kind("UNION became UNION ALL", _union_all),
    Kind("branch of a set operation lost", _branch_lost),
    Kind("another set operation", _set_operation),
    Kind("SELECT DISTINCT dropped", _distinct_dropped),
    Kind("SELECT DISTINCT added", _distinct_added),
    Kind("another role's column", _another_role),
    Kind("another column of the source", _another_column),
)
