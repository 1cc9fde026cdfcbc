"""The stored request as a workload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heavy_stack.backend.advisor.artefacts import QueryEntry
from heavy_stack.backend.advisor.ingest import ingest
from heavy_stack.shared_models.workloads import EngineKind


def request(**fields: Any) -> bytes:
    body = {
        "url": "jdbc:duckdb:/lake",
        "ddl": [{"statement": "CREATE TABLE c.s.t (a bigint)"}],
        "queries": [{"queryid": "q1", "query": "SELECT 1"}],
        **fields,
    }
    return json.dumps(body).encode()


class TestIngest:
    def test_equal_texts_are_kept_once(self) -> None:
        queries = [
            {"queryid": "q1", "query": "SELECT 1", "runquantity": 5, "executiontime": 2},
            {"queryid": "q2", "query": "SELECT 2"},
            {"queryid": "q3", "query": "SELECT 1", "runquantity": 0},
            {"queryid": "q4", "query": "SELECT 1 "},
        ]
        workload = ingest("id", request(queries=queries), budget_s=60)
        assert workload.texts == ("SELECT 1", "SELECT 2", "SELECT 1 ")
        assert workload.queries == (
            QueryEntry("q1", 0, 5, 2.0),
            QueryEntry("q2", 1, 1),
            QueryEntry("q3", 0, 0),
            QueryEntry("q4", 2, 1),
        )
        assert workload.ddl == ("CREATE TABLE c.s.t (a bigint)",)
        assert workload.task_id == "id"

    @pytest.mark.parametrize(
        ("url", "engine", "verify"),
        [
            ("jdbc:duckdb:/lake", EngineKind.DUCKDB, "engine"),
            ("JDBC:DUCKDB:/lake", EngineKind.DUCKDB, "engine"),
            ("jdbc:trino://h:1/c", EngineKind.TRINO, "conditions"),
            ("jdbc:other:x", EngineKind.UNKNOWN, "conditions"),
            ("", EngineKind.UNKNOWN, "conditions"),
        ],
    )
    def test_the_engine_decides_how_much_is_verified(self, url: str, engine: EngineKind, verify: str) -> None:
        workload = ingest("id", request(url=url), budget_s=60)
        assert (workload.engine, workload.verify) == (engine, verify)

    def test_options_are_taken_over(self) -> None:
        options = {"verify": "none", "budget_s": 30, "max_tables": 3, "max_storage_bytes": 10, "design": "x"}
        workload = ingest("id", request(options=options), budget_s=60)
        assert (workload.verify, workload.budget_s, workload.max_tables) == ("none", 30, 3)
        assert (workload.max_storage_bytes, workload.design) == (10, "x")

    def test_run_counts_are_of_a_month_unless_the_task_says_of_how_many_days(self) -> None:
        assert ingest("id", request(), budget_s=60).window_days == 30
        assert ingest("id", request(options={"window_days": 7}), budget_s=60).window_days == 7

    def test_a_budget_can_only_be_lowered(self) -> None:
        assert ingest("id", request(options={"budget_s": 700}), budget_s=60).budget_s == 60
