"""Which base columns a query filters, joins or groups by: the only ones whose statistics decide anything."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog

_KEY_CLAUSES = (exp.Where, exp.Join, exp.Group, exp.Having, exp.Qualify, exp.Window)


def deciding_columns(tree: exp.Query, catalog: Catalog) -> set[tuple[TableName, str]]:
    """(table, column) of every base column used in a filter, a join or a group key, directly or under other names.

    A column that is only handed up by a subquery counts when some query above uses the name it got there. Names are
    followed, not scopes: a homonym may add a column too many, none is missed.

    Args:
        tree: A qualified query; not changed.
        catalog: The DDL's tables.
    """
    used = _used_names(tree)
    found: set[tuple[TableName, str]] = set()
    for scope in traverse_scope(tree):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if not isinstance(source, exp.Table) or not _decides(column, used):
                continue
            table = catalog.resolve_node(source)
            if table is not None:
                found.add((table.name, column.name.lower()))
    return found


def _used_names(tree: exp.Query) -> set[str]:
    """Names used in key clauses anywhere, and transitively the names that such a name renames."""
    used = {
        column.name.lower()
        for clause in tree.find_all(*_KEY_CLAUSES)
        for column in clause.find_all(exp.Column)
        if not _is_measured(column)
    }
    renames = [
        (projection.alias_or_name.lower(), projection.this.name.lower())
        for projection in tree.find_all(exp.Alias)
        if isinstance(projection.this, exp.Column)
    ]
    grew = True
    while grew:
        new = {source for name, source in renames if name in used and source not in used}
        used |= new
        grew = bool(new)
    return used


def _decides(column: exp.Column, used: set[str]) -> bool:
    if _is_measured(column):
        return False
    clause = column.find_ancestor(exp.Query, *_KEY_CLAUSES)
    if isinstance(clause, _KEY_CLAUSES):
        return True
    parent = column.parent
    if isinstance(parent, exp.Alias):
        return parent.alias.lower() in used
    # Inside an expression: month(date) may become a key above.
    return column.name.lower() in used if isinstance(parent, exp.Query) else True


def _is_measured(column: exp.Column) -> bool:
    """True when the column is only an aggregate's argument; a condition inside it, or its FILTER, is a filter."""
    node: exp.Expr | None = column
    while node is not None and not isinstance(node, exp.Query):
        parent = node.parent
        if isinstance(node, exp.Predicate) or (isinstance(parent, exp.Filter) and node.arg_key == "expression"):
            return False
        if isinstance(parent, exp.AggFunc):
            return True
        node = parent
    return False
