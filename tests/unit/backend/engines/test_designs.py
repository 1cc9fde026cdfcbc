"""Designs, large tables and little memory: what a real lake asks of the engine."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, NotCheckable
from tests.unit.backend.engines.conftest import SALE, Task, known, opened

OTHER = Table(TableName("lake", "shop", "other"), (Column("a", "bigint"),))
ROLLUP = TableName("lake", "hs_1", "by_city")
CREATE = "CREATE TABLE lake.hs_1.by_city (city varchar, n bigint, total decimal(38,2)) WITH (format = 'PARQUET')"
INSERT = "INSERT INTO lake.hs_1.by_city SELECT city, count(*), sum(amount) FROM lake.shop.sale GROUP BY city"


class TestDesign:
    def test_tables_are_built_as_one_ordered_parquet_file_each(self, task: Task, lake_root: Path) -> None:
        bad = TableName("lake", "hs_1", "bad")
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            built, why = ports.runner.build(
                [
                    (ROLLUP, CREATE, INSERT),
                    (
                        bad,
                        "CREATE TABLE lake.hs_1.bad (n bigint)",
                        "INSERT INTO lake.hs_1.bad SELECT no FROM lake.shop.sale",
                    ),
                ],
                limit_s=30,
            )
            assert isinstance(built, BuiltTable)
            assert (built.name, built.rows) == (ROLLUP, 3)
            assert isinstance(why, str)
            assert why.startswith("lake.hs_1.bad: ")
            (file,) = (task.options.scratch_dir / "task-1").rglob("*.parquet")
            assert built.bytes == file.stat().st_size
            with duckdb.connect() as db:
                rows = db.execute(f"SELECT * FROM '{file}'").fetchall()
                assert [row[0] for row in rows] == ["a", "b", None]
                codec = db.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{file}')").fetchall()
                assert codec == [("ZSTD",)]
            session = opened(ports.runner.open_design())
            joined = (
                "SELECT r.n, count(*) AS c FROM lake.hs_1.by_city AS r JOIN lake.shop.sale AS s ON r.city = s.city "
                "GROUP BY r.n, r.city ORDER BY r.city"
            )
            assert session.query(joined, limit_s=5, max_rows=5).rows == [(2, 2), (2, 2)]
            total = session.query("SELECT sum(total) AS t FROM lake.hs_1.by_city", limit_s=5, max_rows=5)
            assert (total.types, total.rows) == (("decimal(38,2)",), [(Decimal("2.75"),)])

    def test_what_was_built_before_is_not_built_again(self, task: Task, lake_root: Path) -> None:
        other = TableName("lake", "hs_1", "by_city_2")
        renamed = (other, CREATE.replace("by_city", "by_city_2"), INSERT.replace("by_city", "by_city_2", 1))
        narrower = CREATE.replace(", total decimal(38,2)", ""), INSERT.replace(", sum(amount)", "")
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            first = ports.runner.build([(ROLLUP, CREATE, INSERT), renamed], limit_s=30)
            assert list(ports.runner.build([renamed, (ROLLUP, CREATE, INSERT)], limit_s=30)) == [*reversed(first)]
            assert len([*(task.options.scratch_dir / "task-1").rglob("*.parquet")]) == 2
            (built,) = ports.runner.build([(ROLLUP, *narrower)], limit_s=30)
            assert isinstance(built, BuiltTable)
            session = opened(ports.runner.open_design())
            assert session.query("SELECT * FROM lake.hs_1.by_city", limit_s=5, max_rows=5).names == ("city", "n")
            kept = session.query("SELECT * FROM lake.hs_1.by_city_2", limit_s=5, max_rows=5)
            assert kept.names == ("city", "n", "total")

    def test_a_build_that_takes_too_long_is_a_reason(self, task: Task, lake_root: Path) -> None:
        long = (
            "INSERT INTO lake.hs_1.by_city SELECT a.city, count(*), sum(a.amount) FROM "
            + " CROSS JOIN ".join(f"lake.shop.sale AS {name}" for name in "abcdefghijklmnop")
            + " GROUP BY a.city"
        )
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            results = ports.runner.build([(ROLLUP, CREATE, long)], limit_s=0.5)
            assert ["limit" in str(result) for result in results] == [True]

    def test_the_answer_for_duckdb_runs_as_such(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            statements = [
                *ports.runner.native_setup(),
                ports.runner.native("CREATE SCHEMA lake.hs_1"),
                ports.runner.native(CREATE),
                ports.runner.native(INSERT, [CREATE]),
            ]
            query = ports.runner.native("SELECT city, n FROM lake.hs_1.by_city ORDER BY city", [CREATE])
            rollback = [
                ports.runner.native("DROP TABLE IF EXISTS lake.hs_1.by_city"),
                ports.runner.native("DROP SCHEMA IF EXISTS lake.hs_1"),
            ]
            with pytest.raises(NotCheckable):
                ports.runner.native("SELECT city, n FROM lake.hs_1.by_city")
        with duckdb.connect() as db:
            for statement in statements:
                db.execute(statement)
            assert db.execute(query).fetchall() == [("a", 2), ("b", 2), (None, 1)]
            for statement in rollback:
                db.execute(statement)


class TestLargeTable:
    @pytest.fixture
    def big(self, lake_root: Path) -> Table:
        folder = lake_root / "shop/big"
        folder.mkdir()
        with duckdb.connect() as db:
            select = (
                "SELECT i::BIGINT AS id, (hash(i) % 16)::INTEGER AS few, (hash(i + 1) % 17)::INTEGER AS seventeen, "
                "CASE WHEN i % 10 = 0 THEN NULL ELSE 'n' || (hash(i) % 5000) END AS name, i % 3 = 0 AS flag "
                "FROM range(1000000) AS r(i)"
            )
            db.execute(f"COPY ({select}) TO '{folder}/a.parquet'")
        columns = (
            ("id", "bigint"),
            ("few", "integer"),
            ("seventeen", "integer"),
            ("name", "varchar"),
            ("flag", "boolean"),
        )
        return Table(TableName("lake", "shop", "big"), tuple(Column(*column) for column in columns))

    def test_tells_a_date_that_the_rows_follow(self, task: Task, lake_root: Path) -> None:
        folder = lake_root / "shop/log"
        folder.mkdir()
        with duckdb.connect() as db:
            select = (
                "SELECT DATE '2020-01-01' + (i // 1000)::INTEGER AS day, "
                "DATE '2020-01-01' + (hash(i) % 300)::INTEGER AS due, i AS id FROM range(300000) AS r(i)"
            )
            db.execute(f"COPY ({select}) TO '{folder}/a.parquet' (ROW_GROUP_SIZE 10240)")
        columns = (Column("day", "date"), Column("due", "date"), Column("id", "bigint"))
        table = Table(TableName("lake", "shop", "log"), columns)
        with task.connect(f"jdbc:duckdb:{lake_root}", table) as ports:
            found = known(ports.facts).table_facts(table, ["day", "due", "id"])
        assert found is not None
        assert [name for name, fact in found.columns.items() if fact.in_order] == ["day"]

    def test_few_values_are_exact_and_the_rest_is_close(self, task: Task, lake_root: Path, big: Table) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", big) as ports:
            found = known(ports.facts).table_facts(big, [column.name for column in big.columns])
            assert found is not None
            assert found.rows == 1_000_000
            facts = found.columns
            assert facts["few"].values is not None
            assert (facts["few"].distinct, len(facts["few"].values)) == (16, 16)
            assert (facts["seventeen"].distinct, facts["seventeen"].values) == (17, None)
            assert facts["flag"] == ColumnFacts(2, 0, "false", "true", ("false", "true"))
            assert facts["name"].nulls == 100_000
            assert facts["name"].distinct == pytest.approx(5000, rel=0.2)
            assert facts["id"].distinct == pytest.approx(1_000_000, rel=0.2)
            assert (facts["id"].low, facts["id"].high) == ("0", "999999")
            counts = known(ports.facts).count_groups(
                {"a": "SELECT few, flag FROM lake.shop.big", "b": "SELECT name, few FROM lake.shop.big"}, limit_s=30
            )
            assert counts["a"] == pytest.approx(32, rel=0.2)
            assert counts["b"] == pytest.approx(10_016, rel=0.2)


class TestMemory:
    def test_a_table_larger_than_memory_is_built_on_disk(self, task: Task, lake_root: Path) -> None:
        task.options = replace(task.options, memory_mb=64, threads=1)
        create = "CREATE TABLE lake.hs_1.by_city (id bigint, city varchar, n bigint)"
        insert = (
            "INSERT INTO lake.hs_1.by_city SELECT a.id * 3125 + b.id * 625 + c.id * 125 + d.id * 25 + e.id * 5 + f.id, "
            "concat(a.city, b.city), count(*) FROM "
            + " CROSS JOIN ".join(f"lake.shop.sale AS {name}" for name in "abcdef")
            + " GROUP BY 1, 2"
        )
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            (built,) = ports.runner.build([(ROLLUP, create, insert)], limit_s=60)
            assert isinstance(built, BuiltTable), built
