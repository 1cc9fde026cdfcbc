"""Engines by name, sessions, and the current session's context variable.

Each database has two engines. `writer` opens transactions; on SQLite they start with BEGIN IMMEDIATE, because a
deferred transaction that reads first and writes later fails at once when somebody else wrote in between. `reader` is
in AUTOCOMMIT: one round trip per read, no lock. A session reads through `reader` until its first write and through
`writer` from then on, so a unit of work that only reads never takes SQLite's write lock. Every change of state is one
conditional UPDATE, never a read, a decision and a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from cryptography.fernet import MultiFernet
from sqlalchemy import Connection, Engine, SelectBase, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.sql_models.column_types import attach_cipher
from heavy_stack.settings import Settings

MAIN: Final = "main"
VECTOR: Final = "vector"

# SQLite waits this long for another process's write to end.
BUSY_TIMEOUT_MS: Final = 15_000
# Connections per process and engine. Overflow stays off: under load it opens a real connection per request.
POSTGRESQL_POOL_SIZE: Final = 5
SQLITE_READERS: Final = 4
CONNECT_TIMEOUT_S: Final = 10.0
# A reading connection that was idle for this long is tried before it is used.
PING_AFTER_S: Final = 1.0

db_session: ContextVar[AsyncSession | None] = ContextVar("db_session", default=None)
"""The session of the unit of work that runs now; set by `unit_of_work` and, in tests, by the `db_session` fixture."""


_CLOSED: Final = "heavy_stack_closed"
_RESTED_SINCE: Final = "heavy_stack_rested_since"


def find_session() -> AsyncSession | None:
    """The current session, or None.

    A background task inherits its maker's context variables; a session that was closed since counts as none.
    """
    session = db_session.get()
    return None if session is None or _CLOSED in session.info else session


async def close_session(session: AsyncSession) -> None:
    """Close a session for good; what it did not commit is rolled back."""
    session.info[_CLOSED] = True
    await session.close()


class RoutingSession(Session):
    """Reads through the AUTOCOMMIT engine until the first write; then everything goes through the writer."""

    def __init__(self, bind: Engine, *, reader: Engine, **options: Any) -> None:
        super().__init__(bind, **options)
        self._writer = bind
        self._reader = reader
        self.has_written = False

    def get_bind(self, mapper: Any = None, *, clause: Any = None, bind: Any = None, **_: Any) -> Engine | Connection:
        """The engine for one statement."""
        if bind is not None:
            given: Engine | Connection = bind
            return given
        only_reads = isinstance(clause, SelectBase) and getattr(clause, "_for_update_arg", None) is None
        if self._flushing or not only_reads:
            self.has_written = True
        return self._writer if self.has_written else self._reader


@dataclass(frozen=True)
class Database:
    """One database: its two engines, and sessions on them."""

    writer: AsyncEngine
    reader: AsyncEngine

    def session(self) -> AsyncSession:
        """A new session, for one unit of work; it cannot be used again once it is closed."""
        return AsyncSession(
            self.writer,
            sync_session_class=RoutingSession,
            reader=self.reader.sync_engine,
            expire_on_commit=False,
            close_resets_only=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.reader.dispose()
        await self.writer.dispose()


class Engines(Mapping[str, Database]):
    """Databases by name: `main` and `vector` (the same object where they share an address)."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._databases = dict(databases)

    def __getitem__(self, name: str) -> Database:
        """The database of that name."""
        return self._databases[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._databases)

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._databases)

    @property
    def main(self) -> Database:
        """The database that holds users and tasks."""
        return self[MAIN]

    @property
    def vector(self) -> Database:
        """The database that holds vectors."""
        return self[VECTOR]

    async def close(self) -> None:
        """Close every connection of every database."""
        for database in set(self._databases.values()):
            await database.close()


def open_engines(settings: Settings, cipher: MultiFernet) -> Engines:
    """Engines for the settings' addresses. Nothing connects yet.

    Args:
        settings: Where the databases are.
        cipher: Keys for encrypted columns.
    """
    main = open_database(settings.database, cipher)
    same = settings.vector_database == settings.database
    return Engines({MAIN: main, VECTOR: main if same else open_database(settings.vector_database, cipher)})


def open_database(url: URL, cipher: MultiFernet | None = None) -> Database:
    """The two engines of one address (`sqlite+aiosqlite` or `postgresql+asyncpg`)."""
    database = _open_sqlite(url) if url.get_backend_name() == "sqlite" else _open_postgresql(url)
    if cipher is not None:
        attach_cipher(database.writer, cipher)
        attach_cipher(database.reader, cipher)
    return database


def _open_sqlite(url: URL) -> Database:
    # One writing connection per process: the queue for it is fair, SQLite's own waiting (polling) is not.
    writer = create_async_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)
    reader = create_async_engine(
        url, pool_size=SQLITE_READERS, max_overflow=0, isolation_level="AUTOCOMMIT", hide_parameters=True
    )
    prepare_sqlite(writer.sync_engine, immediate=True)
    prepare_sqlite(reader.sync_engine, immediate=False)
    return Database(writer, reader)


def prepare_sqlite(engine: Engine, *, immediate: bool, foreign_keys: bool = True) -> None:
    """Set the pragmas on every new connection and, for a writer, begin with the write lock.

    The driver's own transactions are switched off: with them a crashed migration keeps its first half.
    """

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
            "journal_size_limit=67108864",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    if immediate:
        event.listen(engine, "begin", begin)


def _open_postgresql(url: URL) -> Database:
    options: dict[str, Any] = {
        "pool_size": POSTGRESQL_POOL_SIZE,
        "max_overflow": 0,
        "hide_parameters": True,
        "connect_args": {"timeout": CONNECT_TIMEOUT_S, "server_settings": {"application_name": "heavy-stack"}},
    }
    writer = create_async_engine(url, pool_pre_ping=True, **options)
    reader = create_async_engine(url, isolation_level="AUTOCOMMIT", **options)
    _ping_after_a_rest(reader.sync_engine)
    return Database(writer, reader)


def _ping_after_a_rest(engine: Engine) -> None:
    """Try a connection that lay idle before it is used again: the database may have restarted meanwhile.

    Readers answer hundreds of polls per second, whose one round trip a ping each time would double.
    """

    def returned(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RESTED_SINCE] = monotonic()

    def taken(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.get(_RESTED_SINCE)
        if since is None or monotonic() - since < PING_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            raise InvalidatePoolError from None  # every other connection of the pool is as old

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", taken)
