"""Names and statements of design tables."""

from __future__ import annotations

from heavy_stack.backend.advisor.rewrite.statements import new_schema_name
from tests.support.rule_cases import run_stages

SALES = (
    "CREATE TABLE lake.shop.sales (channel varchar(20), tiny tinyint, small smallint, sold_at timestamp(3),"
    " price decimal(10, 2), amount double)"
)


class TestNewSchemaName:
    def test_is_made_from_the_task_and_free(self) -> None:
        name = new_schema_name("0A1B2C3D-4444-0000-0000-000000000000", set())
        assert name == "heavy_0a1b2c3d4444"
        assert new_schema_name("0a1b2c3d-4444", {name.upper()}) == f"{name}_2"


class TestDesignTable:
    def test_has_types_that_iceberg_stores_and_casts_back(self) -> None:
        query = (
            "SELECT tiny, MIN(small) AS low, MAX(sold_at) AS last, SUM(small) AS s FROM lake.shop.sales GROUP BY tiny"
        )
        run = run_stages([SALES], [query])
        (table,) = run.rewrite.tables
        assert [(column.name, column.type) for column in table.columns] == [
            ("tiny", "integer"),
            ("min_small", "integer"),
            ("max_sold_at", "timestamp(6)"),
            ("sum_small", "bigint"),
        ]
        assert 'CAST("sales"."tiny" AS INTEGER) AS "tiny"' in table.insert
        rewritten = run.rewritten() or ""
        assert 'CAST("r"."tiny" AS TINYINT)' in rewritten
        assert 'CAST("r"."min_small" AS SMALLINT)' in rewritten

    def test_is_refreshed_by_one_atomic_statement(self) -> None:
        run = run_stages([SALES], ["SELECT channel, COUNT(*) AS n FROM lake.shop.sales GROUP BY channel"])
        (table,) = run.rewrite.tables
        assert str(table.name) == "lake.heavy_0a1b2c3d0000.sales_by_channel"
        assert table.refresh.startswith('CREATE OR REPLACE TABLE "lake"."heavy_0a1b2c3d0000"."sales_by_channel" WITH')
        assert " AS SELECT " in table.refresh

    def test_is_dropped_where_no_text_reads_it(self) -> None:
        run = run_stages([SALES], ["SELECT channel FROM lake.shop.sales"])
        assert run.rewrite.tables == ()
        assert run.rewrite.texts == ()

    def test_by_rule_only_without_floating_point(self) -> None:
        queries = [
            "SELECT channel, AVG(price) AS p, SUM(small) AS s FROM lake.shop.sales GROUP BY channel",
            "SELECT channel, SUM(amount) AS a FROM lake.shop.sales GROUP BY channel",
        ]
        assert [text.by_rule for text in run_stages([SALES], queries).rewrite.texts] == [True, False]
