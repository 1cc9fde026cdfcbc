"""Dependencies point one way: checked statically (import-linter) and at run time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.repository import ROOT

HYGIENE = {
    "heavy_stack.backend.advisor.pipeline": (
        "sanic",
        "reactpy",
        "sqlmodel",
        "dramatiq",
        "duckdb",
        "trino",
        "langchain",
    ),
    "heavy_stack.shared_models.reports": ("sanic", "reactpy", "sqlmodel", "sqlalchemy", "sqlglot", "duckdb"),
    "heavy_stack.settings": ("sanic", "reactpy", "duckdb", "sqlglot", "dramatiq"),
    "heavy_stack.cli": ("sanic", "reactpy", "duckdb", "langchain"),
    "heavy_stack.bootstrap": ("sanic", "reactpy", "langchain"),
}


class TestLayers:
    def test_import_contracts_hold(self) -> None:
        command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class TestRunTimeImports:
    @pytest.mark.parametrize("module", sorted(HYGIENE))
    def test_module_loads_nothing_heavy(self, module: str) -> None:
        code = f"import sys, json, {module}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert set(json.loads(done.stdout)) & set(HYGIENE[module]) == set()
