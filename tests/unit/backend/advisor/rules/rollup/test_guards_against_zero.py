"""A CASE that keeps zero away from a divisor makes the division safe on every row."""

from __future__ import annotations

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.rules.rollup.partial_values import may_fail, roomy
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

CATALOG = Catalog([Table(TableName("lake", "shop", "t"), (Column("a", "integer"), Column("b", "integer")))])


def expression(sql: str) -> exp.Expr:
    tree = qualified(f"SELECT {sql} AS v FROM lake.shop.t AS t", CATALOG)
    assert isinstance(tree, exp.Select)
    found = tree.expressions[0].unalias()
    assert isinstance(found, exp.Expr)
    return found


class TestDivisions:
    @pytest.mark.parametrize(
        "sql",
        [
            "CASE WHEN t.b > 0 THEN t.a / t.b END",
            "CASE WHEN t.a > 5 AND t.b <> 0 THEN t.a / t.b ELSE 1 END",
            "CASE WHEN t.b = 0 THEN NULL ELSE t.a / t.b END",
            "CASE WHEN t.b = 0 OR t.a = 1 THEN 0 WHEN t.a > 2 THEN t.a % t.b END",
            "CASE WHEN NOT t.b = 0 THEN t.a / t.b END",
            "IF(0 < t.b, t.a / t.b)",
            "CASE WHEN t.b >= 1 THEN t.a / t.b END",
        ],
    )
    def test_behind_a_test_of_the_divisor_do_not_fail(self, sql: str) -> None:
        assert not may_fail(expression(sql))

    @pytest.mark.parametrize(
        "sql",
        [
            "t.a / t.b",
            "CASE WHEN t.b >= 0 THEN t.a / t.b END",
            "CASE WHEN t.b > -1 THEN t.a / t.b END",
            "CASE WHEN t.b > 0 OR t.a > 0 THEN t.a / t.b END",
            "CASE WHEN t.b > 0 THEN 1 ELSE t.a / t.b END",
            "CASE WHEN t.b = 0 AND t.a = 1 THEN 0 ELSE t.a / t.b END",
            "CASE WHEN t.a > 0 THEN t.a / t.b END",
            "CASE WHEN t.a / t.b > 1 THEN 1 WHEN t.b > 0 THEN 2 END",
        ],
    )
    def test_that_may_meet_zero_may_fail(self, sql: str) -> None:
        assert may_fail(expression(sql))


class TestKeys:
    def test_of_integer_arithmetic_are_computed_in_bigint(self) -> None:
        assert roomy(expression("t.a - t.b")).sql(dialect="trino").replace('"', "") == "CAST(t.a AS BIGINT) - t.b"

    def test_of_other_kinds_stay(self) -> None:
        assert roomy(expression("t.a")).sql(dialect="trino").replace('"', "") == "t.a"
