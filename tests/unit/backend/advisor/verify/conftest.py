"""Ports for the verifier's tests: real DuckDB processes, on rows of ours and on small lakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

from heavy_stack.backend.advisor.artefacts import ParsedWorkload, Table, Workload
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.engines import connect
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.shared_models.workloads import EngineKind

OpenPorts = Callable[..., Ports]


class Clock:
    """Deadline and Progress of a task with time enough, unless a test takes it away."""

    def __init__(self) -> None:
        self.left = 600.0
        self.said: list[tuple[float, str]] = []

    def report(self, done: float, activity: str) -> None:
        """The Progress port."""
        self.said.append((done, activity))

    def left_s(self) -> float:
        """The Deadline port."""
        return self.left


@pytest.fixture
def clock() -> Clock:
    """The task's clock."""
    return Clock()


@pytest.fixture
def open_ports(tmp_path: Path, clock: Clock) -> Iterator[OpenPorts]:
    """Ports for tables, on a lake (a folder of Parquet files) or without an engine."""
    with ExitStack() as stack:

        def connected(tables: Sequence[Table], lake: Path | None = None) -> Ports:
            url = f"jdbc:duckdb:{lake}" if lake is not None else "jdbc:trino://nowhere.invalid:8080"
            workload = Workload("task-1", EngineKind.UNKNOWN, url, (), (), (), "engine", 600.0)
            options = EngineOptions(lake_roots=(tmp_path,), scratch_dir=tmp_path / "scratch", memory_mb=256, threads=1)
            return stack.enter_context(
                connect(workload, ParsedWorkload(tuple(tables), (), "lake"), options, None, clock, clock)
            )

        yield connected


@pytest.fixture
def make_lake(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write one table of a lake: `schema/name` and DuckDB's SELECT of its rows."""

    def written(table: str, select: str) -> Path:
        root = tmp_path / "lake"
        (root / table).mkdir(parents=True)
        with duckdb.connect() as db:
            db.execute(f"COPY ({select}) TO '{root}/{table}/rows.parquet'")
        return root

    return written
