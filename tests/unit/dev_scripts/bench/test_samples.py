"""The two ugly workloads: their generators, and that every query is understood."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dev_scripts.bench.texts import Texts
from dev_scripts.bench.workloads import SAMPLES


def make(script: str, *arguments: str) -> None:
    subprocess.run([sys.executable, str(SAMPLES / script), *arguments], check=True, capture_output=True)


class TestVault:
    def test_has_a_folder_for_each_table_of_its_ddl(self, tmp_path: Path) -> None:
        make("make_vault.py", str(tmp_path), "--rows", "1200")
        texts = Texts(json.loads((SAMPLES / "vault.json").read_bytes()))
        assert len(texts.tables) == 28
        assert sorted(table.name.name for table in texts.tables) == sorted(
            folder.name for folder in (tmp_path / "raw_vault").iterdir()
        )
        not_analysed = [texts.queries[text.text].queryid for text in texts.parsed.texts if text.sql is None]
        assert not_analysed == ["sample-of-payments"]  # random()


class TestDashboards:
    @pytest.fixture
    def log(self, tmp_path: Path) -> Texts:
        make("dashboard_log.py", str(tmp_path / "log.json"), "--queries", "200")
        return Texts(json.loads((tmp_path / "log.json").read_bytes()))

    def test_every_text_is_understood(self, log: Texts) -> None:
        assert len(log.queries) == 200
        not_analysed = {log.queries[text.text].queryid.split("-")[0] for text in log.parsed.texts if text.sql is None}
        assert not_analysed <= {"explore_percentile"}  # a sketch that depends on the order of its input

    def test_few_shapes_make_many_texts(self, log: Texts) -> None:
        assert len({query.shape for query in log.queries}) < len({query.text for query in log.queries}) * 0.7

    def test_makes_its_table(self, tmp_path: Path) -> None:
        make("make_dashboards.py", str(tmp_path), "--rows", "2000")
        assert list((tmp_path / "web" / "events").glob("*.parquet"))
