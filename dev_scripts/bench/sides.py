"""Tables on disk, all written by one writer with one setting: the client's, the answer's design, and the projection."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlglot import exp

from dev_scripts.bench import fresh
from heavy_stack.backend.advisor.artefacts import Table, TableName
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.engines.duckdb_lake import (
    Lake,
    create_schemas,
    create_view,
    full_name,
    literal,
    quoted,
    read_lake,
    relation,
    snapshot,
)
from heavy_stack.backend.engines.duckdb_types import duckdb_type
from heavy_stack.backend.engines.translation import design_table

WRITER = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
BUILD_LIMIT_S = 1_800.0
_SPANS = {"year", "month", "day", "hour"}


@dataclass(frozen=True)
class Side:
    """Tables that queries can be run on.

    Attributes:
        views: By table: the statement that shows its files under its full name.
        bytes: Of all files.
        build_s: Seconds to fill and write it; 0 for the client's own.
    """

    views: Mapping[TableName, str]
    bytes: int
    build_s: float = 0.0
    tables: int = 0

    def setup_for(self, sql: str) -> tuple[str, ...]:
        """The statements a process needs before `sql`: only the tables whose name stands in it."""
        text = sql.lower()
        names = [name for name in self.views if name.name.lower() in text]
        return (*(s for _, s in create_schemas(names)), *(self.views[name] for name in names))

    def beside(self, other: Side) -> Side:
        """Both sides' tables, as an answer's queries see them."""
        return Side({**self.views, **other.views}, self.bytes + other.bytes, other.build_s, self.tables + other.tables)


def write_base(tables: Sequence[Table], lake: Path, root: Path) -> Side:
    """The client's tables, written anew below `root`; taken as they are when they were written from the same files.

    Raises:
        SystemExit: The lake has none of them.
    """
    source = read_lake(lake, tables)
    target = root / f"base-{snapshot(source, tables)}"
    views = _views(source, tables)
    if not views:
        raise SystemExit(f"{lake} holds none of the tables: {next(iter(source.missing.values()), 'there is no DDL')}")
    for table in tables:
        if table.name in views:
            setup = [statement for _, statement in create_schemas([table.name])] + [views[table.name]]
            _copy(setup, f"SELECT * FROM {full_name(table.name)}", _file(target, table.name))
    return _side(tables, target)


def write_projection(tables: Sequence[Table], read: Mapping[TableName, set[str]], base: Side, root: Path) -> Side:
    """Copies of the tables that queries read, with only the columns that they read, under the tables' own names."""
    kept = [
        Table(table.name, tuple(column for column in table.columns if column.name.lower() in read[table.name]))
        for table in tables
        if read.get(table.name) and table.name in base.views
    ]
    shape = repr([(table.name, [column.name for column in table.columns]) for table in kept]) + str(base.views)
    target = root / f"projection-{hashlib.sha256(shape.encode()).hexdigest()[:16]}"
    for table in kept:
        columns = ", ".join(quoted(column.name) for column in table.columns)
        setup = [statement for _, statement in create_schemas([table.name])] + [base.views[table.name]]
        _copy(setup, f"SELECT {columns} FROM {full_name(table.name)}", _file(target, table.name))
    return _side(kept, target)


def build_design(
    statements: Mapping[str, Sequence[str]], creates: Sequence[str], base: Side, target: Path
) -> tuple[Side, tuple[Table, ...]]:
    """Run the answer's own DDL and migrations for DuckDB in a fresh process, and write each table.

    Args:
        statements: The download's `ddl` and `migrations`.
        creates: The answer's CREATE TABLEs in Trino's SQL; they say how a file is sorted.
        base: What the migrations read.
        target: A folder that is made anew.

    Raises:
        SystemExit: A statement failed.
    """
    shutil.rmtree(target, ignore_errors=True)
    designs = tuple(design_table(create) for create in creates)
    if not designs:
        return Side({}, 0), ()
    schemas = [statement for _, statement in create_schemas(base.views)]
    run = [*statements.get("ddl", ()), *statements.get("migrations", ())]
    for table, create in zip(designs, creates, strict=True):
        file = _file(target, table.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        run.append(f"COPY (SELECT * FROM {full_name(table.name)}{_order(create)}) TO {literal(str(file))} ({WRITER})")
    outcome = fresh.call(_run_all, ((*schemas, *base.views.values()), tuple(run)), limit_s=BUILD_LIMIT_S)
    if isinstance(outcome, str):
        raise SystemExit(f"the design could not be built: {outcome}")
    side = _side(designs, target)
    return Side(side.views, side.bytes, outcome, len(designs)), designs


def _run_all(task: tuple[tuple[str, ...], tuple[str, ...]]) -> float | str:
    setup, statements = task
    connection = fresh.connect(setup)
    started = time.perf_counter()
    for statement in statements:
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            return f"{str(error)[:300]} in {statement[:200]}"
    return time.perf_counter() - started


def _order(create: str) -> str:
    """ORDER BY for what the table's properties make of a file: one partition after the other, sorted inside."""
    tree = parse_statement(create)
    keys: list[str] = []
    for name in ("partitioning", "sorted_by"):
        for item in tree.find_all(exp.Property):
            if item.name.lower() == name:
                keys += [_sort_key(value.name) for value in item.find_all(exp.Literal) if value.is_string]
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def _sort_key(text: str) -> str:
    """`month(day)`, `bucket(id, 8)`, `col DESC`, `col` in DuckDB's SQL."""
    call, bracket, rest = text.partition("(")
    if bracket:
        column = quoted(rest.rstrip(")").split(",")[0].strip().strip('"'))
        span = call.strip().lower()
        return f"date_trunc('{span}', {column})" if span in _SPANS else column
    name, _, direction = text.strip().partition(" ")
    return quoted(name.strip('"')) + (" DESC" if direction.upper().startswith("DESC") else "")


def _copy(setup: Sequence[str], select: str, file: Path) -> None:
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with fresh.connect(setup) as connection:
        connection.execute(f"COPY ({select}) TO {literal(str(part))} ({WRITER})")
    part.rename(file)


def _file(root: Path, name: TableName) -> Path:
    return root / name.schema / name.name / "data.parquet"


def _side(tables: Sequence[Table], root: Path) -> Side:
    views = _views(read_lake(root, tables), tables)
    size = sum(_file(root, name).stat().st_size for name in views)
    return Side(views, size, 0.0, len(views))


def _views(lake: Lake, tables: Iterable[Table]) -> dict[TableName, str]:
    views: dict[TableName, str] = {}
    with duckdb.connect() as connection:
        for table in tables:
            if table.name in lake.tables:
                source = relation(lake, lake.tables[table.name])
                rows = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
                found = {str(row[0]): str(row[1]) for row in rows}
                views[table.name] = create_view(table, source, found, duckdb_type)[1]
    return views
