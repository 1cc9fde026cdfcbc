"""The names that Trino gives a query's output columns: as written, case and all, and `_col5` where none is written.

Resolving a tree folds every name to lower case and invents names such as `_col_5`; what a client reads by name must not
change, so the names are noted before and set again on the outermost projections.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

_WRITTEN = "written"
_WRITTEN_COLUMNS = "written_columns"


def note_names(tree: exp.Expr) -> None:
    """Before resolving: keep each projection's and column alias's spelling in the tree's metadata."""
    for node in tree.walk():
        if isinstance(node, (exp.Alias, exp.TableAlias)):
            _note_alias(node)
        elif isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
            node.this.meta[_WRITTEN] = node.name


def _note_alias(node: exp.Alias | exp.TableAlias) -> None:
    if isinstance(node, exp.Alias):
        identifier = node.args.get("alias")
        if isinstance(identifier, exp.Identifier):
            identifier.meta[_WRITTEN] = identifier.name
    elif node.parent is not None and node.columns:
        node.parent.meta[_WRITTEN_COLUMNS] = [column.name for column in node.columns]


def restore_names(tree: exp.Query) -> None:
    """After resolving: give the outermost projections their written names, also where its ORDER BY names them."""
    root = _outermost_select(tree)
    if root is None:
        return
    scopes = {id(scope.expression): scope for scope in traverse_scope(tree)}
    scope = scopes.get(id(root))
    if scope is None:
        return
    changed: dict[str, str] = {}
    for index, item in enumerate(root.expressions):
        name = _projected_name(item, scope, scopes) or f"_col{index}"
        if item.alias_or_name != name:
            changed[item.alias_or_name] = name
        if isinstance(item, exp.Alias):
            item.set("alias", exp.to_identifier(name, quoted=True))
        else:
            item.replace(exp.alias_(item.copy(), name, quoted=True))
    for query in {id(query): query for query in (root, tree)}.values():
        order = query.args.get("order")
        for column in order.find_all(exp.Column) if order is not None else ():
            if not column.table and column.name in changed:
                column.set("this", exp.to_identifier(changed[column.name], quoted=True))


def output_names(tree: exp.Query) -> list[str]:
    """The output column names of a resolved tree."""
    root = _outermost_select(tree)
    return [] if root is None else [item.alias_or_name for item in root.expressions]


def _outermost_select(tree: exp.Expr) -> exp.Select | None:
    """The SELECT whose projections name the output: of a set operation the leftmost one."""
    node: exp.Expr | None = tree
    while isinstance(node, (exp.SetOperation, exp.Subquery)):
        node = node.this
    return node if isinstance(node, exp.Select) else None


def _projected_name(item: exp.Expr, scope: Scope, scopes: dict[int, Scope]) -> str | None:
    """The written name of a projection; None when it has none."""
    if isinstance(item, exp.Alias):
        identifier = item.args.get("alias")
        written = identifier.meta.get(_WRITTEN) if isinstance(identifier, exp.Identifier) else None
        if written is not None:
            return str(written)
        if _is_joined_column(item):
            return item.alias
        item = item.this
    if not isinstance(item, exp.Column):
        return None
    written = item.this.meta.get(_WRITTEN)
    if written is not None:
        return str(written)
    return _source_name(item, scope, scopes)


def _is_joined_column(item: exp.Alias) -> bool:
    """Whether this is a column of JOIN … USING, for which the resolver writes COALESCE(left, right) AS column."""
    parts = [item.this.this, *item.this.expressions] if isinstance(item.this, exp.Coalesce) else []
    return bool(parts) and all(isinstance(part, exp.Column) and part.name == item.alias for part in parts)


def _source_name(column: exp.Column, scope: Scope, scopes: dict[int, Scope]) -> str | None:
    """What a column that `*` stood for is called in its source."""
    source = scope.sources.get(column.table)
    if not isinstance(source, Scope):
        return column.name
    inner = _outermost_select(source.expression)
    if inner is None:
        return column.name
    names = [item.alias_or_name.lower() for item in inner.expressions]
    if column.name.lower() not in names:
        return column.name
    index = names.index(column.name.lower())
    holder = source.expression.parent
    written = holder.meta.get(_WRITTEN_COLUMNS) if isinstance(holder, (exp.CTE, exp.Subquery)) else None
    if written and index < len(written):
        return str(written[index])
    inner_scope = scopes.get(id(inner))
    return _projected_name(inner.expressions[index], inner_scope, scopes) if inner_scope is not None else column.name
