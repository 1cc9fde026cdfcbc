"""The parts of the Trino scripts that need no server."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_scripts import record_trino_cases, replay_on_trino, trino_server
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from tests.support.trino_cases import cases, recordings


class TestReplay:
    def test_finds_a_tables_files(self, tmp_path: Path) -> None:
        assert replay_on_trino.files_of(tmp_path, "s", "t") is None
        (tmp_path / "t.parquet").touch()
        assert replay_on_trino.files_of(tmp_path, "s", "t") == [tmp_path / "t.parquet"]
        (tmp_path / "s" / "t").mkdir(parents=True)
        (tmp_path / "s" / "t" / "part.parquet").touch()
        assert replay_on_trino.files_of(tmp_path, "s", "t") == [tmp_path / "s" / "t" / "part.parquet"]

    @pytest.mark.parametrize(
        ("sql", "keys"),
        [
            ("SELECT a, b AS c FROM t ORDER BY C DESC, 1", [1, 0]),
            ("SELECT a FROM t ORDER BY a + 1", None),
            ("SELECT a FROM t ORDER BY b", None),
            ("SELECT a FROM t", None),
        ],
    )
    def test_finds_the_order_keys_among_the_outputs(self, sql: str, keys: list[int] | None) -> None:
        assert replay_on_trino.order_keys(parse_statement(sql)) == keys

    def test_widens_the_tolerance_for_deviations_only(self) -> None:
        assert replay_on_trino.moments_of("SELECT corr(a, b), 1 FROM t", 2) == (0, 1)
        assert replay_on_trino.moments_of("SELECT sum(a) FROM t", 1) == ()

    def test_counts_failures(self, capsys: pytest.CaptureFixture[str]) -> None:
        tally = replay_on_trino.Tally()
        tally.note(True, "one")
        tally.note(False, "two")
        assert (tally.passed, tally.failed) == (1, 1)
        assert capsys.readouterr().out.splitlines() == ["ok   one", "FAIL two"]

    def test_refuses_ddl_that_creates_no_table(self) -> None:
        with pytest.raises(SystemExit, match="not a CREATE TABLE"):
            replay_on_trino.create_of("SELECT 1")


class TestServer:
    def test_says_when_there_is_no_java(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setattr(trino_server, "_java_version", lambda java: 'openjdk version "17"')
        with pytest.raises(trino_server.ServerFailed, match="no Java 25"):
            trino_server.find_java(str(tmp_path))

    def test_says_when_there_is_no_maven(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(trino_server.ServerFailed, match="install Maven"):
            trino_server.fetch(tmp_path)

    @pytest.mark.parametrize("script", [trino_server, record_trino_cases, replay_on_trino])
    def test_each_script_explains_itself(self, script: object, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            script.main(["--help"])  # type: ignore[attr-defined]
        assert ended.value.code == 0
        assert "usage" in capsys.readouterr().out


class TestRecordings:
    def test_each_case_is_recorded_and_nothing_else(self) -> None:
        assert sorted({case.sql for case in cases()} ^ set(recordings())) == []
