"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import URL
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack import bootstrap
from heavy_stack.backend.data.db_connection import MAIN, open_engines
from heavy_stack.backend.data.db_connection import db_session as current_session
from heavy_stack.backend.data.sql_models.encryption import make_cipher
from heavy_stack.backend.services import Services
from heavy_stack.settings import Settings
from tests.support.databases import PostgresqlDatabases, SqliteDatabases, postgresql_server
from tests.support.settings import TEST_KEY, make_settings

_HIDDEN = ("HEAVY_", "DATABASE_URL", "DB_", "CODESPACE_NAME")
_KEPT = "HEAVY_TEST_"


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """No setting of this machine reaches a test, nor a process that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_HIDDEN) and not name.startswith(_KEPT):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgresql_address() -> Iterator[URL]:
    """A PostgreSQL server that may create databases."""
    with postgresql_server(os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)[:12]) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_databases(
    postgresql_address: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresqlDatabases]:
    """Makes PostgreSQL databases."""
    databases = PostgresqlDatabases(postgresql_address, tmp_path_factory.mktemp("postgresql"))
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Makes SQLite databases."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def sqlite_settings(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Settings:
    """Settings with a migrated SQLite database of their own."""
    sqlite_databases.create(tmp_path / "data")
    return make_settings(tmp_path / "data")


@pytest.fixture
def postgresql_settings(postgresql_databases: PostgresqlDatabases, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a migrated PostgreSQL database of their own."""
    name = postgresql_databases.create()
    yield make_settings(tmp_path / "data", postgresql_databases.url(name))
    postgresql_databases.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings with a migrated database of their own, once per kind of database."""
    settings: Settings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
async def services(database_settings: Settings) -> AsyncIterator[Services]:
    """Services on a database of their own, once per kind of database; what they write is committed."""
    services = bootstrap.build_services(database_settings)
    await services.start()
    yield services
    await services.close()


@pytest.fixture(scope="session")
def _shared_postgresql(postgresql_databases: PostgresqlDatabases) -> Iterator[str]:
    name = postgresql_databases.create()
    yield postgresql_databases.url(name)
    postgresql_databases.drop(name)


@pytest.fixture(scope="session")
def _shared_sqlite(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared_sqlite")
    sqlite_databases.create(folder)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
async def db_session(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncSession]:
    """The current session, once per kind of database, on a migrated database; rolled back after the test."""
    if request.param == "sqlite":
        settings = make_settings(request.getfixturevalue("_shared_sqlite"))
    else:
        settings = make_settings(tmp_path, request.getfixturevalue("_shared_postgresql"))
    engines = open_engines(settings, make_cipher([TEST_KEY]))
    async with engines[MAIN].writer.connect() as connection:
        transaction = await connection.begin()
        session = AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        current_session.set(session)
        try:
            yield session
        finally:
            current_session.set(None)
            await session.close()
            await transaction.rollback()
    await engines.close()
