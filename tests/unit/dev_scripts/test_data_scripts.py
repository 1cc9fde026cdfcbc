"""add_table, create_and_test_migrations and pave_db, run as a developer runs them, in a copy of the repository."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

COLUMNS = ["number:str", "amount:float", "paid_at:datetime?", "due:date?", "customer:uuid", "notes:json?", "lines:json"]
USE = """
import asyncio, uuid
from pathlib import Path
from heavy_stack import bootstrap
from heavy_stack.backend.data.model_managers.purchase_order_managers import PurchaseOrderManager
from heavy_stack.backend.data.model_mungers.purchase_order_model_mungers import PurchaseOrderModelMunger
from heavy_stack.backend.data.repositories.purchase_order_repositories import PurchaseOrderRepository
from heavy_stack.backend.data.sql_models import SQLPurchaseOrder
from heavy_stack.settings import load_settings

async def main():
    settings = load_settings(_env_file=None, data_dir=Path("var"))
    bootstrap.migrate(settings)
    services = bootstrap.build_services(settings)
    orders = PurchaseOrderManager(PurchaseOrderRepository(), PurchaseOrderModelMunger())
    async with services.unit_of_work():
        row = SQLPurchaseOrder(number="7", amount=1.5, customer=uuid.uuid4(), lines={"a": 1})
        await orders.repository.add(row)
        found = await orders.get_purchase_order(row.id)
    print(found.number, found.amount, found.paid_at, found.lines)
    await services.close()

asyncio.run(main())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository's sources."""
    folder = tmp_path / "copy"
    skip = shutil.ignore_patterns("__pycache__", "vendor")
    for name in ("heavy_stack", "alembic", "dev_scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    for name in ("pyproject.toml", "alembic.ini"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(folder: Path, *command: str, answer: str = "", code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "HEAVY_DATA_DIR": str(folder / "var")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


class TestAddTable:
    @pytest.mark.timeout(180)
    def test_scaffold_lints_migrates_and_works(self, copy: Path) -> None:
        output = run(copy, "dev_scripts/add_table.py", "PurchaseOrder", *COLUMNS)
        written = [line.removeprefix("Wrote ") for line in output.splitlines() if line.startswith("Wrote ")]
        assert len(written) == 5
        index = "heavy_stack/backend/data/sql_models/__init__.py"
        run(copy, "-m", "ruff", "check", *written, index)
        run(copy, "-m", "ruff", "format", "--check", *written, index)
        output = run(copy, "dev_scripts/create_and_test_migrations.py", "add purchase orders")
        assert "Tried: up, down, up again" in output
        migration = copy / "alembic" / "versions" / "0002_add_purchase_orders.py"
        text = migration.read_text()
        assert 'revision = "hs0002"' in text
        assert "heavy_stack" not in text
        assert "sqlmodel" not in text
        run(copy, "-m", "ruff", "check", str(migration))
        assert run(copy, "-c", USE).splitlines()[-1] == "7 1.5 None {'a': 1}"
        assert "nothing was written" in run(copy, "dev_scripts/create_and_test_migrations.py", "again")

    def test_asks_when_nothing_is_given(self, copy: Path) -> None:
        output = run(copy, "dev_scripts/add_table.py", answer="Box\nsize:int\n\n")
        assert "Wrote heavy_stack/backend/data/sql_models/boxes.py" in output
        assert "size: int" in (copy / "heavy_stack/shared_models/boxes.py").read_text()

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["box"], "CamelCase"),
            (["SQLBox"], "without SQL"),
            (["Box", "size:inch"], "the type is one of"),
            (["Box", "class:str"], "cannot be a column's name"),
            (["Box", "id:str"], "cannot be a column's name"),
            (["Task"], "is there already; nothing was written"),
        ],
    )
    def test_refuses_what_would_not_work(self, copy: Path, arguments: list[str], problem: str) -> None:
        assert problem in run(copy, "dev_scripts/add_table.py", *arguments, code=1)


class TestCreateAndTestMigrations:
    def test_writes_nothing_when_nothing_changed(self, copy: Path) -> None:
        assert "nothing was written" in run(copy, "dev_scripts/create_and_test_migrations.py", "x")
        assert len(list((copy / "alembic" / "versions").glob("*.py"))) == 1


class TestPaveDb:
    def test_rebuilds_the_tables_without_their_rows(self, copy: Path) -> None:
        run(copy, "dev_scripts/pave_db.py", "--yes")
        with sqlite3.connect(copy / "var" / "heavy_stack.db") as connection:
            connection.execute("INSERT INTO users (id, created_at, updated_at) VALUES ('1', '2026', '2026')")
            connection.execute("CREATE TABLE left_over (id int)")
        connection.close()
        assert "dropped 6 tables, now at hs0001" in run(copy, "dev_scripts/pave_db.py", "--yes")
        with sqlite3.connect(copy / "var" / "heavy_stack.db") as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
            assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'left_over'").fetchall() == []
        connection.close()

    def test_asks_first(self, copy: Path) -> None:
        assert "Nothing was changed" in run(copy, "dev_scripts/pave_db.py", answer="n\n", code=1)
        assert not (copy / "var" / "heavy_stack.db").exists()

    def test_leaves_another_projects_database_alone(self, copy: Path) -> None:
        (copy / "var").mkdir()
        with sqlite3.connect(copy / "var" / "heavy_stack.db") as connection:
            connection.execute("CREATE TABLE customers (id int)")
        connection.close()
        assert "nothing was dropped" in run(copy, "dev_scripts/pave_db.py", "--yes", code=1)
