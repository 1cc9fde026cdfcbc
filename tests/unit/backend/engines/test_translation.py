"""Statements taken apart at their tokens; DDL and DROP for DuckDB."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.engines.translation import Translation, design_table, group_columns, split_insert

SALE = Table(TableName("lake", "shop", "sale"), (Column("a", "bigint"), Column("b", "varchar")))


class EchoTranslator:
    """Takes SQL that both dialects read the same way, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def to_duckdb(self, sql: str, catalog: Catalog, *, plain: bool = False) -> str:
        self.calls += 1
        if "nope(" in sql:
            raise NotCheckable("nope() is not checked")
        return sql

    def output_columns(self, sql: str, catalog: Catalog) -> list[tuple[str, str]]:
        return [("a", "bigint")]


class TestSplitInsert:
    @pytest.mark.parametrize(
        ("sql", "columns", "select"),
        [
            ("INSERT INTO c.s.t SELECT 1 ;", (), "SELECT 1"),
            ("insert into c . s . t (a, \"b c\") select 1, ';'", ("a", "b c"), "select 1, ';'"),
            ("INSERT INTO c.s.t (SELECT 1)", (), "(SELECT 1)"),
            (
                "INSERT INTO c.s.t (a) -- note\n WITH w AS (SELECT 1 AS a) SELECT a FROM w",
                ("a",),
                "WITH w AS (SELECT 1 AS a) SELECT a FROM w",
            ),
        ],
    )
    def test_the_select_is_the_texts_own(self, sql: str, columns: tuple[str, ...], select: str) -> None:
        found = split_insert(sql)
        assert (found.table, found.columns, found.select) == (TableName("c", "s", "t"), columns, select)

    @pytest.mark.parametrize(
        "sql", ["INSERT INTO t SELECT 1", "INSERT INTO c.s.t", "DELETE FROM c.s.t", "", "INSERT 'x"]
    )
    def test_anything_else_is_refused(self, sql: str) -> None:
        with pytest.raises(NotCheckable):
            split_insert(sql)


class TestDesignTable:
    def test_names_and_types_are_trinos(self) -> None:
        table = design_table(
            "CREATE TABLE c.\"s 1\".t (a decimal(12, 2), b timestamp(6), c varchar) WITH (format = 'PARQUET')"
        )
        assert table.name == TableName("c", "s 1", "t")
        assert [column.type for column in table.columns] == ["decimal(12,2)", "timestamp(6)", "varchar"]

    @pytest.mark.parametrize("sql", ["CREATE TABLE t (a bigint)", "CREATE TABLE c.s.t AS SELECT 1 AS a", "SELECT 1"])
    def test_anything_else_is_refused(self, sql: str) -> None:
        with pytest.raises(NotCheckable):
            design_table(sql)


class TestGroupColumns:
    def test_keys_are_what_holds_no_aggregate(self) -> None:
        assert group_columns("SELECT count(*) AS n, b, sum(a) + 1 AS s, upper(b) AS u FROM t GROUP BY 2, 4") == (1, 3)

    @pytest.mark.parametrize("sql", ["SELECT a FROM t", "SELECT b, count(*) FROM t GROUP BY b ORDER BY 2"])
    def test_other_selects_keep_their_own_order(self, sql: str) -> None:
        assert group_columns(sql) == ()


class TestStatements:
    @pytest.mark.parametrize(
        ("sql", "native"),
        [
            ("CREATE SCHEMA lake.h1", 'CREATE SCHEMA "lake"."h1"'),
            ("DROP SCHEMA IF EXISTS lake.h1", 'DROP SCHEMA IF EXISTS "lake"."h1"'),
            ("DROP TABLE IF EXISTS lake.h1.r", 'DROP TABLE IF EXISTS "lake"."h1"."r"'),
            ("CREATE TABLE lake.h1.r (n bigint) WITH (format = 'ORC')", 'CREATE TABLE "lake"."h1"."r" ("n" BIGINT)'),
            ("INSERT INTO lake.h1.r SELECT 1", 'INSERT INTO "lake"."h1"."r" SELECT 1'),
            ("SELECT a FROM lake.shop.sale", "SELECT a FROM lake.shop.sale"),
        ],
    )
    def test_each_statement_of_an_answer_has_a_form(self, sql: str, native: str) -> None:
        assert Translation((SALE,), EchoTranslator()).statement(sql) == native

    @pytest.mark.parametrize(
        "sql", ["DROP VIEW a.b.c", "DROP TABLE c", "CREATE VIEW a.b.c AS SELECT 1", "SELECT nope(1)", "CREATE SCHEMA s"]
    )
    def test_the_rest_is_not_checkable(self, sql: str) -> None:
        with pytest.raises(NotCheckable):
            Translation((SALE,), EchoTranslator()).statement(sql)


class TestMemory:
    def test_a_text_is_translated_once_also_when_it_cannot_be(self) -> None:
        translator = EchoTranslator()
        translation = Translation((SALE,), translator)
        for _ in range(3):
            assert translation.select("SELECT 1").sql == "SELECT 1"
            with pytest.raises(NotCheckable, match="not checked"):
                translation.select("SELECT nope(1)")
        assert translator.calls == 2

    def test_the_same_design_is_the_same_translation(self) -> None:
        translation = Translation((SALE,), EchoTranslator())
        other = design_table("CREATE TABLE lake.h1.r (n bigint)")
        assert translation.beside((SALE,), (other,)) is translation.beside((SALE,), (other,))
        assert translation.beside((SALE,), ()) is not translation.beside((SALE,), (other,))
