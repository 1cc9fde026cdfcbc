"""The engine process: one DuckDB database at a time, locked, driven over a pipe. Started by `duckdb_client`.

Imports only DuckDB and the standard library: it starts in 0.2 s and knows no settings, no credentials, no network.

A request is a dict with `op`; a reply is `("ok", value)` or `("error", kind, label, message)`. SQL is DuckDB's own.

| op | fields | value |
|---|---|---|
| open | config, setup, allowed, load, design, limit_s, statement_limit_s | None: the database is fresh and locked |
| query | sql, limit_s, max_rows | (names, rows, seconds, truncated) |
| time | sql, limit_s, repeat | seconds of each run |
| copy | sql, path, limit_s | (rows, seconds): the SELECT's rows are now the Parquet file at `path` |
"""

from __future__ import annotations

import pickle
import resource
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import duckdb

from heavy_stack.backend.engines.processes import die_with_parent

CHUNK_ROWS = 2048


class _Refused(Exception):
    """The text is not exactly one SELECT."""


class _Engine:
    """The process's one database."""

    def __init__(self) -> None:
        self._db: duckdb.DuckDBPyConnection | None = None

    def open(self, request: dict[str, Any]) -> None:
        """Open a fresh in-memory database, prepare it, and lock it before anything of a client's runs in it."""
        if self._db is not None:
            self._db.close()
        self._db = None
        db = duckdb.connect(":memory:")
        for name, value in request["config"].items():
            db.execute(f"SET {name} = {_text(str(value))}")
        ends = time.monotonic() + request["limit_s"]
        with _limit(db, request["limit_s"]):
            _run_labelled(db, request["setup"])
            folders = ", ".join(_text(folder) for folder in request["allowed"])
            db.execute(f"SET allowed_directories = [{folders}]")
            db.execute("SET enable_external_access = false")
            for label, sql, columns in request["load"]:
                _run_labelled(db, [(label, sql)], columns)
            db.execute("SET lock_configuration = true")
        for statement in request["design"]:
            with _limit(db, min(request["statement_limit_s"], ends - time.monotonic())):
                _run_labelled(db, [statement])
        self._db = db

    def query(self, request: dict[str, Any]) -> tuple[list[str], list[tuple[Any, ...]], float, bool]:
        """Rows of one SELECT, at most `max_rows`."""
        db = self._opened()
        select = _check_select(db, request["sql"])
        wanted: int = request["max_rows"]
        rows: list[tuple[Any, ...]] = []
        started = time.perf_counter()
        with _limit(db, request["limit_s"]) as left:
            db.execute(select)
            names = [column[0] for column in db.description or ()]
            while len(rows) <= wanted:
                chunk = db.fetchmany(CHUNK_ROWS)
                rows.extend(chunk)
                if not chunk or left() < 0:
                    break
            if left() < 0:
                raise duckdb.InterruptException("time limit")
        return names, rows[:wanted], time.perf_counter() - started, len(rows) > wanted

    def time(self, request: dict[str, Any]) -> list[float]:
        """Seconds of each of `repeat` runs: planned, run and drained, nothing kept between them."""
        db = self._opened()
        _check_select(db, request["sql"])
        seconds: list[float] = []
        for _ in range(request["repeat"]):
            started = time.perf_counter()
            with _limit(db, request["limit_s"]) as left:
                db.execute(request["sql"])
                while db.fetchmany(CHUNK_ROWS):
                    if left() < 0:
                        raise duckdb.InterruptException("time limit")
            seconds.append(time.perf_counter() - started)
        return seconds

    def copy(self, request: dict[str, Any]) -> tuple[int, float, dict[str, int]]:
        """Write the SELECT's rows to one Parquet file; the bytes of each of its columns come along."""
        db = self._opened()
        _check_select(db, request["sql"])
        started = time.perf_counter()
        with _limit(db, request["limit_s"]):
            target = _text(request["path"])
            options = "FORMAT parquet, COMPRESSION zstd"
            done = db.execute(f"COPY ({request['sql']}\n) TO {target} ({options})").fetchone()
        seconds = time.perf_counter() - started
        sizes = db.execute(
            f"SELECT path_in_schema, sum(total_compressed_size) FROM parquet_metadata({target}) GROUP BY 1"
        )
        return (int(done[0]) if done else 0), seconds, {name: int(size) for name, size in sizes.fetchall()}

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._db is None:
            raise _Refused("no database is open in this process")
        return self._db


def _check_select(db: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The text's one statement, parsed."""
    # COPY TO, ATTACH and DETACH still work inside an allowed folder after the lock, so the lock alone is not enough.
    statements = db.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise _Refused("only a single SELECT may run here")
    return statements[0]


class _Labelled(Exception):
    """A prepared statement failed; `label` says which table it was for."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


def _run_labelled(
    db: duckdb.DuckDBPyConnection, statements: Sequence[tuple[str, str]], values: list[Any] | None = None
) -> None:
    for label, sql in statements:
        try:
            db.execute(sql, values) if values is not None else db.execute(sql)
        except (duckdb.Error, MemoryError) as error:
            raise _Labelled(label) from error


@contextmanager
def _limit(db: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[Any]:
    """Interrupt what runs on `db` after `seconds`; yields a function that says how many are left."""
    end = time.monotonic() + seconds
    timer = threading.Timer(max(0.0, seconds), db.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield lambda: end - time.monotonic()
    finally:
        timer.cancel()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _kind(error: BaseException) -> str:
    if isinstance(error, duckdb.InterruptException):
        return "timeout"
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return "memory"
    return "refused" if isinstance(error, _Refused) else "failed"


def _answer(engine: _Engine, request: dict[str, Any]) -> tuple[Any, ...]:
    operations = {"open": engine.open, "query": engine.query, "time": engine.time, "copy": engine.copy}
    try:
        return ("ok", operations[request["op"]](request))
    except _Labelled as error:
        cause = error.__cause__ or error
        return ("error", _kind(cause), error.label, str(cause))
    except (duckdb.Error, _Refused, MemoryError) as error:
        return ("error", _kind(error), "", str(error))


def serve(channel: Connection) -> None:
    """Answer requests until the other end is closed."""
    engine = _Engine()
    while True:
        try:
            request = pickle.loads(channel.recv_bytes())  # from the process that started this one
        except EOFError:
            return
        reply = _answer(engine, request)
        channel.send_bytes(pickle.dumps(reply, protocol=5))


def main() -> None:
    """`duckdb_process <channel fd> <lifeline fd> <parent pid> <memory in MiB>`"""
    channel, lifeline, parent, memory_mb = (int(argument) for argument in sys.argv[1:5])
    die_with_parent(lifeline=lifeline, parent=parent)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the client's data
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_mb << 20 if hard == resource.RLIM_INFINITY else min(memory_mb << 20, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    serve(Connection(channel))


if __name__ == "__main__":
    main()
