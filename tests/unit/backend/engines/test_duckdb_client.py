"""An engine process: what it refuses, when it ends, and that values pass unchanged."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from heavy_stack.backend.advisor.ports import RunFailed, RunTimeout
from heavy_stack.backend.engines.duckdb_client import EngineProcess, Opening, _ValueReader
from heavy_stack.backend.engines.options import EngineOptions

ENDLESS = "SELECT count(*) FROM range(100000000000) AS r(i) WHERE i % 7 = 8"


def ask(process: EngineProcess, sql: str, limit_s: float = 10.0) -> list[tuple[object, ...]]:
    return process.query(sql, limit_s=limit_s, max_rows=1000)[1]


def open_sale(process: EngineProcess, root: Path) -> None:
    source = f"read_parquet(['{root}/shop/sale/a.parquet'])"
    setup = (("", "CREATE SCHEMA shop"), ("", f"CREATE VIEW shop.sale AS SELECT * FROM {source}"))
    process.open(Opening(setup=setup, allowed=(str(root / "shop" / "sale"),)))


class TestLocks:
    def test_views_over_the_tasks_own_tables_can_be_read(self, process: EngineProcess, lake_root: Path) -> None:
        open_sale(process, lake_root)
        assert ask(process, "SELECT count(*) FROM shop.sale") == [(3,)]

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_parquet('{root}/shop/secret/a.parquet')",
            "SELECT * FROM read_parquet('{root}/shop/sale/../secret/a.parquet')",
            "SELECT * FROM read_parquet('{root}/shop/sale/link/a.parquet')",
            "SELECT * FROM read_parquet('{root}/shop/sale/link.parquet')",
            "SELECT * FROM read_parquet('{root}/*/*/*.parquet')",
            "SELECT * FROM '{root}/shop/secret/a.parquet'",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM glob('{root}/*/*')",
            "SELECT * FROM glob('/etc/*')",
            "SELECT getenv('HOME')",
            "SELECT * FROM sale_rows",
        ],
    )
    def test_other_files_cannot_be_read(self, process: EngineProcess, lake_root: Path, sql: str) -> None:
        (lake_root / "shop/sale/link").symlink_to(lake_root / "shop/secret")
        (lake_root / "shop/sale/link.parquet").symlink_to(lake_root / "shop/secret/a.parquet")
        open_sale(process, lake_root)
        sale_rows = [(1,)]  # DuckDB would otherwise find variables of the Python program around it
        with pytest.raises(RunFailed):
            ask(process, sql.format(root=lake_root))
        assert sale_rows

    @pytest.mark.parametrize(
        "sql",
        [
            "COPY (SELECT 1) TO '{root}/shop/sale/new.parquet'",
            "COPY (SELECT 1) TO '{root}/new.parquet'",
            "ATTACH '{root}/shop/sale/new.db' AS other",
            "ATTACH ':memory:' AS other",
            "DETACH memory",
            "LOAD httpfs",
            "INSTALL httpfs",
            "SET threads = 1",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "RESET lock_configuration",
            "PRAGMA threads = 1",
            "EXPORT DATABASE '{root}/shop/sale/out'",
            "CREATE TABLE t (a INTEGER)",
            "DROP VIEW shop.sale",
            "SELECT 1; COPY (SELECT 1) TO '{root}/shop/sale/new.parquet'",
            "CALL pragma_version()",
            "EXPLAIN ANALYZE SELECT 1",
            "",
        ],
    )
    def test_only_a_single_select_runs(self, process: EngineProcess, lake_root: Path, sql: str) -> None:
        open_sale(process, lake_root)
        files = sorted(lake_root.rglob("*"))
        with pytest.raises(RunFailed):
            ask(process, sql.format(root=lake_root))
        assert sorted(lake_root.rglob("*")) == files
        assert ask(process, "SELECT count(*) FROM shop.sale") == [(3,)]

    def test_the_lock_itself_refuses_settings_and_files_elsewhere(
        self, process: EngineProcess, lake_root: Path, tmp_path: Path
    ) -> None:
        for statement in ("SET threads = 1", "LOAD httpfs", f"COPY (SELECT 1) TO '{tmp_path}/new.parquet'"):
            with pytest.raises(RunFailed, match="locked|disabled"):
                process.open(Opening(design=(("", statement),)))

    def test_copy_writes_into_an_allowed_folder_only(self, process: EngineProcess, tmp_path: Path) -> None:
        inside, outside = tmp_path / "inside", tmp_path / "outside"
        for folder in (inside, outside):
            folder.mkdir()
        process.open(Opening(allowed=(str(inside),)))
        assert process.copy("SELECT 1 AS x", inside / "x.parquet", limit_s=5)[0] == 1
        for path in (outside / "x.parquet", inside / ".." / "outside" / "x.parquet"):
            with pytest.raises(RunFailed):
                process.copy("SELECT 1 AS x", path, limit_s=5)
        with pytest.raises(RunFailed):
            process.copy("SELECT 1) TO 'x' --", inside / "y.parquet", limit_s=5)
        assert list(outside.iterdir()) == []

    def test_the_process_has_none_of_our_environment(
        self, process: EngineProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HEAVY_AUTH_PASSWORD", "planted-secret")
        process.open(Opening())
        assert process.pid is not None
        assert "HEAVY_AUTH_PASSWORD" not in psutil.Process(process.pid).environ()


class TestLimits:
    def test_a_query_is_interrupted_at_its_time_limit(self, process: EngineProcess) -> None:
        process.open(Opening())
        pid, started = process.pid, time.monotonic()
        with pytest.raises(RunTimeout, match="time limit"):
            ask(process, ENDLESS, limit_s=0.3)
        assert time.monotonic() - started < 2
        assert ask(process, "SELECT 1") == [(1,)]
        assert process.pid == pid

    def test_a_process_that_does_not_answer_is_killed_and_replaced(self, process: EngineProcess) -> None:
        process.open(Opening(setup=(("", "CREATE TABLE t AS SELECT 7 AS x"),)))
        pid = process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(RunTimeout, match="ended after"):
            ask(process, "SELECT 1", limit_s=0.1)
        assert not psutil.pid_exists(pid)
        assert ask(process, "SELECT x FROM t") == [(7,)]

    def test_memory_beyond_the_limit_ends_the_query_only(self, process: EngineProcess) -> None:
        process.open(Opening())
        with pytest.raises(RunTimeout, match="memory limit"):
            ask(process, "SELECT list(i) FROM range(100000000) AS r(i)", limit_s=30)
        assert ask(process, "SELECT 1") == [(1,)]

    def test_a_result_beyond_the_process_limit_is_a_timeout(self, options: EngineOptions, tmp_path: Path) -> None:
        small = EngineOptions((), options.scratch_dir, memory_mb=64, threads=1, process_memory_mb=300)
        process = EngineProcess(small, tmp_path / "small")
        try:
            process.open(Opening())
            with pytest.raises(RunTimeout):
                process.query("SELECT repeat('x', 1000) || i FROM range(2000000) AS r(i)", limit_s=30, max_rows=10**9)
            assert ask(process, "SELECT 1") == [(1,)]
        finally:
            process.close()

    def test_more_rows_than_asked_for_are_cut(self, process: EngineProcess) -> None:
        process.open(Opening())
        _, rows, _, truncated = process.query("SELECT i FROM range(5000) AS r(i)", limit_s=5, max_rows=3)
        assert (rows, truncated) == ([(0,), (1,), (2,)], True)
        _, rows, _, truncated = process.query("SELECT i FROM range(3) AS r(i)", limit_s=5, max_rows=3)
        assert (len(rows), truncated) == (3, False)

    def test_no_time_left_is_a_timeout(self, process: EngineProcess) -> None:
        process.open(Opening())
        with pytest.raises(RunTimeout):
            ask(process, "SELECT 1", limit_s=0)

    def test_a_failing_statement_says_why_without_the_statement(self, process: EngineProcess) -> None:
        process.open(Opening())
        with pytest.raises(RunFailed) as failure:
            ask(process, "SELECT missing_column, 'secret literal' FROM range(3)")
        assert "missing_column" in str(failure.value)
        assert "secret literal" not in str(failure.value)


class TestKill:
    def test_a_process_killed_in_the_middle_is_a_timeout_and_the_next_query_works(self, process: EngineProcess) -> None:
        process.open(Opening(setup=(("", "CREATE TABLE t AS SELECT 7 AS x"),)))
        answered = threading.Event()

        def kill_until_answered() -> None:  # a kill before the question only makes it start again
            while not answered.wait(0.3):
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill_until_answered)
        killer.start()
        try:
            with pytest.raises(RunTimeout):
                ask(process, "SELECT sum(a.i * b.i) FROM range(10000000) AS a(i), range(10000000) AS b(i)", limit_s=60)
        finally:
            answered.set()
            killer.join()
        assert ask(process, "SELECT x FROM t") == [(7,)]

    def test_a_process_that_is_gone_is_replaced_at_the_next_query(self, process: EngineProcess) -> None:
        process.open(Opening(setup=(("", "CREATE TABLE t AS SELECT 7 AS x"),)))
        gone = process.pid
        assert gone is not None
        os.kill(gone, signal.SIGKILL)
        os.waitid(os.P_PID, gone, os.WEXITED | os.WNOWAIT)
        assert ask(process, "SELECT x FROM t") == [(7,)]
        assert process.pid != gone

    def test_close_ends_the_process_and_removes_its_files(self, process: EngineProcess, tmp_path: Path) -> None:
        process.open(Opening())
        pid = process.pid
        assert pid is not None
        process.close()
        assert not psutil.pid_exists(pid)
        assert not (tmp_path / "scratch" / "temp").exists()

    def test_the_process_ends_with_its_parent(self, tmp_path: Path) -> None:
        program = (
            "import sys, time; from pathlib import Path\n"
            "from heavy_stack.backend.engines.duckdb_client import EngineProcess, Opening\n"
            "from heavy_stack.backend.engines.options import EngineOptions\n"
            f"process = EngineProcess(EngineOptions((), Path({str(tmp_path)!r})), Path({str(tmp_path / 'temp')!r}))\n"
            "process.open(Opening()); print(process.pid, flush=True)\n"
            f"process.query({ENDLESS!r}, limit_s=600, max_rows=1)\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
            assert parent.stdout is not None
            engine = psutil.Process(int(parent.stdout.readline()))
            assert engine.is_running()
            parent.kill()
        engine.wait(timeout=5)
        assert not engine.is_running()


class TestValues:
    def test_values_come_back_as_they_are(self, process: EngineProcess) -> None:
        process.open(Opening())
        sql = (
            "SELECT NULL, true, 1::HUGEINT, 1.50::DECIMAL(10,2), 0::DECIMAL(4,3), -0.0::DOUBLE, 'nan'::DOUBLE, "
            "'-inf'::DOUBLE, 'a\u00e9\n', '\\x00\\xff'::BLOB, DATE '0001-01-01', "
            "TIMESTAMP '2020-01-01 01:02:03.000001', TIME '23:59:59.999999', TIMESTAMPTZ '2020-01-01 00:00:00+02', "
            "[1, NULL], {'a': 1}, uuid()"
        )
        row = ask(process, sql)[0]
        assert [str(value) for value in row[:5]] == ["None", "True", "1", "1.50", "0.000"]
        zero, nan, infinity = row[5:8]
        assert isinstance(zero, float) and math.copysign(1, zero) == -1
        assert isinstance(nan, float) and math.isnan(nan)
        assert infinity == -math.inf
        assert row[8:10] == ("aé\n", b"\x00\xff")
        assert [str(value) for value in row[10:14]] == [
            "0001-01-01",
            "2020-01-01 01:02:03.000001",
            "23:59:59.999999",
            "2019-12-31 22:00:00+00:00",
        ]
        assert row[14:16] == ([1, None], {"a": 1})

    def test_a_reply_can_hold_nothing_but_values(self) -> None:
        import io

        with pytest.raises(pickle.UnpicklingError, match=r"posix\.system"):
            _ValueReader(io.BytesIO(pickle.dumps(os.system))).load()

    def test_a_second_run_is_timed_like_the_first(self, process: EngineProcess) -> None:
        process.open(Opening())
        seconds = process.time("SELECT sum(i) FROM range(1000000) AS r(i)", limit_s=5, repeat=4)
        assert len(seconds) == 4
        assert all(0 < second < 5 for second in seconds)
        assert ask(process, "SELECT current_setting('enable_external_file_cache')") == [(False,)]
