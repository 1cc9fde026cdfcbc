"""Which blocks share a table."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from tests.support.rule_cases import differences, run_stages

SALES = "CREATE TABLE lake.shop.sales (a varchar, b varchar, c integer, x integer, ok boolean, day date)"
FACTS = {
    "lake.shop.sales": TableFacts(
        rows=100_000,
        bytes=1_000_000,
        columns={
            "a": ColumnFacts(distinct=50),
            "b": ColumnFacts(distinct=60),
            "c": ColumnFacts(distinct=5000),
        },
    )
}


class TestMergedRollups:
    def test_share_where_the_groups_stay_about_as_few(self) -> None:
        queries = [
            "SELECT a, SUM(x) AS s FROM lake.shop.sales GROUP BY a",
            "SELECT a, b, COUNT(*) AS n FROM lake.shop.sales WHERE ok GROUP BY a, b",
        ]
        run = run_stages([SALES], queries, FACTS, {"a": 50, "b": 60, "a,b": 55})
        assert run.dimensions() == [["a", "b"]]
        assert [line for seed in range(3) for line in differences(run, seed)] == []

    def test_stay_apart_where_one_would_read_many_more_groups(self) -> None:
        queries = [
            "SELECT a, SUM(x) AS s FROM lake.shop.sales GROUP BY a",
            "SELECT c, COUNT(*) AS n FROM lake.shop.sales GROUP BY c",
        ]
        run = run_stages([SALES], queries, FACTS, {"a": 50, "c": 5000, "a,c": 90_000})
        assert sorted(run.dimensions()) == [["a"], ["c"]]

    def test_are_no_more_than_queries(self) -> None:
        query = (
            "WITH one AS (SELECT a, SUM(x) AS s FROM lake.shop.sales GROUP BY a),"
            " two AS (SELECT b, SUM(x) AS s FROM lake.shop.sales GROUP BY b)"
            " SELECT one.a, one.s, two.s AS t FROM one JOIN two ON one.a = two.b"
        )
        run = run_stages([SALES], [query], FACTS, {"a": 50, "b": 60, "a,b": 1500})
        assert run.dimensions() == [["a", "b"]]

    def test_leave_out_what_has_too_many_groups(self) -> None:
        run = run_stages(
            [SALES], ["SELECT a, c, COUNT(*) AS n FROM lake.shop.sales GROUP BY a, c"], FACTS, {"a,c": 90_000}
        )
        assert run.rewrite.texts == ()
        assert "90,000 rows" in run.why()
