"""A small task with its artefacts: four texts, two design tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from heavy_stack.backend.advisor.artefacts import (
    Answer,
    Column,
    DesignTable,
    ParsedText,
    ParsedWorkload,
    Plan,
    QueryEntry,
    Rewrite,
    RewrittenText,
    StoredColumn,
    Table,
    TableFacts,
    TableMeasure,
    TableName,
    TextVerdict,
    Verdicts,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import EngineFacts, NotCheckable, Ports, QueryRunner
from heavy_stack.backend.advisor.report import report
from heavy_stack.shared_models.verdicts import Reason, Verdict
from heavy_stack.shared_models.workloads import EngineKind

SALE = TableName("lake", "shop", "sale")
ONE = TableName("lake", "hs_1", "one")
TWO = TableName("lake", "hs_1", "two")


def design_table(name: TableName, sources: Sequence[TableName] = (SALE,)) -> DesignTable:
    """A design table with one dimension, one flag and one measure."""
    return DesignTable(
        candidate=name.name,
        name=name,
        rule="roll_up",
        why=f"why {name.name}",
        columns=(
            StoredColumn("city", "city", "varchar", "dimension"),
            StoredColumn("is_new", "is_new", "boolean", "flag"),
            StoredColumn("n", "count(*)", "bigint", "measure"),
        ),
        source_tables=tuple(sources),
        create=f"CREATE TABLE {name} (city varchar, n bigint)",
        insert=f"INSERT INTO {name} SELECT city, count(*) FROM {SALE} GROUP BY city",
        refresh=f"CREATE OR REPLACE TABLE {name} AS SELECT city, count(*) AS n FROM {SALE} GROUP BY city",
    )


def verdict(text: int, before_s: float | None, after_s: float | None, **fields: Any) -> TextVerdict:
    """EQUAL_ON_DATA with these times."""
    return TextVerdict(text, fields.pop("verdict", Verdict.EQUAL_ON_DATA), before_s=before_s, after_s=after_s, **fields)


class Silent:
    """Progress and Deadline ports."""

    def report(self, done: float, activity: str) -> None: ...

    def left_s(self) -> float:
        return 100.0


class EchoRunner:
    """Marks what it translates; refuses what holds `refused`."""

    def native(self, sql: str, design: Sequence[str] = ()) -> str:
        if "refused" in sql:
            raise NotCheckable("refused")
        return f"native {sql}"

    def native_setup(self) -> Sequence[str]:
        return ["setup"]


class SnapshotNow:
    """The one method of the facts that the report calls."""

    def __init__(self, snapshot: str) -> None:
        self.now = snapshot

    def current_snapshot(self) -> str:
        return self.now


@dataclass
class Task:
    """Artefacts up to verify. Runs: text 0 has 10 (q1 6, q4 4), text 1 has 5, text 2 has 3, text 3 has 2."""

    workload: Workload = Workload(
        task_id="id",
        engine=EngineKind.DUCKDB,
        url="jdbc:duckdb:/lake",
        ddl=(),
        texts=("a", "b", "c", "d"),
        queries=(
            QueryEntry("q1", 0, 6),
            QueryEntry("q2", 1, 5),
            QueryEntry("q3", 2, 3),
            QueryEntry("q4", 0, 4),
            QueryEntry("q5", 3, 2),
        ),
        verify="engine",
        budget_s=100,
    )
    parsed: ParsedWorkload = ParsedWorkload(
        tables=(Table(SALE, (Column("city", "varchar"),)),),
        texts=(
            *(ParsedText(i, f"answer {i}", f"answer {i}", tables=(SALE,)) for i in range(3)),
            ParsedText(3, "SELECT FROM", None, Reason.UNPARSABLE, "unexpected FROM", 1, 8),
        ),
        catalog="lake",
    )
    profile: WorkloadProfile = WorkloadProfile(
        engine="duckdb",
        reachable=True,
        note=None,
        snapshot="abc",
        at="2024-01-01T00:00:00+00:00",
        facts={str(SALE): TableFacts(rows=1000, bytes=7_000)},
        runs={},
    )
    plan: Plan = Plan(chosen=(), rejected=(("c9", "roll_up", "too large"),), unanswered={2: "no aggregate"})
    rewrite: Rewrite = Rewrite(
        schema_name="hs_1",
        create_schema="CREATE SCHEMA lake.hs_1",
        tables=(design_table(ONE), design_table(TWO)),
        texts=(
            RewrittenText(0, "rewritten 0", (ONE,), ("roll_up",)),
            RewrittenText(1, "rewritten 1", (TWO,), ("roll_up",)),
        ),
    )
    verdicts: Verdicts = Verdicts(
        texts=(verdict(0, 8.0, 2.0), verdict(1, 3.0, 0.5), verdict(2, 1.0, None, verdict=Verdict.UNCHANGED)),
        tables=(TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, 400, 2.5)),
        storage_before_bytes=7_000,
        tolerance="exact",
        warnings=("from verify",),
    )
    now: str | None = "abc"
    runner: Any = field(default_factory=EchoRunner)

    def change(self, artefact: str, **fields: Any) -> Task:
        """The same with other fields in one artefact."""
        return replace(self, **{artefact: replace(getattr(self, artefact), **fields)})

    def answer(self) -> Answer:
        """The report stage's artefact."""
        facts = cast(EngineFacts, SnapshotNow(self.now)) if self.now is not None else None
        ports = Ports(cast(QueryRunner, self.runner), Silent(), Silent(), facts)
        return report(self.workload, self.parsed, self.profile, self.plan, self.rewrite, self.verdicts, ports)


@pytest.fixture
def task() -> Task:
    """The task as it is."""
    return Task()


def queries_of(answer: Answer) -> Mapping[str, str]:
    """queryid → what is sent."""
    return dict(answer.queries)
