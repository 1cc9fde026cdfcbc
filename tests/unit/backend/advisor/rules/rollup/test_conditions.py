"""Conditions are simplified to what means the same in three-valued logic."""

from __future__ import annotations

import itertools

import duckdb
import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.rules.rollup.conditions import simplify_conditions
from heavy_stack.backend.advisor.rules.rollup.trees import select_places
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

CATALOG = Catalog(
    [
        Table(
            TableName("lake", "shop", "t"),
            (Column("a", "integer"), Column("b", "integer"), Column("x", "boolean"), Column("y", "boolean")),
        ),
        Table(TableName("lake", "shop", "u"), (Column("a", "bigint"), Column("d", "decimal(12,2)"))),
    ]
)


def simplified(sql: str) -> str:
    tree = qualified(sql, CATALOG).copy()
    simplify_conditions(tree)
    return tree.sql(dialect="trino").replace('"', "")


def where_of(condition: str) -> str:
    return simplified(f"SELECT t.a FROM lake.shop.t AS t WHERE {condition}").partition(" WHERE ")[2]


class TestOrsThatShareTerms:
    def test_ask_the_shared_term_once(self) -> None:
        assert where_of("(t.a = t.b AND t.x) OR (t.b = t.a AND t.y)") == "t.a = t.b AND (t.x OR t.y)"

    def test_are_the_shared_term_where_an_arm_holds_nothing_else(self) -> None:
        assert where_of("(t.a = t.b AND t.x) OR t.a = t.b") == "t.a = t.b"

    def test_stay_where_no_term_is_shared(self) -> None:
        assert (
            where_of("(t.a = 1 AND t.x) OR (t.a = 2 AND t.x IS NULL)")
            == "(t.a = 1 AND t.x) OR (t.a = 2 AND t.x IS NULL)"
        )

    @pytest.mark.parametrize(
        "condition",
        ["(t.x AND t.y) OR (t.x AND t.a = 1)", "(t.x AND t.y) OR t.x", "(t.x AND t.y) OR (t.y AND t.x AND t.a = 1)"],
    )
    def test_have_the_same_value_whatever_is_null(self, condition: str) -> None:
        after = where_of(condition)
        values = itertools.product(("TRUE", "FALSE", "NULL"), ("TRUE", "FALSE", "NULL"), ("1", "2", "NULL"))
        rows = ", ".join(f"({x}::BOOLEAN, {y}::BOOLEAN, {a}::INTEGER)" for x, y, a in values)
        with duckdb.connect() as database:
            found = database.execute(
                f"SELECT COUNT(*) FROM (VALUES {rows}) AS t(x, y, a) WHERE ({condition}) IS DISTINCT FROM ({after})"
            ).fetchall()
        assert found == [(0,)]


class TestExists:
    def test_asks_for_a_row_only(self) -> None:
        sql = "SELECT t.a FROM lake.shop.t AS t WHERE EXISTS (SELECT * FROM lake.shop.u AS u WHERE u.a = t.a)"
        assert "EXISTS(SELECT 1 AS one FROM" in simplified(sql)

    def test_keeps_an_aggregate_which_has_a_row_over_no_rows(self) -> None:
        sql = "SELECT t.a FROM lake.shop.t AS t WHERE EXISTS (SELECT COUNT(*) FROM lake.shop.u AS u WHERE u.a = t.a)"
        assert "COUNT(*)" in simplified(sql)


class TestWideningCasts:
    def test_do_not_hide_a_join(self) -> None:
        sql = "SELECT COUNT(*) AS n FROM lake.shop.t AS t JOIN lake.shop.u AS u ON CAST(t.a AS bigint) = u.a"
        assert "ON t.a = u.a" in simplified(sql)

    def test_stay_where_the_value_itself_is_asked(self) -> None:
        assert "CAST(t.a AS BIGINT) AS v" in simplified("SELECT CAST(t.a AS bigint) AS v FROM lake.shop.t AS t")

    def test_that_narrow_or_round_stay(self) -> None:
        sql = "SELECT u.a FROM lake.shop.u AS u WHERE CAST(u.a AS integer) = 1 AND CAST(u.d AS decimal(12,1)) = 2.5"
        assert simplified(sql).count("CAST(u.") == 2


class TestSelectPlaces:
    def test_number_every_select_depth_first(self) -> None:
        sql = "SELECT a FROM (SELECT a FROM lake.shop.t) q WHERE a IN (SELECT a FROM lake.shop.u)"
        tree = qualified(sql, CATALOG)
        assert sorted(select_places(tree).values()) == [0, 1, 2]
        assert select_places(tree)[id(tree)] == 0
