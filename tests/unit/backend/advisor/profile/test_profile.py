"""Which columns are asked for, and what the profile holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import pytest

from heavy_stack.backend.advisor.artefacts import (
    Column,
    ParsedText,
    ParsedWorkload,
    QueryEntry,
    Table,
    TableFacts,
    TableName,
    Workload,
)
from heavy_stack.backend.advisor.ports import Ports, QueryRunner
from heavy_stack.backend.advisor.profile import profile
from heavy_stack.backend.advisor.profile.columns import deciding_columns
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.shared_models.verdicts import Reason
from heavy_stack.shared_models.workloads import EngineKind

FACT = Table(
    TableName("c", "s", "f"),
    tuple(Column(name, "bigint") for name in ("k", "g", "v", "w", "x", "flag")) + (Column("d", "date"),),
)
SIDE = Table(TableName("c", "s", "side"), (Column("k", "bigint"), Column("label", "varchar")))


class FakeEngine:
    """Facts that say what they were asked."""

    name = "fake"
    snapshot = "s1"
    at = "2024-01-01T00:00:00+00:00"

    def __init__(self) -> None:
        self.asked: dict[str, list[str]] = {}

    def current_snapshot(self) -> str:
        return self.snapshot

    def table_facts(self, table: Table, columns: Iterable[str]) -> TableFacts | None:
        self.asked[table.name.name] = list(columns)
        return TableFacts(rows=10) if table is FACT else None

    def count_groups(
        self, selects: Mapping[str, str], *, limit_s: float, sample_rows: int | None = None
    ) -> Mapping[str, int | None]:
        return dict.fromkeys(selects)


class Silent:
    def report(self, done: float, activity: str) -> None: ...

    def left_s(self) -> float:
        return 100.0


def ports(engine: FakeEngine | None, note: str | None = None) -> Ports:
    return Ports(cast(QueryRunner, None), Silent(), Silent(), engine, note)


def parsed(*texts: str | None) -> ParsedWorkload:
    found = tuple(
        ParsedText(i, sql or "", sql, None if sql else Reason.UNPARSABLE, fingerprint=str(sql))
        for i, sql in enumerate(texts)
    )
    return ParsedWorkload((FACT, SIDE), found, "c")


def workload(*runs: int) -> Workload:
    queries = tuple(QueryEntry(f"q{i}", i % 2, count) for i, count in enumerate(runs))
    return Workload("id", EngineKind.DUCKDB, "", (), ("a", "b"), queries, "engine", 100)


class TestDecidingColumns:
    @pytest.mark.parametrize(
        ("sql", "columns"),
        [
            ("SELECT g, sum(v) FROM c.s.f WHERE w > 1 GROUP BY g", {"f.g", "f.w"}),
            ("SELECT sum(v), max(x), corr(v, w) FROM c.s.f", set()),
            ("SELECT v FROM c.s.f", set()),
            ("SELECT sum(CASE WHEN flag = 1 THEN v ELSE 0 END) FROM c.s.f", {"f.flag"}),
            ("SELECT sum(v) FILTER (WHERE x > 2) FROM c.s.f", {"f.x"}),
            (
                "SELECT label, sum(v) FROM c.s.f JOIN c.s.side ON f.k = side.k GROUP BY label",
                {"f.k", "side.k", "side.label"},
            ),
            ("SELECT o, sum(v) FROM (SELECT g AS o, v, x FROM c.s.f) GROUP BY o", {"f.g"}),
            (
                "WITH a AS (SELECT g AS o, v FROM c.s.f), b AS (SELECT o AS p, v FROM a) "
                "SELECT p, sum(v) FROM b GROUP BY p",
                {"f.g"},
            ),
            ("SELECT m, count(*) FROM (SELECT month(d) AS m FROM c.s.f) GROUP BY m", {"f.d"}),
            ("SELECT g FROM c.s.f GROUP BY g HAVING sum(v) > 3", {"f.g"}),
            (
                "SELECT sum(v) FROM c.s.f WHERE k IN (SELECT k FROM c.s.side WHERE label = 'a')",
                {"f.k", "side.k", "side.label"},
            ),
            ("SELECT rank() OVER (PARTITION BY g ORDER BY w) FROM c.s.f", {"f.g", "f.w"}),
            ("SELECT G, sum(V) FROM c.s.F GROUP BY G", {"f.g"}),
        ],
    )
    def test_filters_joins_and_keys(self, sql: str, columns: set[str]) -> None:
        catalog = Catalog((FACT, SIDE))
        found = deciding_columns(qualified(sql, catalog), catalog)
        assert {f"{table.name}.{column}" for table, column in found} == columns


class TestProfile:
    def test_only_deciding_columns_are_asked_for(self) -> None:
        engine = FakeEngine()
        sql = "SELECT g, sum(v) FROM c.s.f WHERE w > 1 GROUP BY g"
        found = profile(workload(3, 4, 5), parsed(sql, None), ports(engine, "a note"))
        assert engine.asked == {"f": ["g", "w"], "side": []}
        assert found.facts == {"c.s.f": TableFacts(rows=10)}
        assert (found.engine, found.reachable, found.note) == ("fake", True, "a note")
        assert (found.snapshot, found.at) == ("s1", engine.at)
        assert found.runs == {0: 8, 1: 4}

    def test_a_text_that_does_not_resolve_is_left_to_parse(self) -> None:
        engine = FakeEngine()
        profile(workload(1), parsed("SELECT nothing FROM c.s.f", "SELECT FROM"), ports(engine))
        assert engine.asked == {"f": [], "side": []}

    def test_without_an_engine_there_are_no_facts(self) -> None:
        found = profile(workload(1), parsed("SELECT 1", None), ports(None, "not reachable"))
        assert (found.facts, found.reachable, found.engine, found.note) == ({}, False, None, "not reachable")
        assert found.runs == {0: 1}
