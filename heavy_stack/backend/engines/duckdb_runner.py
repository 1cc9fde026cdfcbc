"""The `QueryRunner` of the advisor on DuckDB: test data, the client's lake, and the design built beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from heavy_stack.backend.advisor.artefacts import Table, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, Deadline, NotCheckable, RunFailed, RunTimeout
from heavy_stack.backend.engines.duckdb_client import OPEN_LIMIT_S, EngineProcess, Opening
from heavy_stack.backend.engines.duckdb_databases import NumberedTranslations, numbered_opening
from heavy_stack.backend.engines.duckdb_lake import create_schemas, full_name, literal, quoted
from heavy_stack.backend.engines.duckdb_rows import load_table
from heavy_stack.backend.engines.duckdb_sessions import DuckdbSession
from heavy_stack.backend.engines.duckdb_types import duckdb_type, shown_columns
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.engines.processes import Starter
from heavy_stack.backend.engines.translation import (
    Translation,
    create_statement,
    design_table,
    group_columns,
    insert_statement,
    split_insert,
)

_TEST_THREADS = 1  # small data: a second thread only takes the core from someone else
_IDLE_PROCESSES = 2  # so many sessions are used side by side
_TEST_TABLE_LIMIT_S = 5.0  # a few thousand rows: what takes longer multiplies them, table by table


class DuckdbRunner:
    """Opens sessions. Whatever it writes lies in `work_dir`, which `close` removes.

    Sessions on data of ours may be opened by several threads at once, and each used by one at a time.

    Args:
        options: Limits.
        work_dir: The task's own folder below the scratch folder.
        translation: For the DDL's tables.
        deadline: The task's.
        lake: How a process gets the client's tables; None when no engine is reachable.
    """

    def __init__(
        self,
        options: EngineOptions,
        work_dir: Path,
        translation: Translation,
        deadline: Deadline,
        lake: Opening | None,
    ) -> None:
        self._options = options
        self._work_dir = work_dir
        self._translation = translation
        self._deadline = deadline
        self._lake = lake
        self._numbers = count(1)
        self._processes: list[EngineProcess] = []
        self._idle: list[EngineProcess] = []
        self._lock = Lock()
        self._starter = Starter()
        self._files = count()
        self._numbered = NumberedTranslations()
        self._built: dict[TableName, tuple[Table, Path]] = {}
        self._made: dict[tuple[str, str], tuple[BuiltTable, Table, Path]] = {}

    def open_test_data(
        self,
        tables: Sequence[Table],
        rows: Mapping[TableName, Sequence[tuple[Any, ...]]],
        design: Sequence[tuple[str, str]],
    ) -> DuckdbSession:
        """An in-memory database with these rows, in exactly the DDL's types, then the design's tables.

        Raises:
            NotCheckable, RunFailed: A table cannot be made; the message starts with its name.
            RunTimeout: It took too long or too much memory.
        """
        made = tuple(design_table(create) for create, _ in design)
        translation = self._translation.beside(tuple(tables), made)
        setup = create_schemas([table.name for table in (*tables, *made)])
        setup += [(str(table.name), create_statement(replace(table, columns=shown_columns(table)))) for table in tables]
        statements: list[tuple[str, str]] = []
        for table, (_, insert_text) in zip(made, design, strict=True):
            insert = split_insert(insert_text)
            with _named(table.name):
                statements.append((str(table.name), create_statement(table)))
                filled = insert_statement(insert, translation.select(insert.select).sql)
                statements.append((str(table.name), filled))
        load = [load_table(table, rows[table.name]) for table in tables if rows.get(table.name)]
        limit_s = max(1.0, min(OPEN_LIMIT_S, self._deadline.left_s()))
        opening = Opening(tuple(setup), (), tuple(load), tuple(statements), limit_s, _TEST_TABLE_LIMIT_S)
        process = self._idle_process()
        return self._session(process, opening, translation, self._keep_idle, _TEST_THREADS)

    def open_databases(
        self,
        tables: Sequence[Table],
        databases: Sequence[Mapping[TableName, Sequence[tuple[Any, ...]]]],
        design: Sequence[tuple[str, str]],
        *,
        lenient: bool = False,
    ) -> DuckdbSession:
        """Many tiny databases at once: each query is answered in every one, its number is the first column.

        Raises:
            NotCheckable, RunFailed, RunTimeout: As `open_test_data`.
        """
        limit_s = max(1.0, min(OPEN_LIMIT_S, self._deadline.left_s()))
        opening, translation = numbered_opening(tables, databases, design, limit_s, self._numbered, lenient=lenient)
        process = self._idle_process()
        return self._session(process, opening, translation, self._keep_idle, _TEST_THREADS)

    def open_lake(self) -> DuckdbSession | None:
        """A session on the client's tables, read only, in a process of its own; None when none is reachable."""
        if self._lake is None:
            return None
        return self._session(self._new_process(), self._lake, self._translation, self._end)

    def build(self, design: Sequence[tuple[TableName, str, str]], *, limit_s: float) -> Sequence[BuiltTable | str]:
        """Build (name, CREATE, INSERT), each one Parquet file in the task's folder, rows ordered by the group keys.

        Returns:
            For each table what was built, or a sentence why it was not. `limit_s` is for all together.
        """
        if self._lake is None:
            return ["no engine is reachable" for _ in design]
        folder = self._work_dir / "design"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        process = self._new_process()
        limit_s = min(limit_s, self._deadline.left_s())
        results: list[BuiltTable | str] = []
        try:
            # The one process that can write: into this folder, and only through the process's own COPY.
            process.open(_and(self._lake, (), (str(folder),)))
            for name, create, insert in design:
                again = self._made.get((create, insert))
                if again is not None:  # built before, to try it
                    built, table, path = again
                    self._built[name] = (table, path)
                    results.append(built)
                    continue
                result = self._build_one(process, name, create, insert, folder, limit_s)
                results.append(result)
                limit_s -= result.seconds if isinstance(result, BuiltTable) else 0.0
        except (RunFailed, RunTimeout) as error:
            results += [str(error)] * (len(design) - len(results))
        finally:
            self._end(process)
        return results

    def _build_one(
        self, process: EngineProcess, name: TableName, create: str, insert: str, folder: Path, limit_s: float
    ) -> BuiltTable | str:
        path = folder / f"{next(self._files):04d}.parquet"
        try:
            table, parts = design_table(create), split_insert(insert)
            if table.name != name or parts.table != name:
                raise NotCheckable("CREATE and INSERT name different tables")
            select = self._stored_select(table, parts.columns, parts.select)
            rows, seconds, sizes = process.copy(select, path, limit_s=limit_s)
        except (NotCheckable, RunFailed, RunTimeout) as error:
            path.unlink(missing_ok=True)
            return f"{name}: {error}"
        built = BuiltTable(name, rows, path.stat().st_size, seconds, sizes)
        self._made[create, insert] = (built, table, path)
        self._built[name] = (table, path)
        return built

    def _stored_select(self, table: Table, columns: tuple[str, ...], select: str) -> str:
        names = columns or tuple(column.name for column in table.columns)
        types = {column.name.lower(): duckdb_type(column.type) for column in table.columns}
        if len(names) != len(types) or {name.lower() for name in names} != set(types):
            raise NotCheckable("the INSERT does not fill every column once")
        aliases = ", ".join(quoted(name) for name in names)
        casts = ", ".join(
            f"CAST({quoted(column.name)} AS {types[column.name.lower()]}) AS {quoted(column.name)}"
            for column in table.columns
        )
        order = ", ".join(quoted(names[position]) for position in group_columns(select))
        source = self._translation.select(select).sql
        return f"SELECT {casts} FROM ({source}) AS filled({aliases})" + (f" ORDER BY {order}" if order else "")

    def open_design(self) -> DuckdbSession | None:
        """A session that sees the client's tables and the design tables built so far; None without an engine."""
        if self._lake is None:
            return None
        tables = tuple(table for table, _ in self._built.values())
        attached = frozenset(table.name.catalog for table in self._translation.tables)
        setup = create_schemas([table.name for table in tables], attached)
        for table, path in self._built.values():
            stored = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
            setup.append((str(table.name), f"CREATE VIEW {full_name(table.name)} AS SELECT * FROM {stored}"))
        opening = _and(self._lake, tuple(setup), (str(self._work_dir / "design"),))
        translation = self._translation.beside(self._translation.tables, tables)
        return self._session(self._new_process(), opening, translation, self._end)

    def native(self, sql: str, design: Sequence[str] = ()) -> str:
        """One Trino statement of the answer in DuckDB's SQL; `design` has the CREATE TABLEs that it may read.

        Raises:
            NotCheckable
        """
        return self._translation.beside(self._translation.tables, _design_tables(tuple(design))).statement(sql)

    def native_setup(self) -> Sequence[str]:
        """Statements that make the client's tables visible under their full names in a DuckDB of the client's."""
        return [statement for _, statement in self._lake.setup] if self._lake is not None else []

    def close(self) -> None:
        """End all processes and remove what was written."""
        for process in self._processes:
            process.close()
        self._processes.clear()
        self._idle.clear()
        self._starter.close()
        shutil.rmtree(self._work_dir, ignore_errors=True)

    def new_process(self) -> EngineProcess:
        """A process that ends with this runner."""
        return self._new_process()

    def _new_process(self, threads: int | None = None) -> EngineProcess:
        folder = self._work_dir / f"temp-{next(self._numbers)}"
        process = EngineProcess(self._options, folder, threads=threads, starter=self._starter)
        with self._lock:
            self._processes.append(process)
        return process

    def _idle_process(self) -> EngineProcess:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._new_process(_TEST_THREADS)

    def _session(
        self,
        process: EngineProcess,
        opening: Opening,
        translation: Translation,
        give_back: Callable[[EngineProcess], None],
        threads: int | None = None,
    ) -> DuckdbSession:
        try:
            process.open(opening)
        except (RunFailed, RunTimeout):
            self._end(process)
            raise
        return DuckdbSession(
            process, opening, translation, self._deadline, lambda: self._new_process(threads), give_back
        )

    def _end(self, process: EngineProcess) -> None:
        process.close()
        with self._lock:
            if process in self._processes:
                self._processes.remove(process)

    def _keep_idle(self, process: EngineProcess) -> None:
        # A process with an unlocked start is 0.2 s away; a fresh database in this one 0.01 s. Only for data of ours.
        with self._lock:
            kept = process.alive and len(self._idle) < _IDLE_PROCESSES
            if kept:
                self._idle.append(process)
        if not kept:
            self._end(process)


@lru_cache(maxsize=4)
def _design_tables(design: tuple[str, ...]) -> tuple[Table, ...]:
    """The tables that CREATE TABLE statements make: thousands of texts are translated beside the same few."""
    return tuple(design_table(create) for create in design)


def _and(opening: Opening, setup: tuple[tuple[str, str], ...], allowed: tuple[str, ...]) -> Opening:
    return Opening((*opening.setup, *setup), (*opening.allowed, *allowed), opening.load, opening.design)


@contextmanager
def _named(table: TableName) -> Iterator[None]:
    try:
        yield
    except NotCheckable as problem:
        raise NotCheckable(f"{table}: {problem}") from problem
