"""add_rule, run as a developer runs it, in a copy of the repository: what it writes passes the project's checks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

RULES = "heavy_stack/backend/advisor/rules/__init__.py"
SUMMARY = "Keep the last row of each month beside the fact"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository's sources and tests."""
    folder = tmp_path / "copy"
    skip = shutil.ignore_patterns("__pycache__", "vendor", "node_modules")
    for name in ("heavy_stack", "brython", "dev_scripts", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


def run(folder: Path, *command: str, answer: str = "", code: int = 0) -> str:
    path = os.pathsep.join([str(folder), str(folder / "brython")])
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


class TestAddRule:
    @pytest.mark.timeout(300)
    def test_what_it_writes_passes_the_checks_and_shows_where_to_go_on(self, copy: Path) -> None:
        output = run(copy, "dev_scripts/add_rule.py", "store_month_ends", SUMMARY)
        written = [line.removeprefix("Wrote ") for line in output.splitlines() if line.startswith("Wrote ")]
        python = [path for path in written if path.endswith(".py")]
        assert len(python) == 2
        run(copy, "-m", "ruff", "check", *python, RULES)
        run(copy, "-m", "ruff", "format", "--check", *python, RULES)
        run(copy, "-m", "mypy", python[0], RULES)
        checks = ("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider")
        assert "3 passed" in run(copy, *checks, "tests/architecture/test_rules.py", "-k", "store_month_ends")
        # Silent until its `match` finds something: the fixtures that rewrite wait for it, nothing else changed.
        own = run(copy, *checks, python[1], code=1)
        assert "2 failed, 4 passed" in own

    def test_a_second_rule_is_listed_after_the_first_and_long_lists_are_wrapped(self, copy: Path) -> None:
        for number in range(4):
            run(copy, "dev_scripts/add_rule.py", f"rearrange_the_long_name_of_number_{number}", SUMMARY)
        run(copy, "-m", "ruff", "check", RULES)
        run(copy, "-m", "ruff", "format", "--check", RULES)
        listed = run(copy, "-c", "from heavy_stack.backend.advisor.rules import RULES; print([r.id for r in RULES])")
        assert listed.index("number_0") < listed.index("number_3")

    def test_asks_when_nothing_is_given(self, copy: Path) -> None:
        output = run(copy, "dev_scripts/add_rule.py", "--family", "layout", answer=f"sort_by_day\n{SUMMARY}\n")
        assert "Wrote heavy_stack/backend/advisor/rules/layout/sort_by_day.py" in output

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["Rollup", SUMMARY], "verb phrase"),
            (["rollup", SUMMARY], "verb phrase"),
            (["store_x", "short"], "one plain sentence"),
            (["answer_from_rollup", SUMMARY], "is there already; nothing was written"),
        ],
    )
    def test_refuses_what_would_not_work(self, copy: Path, arguments: list[str], problem: str) -> None:
        assert problem in run(copy, "dev_scripts/add_rule.py", *arguments, code=1)
