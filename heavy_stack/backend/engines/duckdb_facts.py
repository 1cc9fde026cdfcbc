"""The `EngineFacts` of the advisor on DuckDB: statistics of the client's tables, never a client's query."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import ColumnFacts, Table, TableFacts
from heavy_stack.backend.advisor.ports import Deadline, NotCheckable, RunFailed, RunTimeout
from heavy_stack.backend.engines.duckdb_client import EngineProcess
from heavy_stack.backend.engines.duckdb_lake import SOURCE_DATABASE, Lake, full_name, literal, quoted, snapshot
from heavy_stack.backend.engines.duckdb_types import shown_columns
from heavy_stack.backend.engines.group_counts import (
    MAX_COUNTS_PER_SAMPLE,
    MAX_COUNTS_PER_SCAN,
    SharedScan,
    shared_scans,
)
from heavy_stack.backend.engines.translation import Translation

EXACT_ROWS = 200_000
"""Up to here every distinct count is exact; above, counting exactly costs more than a plan gains from it."""
MAX_VALUES = 16
"""Columns with at most so many values get all of them (rule 8 of the contract)."""
SKETCH_MARGIN = 4
"""A column whose sketch says at most MAX_VALUES × this is counted exactly: the sketch errs by far less."""
COLUMNS_AT_ONCE = 40
FEW_STRETCHES = 10
NARROW = 0.2
"""A stretch of rows that spans so much of a column's range at most is passed over by most filters on it."""
FACTS_LIMIT_S = 60.0
SCAN_LIMIT_S = 1.0
COUNTED_ROW_S = 5e-8
"""Five times what reading a row, or counting it for one SELECT, takes."""
_BLOCK_BYTES = 262_144


class DuckdbFacts:
    """Statistics from one locked process that sees the client's tables.

    Args:
        process: Open on the lake.
        lake: Where the tables lie.
        translation: For the DDL's tables.
        deadline: The task's; one table's statistics take at most a quarter of what is left.
        at: When the tables were found, ISO 8601, UTC.
    """

    name = "duckdb"

    def __init__(
        self, process: EngineProcess, lake: Lake, translation: Translation, deadline: Deadline, at: str
    ) -> None:
        self._process = process
        self._lake = lake
        self._translation = translation
        self._deadline = deadline
        self.at = at
        self.snapshot = snapshot(lake, translation.tables)
        self._rows: dict[str, int] = {}

    def current_snapshot(self) -> str:
        """The state of the files now."""
        return snapshot(self._lake, self._translation.tables)

    def table_facts(self, table: Table, columns: Iterable[str]) -> TableFacts | None:
        """Rows and bytes, and of the named columns distinct, NULLs, lowest, highest and, when few, all values.

        Distinct counts are exact up to EXACT_ROWS rows and for columns of at most MAX_VALUES values. What takes too
        long stays unknown.
        """
        if table.name not in self._lake.tables:
            return None
        known = {column.name.lower(): column.name for column in shown_columns(table)}
        wanted = list(dict.fromkeys(known[name.lower()] for name in columns if name.lower() in known))
        try:
            rows = self._count_rows(table)
        except (RunFailed, RunTimeout):
            return None
        facts: dict[str, ColumnFacts] = {}
        for start in range(0, len(wanted), COLUMNS_AT_ONCE):
            part = wanted[start : start + COLUMNS_AT_ONCE]
            try:
                facts |= self._column_facts(table, part, rows)
            except (RunFailed, RunTimeout):
                facts |= {name: ColumnFacts() for name in part}
        for name in self._in_order(table, [column.name for column in shown_columns(table) if column.name in facts]):
            facts[name] = replace(facts[name], in_order=True)
        return TableFacts(rows, self._bytes(table), facts)

    def count_groups(
        self, selects: Mapping[str, str], *, limit_s: float, sample_rows: int | None = None
    ) -> Mapping[str, int | None]:
        """Number of distinct rows of each SELECT; SELECTs over the same FROM and WHERE share one scan.

        Exact where the tables below have at most EXACT_ROWS rows, else by a sketch (up to some 10 % off); None
        where the embedded engine cannot run it, or not in time. A sample is drawn from the joined rows, row by row,
        with a fixed seed.
        """
        counts: dict[str, int | None] = dict.fromkeys(selects)
        ends = time.monotonic() + min(limit_s, self._deadline.left_s())
        scans = deque(shared_scans(selects, MAX_COUNTS_PER_SCAN if sample_rows is None else MAX_COUNTS_PER_SAMPLE))
        while scans and (left_s := ends - time.monotonic()) > 0:
            scan = scans.popleft()
            try:
                source = self._translation.select(scan.sql).sql
                percent = self._percent(scan, sample_rows) if sample_rows is not None else None
                text = scan.counting(source, exact=self._is_small(scan.tables), percent=percent)
                limit_s = min(left_s, self._scan_limit_s(scan))
                _, rows, _, _ = self._process.query(text, limit_s=limit_s, max_rows=1)
            except (NotCheckable, RunFailed):
                if len(scan.ids) > 1:  # one bad SELECT must not take its neighbours with it
                    for key in scan.ids:
                        scans.extend(shared_scans({key: selects[key]}))
                continue
            except RunTimeout:
                continue
            counts.update(zip(scan.ids, (int(value) for value in rows[0]), strict=True))
        return counts

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _scan_limit_s(self, scan: SharedScan) -> float:
        """Well above what reading the tables once takes: a join that multiplies rows must not take all the time."""
        return SCAN_LIMIT_S + sum(self._rows_below(scan)) * (2 + len(scan.ids)) * COUNTED_ROW_S

    def _percent(self, scan: SharedScan, sample_rows: int) -> float | None:
        """Which share of the rows to look at; None for all."""
        rows = max(self._rows_below(scan), default=0)
        return 100.0 * sample_rows / rows if rows > 2 * sample_rows and scan.columns != (None,) else None

    def _rows_below(self, scan: SharedScan) -> list[int]:
        """Rows of the tables that a scan reads."""
        below = [table for table in self._translation.tables if str(table.name).lower() in scan.tables]
        return [self._count_rows(table) for table in below if table.name in self._lake.tables]

    def _is_small(self, names: frozenset[str]) -> bool:
        # A table that the lake does not have is no row to count; the scan itself says that it is missing.
        below = [table for table in self._translation.tables if str(table.name).lower() in names]
        found = [table for table in below if table.name in self._lake.tables]
        return all(self._count_rows(table) <= EXACT_ROWS for table in found)

    def _limit(self) -> float:
        return min(FACTS_LIMIT_S, self._deadline.left_s() / 4)

    def _ask(self, sql: str) -> tuple[object, ...]:
        _, rows, _, _ = self._process.query(sql, limit_s=self._limit(), max_rows=1)
        return rows[0]

    def _count_rows(self, table: Table) -> int:
        name = full_name(table.name)
        if name not in self._rows:
            files = self._lake.tables[table.name].files
            if files:  # the footers say it
                listed = ", ".join(literal(str(file)) for file in files)
                sql = f"SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata([{listed}])"
            else:
                sql = f"SELECT count(*) FROM {name}"
            self._rows[name] = int(str(self._ask(sql)[0]))
        return self._rows[name]

    def _in_order(self, table: Table, columns: Sequence[str]) -> list[str]:
        """The dates and timestamps that follow the rows: each stretch of rows spans little of their range."""
        files = self._lake.tables[table.name].files
        kinds = {column.name: column.type for column in table.columns}
        asked = [name for name in columns if kinds.get(name, "").startswith(("date", "timestamp"))]
        if not files or not asked:
            return []
        listed = ", ".join(literal(str(file)) for file in files)
        low, high = (f"epoch(TRY_CAST(stats_{end}_value AS TIMESTAMP))" for end in ("min", "max"))
        sql = (
            f"SELECT list(name) FROM (SELECT path_in_schema AS name FROM parquet_metadata([{listed}])"
            f" WHERE path_in_schema IN ({', '.join(map(literal, asked))}) GROUP BY path_in_schema"
            f" HAVING count(*) >= {FEW_STRETCHES} AND avg({high} - {low}) <= {NARROW} * (max({high}) - min({low})))"
        )
        try:
            found = self._ask(sql)[0]
        except (RunFailed, RunTimeout):
            return []
        return [str(name) for name in found] if isinstance(found, list) else []

    def _bytes(self, table: Table) -> int | None:
        files = self._lake.tables[table.name].files
        if files:
            return sum(file.stat().st_size for file in files)
        source = f"{SOURCE_DATABASE}.{quoted(table.name.schema)}.{quoted(table.name.name)}"
        sql = f"SELECT count(DISTINCT block_id) FROM pragma_storage_info({literal(source)}) WHERE block_id >= 0"
        try:
            return int(str(self._ask(sql)[0])) * _BLOCK_BYTES
        except (RunFailed, RunTimeout):
            return None

    def _column_facts(self, table: Table, columns: Sequence[str], rows: int) -> dict[str, ColumnFacts]:
        exact = rows <= EXACT_ROWS
        asked: list[str] = []
        for column in map(quoted, columns):
            asked.append(f"count({column})")
            asked.append(f"count(DISTINCT {column})" if exact else f"approx_count_distinct({column})")
            asked.append(f"CAST(min({column}) AS VARCHAR)")
            asked.append(f"CAST(max({column}) AS VARCHAR)")
        answer = self._ask(f"SELECT {', '.join(asked)} FROM {full_name(table.name)}")
        found: dict[str, tuple[int, int, str | None, str | None]] = {}
        for index, column in enumerate(columns):
            filled, distinct, low, high = answer[index * 4 : index * 4 + 4]
            found[column] = (int(str(filled)), int(str(distinct)), _shown(low), _shown(high))
        suspect = MAX_VALUES if exact else MAX_VALUES * SKETCH_MARGIN
        few = [column for column, fact in found.items() if fact[1] <= suspect]
        values = self._values(table, few) if few else {}
        facts: dict[str, ColumnFacts] = {}
        for column, (filled, distinct, low, high) in found.items():
            all_values = values.get(column)
            if all_values is not None:
                distinct = len(all_values)
            facts[column] = ColumnFacts(
                distinct=min(distinct, filled),
                nulls=rows - filled,
                low=low,
                high=high,
                values=all_values if all_values is not None and len(all_values) <= MAX_VALUES else None,
            )
        return facts

    def _values(self, table: Table, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        lists = ", ".join(f"list(DISTINCT {quoted(column)})" for column in columns)
        texts = ", ".join(f"CAST(list_sort(v{i}) AS VARCHAR[])" for i in range(len(columns)))
        names = ", ".join(f"v{i}" for i in range(len(columns)))
        answer = self._ask(f"SELECT {texts} FROM (SELECT {lists} FROM {full_name(table.name)}) AS lists({names})")
        found: dict[str, tuple[str, ...]] = {}
        for column, values in zip(columns, answer, strict=True):
            listed = values if isinstance(values, list) else []
            found[column] = tuple(str(value) for value in listed if value is not None)
        return found


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
