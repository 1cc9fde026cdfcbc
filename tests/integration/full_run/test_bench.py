"""The outside measurement, on a small copy of the sample: server, answer, both sides, moved literals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.architecture.repository import ROOT


class TestBench:
    def test_measures_the_sample_and_its_moved_literals(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "dev_scripts.bench", "sample", "--rows", "20000", "--root", str(tmp_path)]
        quick = ["--rounds", "1", "--seeds", "1", "--no-baselines"]
        first = subprocess.run([*command, *quick], check=False, cwd=ROOT, capture_output=True, text=True, timeout=280)
        assert first.returncode == 0, first.stdout[-2000:] + first.stderr[-2000:]
        (file,) = tmp_path.glob("runs/*/figures.json")
        figures = json.loads(file.read_text())
        assert len(figures["queries"]) == 20
        assert all(query["before_s"] > 0 for query in figures["queries"])
        assert figures["shifted"]["1"]["wrong"] == []
        assert "ΣQA/ΣQT" in first.stdout
        assert "hard kept" in first.stdout
