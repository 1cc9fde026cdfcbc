"""Side conditions of a rewrite: queries that must return no row."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import RewrittenText, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.parsing import SqlProblem, TooLarge
from heavy_stack.backend.advisor.verify.data_sets import KeyRules
from heavy_stack.backend.advisor.verify.literals import constant


def implied_by_ddl(condition: str, catalog: Catalog) -> bool:
    """Whether the DDL alone guarantees that the query returns no row: it asks for NULL in a NOT NULL column."""
    select = _plain_select(condition, catalog)
    where = select.args.get("where") if select is not None else None
    return where is not None and _never_true(where.this, select, catalog)


def promised_keys(texts: Iterable[RewrittenText], catalog: Catalog) -> KeyRules:
    """What the conditions of all texts say about keys and NULLs, as far as it can be read off their form."""
    unique: dict[TableName, tuple[tuple[str, ...], ...]] = {}
    not_null: dict[TableName, frozenset[str]] = {}
    determined: dict[TableName, dict[str, frozenset[str]]] = {}
    for condition in {sql for text in texts for _, sql in text.conditions}:
        select = _plain_select(condition, catalog)
        table = _only_table(select, catalog) if select is not None else None
        if select is None or table is None:
            continue
        key, one = _unique_key(select), _determined(select)
        if one is not None:
            known = determined.setdefault(table.name, {})
            known[one[0]] = known.get(one[0], frozenset()) | one[1]
        elif key:
            unique[table.name] = tuple(sorted({*unique.get(table.name, ()), key}))
        else:
            not_null[table.name] = not_null.get(table.name, frozenset()) | _null_columns(select)
    pairs = {
        name: tuple((column, tuple(sorted(others))) for column, others in sorted(found.items()))
        for name, found in determined.items()
    }
    return KeyRules(unique, not_null, pairs)


def _plain_select(condition: str, catalog: Catalog) -> exp.Select | None:
    try:
        tree = qualified(condition, catalog)
    except (SqlProblem, TooLarge):
        return None
    return tree if isinstance(tree, exp.Select) else None


def _only_table(select: exp.Select, catalog: Catalog) -> Table | None:
    tables = list(select.find_all(exp.Table))
    return catalog.resolve_node(tables[0]) if len(tables) == 1 else None


def _never_true(node: exp.Expr, select: exp.Select | None, catalog: Catalog) -> bool:
    if isinstance(node, exp.Paren):
        return _never_true(node.this, select, catalog)
    if isinstance(node, exp.And):
        return any(_never_true(term, select, catalog) for term in node.flatten())
    if isinstance(node, exp.Or):
        return all(_never_true(term, select, catalog) for term in node.flatten())
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null) or select is None:
        return False
    table = _only_table(select, catalog)
    column = node.this.unnest()
    if table is None or not isinstance(column, exp.Column):
        return False
    return any(known.name.lower() == column.name.lower() and not known.nullable for known in table.columns)


def _unique_key(select: exp.Select) -> tuple[str, ...] | None:
    """The columns of `… GROUP BY columns HAVING COUNT(*) > 1`."""
    group, having = select.args.get("group"), select.args.get("having")
    if group is None or having is None or not isinstance(having.this, exp.GT):
        return None
    if not isinstance(having.this.this, exp.Count) or constant(having.this.expression) != 1:
        return None
    columns = [key for key in group.expressions if isinstance(key, exp.Column)]
    return tuple(sorted(key.name.lower() for key in columns)) if len(columns) == len(group.expressions) else None


def _determined(select: exp.Select) -> tuple[str, frozenset[str]] | None:
    """(column, what it determines) of `… GROUP BY column HAVING MIN(x) <> MAX(x) OR …`."""
    group, having = select.args.get("group"), select.args.get("having")
    keys = group.expressions if group is not None else []
    if having is None or len(keys) != 1 or not isinstance(keys[0], exp.Column):
        return None
    if not any(
        isinstance(part.this, exp.Min) and isinstance(part.expression, exp.Max) for part in having.find_all(exp.NEQ)
    ):
        return None
    own = keys[0].name.lower()
    others = frozenset(column.name.lower() for column in having.find_all(exp.Column))
    return own, others - {own}


def _null_columns(select: exp.Select) -> frozenset[str]:
    """Columns that the WHERE asks to be NULL, alone or in an OR."""
    where = select.args.get("where")
    terms = list(where.this.unnest().flatten()) if where is not None and isinstance(where.this.unnest(), exp.Or) else []
    if where is not None and not terms:
        terms = [where.this]
    found = [term.unnest() for term in terms]
    return frozenset(
        term.this.name.lower()
        for term in found
        if isinstance(term, exp.Is) and isinstance(term.expression, exp.Null) and isinstance(term.this, exp.Column)
    )
