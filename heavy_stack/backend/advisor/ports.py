"""What the stages need from outside, as protocols. The advisor speaks Trino SQL only; adapters translate.

Expected outcomes are values: what an adapter cannot run faithfully raises `NotCheckable`, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from heavy_stack.backend.advisor.artefacts import Table, TableFacts, TableName


class NotCheckable(Exception):
    """The engine at hand cannot run this faithfully; the message names the construct."""


class RunFailed(Exception):
    """The engine ran the statement and it failed (division by zero, bad cast, …); the message is safe to show."""


class RunTimeout(Exception):
    """The statement passed its time or memory limit and was ended."""


@dataclass(frozen=True)
class ResultSet:
    """A result: `types` are Trino's types of the output columns; `truncated` when more rows than asked for exist.

    Values: None, bool, int, float, decimal.Decimal, str, bytes, datetime.date/datetime/time, list, dict.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    seconds: float = 0.0
    truncated: bool = False


class QuerySession(Protocol):
    """One data set (test data, or the client's tables) in one locked engine process."""

    def query(self, sql: str, *, limit_s: float, max_rows: int) -> ResultSet:
        """Run one Trino SELECT.

        Raises:
            NotCheckable, RunFailed, RunTimeout
        """

    def time(self, sql: str, *, limit_s: float, repeat: int, plain: bool = False) -> float:
        """Median seconds to run and drain, planning included. `plain`: without Trino's exact numerics.

        Raises:
            NotCheckable, RunFailed, RunTimeout
        """

    def close(self) -> None:
        """End the process and free its temporary files."""


@dataclass(frozen=True)
class BuiltTable:
    """A design table after its build; `column_bytes` as far as its format tells."""

    name: TableName
    rows: int
    bytes: int
    seconds: float
    column_bytes: Mapping[str, int] = field(default_factory=dict)


class QueryRunner(Protocol):
    """Runs SQL on data sets of ours and, where an engine is reachable, on the client's data."""

    def open_test_data(
        self,
        tables: Sequence[Table],
        rows: Mapping[TableName, Sequence[tuple[Any, ...]]],
        design: Sequence[tuple[str, str]],
    ) -> QuerySession:
        """A session on rows of ours. `design`: (CREATE TABLE, INSERT) pairs in Trino SQL, run in order after loading.

        Raises:
            NotCheckable, RunFailed: a design table cannot be built; the message starts with its name.
        """

    def open_databases(
        self,
        tables: Sequence[Table],
        databases: Sequence[Mapping[TableName, Sequence[tuple[Any, ...]]]],
        design: Sequence[tuple[str, str]],
        *,
        lenient: bool = False,
    ) -> QuerySession:
        """Many tiny databases at once: each query is answered in every one, and its number (from 0) comes first.

        A failure in one of them fails the query; when `lenient`, what is divided by zero is NULL. `design` is filled in
        each.

        Raises:
            NotCheckable, RunFailed, RunTimeout
        """

    def open_lake(self) -> QuerySession | None:
        """A session on the client's tables, read only; None when no engine is reachable."""

    def build(self, design: Sequence[tuple[TableName, str, str]], *, limit_s: float) -> Sequence[BuiltTable | str]:
        """Build (name, CREATE, INSERT) outside the client's tables; a str says why one could not be built."""

    def open_design(self) -> QuerySession | None:
        """A session that sees the client's tables and the design tables built so far; None without an engine."""

    def native(self, sql: str, design: Sequence[str] = ()) -> str:
        """One Trino statement (SELECT, INSERT … SELECT, CREATE SCHEMA/TABLE, DROP) in the embedded engine's own SQL.

        `design`: CREATE TABLE statements (Trino SQL) of the tables that it may read beside the client's.

        Raises:
            NotCheckable: It has no faithful form there.
        """

    def native_setup(self) -> Sequence[str]:
        """Statements that make the client's tables visible under their full names there; empty without an engine."""


class EngineFacts(Protocol):
    """Statistics from the client's engine.

    `snapshot` names the state of the tables when the engine was connected, `at` the time (ISO 8601, UTC).
    """

    name: str
    snapshot: str
    at: str

    def current_snapshot(self) -> str:
        """The state of the tables now; unlike `snapshot`, the data changed meanwhile."""

    def table_facts(self, table: Table, columns: Iterable[str]) -> TableFacts | None:
        """Rows, bytes and statistics of the named columns; None when the table is not there."""

    def count_groups(
        self, selects: Mapping[str, str], *, limit_s: float, sample_rows: int | None = None
    ) -> Mapping[str, int | None]:
        """Number of distinct rows of each SELECT (Trino SQL, keyed by id), exact or estimated; None where unknown.

        Ask for many at once: SELECTs over the same FROM and WHERE share one scan. With `sample_rows` only about so
        many rows of a large FROM are looked at, the same at every call: such counts compare with each other only.
        """


class Progress(Protocol):
    """Where a stage says how far it is."""

    def report(self, done: float, activity: str) -> None:
        """`done` is 0..1 within the stage; `activity` a short phrase for people."""


class Deadline(Protocol):
    """The task's time budget."""

    def left_s(self) -> float:
        """Seconds left for the whole task; may be negative."""


@dataclass(frozen=True)
class Ports:
    """All that a stage may use from outside. `facts` is None when no engine is reachable; then `note` says why."""

    runner: QueryRunner
    progress: Progress
    deadline: Deadline
    facts: EngineFacts | None = None
    note: str | None = None
