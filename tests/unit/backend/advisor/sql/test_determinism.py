from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.determinism import Kind, findings, nondeterminism, ties, time_dependence


class TestFindings:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT random() FROM t",
            "SELECT a FROM t WHERE random() < 0.5",
            "SELECT uuid() FROM t",
            "SELECT a FROM t ORDER BY random() LIMIT 3",
            "SELECT row_number() OVER () FROM t",
            "SELECT row_number() OVER (PARTITION BY a) FROM t",
            "SELECT array_agg(a) FROM t",
            "SELECT approx_percentile(a, 0.5) FROM t",
            "SELECT a FROM t TABLESAMPLE BERNOULLI (10)",
            "SELECT s.a FROM (SELECT a FROM t LIMIT 5) s",
        ],
    )
    def test_calls_chance_random(self, catalog: Catalog, sql: str) -> None:
        assert nondeterminism(qualified(sql, catalog)) is not None

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT a, sum(b) FROM t GROUP BY a ORDER BY 2",
            "SELECT a FROM t ORDER BY random()",
            "SELECT count(*) FROM t LIMIT 10",
            "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u LIMIT 1)",
            "SELECT rank() OVER (ORDER BY a) FROM t",
            "SELECT a, row_number() OVER (ORDER BY count(*) DESC, a) FROM t GROUP BY a",
            "SELECT array_agg(a ORDER BY a) FROM t",
            "SELECT a FROM t ORDER BY a LIMIT ALL",
            "SELECT sum(b) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t",
        ],
    )
    def test_finds_nothing_where_the_rows_are_fixed(self, catalog: Catalog, sql: str) -> None:
        assert findings(qualified(sql, catalog)) == []

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT a FROM t ORDER BY b LIMIT 3",
            "SELECT a FROM t LIMIT 3",
            "SELECT a FROM t OFFSET 3",
            "SELECT row_number() OVER (ORDER BY a) FROM t",
            "SELECT first_value(b) OVER (ORDER BY a) FROM t",
            "SELECT max_by(a, b) FROM t",
            "SELECT any_value(a) FROM t",
            "SELECT sum(b) OVER (ORDER BY a ROWS 3 PRECEDING) FROM t",
        ],
    )
    def test_calls_open_ties_ties(self, catalog: Catalog, sql: str) -> None:
        tree = qualified(sql, catalog)
        assert ties(tree) is not None
        assert nondeterminism(tree) is None

    @pytest.mark.parametrize("word", ["current_date", "now()", "current_timestamp", "localtimestamp"])
    def test_calls_the_clock_time(self, catalog: Catalog, word: str) -> None:
        tree = qualified(f"SELECT a FROM t WHERE CAST({word} AS date) > d", catalog)
        assert time_dependence(tree) is not None
        assert {finding.kind for finding in findings(tree)} == {Kind.TIME}

    def test_with_ties_leaves_nothing_open(self, catalog: Catalog) -> None:
        assert findings(qualified("SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS WITH TIES", catalog)) == []
