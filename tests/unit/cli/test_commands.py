"""The command as a process: usage, exit codes, and one line for each expected error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

CLOSED_PORT = "http://127.0.0.1:9"


def _heavy_stack(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HEAVY_", "DB_", "DATABASE_"))}
    environment = {
        **clean,
        "HEAVY_DATA_DIR": str(folder / "data"),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        **settings,
    }
    command = [sys.executable, "-m", "heavy_stack", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


class TestSubmit:
    def test_file_that_is_not_there_is_wrong_input(self, tmp_path: Path) -> None:
        done = _heavy_stack("submit", "nowhere.json", folder=tmp_path)
        assert done.returncode == 2
        assert "nowhere.json" in done.stderr
        assert "Traceback" not in done.stderr

    def test_server_that_is_not_there_has_its_own_exit_code(self, tmp_path: Path) -> None:
        (tmp_path / "w.json").write_text("{}")
        done = _heavy_stack("submit", "w.json", "--server", CLOSED_PORT, folder=tmp_path)
        assert done.returncode == 3
        assert "heavy-stack serve" in done.stderr


class TestDatabase:
    def test_upgrade_downgrade_current_history(self, tmp_path: Path) -> None:
        assert _heavy_stack("db", "upgrade", folder=tmp_path).returncode == 0
        current = _heavy_stack("db", "current", folder=tmp_path).stdout.strip()
        assert current in _heavy_stack("db", "history", folder=tmp_path).stdout
        assert _heavy_stack("db", "downgrade", "base", folder=tmp_path).stdout.strip() == "(empty)"


class TestDoctor:
    def test_names_every_check_and_succeeds_on_a_fresh_folder(self, tmp_path: Path) -> None:
        done = _heavy_stack("doctor", folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "DuckDB" in done.stdout

    def test_wrong_setting_is_one_line_that_names_it(self, tmp_path: Path) -> None:
        done = _heavy_stack("doctor", folder=tmp_path, HEAVY_PORT="eighty")
        assert done.returncode == 2
        assert "HEAVY_PORT" in done.stderr
        assert "Traceback" not in done.stderr

    def test_password_never_shows_in_an_error(self, tmp_path: Path) -> None:
        url = "mysql://u:planted-secret@h/db"
        done = _heavy_stack("doctor", folder=tmp_path, HEAVY_DATABASE_URL=url, HEAVY_AUTH_PASSWORD="x")
        assert done.returncode != 0
        assert "planted-secret" not in done.stdout + done.stderr


class TestSample:
    def test_sample_workload_names_only_tables_that_the_generator_makes(self, tmp_path: Path) -> None:
        done = _heavy_stack("dev", "sample", "--rows", "1000", "--folder", str(tmp_path / "lake"), folder=tmp_path)
        assert done.returncode == 0, done.stderr
        workload = json.loads((ROOT / "static" / "samples" / "retail.json").read_text())
        tables = {s["statement"].split("(")[0].split(".")[-1].strip() for s in workload["ddl"]}
        assert {path.name for path in (tmp_path / "lake" / "store").iterdir()} == tables

    @pytest.mark.parametrize("least", [15])
    def test_sample_workload_has_enough_queries_with_run_counts(self, least: int) -> None:
        workload = json.loads((ROOT / "static" / "samples" / "retail.json").read_text())
        assert len(workload["queries"]) >= least
        assert all(query["runquantity"] > 0 for query in workload["queries"])
