"""Limits on tables and storage, and a reason for whatever is left out."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from tests.support.rule_cases import run_stages

SALES = "CREATE TABLE lake.shop.sales (a varchar, b varchar, c integer, x integer)"
QUERIES = [
    "SELECT a, SUM(x) AS s FROM lake.shop.sales GROUP BY a",
    "SELECT b, SUM(x) AS s FROM lake.shop.sales GROUP BY b",
]
FACTS = {
    "lake.shop.sales": TableFacts(
        rows=1_000_000, bytes=9_000_000, columns={"a": ColumnFacts(distinct=3000), "b": ColumnFacts(distinct=90)}
    )
}


class TestSelect:
    def test_takes_what_saves_most_where_the_number_of_tables_is_limited(self) -> None:
        groups = {"a": 3000, "b": 90, "a,b": 200_000}
        run = run_stages([SALES], QUERIES, FACTS, groups, max_tables=1)
        assert run.dimensions() == [["a"]]  # as fast as the other, and asked for more often
        assert len(run.plan.rejected) == 1
        assert "Only 1 table" in run.why(1)

    def test_keeps_within_the_storage(self) -> None:
        run = run_stages([SALES], QUERIES, FACTS, {"a": 3000, "b": 90, "a,b": 200_000}, max_storage_bytes=2000)
        assert run.dimensions() == [["b"]]
        assert "2,000 bytes" in run.why(0)

    def test_builds_nothing_of_unknown_size_within_a_limit(self) -> None:
        run = run_stages([SALES], QUERIES, max_storage_bytes=2000)
        assert run.rewrite.tables == ()
        assert "not known" in run.why(0)

    def test_builds_no_table_when_none_is_allowed(self) -> None:
        assert run_stages([SALES], QUERIES, max_tables=0).rewrite.tables == ()
