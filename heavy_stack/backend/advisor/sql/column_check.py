"""After resolving: every column belongs to a source that has it; what the resolver left open is closed or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope, walk_in_scope

from heavy_stack.backend.advisor.sql.guards import UnknownName, place_of

if TYPE_CHECKING:
    from heavy_stack.backend.advisor.sql.catalog import Catalog


def check_columns(tree: exp.Expr, catalog: Catalog) -> None:
    """Give the columns in HAVING their source, fold `schema.table.column` to `table.column`, refuse unknown columns.

    Raises:
        UnknownName: With the column's place in the text.
    """
    for scope in traverse_scope(tree):
        for node in list(walk_in_scope(scope.expression)):
            if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                _check(node, scope, catalog)


def _check(column: exp.Column, scope: Scope, catalog: Catalog) -> None:
    if not column.table:
        if _names_an_output(column, scope):
            return
        for at in _upwards(scope):
            owners = [name for name in at.selected_sources if _has(at, name, column.name, catalog)]
            if len(owners) == 1:
                column.set("table", exp.to_identifier(owners[0], quoted=True))
                return
            if len(owners) > 1:
                raise _unknown(column, "is ambiguous")
        raise _unknown(column, "is not known")
    for at in _upwards(scope):
        if column.table in at.sources:
            if not _has(at, column.table, column.name, catalog):
                raise _unknown(column, "is not known")
            _fold(column, at, catalog)
            return
    raise _unknown(column, "is not known")


def _upwards(scope: Scope) -> Iterator[Scope]:
    at: Scope | None = scope
    while at is not None:
        yield at
        at = at.parent


def _names_an_output(column: exp.Column, scope: Scope) -> bool:
    """Whether this is an ORDER BY's reference to an output column."""
    query = scope.expression
    if not isinstance(query, exp.Query) or column.name.lower() not in {name.lower() for name in query.named_selects}:
        return False
    order = column.find_ancestor(exp.Order, exp.Select, exp.SetOperation)
    return isinstance(order, exp.Order) and order.parent is query


def _has(scope: Scope, source_name: str, column: str, catalog: Catalog) -> bool:
    source = scope.sources.get(source_name)
    if isinstance(source, exp.Table):
        table = catalog.resolve_node(source)
        if table is None or catalog.column_type(table, column) is None:
            return False
        alias = source.args.get("alias")
        return not (isinstance(alias, exp.TableAlias) and alias.columns)
    if not isinstance(source, Scope):
        return False
    inner = source.expression
    if isinstance(inner, exp.Query):
        return column.lower() in (name.lower() for name in inner.named_selects)
    alias = inner.args.get("alias") if isinstance(inner, exp.Expr) else None
    if isinstance(alias, exp.TableAlias) and alias.columns:
        return column.lower() in (item.name.lower() for item in alias.columns)
    # LATERAL (…) AS x: the columns are the subquery's own.
    query = inner.this.unnest() if isinstance(inner, exp.Lateral) and isinstance(inner.this, exp.Subquery) else None
    return isinstance(query, exp.Query) and column.lower() in (name.lower() for name in query.named_selects)


def _fold(column: exp.Column, scope: Scope, catalog: Catalog) -> None:
    """`schema.table.column`: the qualifier must be the table's own name."""
    if not column.db:
        return
    source = scope.sources[column.table]
    table = catalog.resolve_node(source) if isinstance(source, exp.Table) else None
    fits = (
        table is not None
        and table.name.name.lower() == column.table
        and table.name.schema.lower() == column.db
        and (not column.catalog or table.name.catalog.lower() == column.catalog)
    )
    if not fits:
        raise _unknown(column, "is not known")
    column.set("db", None)
    column.set("catalog", None)


def _unknown(column: exp.Column, what: str) -> UnknownName:
    return UnknownName(f"column {column.name} {what}", *place_of(column.this))
