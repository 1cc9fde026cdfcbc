"""DuckDB's standard texts as Trino SQL."""

from __future__ import annotations

import pytest

from dev_scripts.bench.proofread import trino_text

TYPES = {"d": "date", "n": "integer", "a": "varchar", "b": "varchar"}


def flat(sql: str) -> str:
    return " ".join(trino_text(sql, TYPES).split())


class TestTrinoText:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("SELECT 1 FROM t WHERE d = '2000-01-03'", "d = CAST('2000-01-03' AS DATE)"),
            ("SELECT 1 FROM t WHERE d IN ('2000-01-03')", "d IN (CAST('2000-01-03' AS DATE))"),
            ("SELECT 1 FROM t WHERE d BETWEEN '2000-01-03' AND d", "d BETWEEN CAST('2000-01-03' AS DATE) AND d"),
            ("SELECT 1 FROM t WHERE d > x.d + 5", "d > x.d + INTERVAL '5' DAY"),
            ("SELECT n / 3 FROM t", "CAST(n AS DOUBLE) / 3"),
            ("SELECT CAST(n AS DECIMAL(15, 4)) / 3 FROM t", "CAST(CAST(n AS DECIMAL(15, 4)) AS DOUBLE) / 3"),
            ("SELECT concat('x', a) FROM t", "'x' || a"),
        ],
    )
    def test_says_what_duckdb_means(self, text: str, found: str) -> None:
        assert found in flat(text)

    def test_leaves_strings_that_are_compared_with_strings(self) -> None:
        assert "a = '2000-01-03'" in flat("SELECT 1 FROM t WHERE a = '2000-01-03'")

    def test_groups_by_the_expression_not_by_its_alias(self) -> None:
        assert "GROUP BY n" in flat("SELECT n AS k, COUNT(*) FROM t GROUP BY k")

    def test_orders_by_the_alias_of_a_grouping(self) -> None:
        text = flat(
            "SELECT a, grouping(a) + grouping(b) AS level FROM t GROUP BY ROLLUP (a, b) "
            "ORDER BY CASE WHEN grouping(a) + grouping(b) = 0 THEN a END"
        )
        assert "ORDER BY CASE WHEN level = 0 THEN a END" in text
