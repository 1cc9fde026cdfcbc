"""Query sessions: one data set in one locked DuckDB process, asked in Trino's SQL."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from heavy_stack.backend.advisor.ports import Deadline, ResultSet, RunTimeout
from heavy_stack.backend.engines.duckdb_client import EngineProcess, Opening
from heavy_stack.backend.engines.translation import Translation


class DuckdbSession:
    """A `QuerySession` of the advisor.

    Results and times come from two processes: what a comparison leaves behind in memory must not be part of a time.

    Args:
        process: Already open.
        opening: How another process gets the same data.
        translation: For this data set's tables.
        deadline: No call runs past the task's end.
        new_process: Makes the process for `time`.
        give_back: Called with each process when the session is closed.
    """

    def __init__(
        self,
        process: EngineProcess,
        opening: Opening,
        translation: Translation,
        deadline: Deadline,
        new_process: Callable[[], EngineProcess],
        give_back: Callable[[EngineProcess], None],
    ) -> None:
        self._process = process
        self._opening = opening
        self._translation = translation
        self._deadline = deadline
        self._new_process = new_process
        self._give_back = give_back
        self._stopwatch: EngineProcess | None = None
        self._closed = False

    def query(self, sql: str, *, limit_s: float, max_rows: int) -> ResultSet:
        """Run one Trino SELECT; names and types are Trino's.

        Raises:
            NotCheckable, RunFailed, RunTimeout
        """
        select = self._translation.select(sql)
        limit_s = self._limit(limit_s)
        names, rows, seconds, truncated = self._process.query(select.sql, limit_s=limit_s, max_rows=max_rows)
        return ResultSet(select.names or tuple(names), select.types, rows, seconds, truncated)

    def time(self, sql: str, *, limit_s: float, repeat: int, plain: bool = False) -> float:
        """Median seconds of `repeat` runs in a process that does nothing else: planned, run and drained each time.

        Raises:
            NotCheckable, RunFailed, RunTimeout
        """
        select = self._translation.select(sql, plain=plain)
        if self._stopwatch is None:
            stopwatch = self._new_process()
            self._stopwatch = stopwatch
            stopwatch.open(self._opening)
        return statistics.median(self._stopwatch.time(select.sql, limit_s=self._limit(limit_s), repeat=max(1, repeat)))

    def close(self) -> None:
        """End the processes; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if self._stopwatch is not None:
            self._give_back(self._stopwatch)
        self._give_back(self._process)

    def _limit(self, limit_s: float) -> float:
        left_s = self._deadline.left_s()
        if left_s <= 0:
            raise RunTimeout("the task's time is over")
        return min(limit_s, left_s)
