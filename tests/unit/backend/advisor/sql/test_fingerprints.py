from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.sql.fingerprints import fingerprint
from heavy_stack.backend.advisor.sql.parsing import parse_statement


def of(sql: str) -> str:
    return fingerprint(parse_statement(sql))


class TestFingerprint:
    @pytest.mark.parametrize(
        "sql",
        [
            "select A from T where b = 7 and c in ('x')",
            "SELECT a FROM t /* c */ WHERE b = 5 AND c IN ('y', 'z', 'w') -- d",
            "SELECT a\nFROM \"t\" WHERE b=6 AND c IN ('q')",
        ],
    )
    def test_is_the_same_for_other_literals_comments_and_case(self, sql: str) -> None:
        assert of(sql) == of("SELECT a FROM t WHERE b = 1 AND c IN ('a', 'b')")

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT a FROM t WHERE b > 1",
            "SELECT a FROM u WHERE b = 1",
            "SELECT a FROM t WHERE b = 1 GROUP BY 1",
            "SELECT a FROM t WHERE b = CAST(1 AS decimal(3,1))",
        ],
    )
    def test_differs_for_another_shape(self, sql: str) -> None:
        assert of(sql) != of("SELECT a FROM t WHERE b = 1")

    def test_tells_ordinals_and_types_apart(self) -> None:
        assert of("SELECT a, b FROM t ORDER BY 1") != of("SELECT a, b FROM t ORDER BY 2")
        assert of("SELECT CAST(a AS decimal(3,1)) FROM t") != of("SELECT CAST(a AS decimal(3,2)) FROM t")

    def test_does_not_change_the_tree(self) -> None:
        tree = parse_statement("SELECT 1 FROM t WHERE x IN (1, 2)")
        fingerprint(tree)
        assert tree == parse_statement("SELECT 1 FROM t WHERE x IN (1, 2)")
