"""One statement in a process of its own: nothing that an earlier run left in memory can help it.

The processes are forked from a small server that has DuckDB imported and no database open.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import duckdb

LIMIT_S = 600.0
"""The field's rule: what runs longer counts as so many seconds."""
A = TypeVar("A")
R = TypeVar("R")
_SETTINGS = {
    "TimeZone": "UTC",
    "enable_external_file_cache": "false",
    "parquet_metadata_cache": "false",
    "autoinstall_known_extensions": "false",
    "preserve_insertion_order": "true",
    "enable_progress_bar": "false",
}


@dataclass(frozen=True)
class Job:
    """What a process does.

    Attributes:
        setup: Statements before the clock starts: ATTACH, CREATE SCHEMA, CREATE VIEW.
        sql: The statement that is timed: planned, run and fetched to its last row.
        max_rows: How many rows come back; 0 for the time alone.
    """

    setup: tuple[str, ...]
    sql: str
    max_rows: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of it: `error` is None when it ran; `cpu_s` of all its threads."""

    seconds: float
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    names: tuple[str, ...] = ()
    truncated: bool = False
    error: str | None = None
    cpu_s: float = 0.0


def run(job: Job, *, limit_s: float = LIMIT_S) -> Outcome:
    """Run a job in a fresh process."""
    try:
        return call(_timed, job, limit_s=limit_s)
    except TimeoutError:
        return Outcome(LIMIT_S, error=f"ran longer than {limit_s:.0f} s")
    except EOFError:
        return Outcome(LIMIT_S, error="its process ended")


def call(function: Callable[[A], R], argument: A, *, limit_s: float) -> R:
    """What a function of a module gives when it is called in a fresh process.

    Raises:
        TimeoutError: It took longer than `limit_s`.
        EOFError: Its process ended without an answer.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, function, argument), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit_s):
            raise TimeoutError
        result: R = ours.recv()
        return result
    finally:
        process.kill()
        process.join()
        ours.close()


def connect(setup: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """A database of its own with these statements run."""
    connection = duckdb.connect()
    for name, value in _SETTINGS.items():
        connection.execute(f"SET {name} = '{value}'")
    for statement in setup:
        connection.execute(statement)
    return connection


def _serve(pipe: Connection, function: Callable[[Any], Any], argument: Any) -> None:
    pipe.send(function(argument))
    pipe.close()


def _timed(job: Job) -> Outcome:
    try:
        connection = connect(job.setup)
        started, worked = time.perf_counter(), time.process_time()
        cursor = connection.execute(job.sql)
        names = tuple(str(column[0]) for column in cursor.description or ())
        rows = cursor.fetchmany(job.max_rows + 1) if job.max_rows else cursor.fetchall()
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - worked
    except duckdb.Error as error:
        return Outcome(LIMIT_S, error=f"{type(error).__name__}: {str(error)[:300]}")
    if not job.max_rows:
        return Outcome(seconds, names=names, cpu_s=cpu_s)
    return Outcome(seconds, rows[: job.max_rows], names, len(rows) > job.max_rows, cpu_s=cpu_s)
