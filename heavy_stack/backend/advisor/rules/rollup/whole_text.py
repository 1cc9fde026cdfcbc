"""A text's tree with its blocks replaced: put together, weighed, and brought back to the original's column types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.rules.rollup.inlining import drop_unread_ctes
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, copied
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.output_names import output_names
from heavy_stack.backend.advisor.sql.printing import cast_to, trino_sql
from heavy_stack.backend.advisor.sql.types import output_types

MAX_SHARE_LEFT = 0.7
"""A rewrite that still reads more than this share of the rows is not worth another table."""


@dataclass(frozen=True, eq=False)
class RewrittenTree:
    """A rewritten text.

    Attributes:
        tree: The new tree; shares no node with the original's.
        tables: The rollups that it reads.
        exact: Every step gives exactly the original's values.
        conditions: What that rests on beside the tables' own: (name, SQL that returns no row).
    """

    tree: exp.Query
    tables: tuple[StoredTable, ...]
    exact: bool
    conditions: tuple[tuple[str, str], ...] = ()


def assembled(
    tree: exp.Query,
    replaced: dict[int, exp.Select],
    used: list[StoredTable],
    exact: bool,
    conditions: Iterable[tuple[str, str]] = (),
) -> RewrittenTree:
    """A copy of `tree` with the SELECTs of these ids replaced; CTEs that nobody reads any more are left out."""
    new = copied(tree, replaced)
    if not isinstance(new, exp.Query):
        raise NotAnswerable("The text is no query.")
    drop_unread_ctes(new)
    by_name = {str(table.name): table for table in used}
    return RewrittenTree(new, tuple(by_name[name] for name in sorted(by_name)), exact, tuple(dict.fromkeys(conditions)))


def fresh_alias(tree: exp.Query, number: int) -> str:
    """An alias that no source of the text has, another for each number."""
    taken = {source.alias_or_name.lower() for source in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    alias = "r" if number == 0 else f"r{number + 1}"
    while alias in taken:
        alias += "_"
    return alias


def check_worth(original: exp.Query, rewritten: RewrittenTree, sizes: Sizes) -> None:
    """Raises NotAnswerable where most of the reading stays: the base tables that the rewrite still reads."""
    read = _read(original)
    # Without statistics tables count by how often they are read, and the rows of a rollup say nothing beside that.
    known = all(sizes.knows(name) for name in read)
    built = {str(table.name): float(table.rows or 0) if known else 0.0 for table in rewritten.tables}
    before = sum(sizes.table_rows(name) for name in read)
    after = sum(built[name] if name in built else sizes.table_rows(name) for name in _read(rewritten.tree))
    if before > 0 and after > MAX_SHARE_LEFT * before:
        raise NotAnswerable("Most of its work is in parts that no rollup answers.")


def _read(tree: exp.Query) -> list[str]:
    return [_name(node) for node in tree.find_all(exp.Table) if node.db]


def _name(node: exp.Table) -> str:
    return f"{node.catalog}.{node.db}.{node.name}"


def with_types(rewritten: RewrittenTree, text: str, catalog: Catalog) -> RewrittenTree:
    """The same with every output column cast back to the original's type where it differs.

    Raises:
        NotAnswerable: A column's type is not known on one side, or its name differs.
    """
    original = qualified(text, catalog)
    designed = catalog.with_tables(_as_tables(rewritten.tables))
    again = qualified(trino_sql(rewritten.tree), designed)
    if output_names(original) != output_names(again):
        raise NotAnswerable("An output column would change its name.")
    wanted, found = output_types(original), output_types(again)
    if wanted == found:
        return rewritten
    if len(wanted) != len(found) or any(
        (one is None) != (other is None) for one, other in zip(wanted, found, strict=True)
    ):
        raise NotAnswerable("The type of an output column is not known.")
    select = rewritten.tree
    if not isinstance(select, exp.Select):
        raise NotAnswerable("An output column would change its type.")
    for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
        if one != other and one is not None:
            item = select.expressions[index]
            inner = item.this if isinstance(item, exp.Alias) else item
            inner.replace(cast_to(inner.copy(), one))
    return rewritten


def _as_tables(tables: Iterable[StoredTable]) -> list[Table]:
    found: dict[TableName, Table] = {}
    for table in tables:
        columns = tuple(Column(name, kind) for name, kind in table.columns.values())
        found[table.name] = Table(table.name, columns)
    return list(found.values())
