"""The tables of the DDL as the resolver sees them, and resolved trees by text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from sqlglot import exp
from sqlglot.schema import MappingSchema

from heavy_stack.backend.advisor.artefacts import Table, TableName

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
        names_only = {
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
