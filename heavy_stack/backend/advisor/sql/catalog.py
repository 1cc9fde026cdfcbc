"""The tables of the DDL as the resolver sees them, and resolved trees by text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from heavy_stack.backend.advisor.artefacts import Table, TableName
from heavy_stack.backend.advisor.sql.column_check import check_columns
from heavy_stack.backend.advisor.sql.grouping_check import check_grouping
from heavy_stack.backend.advisor.sql.guards import SqlProblem, TooLarge, UnknownName, place_of
from heavy_stack.backend.advisor.sql.output_names import note_names, restore_names
from heavy_stack.backend.advisor.sql.parsing import parse_statement, tokens_of, with_comment_hint
from heavy_stack.backend.advisor.sql.table_names import base_tables
from heavy_stack.backend.advisor.sql.types import annotate

_REMEMBERED_TREES = 256


class Catalog:
    """Tables by name. Trino folds names to lower case, quoted or not, so every lookup here does too.

    Args:
        tables: All tables that a query may read.
        default_catalog, default_schema: What the client's url names for tables written with fewer than three parts.
    """

    def __init__(
        self, tables: Iterable[Table], default_catalog: str | None = None, default_schema: str | None = None
    ) -> None:
        self.tables = tuple(tables)
        self.default_catalog = default_catalog.lower() if default_catalog else None
        self.default_schema = default_schema.lower() if default_schema else None
        self._by_parts: dict[tuple[str, str, str], Table] = {}
        self._columns: dict[TableName, dict[str, str]] = {}
        mapping: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
        for table in self.tables:
            parts = _parts(table.name)
            self._by_parts[parts] = table
            columns = {column.name.lower(): column.type for column in table.columns}
            self._columns[table.name] = columns
            mapping.setdefault(parts[0], {}).setdefault(parts[1], {})[parts[2]] = columns
        # Only names are resolved through it (types.py has Trino's types), hence one type for all.
        names_only: dict[str, object] = {
            catalog: {
                schema: {name: dict.fromkeys(columns, "VARCHAR") for name, columns in names.items()}
                for schema, names in schemas.items()
            }
            for catalog, schemas in mapping.items()
        }
        self.schema = MappingSchema(names_only, dialect="trino", normalize=False)
        self._trees: OrderedDict[str, exp.Query] = OrderedDict()

    def with_tables(self, more: Iterable[Table]) -> Catalog:
        """A catalog that also knows the tables of a design."""
        return Catalog((*self.tables, *more), self.default_catalog, self.default_schema)

    def table(self, name: TableName) -> Table | None:
        """The table of this full name, in any case."""
        return self._by_parts.get(_parts(name))

    def resolve(self, parts: Sequence[str]) -> Table | None:
        """The table that one to three name parts mean.

        Missing parts come from the url's catalog and schema where it names them; what is still missing must be
        unique in the DDL. None when there is no such table, or several.
        """
        if not 1 <= len(parts) <= 3:
            return None
        if len(parts) == 3:
            return self._by_parts.get((parts[0].lower(), parts[1].lower(), parts[2].lower()))
        missing = 3 - len(parts)
        defaults = (self.default_catalog, self.default_schema)[:missing]
        wanted = (*defaults, *(part.lower() for part in parts))
        fitting = [
            table
            for key, table in self._by_parts.items()
            if all(want is None or want == part for want, part in zip(wanted, key, strict=True))
        ]
        return fitting[0] if len(fitting) == 1 else None

    def resolve_node(self, node: exp.Table) -> Table | None:
        """The DDL's table that a table reference in a tree means; None for five-part names and table functions."""
        if not isinstance(node.this, exp.Identifier):
            return None
        return self.resolve([part.name for part in node.parts])

    def column_type(self, table: Table, column: str) -> str | None:
        """Trino's type of a column, as the DDL spells it."""
        return self._columns.get(table.name, {}).get(column.lower())

    def remembered(self, text: str) -> exp.Query | None:
        """The resolved tree of a text seen lately; shared, so callers copy before they change it."""
        tree = self._trees.get(text)
        if tree is not None:
            self._trees.move_to_end(text)
        return tree

    def remember(self, text: str, tree: exp.Query) -> None:
        """Keep a resolved tree."""
        self._trees[text] = tree
        if len(self._trees) > _REMEMBERED_TREES:
            self._trees.popitem(last=False)


def _parts(name: TableName) -> tuple[str, str, str]:
    return name.catalog.lower(), name.schema.lower(), name.name.lower()


def qualified(sql: str, catalog: Catalog) -> exp.Query:
    """The tree of a query with every name resolved and every expression typed.

    Tables have three parts and an alias, columns their table's alias, `*` is expanded, names are folded to lower case
    as Trino folds them; only the outermost projections keep the client's spelling. The tree is shared with later
    callers: copy it before changing it.

    Raises:
        TooLarge, SqlProblem: It does not parse, or is no query.
        UnknownName: A table or column that the DDL does not have, or that several tables fit.
    """
    known = catalog.remembered(sql)
    if known is not None:
        return known
    try:
        tree = resolve(parse_statement(sql), catalog)
    except TooLarge:
        raise
    except SqlProblem as problem:
        hinted = with_comment_hint(problem, sql, tokens_of(sql))
        raise problem if hinted is problem else hinted from None
    catalog.remember(sql, tree)
    return tree


def resolve(tree: exp.Expr, catalog: Catalog) -> exp.Query:
    """Resolve and type a parsed tree in place; see `qualified`."""
    if not isinstance(tree, exp.Query):
        raise SqlProblem("not a query")
    while isinstance(tree, exp.Subquery) and not tree.args.get("alias") and not _modified(tree):
        inner = tree.this  # parentheses around a whole query
        if not isinstance(inner, exp.Query):
            break
        tree = inner
        tree.pop()
    for node in base_tables(tree):
        _complete(node, catalog)
    if any(join.method == "NATURAL" for join in tree.find_all(exp.Join)):
        raise SqlProblem("NATURAL JOIN, which Trino does not have")
    note_names(tree)
    query: exp.Query = tree
    try:
        # Trino sees a SELECT's aliases in ORDER BY only; expanding them elsewhere would shadow real columns.
        query = qualify(
            query, dialect="trino", schema=catalog.schema, expand_alias_refs=False, validate_qualify_columns=False
        )
        check_columns(query, catalog)
        check_grouping(query)
    except OptimizeError as error:
        raise _unknown_column(error, tree) from None
    except RecursionError:
        raise TooLarge("too deeply nested to analyse") from None
    except (SqlglotError, OverflowError) as error:  # the latter: a position like GROUP BY 9223372036854775808
        raise SqlProblem(f"cannot be resolved: {type(error).__name__}") from None
    restore_names(query)
    annotate(query, catalog)
    return query


_MODIFIERS = ("order", "limit", "offset", "with_")


def _modified(query: exp.Subquery) -> bool:
    return any(query.args.get(name) is not None for name in _MODIFIERS)


def _complete(node: exp.Table, catalog: Catalog) -> None:
    """Write a table reference with its three parts; its alias stays the name that the text used."""
    if not isinstance(node.this, exp.Identifier):
        return
    parts = node.parts
    table = catalog.resolve_node(node)
    if table is None:
        name = ".".join(part.name for part in parts)
        raise UnknownName(f"table {name} is not known", *place_of(parts[0]))
    node.set("db", exp.to_identifier(table.name.schema, quoted=True))
    node.set("catalog", exp.to_identifier(table.name.catalog, quoted=True))


def _unknown_column(error: OptimizeError, tree: exp.Expr) -> SqlProblem:
    """sqlglot names the column or table in its message; its place is found again in the tree."""
    kind, separator, name = str(error).partition(": ")
    if not separator or kind not in ("Unknown column", "Unknown table"):
        return SqlProblem("cannot be resolved")
    what = "column" if kind == "Unknown column" else "table"
    for column in tree.find_all(exp.Column):
        part = column.this if what == "column" else column.args.get("table")
        if isinstance(part, exp.Identifier) and part.name.lower() == name.lower() and part.meta.get("line"):
            return UnknownName(f"{what} {part.name} is not known", *place_of(part))
    return UnknownName(f"{what} {name} is not known")
