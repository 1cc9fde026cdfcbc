"""Migrations on both kinds of database: up, down and up again with rows, and nothing left to generate."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from heavy_stack import bootstrap
from heavy_stack.backend.data.sql_models import HeavyModel
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import Stage, TaskState
from tests.architecture.repository import ROOT
from tests.support.databases import PostgresqlDatabases
from tests.support.factories import answer_body, claim, make_user, submit
from tests.support.settings import make_settings

TABLES = {"users", "tasks", "artefacts", "events"}


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with an empty database."""
    if request.param == "sqlite":
        yield make_settings(tmp_path / "data")
        return
    databases: PostgresqlDatabases = request.getfixturevalue("postgresql_databases")
    name = databases.create_empty()
    yield make_settings(tmp_path / "data", databases.url(name))
    databases.drop(name)


async def fill(settings: Settings) -> None:
    """Rows in every table: a finished, a running and a waiting task."""
    services = bootstrap.build_services(settings)
    user = await make_user(services)
    done = await submit(services, user)
    await services.work.finish(await claim(services), answer_body(done), "e")
    await submit(services, user, url="jdbc:trino://h:1/c/s?password=x")
    await services.work.save_stage(await claim(services), Stage.INGEST, b"{}")
    waiting = await submit(services, user)
    assert (await services.tasks.get_status(user, done)).status is TaskState.DONE
    assert (await services.tasks.get_status(user, waiting)).queued
    await services.close()


def table_names(settings: Settings) -> set[str]:
    return bootstrap.on_connection(settings, lambda c: set(inspect(c).get_table_names())) - {"alembic_version"}


class TestMigrations:
    def test_up_down_and_up_with_rows(self, settings: Settings) -> None:
        bootstrap.upgrade(settings)
        asyncio.run(fill(settings))
        assert table_names(settings) == TABLES
        bootstrap.downgrade(settings, "base")
        assert table_names(settings) == set()
        assert bootstrap.current(settings) is None
        bootstrap.upgrade(settings)
        assert table_names(settings) == TABLES
        asyncio.run(fill(settings))

    def test_the_way_down_leaves_nothing(self, settings: Settings) -> None:
        bootstrap.upgrade(settings)
        bootstrap.downgrade(settings, "base")
        if settings.is_sqlite:
            query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> 'alembic_version'"
        else:
            query = (
                "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                "UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                "AND relname NOT LIKE 'alembic_version%'"
            )
        assert bootstrap.on_connection(settings, lambda c: c.execute(text(query)).all()) == []

    def test_models_and_migrations_agree(self, settings: Settings) -> None:
        bootstrap.upgrade(settings)
        bootstrap.on_connection(settings, lambda c: command.check(bootstrap.alembic_config(c)))

    def test_checks_agree_too(self, settings: Settings) -> None:
        # Alembic's own comparison leaves CHECKs out.
        bootstrap.upgrade(settings)

        def checks(connection) -> dict[str, dict[str, str]]:
            found = inspect(connection)
            return {
                table: {str(c["name"]): c["sqltext"] for c in found.get_check_constraints(table)} for table in TABLES
            }

        migrated = bootstrap.on_connection(settings, checks)
        bootstrap.downgrade(settings, "base")
        created = bootstrap.on_connection(settings, lambda c: HeavyModel.metadata.create_all(c) or checks(c))
        assert migrated == created
        assert sum(len(names) for names in migrated.values()) == 3

    def test_every_revision_has_a_way_back(self, settings: Settings) -> None:
        for _ in range(2):
            bootstrap.upgrade(settings)
            while bootstrap.current(settings) is not None:
                bootstrap.downgrade(settings, "-1")


class TestAlembicCommand:
    def test_reads_the_services_settings(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEAVY_DATA_DIR", str(settings.data_dir))
        monkeypatch.setenv("HEAVY_AUTH_PASSWORD", "x")
        monkeypatch.setenv(
            "HEAVY_DATABASE_URL", settings.database_url.get_secret_value() if settings.database_url else ""
        )
        for arguments in (["upgrade", "head"], ["check"], ["downgrade", "base"]):
            done = subprocess.run(
                [sys.executable, "-m", "alembic", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        assert table_names(settings) == set()
