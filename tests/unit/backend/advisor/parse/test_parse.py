"""DDL and texts: nothing is lost, nothing is guessed, and each reason has its place."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import Column, ParsedText, TableName
from heavy_stack.backend.advisor.parse.ddl import read_tables
from heavy_stack.backend.advisor.parse.texts import TextReader, url_defaults
from heavy_stack.errors import SqlSyntax
from heavy_stack.shared_models.verdicts import Reason

SALES = "CREATE TABLE lake.shop.sales (id bigint, channel varchar(20), sold_on date, price decimal(10, 2))"


def read(text: str) -> ParsedText:
    return TextReader(read_tables([SALES]), "lake", "shop").read(0, text)


class TestReadTables:
    def test_reads_names_types_and_properties(self) -> None:
        ddl = (
            'CREATE TABLE IF NOT EXISTS Lake.shop."Order Lines" ("Line No" integer NOT NULL COMMENT \'n\', ts timestamp'
            ", tags array(varchar)) COMMENT 'x' WITH (format = 'ORC', partitioning = ARRAY['month(ts)']);"
        )
        (table,) = read_tables(["CREATE SCHEMA lake.shop", ddl])
        assert table.name == TableName("lake", "shop", "order lines")
        assert table.columns[0] == Column("line no", "integer", nullable=False)
        assert [column.type for column in table.columns] == ["integer", "timestamp(3)", "array(varchar)"]
        assert table.properties["partitioning"] == "ARRAY['month(ts)']"
        assert table.statement == 1

    def test_passes_over_other_ddl(self) -> None:
        others = ["CREATE VIEW lake.shop.v AS SELECT 1", "ANALYZE lake.shop.sales", "what is this"]
        assert len(read_tables([SALES, *others])) == 1

    def test_says_where_a_table_does_not_parse(self) -> None:
        with pytest.raises(SqlSyntax) as caught:
            read_tables([SALES, "CREATE TABLE lake.shop.t (a integer,\n b nosuch type)"])
        assert caught.value.context["statement"] == 2
        assert caught.value.context["line"] == 2

    @pytest.mark.parametrize(
        ("ddl", "words"),
        [
            (["CREATE TABLE shop.t (a integer)"], "catalog.schema.table"),
            (["CREATE TABLE a.b.c.d (x integer)"], "catalog.schema.table"),
            (["CREATE TABLE a.b.c (x integer)", "CREATE TABLE d.b.c (x integer)"], "several catalogs"),
            (["CREATE TABLE a.b.c (x integer)", "CREATE TABLE a.b.C (y integer)"], "created twice"),
            (["CREATE TABLE a.b.c (x integer, X bigint)"], "column x twice"),
            (["CREATE TABLE a.b.c"], "line 1, column 18: table a.b.c has no column list: write its columns"),
            (["CREATE TABLE a.b.c AS SELECT 1 AS x"], "line 1, column 18: .* from a query: write its columns"),
            (["CREATE TABLE a.b.c (x integer);\nCREATE TABLE a.b.d (x integer)"], "line 1, .* entry of its own"),
            (["CREATE TABLE a.b.c (LIKE a.b.d)"], "LIKE a table that no statement before it creates: send that"),
            (["CREATE SCHEMA a.b"], "No DDL statement"),
        ],
    )
    def test_refuses_what_has_no_meaning(self, ddl: list[str], words: str) -> None:
        with pytest.raises(SqlSyntax, match=words):
            read_tables(ddl)

    def test_takes_the_same_table_twice_once(self) -> None:
        assert len(read_tables([SALES, SALES])) == 1


class TestTextReader:
    def test_completes_names_and_drops_the_semicolon(self) -> None:
        found = read("SELECT count(*) /* all */ FROM sales ;")
        assert found.reason is None
        assert found.answer == "SELECT count(*) /* all */ FROM lake.shop.sales "
        assert found.sql == found.answer
        assert found.tables == (TableName("lake", "shop", "sales"),)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("SELEC 1", Reason.UNPARSABLE),
            ("SELECT channel FROM sales -- by channel GROUP BY channel ORDER BY (", None),
            ("SELECT (channel FROM sales", Reason.UNPARSABLE),
            ("DELETE FROM sales", Reason.NOT_A_SELECT),
            ("SELECT 1; SELECT 2", Reason.NOT_A_SELECT),
            ("SELECT * FROM nosuch", Reason.UNKNOWN_TABLE),
            ("SELECT nosuch FROM sales", Reason.UNKNOWN_TABLE),
            ("SELECT * FROM a.b.c.d.e", Reason.UNKNOWN_TABLE),
            ("SELECT * FROM TABLE(lake.system.query(query => 'x'))", Reason.NOT_CHECKABLE),
            ("SELECT x.v FROM sales s CROSS JOIN LATERAL (SELECT s.price + 1 AS v) x", None),
            ("SELECT * FROM sales s LEFT JOIN LATERAL (SELECT s.price + 1 AS v) x ON TRUE", None),
            ("SELECT x.w FROM sales s CROSS JOIN LATERAL (SELECT s.price + 1 AS v) x", Reason.UNKNOWN_TABLE),
            ("SELECT x.v FROM sales s CROSS JOIN LATERAL (SELECT s.price + 1 AS v) x(w)", Reason.UNKNOWN_TABLE),
            ("SELECT random() AS r FROM sales", Reason.NONDETERMINISTIC),
            ("SELECT count(*) AS n FROM sales WHERE sold_on < CURRENT_DATE", None),
            ("SELECT " + "(" * 400 + "1" + ")" * 400 + " AS x", Reason.TOO_LARGE),
            ("SELECT 1 AS x FROM sales WHERE id IN (" + ", ".join(map(str, range(20_000))) + ")", None),
        ],
    )
    def test_keeps_aside_with_a_reason(self, text: str, reason: Reason | None) -> None:
        found = read(text)
        assert found.reason == reason
        assert (found.sql is None) == (reason is not None)
        assert bool(found.detail) == (reason is not None)

    def test_gives_back_byte_for_byte_what_does_not_parse(self) -> None:
        text = "SELECT 'é\n' FORM  sales ;"
        assert read(text).answer == text

    def test_names_the_comment_that_eats_the_rest(self) -> None:
        found = read("SELECT channel, count(*) FROM sales -- all of it GROUP BY channel")
        assert found.reason is not None
        assert "comment at line 1, column 37" in (found.detail or "")

    def test_says_which_column_is_unknown_and_where(self) -> None:
        found = read("SELECT id,\n  colour FROM sales")
        assert "colour" in (found.detail or "").lower()

    def test_gives_texts_that_differ_in_literals_one_fingerprint(self) -> None:
        one, two = read("SELECT id FROM sales WHERE price > 5"), read("select ID from sales where price > 7.5")
        assert one.fingerprint == two.fingerprint


class TestUrlDefaults:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("jdbc:trino://host:8080/lake/shop?user=me", ("lake", "shop")),
            ("jdbc:trino://host:8080/lake", ("lake", None)),
            ("jdbc:trino://host", (None, None)),
            ("jdbc:duckdb:/data/lake", (None, None)),
            ("nonsense", (None, None)),
        ],
    )
    def test_reads_catalog_and_schema(self, url: str, expected: tuple[str | None, str | None]) -> None:
        assert url_defaults(url) == expected
