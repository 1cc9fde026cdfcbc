"""From settings to running services: folders, secrets, migrations, engines and managers.

Every function takes the settings as they were read. Several processes may start at once: what is made on disk or in the
database is made under a lock, once.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from heavy_stack.backend.data.db_connection import open_engines, prepare_sqlite
from heavy_stack.backend.data.model_managers.task_managers import TaskManager
from heavy_stack.backend.data.model_managers.user_managers import UserManager
from heavy_stack.backend.data.model_managers.work_managers import WorkManager
from heavy_stack.backend.data.model_mungers.user_model_mungers import UserModelMunger
from heavy_stack.backend.data.repositories.artefact_repositories import ArtefactRepository
from heavy_stack.backend.data.repositories.event_repositories import EventRepository
from heavy_stack.backend.data.repositories.task_repositories import TaskRepository
from heavy_stack.backend.data.repositories.user_repositories import UserRepository
from heavy_stack.backend.data.repositories.work_repositories import WorkRepository
from heavy_stack.backend.data.sql_models.encryption import make_cipher
from heavy_stack.backend.data.unit_of_work import MessageSender, SilentSender, unit_of_work
from heavy_stack.backend.services import Services
from heavy_stack.errors import SettingsError
from heavy_stack.settings import Settings, resource_dir

PASSWORD_FILE: Final = "password"
KEY_FILE: Final = "secret.key"
_LOCK_FILE: Final = "start.lock"
# Any number, but always this one: it names the lock that migrations of this project take in PostgreSQL.
_MIGRATION_LOCK: Final = 7_417_395_026_113_001

T = TypeVar("T")


def build_services(settings: Settings, *, sender: MessageSender | None = None) -> Services:
    """Everything that handlers, pages and workers call. Connects to nothing yet: see `Services.start` and `close`.

    Args:
        settings: As read; the password and keys are filled in (`prepare`).
        sender: Where messages go after a commit; without one workers find tasks by looking.

    Raises:
        SettingsError: A key is missing or unusable.
    """
    settings = prepare(settings)
    engines = open_engines(settings, make_cipher(secret_keys(settings)))
    sender = sender or SilentSender()
    reader = engines.main.reader
    artefacts, events = ArtefactRepository(reader), EventRepository(reader)
    return Services(
        settings=settings,
        engines=engines,
        users=UserManager(UserRepository(reader), UserModelMunger()),
        tasks=TaskManager(settings, TaskRepository(reader), artefacts, events),
        work=WorkManager(partial(unit_of_work, engines.main, sender), WorkRepository(reader), artefacts, events),
        sender=sender,
    )


def prepare(settings: Settings) -> Settings:
    """Make the data folder (0700) and, in the embedded form, the password and the key (0600 files); fill them in.

    Returns:
        The settings with `auth_password` and `secret_keys` set.

    Raises:
        SettingsError: HEAVY_SECRET_KEYS is missing outside the embedded form, or the folder cannot be written.
    """
    if not settings.embedded and settings.secret_keys is None:
        raise SettingsError(
            "HEAVY_SECRET_KEYS is required unless HEAVY_HOST is loopback and no database is named; "
            "make one with: openssl rand -base64 32"
        )
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        filled: dict[str, SecretStr] = {}
        if settings.embedded:
            with _locked(settings.data_dir):
                if settings.auth_password is None:
                    filled["auth_password"] = SecretStr(_kept(settings.data_dir / PASSWORD_FILE, 12))
                if settings.secret_keys is None:
                    filled["secret_keys"] = SecretStr(_kept(settings.data_dir / KEY_FILE, 32))
    except OSError as error:
        raise SettingsError(f"HEAVY_DATA_DIR {str(settings.data_dir)!r}: {error.strerror}") from error
    return settings.model_copy(update=filled)


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """The keys of prepared settings; the first writes, every one reads."""
    value = settings.secret_keys.get_secret_value() if settings.secret_keys else ""
    return tuple(key.strip() for key in value.split(",") if key.strip())


def _kept(path: Path, random_bytes: int) -> str:
    # Under the lock. Written aside and renamed: a process that dies half-way leaves no half secret.
    if path.exists() and (value := path.read_text().strip()):
        path.chmod(0o600)
        return value
    value = secrets.token_urlsafe(random_bytes)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return value


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with open(os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# --- migrations


def migrate(settings: Settings) -> None:
    """Bring the main database to this version; harmless when it is there already.

    Raises:
        SettingsError: The database belongs to something else, or to a newer version, or cannot be reached.
    """
    upgrade(settings, "head")


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Run migrations up to a revision.

    Raises:
        SettingsError: See `migrate`.
    """
    _change(settings, partial(command.upgrade, revision=revision))


def downgrade(settings: Settings, revision: str) -> None:
    """Undo migrations down to a revision (`base`: all of them; their rows are gone).

    Raises:
        SettingsError: See `migrate`.
    """
    _change(settings, partial(command.downgrade, revision=revision))


def current(settings: Settings) -> str | None:
    """The database's revision; None when it is empty."""
    if settings.is_sqlite and not Path(str(settings.database.database)).is_file():
        return None
    return on_connection(settings, lambda connection: MigrationContext.configure(connection).get_current_revision())


def head() -> str | None:
    """The revision that this version of the code needs."""
    return _scripts().get_current_head()


def history(settings: Settings) -> list[str]:
    """One line per migration, newest first; the database's own is marked."""
    here = current(settings)
    return [
        f"{revision.revision}  {revision.doc}{'  (current)' if revision.revision == here else ''}"
        for revision in _scripts().walk_revisions()
    ]


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the scripts of the checkout or of the wheel, on a connection if one is given."""
    config = Config()
    config.set_main_option("script_location", str(resource_dir("alembic")).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def on_connection(settings: Settings, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction on a connection of its own, under the lock that all migrations take.

    On SQLite foreign keys are off meanwhile (Alembic's batch mode replaces tables) and checked before the commit.

    Raises:
        SettingsError: The database cannot be reached, or a foreign key is broken afterwards.
    """
    if settings.is_sqlite:
        return _on_sqlite(settings, work)
    # A thread of its own: the caller may run in an event loop, and asyncpg needs one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _on_postgresql(settings, work)).result()


def _change(settings: Settings, run: Callable[[Config], None]) -> None:
    def work(connection: Connection) -> None:
        _refuse_foreign(connection)
        run(alembic_config(connection))

    on_connection(settings, work)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def _refuse_foreign(connection: Connection) -> None:
    tables = set(inspect(connection).get_table_names())
    known = {revision.revision for revision in _scripts().walk_revisions()}
    found = set(MigrationContext.configure(connection).get_current_heads())
    if found - known:
        raise SettingsError(
            f"the database is at revision {', '.join(sorted(found - known))}, which this version does not know: "
            "it belongs to another project or to a newer version"
        )
    if tables - {"alembic_version"} and not found:
        raise SettingsError(
            "the database has tables that this project did not make; name an empty database in HEAVY_DATABASE_URL"
        )


def _on_sqlite(settings: Settings, work: Callable[[Connection], T]) -> T:
    path = Path(str(settings.database.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of the database file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SettingsError(f"the database file {str(path)!r}: {error.strerror}") from error
    engine = create_engine(settings.database.set(drivername="sqlite"), poolclass=NullPool, hide_parameters=True)
    prepare_sqlite(engine, immediate=True, foreign_keys=False)
    try:
        with _locked(path.parent), engine.begin() as connection:
            result = work(connection)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise SettingsError(f"a migration would break a foreign key of table {broken[0]}; nothing was changed")
            return result
    finally:
        engine.dispose()


async def _on_postgresql(settings: Settings, work: Callable[[Connection], T]) -> T:
    engine = create_async_engine(settings.database, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            # Ends with the transaction, however it ends.
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            return await connection.run_sync(work)
    except OSError as error:
        where = settings.database.render_as_string(hide_password=True)
        raise SettingsError(f"the database at {where} cannot be reached: {error.strerror or 'no answer'}") from error
    finally:
        await engine.dispose()
