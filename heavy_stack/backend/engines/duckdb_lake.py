"""Where a lake's tables lie, and the views that show them under the DDL's names with the DDL's types.

A folder: table c.s.t = `<folder>/s/t/*.parquet`; a `.duckdb` file: s.t in it. Names match in any case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.engines.duckdb_types import can_show_as, shown_columns

SOURCE_DATABASE = "__source"
PARQUET = ".parquet"


class NotThere(Exception):
    """A table of the DDL cannot be read from the lake; the message says why."""


@dataclass(frozen=True)
class LakeTable:
    """A table's place: `files` for a folder, none for a table inside a `.duckdb` file."""

    name: TableName
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Lake:
    """The client's tables on disk.

    Attributes:
        path: The folder or file, resolved.
        tables: What was found.
        missing: Why the others were not.
    """

    path: Path
    tables: Mapping[TableName, LakeTable]
    missing: Mapping[TableName, str]

    @property
    def is_file(self) -> bool:
        """True for a `.duckdb` file."""
        return self.path.is_file()

    def allowed_folders(self) -> tuple[str, ...]:
        """The folders that a session must be able to read after its lock: those of these tables, no other."""
        return tuple(sorted({str(file.parent) for table in self.tables.values() for file in table.files}))


def read_lake(path: Path, tables: Iterable[Table]) -> Lake:
    """Find the DDL's tables below a folder, or take them as given in a `.duckdb` file (a session finds out)."""
    if path.is_file():
        return Lake(path, {table.name: LakeTable(table.name) for table in tables}, {})
    found: dict[TableName, LakeTable] = {}
    missing: dict[TableName, str] = {}
    for table in tables:
        try:
            found[table.name] = LakeTable(table.name, _parquet_files(path, table.name))
        except NotThere as reason:
            missing[table.name] = str(reason)
    return Lake(path, found, missing)


def snapshot(lake: Lake, tables: Iterable[Table]) -> str:
    """A name for the state of the files: their names, sizes and times of change."""
    digest = hashlib.sha256()
    if lake.is_file:
        files = [lake.path, lake.path.with_name(lake.path.name + ".wal")]
    else:
        now = read_lake(lake.path, tables)
        files = [file for name in sorted(now.tables) for file in now.tables[name].files]
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue
        digest.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def relation(lake: Lake, table: LakeTable) -> str:
    """The table's source in DuckDB's SQL."""
    if not table.files:
        return f"{quoted(SOURCE_DATABASE)}.{quoted(table.name.schema)}.{quoted(table.name.name)}"
    # The files by name: a pattern would also read what appears later, and `a=b` in a path must not become a column.
    files = ", ".join(literal(str(file)) for file in table.files)
    return f"read_parquet([{files}], hive_partitioning = false, union_by_name = false)"


def attach_source(lake: Lake) -> list[tuple[str, str]]:
    """Setup statements that a `.duckdb` file needs: it is attached read-only."""
    if not lake.is_file:
        return []
    return [("", f"ATTACH {literal(str(lake.path))} AS {quoted(SOURCE_DATABASE)} (READ_ONLY)")]


def create_schemas(names: Iterable[TableName], attached: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Setup statements for the schemas of these tables, and for their catalogs but those already attached."""
    statements: list[tuple[str, str]] = []
    schemas = sorted({(name.catalog, name.schema) for name in names})
    for catalog in sorted({catalog for catalog, _ in schemas} - attached):
        if catalog.lower() != "memory":  # DuckDB's own first database has that name, and is what is wanted
            statements.append(("", f"ATTACH ':memory:' AS {quoted(catalog)}"))
    for catalog, schema in schemas:
        statements.append(("", f"CREATE SCHEMA IF NOT EXISTS {quoted(catalog)}.{quoted(schema)}"))
    return statements


def create_view(
    table: Table, source: str, found: Mapping[str, str], duckdb_type: Callable[[str], str]
) -> tuple[str, str]:
    """The (label, statement) of a view that shows `source` under the DDL's name, columns and types.

    Args:
        table: The DDL's table.
        source: A relation in DuckDB's SQL.
        found: The source's column names and DuckDB types.
        duckdb_type: DuckDB's type for one of Trino's.

    Raises:
        NotThere: A column is missing, or its type holds other values than the DDL's.
        NotCheckable: No column's type has an equal in DuckDB; one such column is only left out.
    """
    by_name: dict[str, list[str]] = {}
    for name in found:
        by_name.setdefault(name.lower(), []).append(name)
    shown = [_show(column, by_name.get(column.name.lower(), []), found, duckdb_type) for column in shown_columns(table)]
    return str(table.name), f"CREATE VIEW {full_name(table.name)} AS SELECT {', '.join(shown)} FROM {source}"


def full_name(name: TableName) -> str:
    """A three-part name in DuckDB's SQL."""
    return f"{quoted(name.catalog)}.{quoted(name.schema)}.{quoted(name.name)}"


def quoted(name: str) -> str:
    """An identifier in DuckDB's SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text literal in DuckDB's SQL."""
    return "'" + value.replace("'", "''") + "'"


def _show(column: Column, names: list[str], found: Mapping[str, str], duckdb_type: Callable[[str], str]) -> str:
    exact = [name for name in names if name == column.name] or names
    if len(exact) != 1:
        raise NotThere(f"column {column.name} is {'ambiguous' if exact else 'missing'} in its files")
    stored, wanted = found[exact[0]], duckdb_type(column.type)
    if not can_show_as(stored, wanted):
        raise NotThere(f"column {column.name} is {stored} in its files, which is not the DDL's {column.type}")
    source = quoted(exact[0])
    if stored.upper() != wanted.upper():
        source = f"CAST({source} AS {wanted})"
    return f"{source} AS {quoted(column.name)}"


def _parquet_files(root: Path, name: TableName) -> tuple[Path, ...]:
    folder = _child(_child(root, name.schema), name.name).resolve()
    if not folder.is_relative_to(root):
        raise NotThere("its folder leads outside the lake")
    try:
        files = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() == PARQUET)
    except OSError as error:
        raise NotThere("its folder cannot be read") from error
    for file in files:
        if file.resolve().parent != folder or not file.is_file():
            raise NotThere(f"{file.name} is not a plain file of its folder")
    if not files:
        raise NotThere(f"its folder has no {PARQUET} file")
    return tuple(files)


def _child(folder: Path, name: str) -> Path:
    try:
        entries = [entry for entry in folder.iterdir() if entry.name.lower() == name.lower() and entry.is_dir()]
    except OSError as error:
        raise NotThere("its folder cannot be read") from error
    exact = [entry for entry in entries if entry.name == name] or entries
    if len(exact) != 1:
        raise NotThere(
            "its folder is ambiguous: names differ only in case" if exact else "it has no folder in the lake"
        )
    return exact[0]
