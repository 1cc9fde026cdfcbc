"""Trino's type of every expression in a resolved tree. What no rule here knows has no type: never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope, walk_in_scope

from heavy_stack.backend.advisor.sql.function_types import RULES
from heavy_stack.backend.advisor.sql.trino_types import (
    BIGINT,
    TrinoType,
    common_super_type,
    from_node,
    read_type,
    stored_type,
    to_node,
)

if TYPE_CHECKING:
    from heavy_stack.backend.advisor.sql.catalog import Catalog


def type_of(node: exp.Expr) -> TrinoType | None:
    """The type that `annotate` gave a node, as a value."""
    return from_node(node.type)


def type_name(node: exp.Expr) -> str | None:
    """The type that `annotate` gave a node, in Trino's spelling (`decimal(12,2)`); None when it is not known."""
    kind = type_of(node)
    return None if kind is None else str(kind)


def annotate(tree: exp.Expr, catalog: Catalog) -> exp.Expr:
    """Set `node.type` on every expression of a resolved tree (UNKNOWN where no rule knows), and return the tree.

    The types of a query's output columns stand on its projections; those of a set operation in `output_types`.
    """
    outputs: dict[int, list[TrinoType | None]] = {}
    for scope in traverse_scope(tree):
        _annotate_scope(scope, catalog, outputs)
    if isinstance(tree, exp.Query):
        tree.meta["output_types"] = [None if kind is None else str(kind) for kind in outputs.get(id(tree), [])]
    return tree


def output_types(tree: exp.Query) -> list[str | None]:
    """Trino's types of the output columns of an annotated query."""
    return list(tree.meta.get("output_types") or [])


def _annotate_scope(scope: Scope, catalog: Catalog, outputs: dict[int, list[TrinoType | None]]) -> None:
    known: dict[int, TrinoType | None] = {}
    names: dict[str, TrinoType | None] = {}
    late: list[exp.Column] = []
    # A parent comes before its descendants in this walk, so backwards every operand is typed before its operator.
    nodes = list(walk_in_scope(scope.expression))
    for node in reversed(nodes):
        if isinstance(node, exp.Column) and not node.table:
            late.append(node)  # an ORDER BY that names an output column
        known[id(node)] = _type_in_scope(node, scope, catalog, known, outputs)
    select = scope.expression
    if isinstance(select, exp.Select):
        names = {item.alias_or_name.lower(): known.get(id(item)) for item in select.expressions}
    elif isinstance(select, exp.SetOperation):
        names = _named_outputs(select, outputs)
    if late:
        for column in late:
            known[id(column)] = names.get(column.name.lower())
        _retype_ancestors(late, scope, catalog, known, outputs)
    for node in nodes:
        if not isinstance(node, (exp.DataType, exp.Identifier)):
            node.type = to_node(known.get(id(node)))
    outputs[id(select)] = _outputs(scope, known, outputs)


def _retype_ancestors(
    late: Sequence[exp.Column],
    scope: Scope,
    catalog: Catalog,
    known: dict[int, TrinoType | None],
    outputs: dict[int, list[TrinoType | None]],
) -> None:
    for column in late:
        parent = column.parent
        while parent is not None and parent is not scope.expression and not isinstance(parent, exp.Ordered):
            known[id(parent)] = _type_in_scope(parent, scope, catalog, known, outputs)
            parent = parent.parent


def _type_in_scope(
    node: exp.Expr,
    scope: Scope,
    catalog: Catalog,
    known: dict[int, TrinoType | None],
    outputs: dict[int, list[TrinoType | None]],
) -> TrinoType | None:
    if isinstance(node, exp.Column):
        return _column_type(node, scope, catalog, outputs)
    if isinstance(node, exp.Subquery) or (isinstance(node, exp.Query) and node is not scope.expression):
        inner = node.unnest() if isinstance(node, exp.Subquery) else node
        columns = outputs.get(id(inner), [])
        return columns[0] if len(columns) == 1 else None
    rule = RULES.get(type(node))
    return None if rule is None else rule(node, lambda child: None if child is None else known.get(id(child)))


def _column_type(
    column: exp.Column, scope: Scope, catalog: Catalog, outputs: dict[int, list[TrinoType | None]]
) -> TrinoType | None:
    if not column.table:
        return None
    at: Scope | None = scope
    while at is not None:
        source = at.sources.get(column.table)
        if isinstance(source, exp.Table):
            table = catalog.resolve_node(source)
            spelled = catalog.column_type(table, column.name) if table is not None else None
            kind = read_type(spelled) if spelled else None
            return None if kind is None else stored_type(kind)
        if isinstance(source, Scope):
            return _source_column(source, column.name, outputs)
        at = at.parent
    return None


def _source_column(source: Scope, name: str, outputs: dict[int, list[TrinoType | None]]) -> TrinoType | None:
    expression = source.expression
    if isinstance(expression, exp.SetOperation):
        return _named_outputs(expression, outputs).get(name.lower())
    kinds = outputs.get(id(expression), [])
    names = [column.lower() for column in _column_names(expression)]
    if names.count(name.lower()) != 1 or len(names) != len(kinds):
        return None
    return kinds[names.index(name.lower())]


def _named_outputs(
    operation: exp.SetOperation, outputs: dict[int, list[TrinoType | None]]
) -> dict[str, TrinoType | None]:
    kinds = outputs.get(id(operation), [])
    names = [name.lower() for name in operation.named_selects]
    return dict(zip(names, kinds, strict=True)) if len(names) == len(kinds) else {}


def _column_names(expression: exp.Expr) -> list[str]:
    if isinstance(expression, exp.Query):
        return list(expression.named_selects)
    alias = expression.args.get("alias")
    return [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []


def _outputs(
    scope: Scope, known: dict[int, TrinoType | None], outputs: dict[int, list[TrinoType | None]]
) -> list[TrinoType | None]:
    expression = scope.expression
    if isinstance(expression, exp.Select):
        return [known.get(id(item)) for item in expression.expressions]
    if isinstance(expression, exp.SetOperation):
        return _united(
            [outputs.get(id(_unwrapped(expression.this)), []), outputs.get(id(_unwrapped(expression.expression)), [])]
        )
    if isinstance(expression, exp.Values):
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in expression.expressions]
        return _united([[known.get(id(value)) for value in row] for row in rows])
    if isinstance(expression, exp.Unnest):
        return _unnested(expression, known)
    return []


def _unwrapped(node: exp.Expr) -> exp.Expr:
    return node.unnest() if isinstance(node, exp.Subquery) else node


def _united(rows: Sequence[Sequence[TrinoType | None]]) -> list[TrinoType | None]:
    """Column by column the common type of all rows or branches."""
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return []
    columns: list[TrinoType | None] = list(rows[0])
    for row in rows[1:]:
        columns = [common_super_type(one, other) for one, other in zip(columns, row, strict=True)]
    return columns


def _unnested(unnest: exp.Unnest, known: dict[int, TrinoType | None]) -> list[TrinoType | None]:
    columns: list[TrinoType | None] = []
    for array in unnest.expressions:
        kind = known.get(id(array))
        spelled = str(kind) if kind is not None else ""
        columns.append(read_type(spelled[6:-1]) if spelled.startswith("array(") else None)
    if unnest.args.get("offset"):
        columns.append(BIGINT)
    return columns
