"""Engines, pragmas, and which engine a statement takes."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from heavy_stack import bootstrap
from heavy_stack.backend.data import db_connection
from heavy_stack.backend.data.db_connection import Engines, open_engines
from heavy_stack.backend.data.sql_models import SQLTask, SQLUser
from heavy_stack.backend.data.sql_models.encryption import make_cipher
from heavy_stack.backend.services import Services
from heavy_stack.settings import Settings
from tests.support.factories import make_user
from tests.support.settings import TEST_KEY, make_settings


@pytest.fixture
async def sqlite_services(sqlite_settings: Settings):
    services = bootstrap.build_services(sqlite_settings)
    yield services
    await services.close()


def record(services: Services) -> list[str]:
    """Statements as they run, each after the name of its engine."""
    seen: list[str] = []
    for name, engine in (("reader", services.engines.main.reader), ("writer", services.engines.main.writer)):

        def note(*arguments: object, name: str = name) -> None:
            seen.append(f"{name} {str(arguments[2]).split()[0]}")

        event.listen(engine.sync_engine, "before_cursor_execute", note)
    return seen


class TestOpenEngines:
    async def test_one_address_is_one_database_under_two_names(self, sqlite_settings: Settings) -> None:
        engines = open_engines(sqlite_settings, make_cipher([TEST_KEY]))
        assert isinstance(engines, Engines)
        assert list(engines) == ["main", "vector"]
        assert engines.main is engines.vector
        await engines.close()

    async def test_another_address_is_another_database(self, sqlite_settings: Settings, tmp_path) -> None:
        settings = sqlite_settings.model_copy(
            update={"vector_database_url": make_settings(tmp_path, f"sqlite:///{tmp_path}/v.db").database_url}
        )
        engines = open_engines(settings, make_cipher([TEST_KEY]))
        assert engines.main is not engines.vector
        assert str(engines.vector.writer.url.database).endswith("v.db")
        await engines.close()

    async def test_errors_never_print_parameters(self, services: Services) -> None:
        with pytest.raises(Exception, match="no such table|does not exist") as caught:
            async with services.engines.main.reader.connect() as connection:
                await connection.execute(text("SELECT * FROM missing WHERE a = :a"), {"a": "planted"})
        assert "planted" not in str(caught.value)


class TestSqlite:
    @pytest.mark.parametrize("engine", ["reader", "writer"])
    async def test_every_connection_has_the_pragmas(self, sqlite_services: Services, engine: str) -> None:
        wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 15_000}
        async with getattr(sqlite_services.engines.main, engine).connect() as connection:
            found = {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in wanted}
        assert found == wanted

    async def test_readers_go_on_while_somebody_writes(self, sqlite_services: Services) -> None:
        async with sqlite_services.unit_of_work():
            await sqlite_services.users.ensure_user("ann")
            async with sqlite_services.engines.main.reader.connect() as connection:
                assert (await connection.execute(text("SELECT count(*) FROM users"))).scalar_one() == 0

    async def test_a_unit_that_only_reads_takes_no_lock(self, sqlite_services: Services) -> None:
        user = await make_user(sqlite_services)
        async with sqlite_services.unit_of_work():
            assert await sqlite_services.tasks.list_tasks(user) == []
            # A second unit can write meanwhile; with a lock held it would wait for ever.
            async with asyncio.timeout(5), sqlite_services.unit_of_work():
                await sqlite_services.users.ensure_user("bob")

    async def test_reading_first_and_writing_later_does_not_fail(self, sqlite_services: Services) -> None:
        user = await make_user(sqlite_services)

        async def rename(number: int) -> None:
            async with sqlite_services.unit_of_work() as session:
                await session.exec(select(SQLUser))
                await asyncio.sleep(0.01)
                await session.exec(update(SQLUser).where(col(SQLUser.id) == user.id).values(name=str(number)))

        await asyncio.gather(*(rename(number) for number in range(20)))


class TestRouting:
    async def test_reads_on_the_reader_until_the_first_write(self, services: Services) -> None:
        seen = record(services)
        async with services.unit_of_work() as session:
            await session.exec(select(SQLUser))
            await session.exec(update(SQLUser).values(name="x"))
            await session.exec(select(SQLUser))
        assert [line for line in seen if "BEGIN" not in line] == ["reader SELECT", "writer UPDATE", "writer SELECT"]

    async def test_a_pending_row_counts_as_a_write(self, services: Services) -> None:
        seen = record(services)
        async with services.unit_of_work() as session:
            session.add(SQLUser(external_id="new"))
            found = (await session.exec(select(SQLUser.external_id))).all()
        assert [tuple(row) for row in found] == [("new",)]
        assert "reader SELECT" not in seen

    async def test_a_locking_read_is_a_write(self, services: Services) -> None:
        seen = record(services)
        async with services.unit_of_work() as session:
            await session.exec(select(SQLTask.id).with_for_update())
        assert [line for line in seen if "BEGIN" not in line] == ["writer SELECT"]


class TestPostgresql:
    async def test_a_restart_of_the_database_is_not_seen_by_readers_that_rested(
        self, postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(db_connection, "PING_AFTER_S", 0.0)
        services = bootstrap.build_services(postgresql_settings)
        user = await make_user(services)
        await services.tasks.repository.find_owned(user.id, user.id)
        async with services.engines.main.writer.connect() as connection:
            ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
            ended += " AND pid <> pg_backend_pid()"
            assert (await connection.execute(text(ended))).scalar_one() >= 1
        assert await services.tasks.repository.find_owned(user.id, user.id) is None
        await services.close()


class TestStart:
    async def test_says_when_the_database_is_not_there(self, tmp_path) -> None:
        services = bootstrap.build_services(make_settings(tmp_path, f"sqlite:///{tmp_path}/no/such/folder/x.db"))
        with pytest.raises(OperationalError):
            await services.start()
        await services.close()
        # The driver does not wait for the thread of a connection that failed; it must end before the event loop does.
        await asyncio.sleep(0.1)
