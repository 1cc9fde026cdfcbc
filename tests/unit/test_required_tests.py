"""HEAVY_TEST_REQUIRE=all: a test that cannot run is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

SKIPS = """
import pytest
def test_skips(): pytest.skip("no such server: make server_start")
@pytest.mark.skip(reason="never")
def test_is_marked(): ...
@pytest.mark.xfail(strict=True)
def test_is_expected_to_fail(): assert False
def test_passes(): ...
"""


class TestRequireAll:
    @staticmethod
    def run(folder: Path, source: str, require: str) -> tuple[int, str]:
        (folder / "conftest.py").write_text(
            "from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport\n"
        )
        (folder / "test_given.py").write_text(source)
        environment = {**os.environ, "HEAVY_TEST_REQUIRE": require, "PYTHONPATH": str(ROOT)}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--rootdir",
            str(folder),
            "-p",
            "no:cacheprovider",
            str(folder),
        ]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def test_a_skip_fails_and_says_why(self, tmp_path: Path) -> None:
        code, output = self.run(tmp_path, SKIPS, "all")
        assert code == 1
        assert "1 failed, 1 passed, 1 xfailed, 1 error" in output
        assert "no such server: make server_start" in output

    def test_a_module_that_skips_itself_fails(self, tmp_path: Path) -> None:
        code, output = self.run(tmp_path, "import pytest\npytest.skip('nothing here', allow_module_level=True)", "all")
        assert code != 0
        assert "nothing here" in output

    @pytest.mark.parametrize("require", ["", "some"])
    def test_without_it_a_skip_is_a_skip(self, tmp_path: Path, require: str) -> None:
        code, output = self.run(tmp_path, SKIPS, require)
        assert code == 0
        assert "1 passed, 2 skipped, 1 xfailed" in output
