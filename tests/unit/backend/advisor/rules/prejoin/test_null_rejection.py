"""Which columns a condition proves to have values."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.rules.prejoin.null_rejection import columns_never_null
from heavy_stack.backend.advisor.sql.parsing import parse_statement


class TestColumnsNeverNull:
    @pytest.mark.parametrize(
        ("condition", "columns"),
        [
            ("t.a = 1", "a"),
            ("t.a IS NOT NULL", "a"),
            ("t.a IS NULL", ""),
            ("NOT t.a IN (1, 2)", "a"),
            ("t.a NOT LIKE 'x%'", "a"),
            ("t.a = 1 OR t.b = 2", ""),
            ("t.a = 1 OR (t.b = 2 AND t.a > 3)", "a"),
            ("t.a = 1 AND t.b < 2", "ab"),
            ("COALESCE(t.a, 1) = 1", ""),
            ("t.a + t.b > 2", "ab"),
            ("t.a BETWEEN 1 AND t.b", "ab"),
            ("NOT t.a BETWEEN 1 AND t.b", "a"),
            ("NOT (t.a = 1 AND t.b = 2)", ""),
            ("t.a IN (SELECT x.b FROM x)", ""),
            ("CASE WHEN t.a = 1 THEN TRUE ELSE TRUE END", ""),
        ],
    )
    def test_only_what_null_cannot_pass(self, condition: str, columns: str) -> None:
        tree = parse_statement(f"SELECT 1 FROM t WHERE {condition}")
        assert columns_never_null(tree.args["where"].this) == {("t", name) for name in columns}
