"""Engine processes and small lakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest

from heavy_stack.backend.advisor.artefacts import Column, ParsedWorkload, Table, TableName, Workload
from heavy_stack.backend.advisor.ports import EngineFacts, Ports, QuerySession
from heavy_stack.backend.engines import connect
from heavy_stack.backend.engines.duckdb_client import EngineProcess
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.shared_models.workloads import EngineKind


@pytest.fixture
def lake_root(tmp_path: Path) -> Path:
    """A lake with `shop/sale` (5 rows in two files) and a table beside it that no task names."""
    root = tmp_path / "lake"
    for folder in ("shop/sale", "shop/secret"):
        (root / folder).mkdir(parents=True)
    with duckdb.connect() as db:
        rows = "(1, 'a', 1.50, DATE '2024-01-01'), (2, 'a', NULL, DATE '2024-01-02'), (3, NULL, 2.25, NULL)"
        columns = "t(Id, city, amount, day)"
        select = 'SELECT Id::BIGINT AS "Id", city, amount::DECIMAL(12,2) AS amount, day FROM'
        db.execute(f"COPY ({select} (VALUES {rows}) {columns}) TO '{root}/shop/sale/a.parquet'")
        more = "(4, 'b', -1.00, DATE '2024-02-01'), (5, 'b', 0.00, DATE '2024-02-01')"
        db.execute(f"COPY ({select} (VALUES {more}) {columns}) TO '{root}/shop/sale/b.parquet'")
        db.execute(f"COPY (SELECT 42 AS x) TO '{root}/shop/secret/a.parquet'")
    return root


@pytest.fixture
def options(tmp_path: Path, lake_root: Path) -> EngineOptions:
    """Small limits; one lake root."""
    return EngineOptions(lake_roots=(lake_root,), scratch_dir=tmp_path / "scratch", memory_mb=256, threads=2)


@pytest.fixture
def process(options: EngineOptions, tmp_path: Path) -> Iterator[EngineProcess]:
    """A process that was not asked to open anything yet."""
    engine = EngineProcess(options, tmp_path / "scratch" / "temp")
    yield engine
    engine.close()


class Task:
    """Connects a task's url; progress goes nowhere, and there is time enough."""

    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        self.left = 300.0

    def report(self, done: float, activity: str) -> None:
        """The Progress port."""

    def left_s(self) -> float:
        """The Deadline port."""
        return self.left

    def connect(self, url: str, *tables: Table) -> AbstractContextManager[Ports]:
        """The ports of a task over these tables."""
        workload = Workload("task-1", EngineKind.DUCKDB, url, (), (), (), "engine", 300.0)
        return connect(workload, ParsedWorkload(tables, (), "lake"), self.options, None, self, self)


@pytest.fixture
def task(options: EngineOptions) -> Task:
    """A task that may name the small lake."""
    return Task(options)


SALE = Table(
    TableName("lake", "shop", "sale"),
    (
        Column("id", "bigint"),
        Column("city", "varchar"),
        Column("amount", "decimal(12,2)"),
        Column("day", "date"),
    ),
)
"""The lake's table as a DDL would have it: other case, the same types."""


def known(facts: EngineFacts | None) -> EngineFacts:
    """The facts, which must be there."""
    assert facts is not None
    return facts


def opened(session: QuerySession | None) -> QuerySession:
    """The session, which must be there."""
    assert session is not None
    return session
