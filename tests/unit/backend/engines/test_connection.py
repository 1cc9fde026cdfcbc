"""From a url to sessions, facts and a built design, on real files."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import psutil
import pytest
from pytest import MonkeyPatch

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, NotCheckable, RunFailed, RunTimeout
from heavy_stack.backend.engines import duckdb_runner
from tests.unit.backend.engines.conftest import SALE, Task, known, opened

OTHER = Table(TableName("lake", "shop", "other"), (Column("a", "bigint"),))
ROLLUP = TableName("lake", "hs_1", "by_city")
CREATE = "CREATE TABLE lake.hs_1.by_city (city varchar, n bigint, total decimal(38,2)) WITH (format = 'PARQUET')"
INSERT = "INSERT INTO lake.hs_1.by_city SELECT city, count(*), sum(amount) FROM lake.shop.sale GROUP BY city"


class TestFolder:
    def test_a_query_reads_the_lake_under_the_ddls_names_and_types(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            session = opened(ports.runner.open_lake())
            sql = "SELECT id, city, amount AS Total, day FROM lake.shop.sale WHERE id < 3 ORDER BY id"
            found = session.query(sql, limit_s=10, max_rows=10)
            assert found.rows == [
                (1, "a", Decimal("1.50"), date(2024, 1, 1)),
                (2, "a", None, date(2024, 1, 2)),
            ]
            assert found.types == ("bigint", "varchar", "decimal(12,2)", "date")
            assert [name.lower() for name in found.names] == ["id", "city", "total", "day"]

    def test_tables_that_are_not_there_are_noted(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE, OTHER) as ports:
            assert ports.note == "1 of 2 tables cannot be read (lake.shop.other: it has no folder in the lake)."
            assert known(ports.facts).table_facts(OTHER, ["a"]) is None
            with pytest.raises(RunFailed):
                opened(ports.runner.open_lake()).query("SELECT a FROM lake.shop.other", limit_s=5, max_rows=1)

    def test_a_column_of_an_unknown_type_is_left_out_alone(self, task: Task, lake_root: Path) -> None:
        wide = replace(SALE, columns=(Column("tags", "map(varchar, bigint)"), *SALE.columns, Column("kind", "char(5)")))
        with task.connect(f"jdbc:duckdb:{lake_root}", wide) as ports:
            assert ports.note is None
            facts = known(ports.facts)
            seen = facts.table_facts(wide, ["tags", "city", "kind"])
            assert seen is not None
            assert list(seen.columns) == ["city"]
            session = opened(ports.runner.open_lake())
            assert session.query("SELECT count(*) FROM lake.shop.sale", limit_s=10, max_rows=1).rows == [(5,)]
            with pytest.raises((NotCheckable, RunFailed)):
                session.query("SELECT kind FROM lake.shop.sale", limit_s=10, max_rows=1)
            rows = {wide.name: [({"a": 1}, 1, "a", Decimal("1.5"), None, "x")]}
            ours = ports.runner.open_test_data([wide], rows, [])
            found = ours.query("SELECT id, amount FROM lake.shop.sale", limit_s=10, max_rows=2)
            assert found.rows == [(1, Decimal("1.50"))]

    def test_a_design_table_that_explodes_on_test_data_is_named(self, task: Task, monkeypatch: MonkeyPatch) -> None:
        monkeypatch.setattr(duckdb_runner, "_TEST_TABLE_LIMIT_S", 0.3)
        wide = Table(TableName("lake", "shop", "wide"), (Column("id", "bigint"),))
        joins = " ".join(f"JOIN lake.shop.wide t{i} ON t{i}.id = t0.id" for i in range(1, 8))
        insert = f"INSERT INTO lake.hs_1.n SELECT count(*) AS n FROM lake.shop.wide t0 {joins}"
        rows = {wide.name: [(1,)] * 100}
        with task.connect("jdbc:trino://nowhere.invalid/lake", wide) as ports:
            started = time.monotonic()
            with pytest.raises(RunTimeout, match=r"^lake\.hs_1\.n: ended at its time limit$"):
                ports.runner.open_test_data([wide], rows, [("CREATE TABLE lake.hs_1.n (n bigint)", insert)])
            assert time.monotonic() - started < 30

    def test_groups_of_a_table_that_is_not_there_stay_uncounted(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE, OTHER) as ports:
            asked = {"a": "SELECT a FROM lake.shop.other", "b": "SELECT city FROM lake.shop.sale"}
            assert known(ports.facts).count_groups(asked, limit_s=10) == {"a": None, "b": 3}

    def test_without_any_table_the_engine_counts_as_unreachable(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", OTHER) as ports:
            assert ports.facts is None
            assert "None of the DDL's tables" in str(ports.note)

    def test_a_damaged_file_is_a_reason(self, task: Task, lake_root: Path) -> None:
        (lake_root / "shop/sale/a.parquet").write_bytes(b"no parquet")
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            assert ports.facts is None
            assert "cannot be read" in str(ports.note)

    def test_the_snapshot_tells_that_data_changed(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            facts = known(ports.facts)
            assert facts.current_snapshot() == facts.snapshot
            os.utime(lake_root / "shop/sale/a.parquet", ns=(1, 1))
            assert facts.current_snapshot() != facts.snapshot

    def test_nothing_stays_behind(self, task: Task, lake_root: Path) -> None:
        before = sorted(lake_root.rglob("*"))
        children = {child.pid for child in psutil.Process().children(recursive=True)}
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            opened(ports.runner.open_lake())
            ports.runner.build([(ROLLUP, CREATE, INSERT)], limit_s=30)
            opened(ports.runner.open_design()).time("SELECT n FROM lake.hs_1.by_city", limit_s=5, repeat=1)
            assert list((task.options.scratch_dir / "task-1").rglob("*.parquet"))
        assert {child.pid for child in psutil.Process().children(recursive=True)} == children
        assert list(task.options.scratch_dir.iterdir()) == []
        assert sorted(lake_root.rglob("*")) == before


class TestDuckdbFile:
    @pytest.fixture
    def file(self, lake_root: Path) -> Path:
        path = lake_root / "lake.duckdb"
        with duckdb.connect(str(path)) as db:
            db.execute("CREATE SCHEMA shop")
            db.execute(f"CREATE TABLE shop.Sale AS SELECT * FROM '{lake_root}/shop/sale/*.parquet'")
            db.execute("CREATE TABLE shop.secret AS SELECT 42 AS x")
        return path

    def test_its_tables_are_read(self, task: Task, file: Path) -> None:
        content = file.read_bytes()
        with task.connect(f"jdbc:duckdb:{file}", SALE) as ports:
            facts = known(ports.facts)
            found = facts.table_facts(SALE, ["city"])
            assert found is not None
            assert (found.rows, found.columns["city"].values) == (5, ("a", "b"))
            assert found.bytes is not None
            assert found.bytes > 0
            session = opened(ports.runner.open_lake())
            rows = session.query("SELECT sum(amount) FROM lake.shop.sale", limit_s=5, max_rows=1).rows
            assert rows == [(Decimal("2.75"),)]
            (built,) = ports.runner.build([(ROLLUP, CREATE, INSERT)], limit_s=30)
            assert isinstance(built, BuiltTable)
            assert built.rows == 3
        assert file.read_bytes() == content

    def test_a_file_that_is_no_database_is_unreachable(self, task: Task, file: Path) -> None:
        file.write_bytes(b"nothing" * 1000)
        with task.connect(f"jdbc:duckdb:{file}", SALE) as ports:
            assert ports.facts is None
            assert "cannot be opened" in str(ports.note)


class TestUnreachable:
    @pytest.mark.parametrize("url", ["jdbc:trino://localhost:8080/lake", "jdbc:duckdb:/etc", "nonsense"])
    def test_rows_of_ours_can_still_be_run_on(self, task: Task, url: str) -> None:
        with task.connect(url, SALE) as ports:
            assert ports.facts is None
            assert ports.note
            assert ports.runner.open_lake() is None
            assert ports.runner.open_design() is None
            assert ports.runner.build([(ROLLUP, CREATE, INSERT)], limit_s=5) == ["no engine is reachable"]
            assert ports.runner.native_setup() == []
            session = ports.runner.open_test_data([SALE], {SALE.name: [(1, "a", Decimal("1.50"), None)]}, [])
            rows = session.query("SELECT city, amount FROM lake.shop.sale", limit_s=5, max_rows=5).rows
            assert rows == [("a", Decimal("1.50"))]
            session.close()

    def test_a_task_id_is_no_path(self, task: Task, tmp_path: Path) -> None:
        with task.connect("nonsense", SALE):
            assert [folder.name for folder in task.options.scratch_dir.iterdir()] == ["task-1"]


class TestFacts:
    def test_small_tables_are_counted_exactly(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            found = known(ports.facts).table_facts(SALE, ["CITY", "amount", "day", "unknown"])
        assert found is not None
        assert found.rows == 5
        assert found.bytes == sum(file.stat().st_size for file in (lake_root / "shop/sale").iterdir())
        assert found.columns == {
            "city": ColumnFacts(distinct=2, nulls=1, low="a", high="b", values=("a", "b")),
            "amount": ColumnFacts(4, 1, "-1.00", "2.25", ("-1.00", "0.00", "1.50", "2.25")),
            "day": ColumnFacts(3, 1, "2024-01-01", "2024-02-01", ("2024-01-01", "2024-01-02", "2024-02-01")),
        }

    def test_groups_are_counted_with_nulls(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            counts = known(ports.facts).count_groups(
                {
                    "city": "SELECT city FROM lake.shop.sale",
                    "both": "SELECT city, date_trunc('month', day) AS m FROM lake.shop.sale",
                    "grouped": "SELECT city, count(*) AS n FROM lake.shop.sale GROUP BY city",
                    "bad": "SELECT nothing FROM lake.shop.sale",
                },
                limit_s=30,
            )
        assert counts == {"city": 3, "both": 3, "grouped": 3, "bad": None}

    def test_no_time_is_no_count(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            counts = known(ports.facts).count_groups({"city": "SELECT city FROM lake.shop.sale"}, limit_s=0)
        assert counts == {"city": None}


class TestTestData:
    def test_exact_values_come_back(self, task: Task) -> None:
        kinds = (
            "decimal(38,10)",
            "double",
            "real",
            "date",
            "timestamp(6)",
            "varchar",
            "boolean",
            "varbinary",
            "integer",
        )
        table = Table(TableName("lake", "s", "t"), tuple(Column(f"c{i}", kind) for i, kind in enumerate(kinds)))
        rows = [
            (
                Decimal("-1234567890123456789012345678.0123456789"),
                -0.0,
                1.5,
                date(1, 1, 1),
                "2020-02-29 23:59:59.999999",
                "it's\n",
                True,
                b"\x00\xff",
                -(2**31),
            ),
            (Decimal(0), float("nan"), float("inf"), date(9999, 12, 31), None, "", False, b"", 2**31 - 1),
            (None,) * len(kinds),
        ]
        with task.connect("nonsense", table) as ports:
            session = ports.runner.open_test_data([table], {table.name: rows}, [])
            found = session.query("SELECT * FROM lake.s.t", limit_s=5, max_rows=5)
        assert found.types == kinds
        assert [str(value) for value in found.rows[0]] == [
            "-1234567890123456789012345678.0123456789",
            "-0.0",
            "1.5",
            "0001-01-01",
            "2020-02-29 23:59:59.999999",
            "it's\n",
            "True",
            "b'\\x00\\xff'",
            str(-(2**31)),
        ]
        assert [str(value) for value in found.rows[1][:4]] == ["0E-10", "nan", "inf", "9999-12-31"]
        assert found.rows[2] == rows[2]

    def test_the_design_is_built_on_them(self, task: Task) -> None:
        rows = {SALE.name: [(1, "a", Decimal("1.50"), None), (2, "a", None, None)]}
        with task.connect("nonsense", SALE) as ports:
            session = ports.runner.open_test_data([SALE, OTHER], rows, [(CREATE, INSERT)])
            found = session.query("SELECT city, n, total FROM lake.hs_1.by_city", limit_s=5, max_rows=5)
            assert found.rows == [("a", 2, Decimal("1.50"))]
            assert session.query("SELECT count(*) FROM lake.shop.other", limit_s=5, max_rows=5).rows == [(0,)]

    def test_a_table_that_cannot_be_built_is_named(self, task: Task) -> None:
        broken = CREATE.replace("n bigint", "n char(3)")
        with task.connect("nonsense", SALE) as ports:
            with pytest.raises(NotCheckable, match=r"^lake\.hs_1\.by_city: "):
                ports.runner.open_test_data([SALE], {}, [(broken, INSERT)])
            failing = INSERT.replace("count(*)", "CAST(max(city) AS bigint)")
            with pytest.raises(RunFailed, match=r"^lake\.hs_1\.by_city: "):
                ports.runner.open_test_data([SALE], {SALE.name: [(1, "a", None, None)]}, [(CREATE, failing)])

    def test_processes_are_used_again_with_nothing_left_in_them(self, task: Task) -> None:
        with task.connect("nonsense", SALE) as ports:
            first = ports.runner.open_test_data([SALE], {SALE.name: [(1, "a", None, None)]}, [(CREATE, INSERT)])
            first.close()
            children = {child.pid for child in psutil.Process().children(recursive=True)}
            second = ports.runner.open_test_data([SALE], {}, [])
            assert {child.pid for child in psutil.Process().children(recursive=True)} == children
            assert second.query("SELECT count(*) FROM lake.shop.sale", limit_s=5, max_rows=1).rows == [(0,)]

    def test_two_sessions_at_once_are_two_data_sets(self, task: Task) -> None:
        with task.connect("nonsense", SALE) as ports:
            sessions = [ports.runner.open_test_data([SALE], {SALE.name: [(i, "a", None, None)]}, []) for i in range(3)]
            found = [s.query("SELECT id FROM lake.shop.sale", limit_s=5, max_rows=1).rows for s in sessions]
            assert found == [[(0,)], [(1,)], [(2,)]]

    def test_several_threads_open_and_ask_at_once(self, task: Task) -> None:
        before = set(psutil.Process().children(recursive=True))
        with task.connect("nonsense", SALE) as ports:

            def ids(number: int) -> list[tuple[int]]:
                rows = {SALE.name: [(number, "a", None, None)]}
                session = ports.runner.open_test_data([SALE], rows, [(CREATE, INSERT)])
                try:
                    return session.query("SELECT id FROM lake.shop.sale", limit_s=5, max_rows=1).rows
                finally:
                    session.close()

            for start in (0, 6):  # processes that ended threads had asked for are used again
                with ThreadPoolExecutor(2) as pool:
                    found = list(pool.map(ids, range(start, start + 6)))
                assert found == [[(number,)] for number in range(start, start + 6)]
            assert len(set(psutil.Process().children(recursive=True)) - before) == 2


class TestSessions:
    def test_what_is_not_a_checked_select_does_not_run(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            session = opened(ports.runner.open_lake())
            for sql in (
                "SELECT x FROM lake.shop.secret",
                f"SELECT * FROM '{lake_root}/shop/secret/a.parquet'",
                f"SELECT * FROM TABLE(read_parquet('{lake_root}/shop/secret/a.parquet'))",
                "SELECT * FROM read_text('/etc/passwd')",
                "DROP TABLE lake.shop.sale",
                "SELECT 1; SELECT 2",
                "SELECT approx_distinct(city) FROM lake.shop.sale",
            ):
                with pytest.raises((NotCheckable, RunFailed)):
                    session.query(sql, limit_s=5, max_rows=1)

    def test_a_killed_process_is_replaced(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            before = {child.pid for child in psutil.Process().children(recursive=True)}
            session = opened(ports.runner.open_lake())
            (engine,) = {child.pid for child in psutil.Process().children(recursive=True)} - before
            os.kill(engine, signal.SIGSTOP)
            with pytest.raises(RunTimeout):
                session.query("SELECT count(*) FROM lake.shop.sale", limit_s=0.1, max_rows=1)
            assert session.query("SELECT count(*) FROM lake.shop.sale", limit_s=5, max_rows=1).rows == [(5,)]

    def test_the_tasks_end_is_every_querys_end(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            session = opened(ports.runner.open_lake())
            task.left = -1.0
            with pytest.raises(RunTimeout):
                session.query("SELECT 1", limit_s=5, max_rows=1)

    def test_times_are_positive_and_plain_is_allowed(self, task: Task, lake_root: Path) -> None:
        with task.connect(f"jdbc:duckdb:{lake_root}", SALE) as ports:
            session = opened(ports.runner.open_lake())
            sql = "SELECT city, avg(amount) FROM lake.shop.sale GROUP BY city"
            assert session.time(sql, limit_s=5, repeat=3) > 0
            assert session.time(sql, limit_s=5, repeat=3, plain=True) > 0
            session.close()
            session.close()
