"""How a worker learns at once that there may be work, without Redis.

PostgreSQL: LISTEN / NOTIFY. SQLite: `PRAGMA data_version`, which changes whenever another connection commits. Both are
hints: the rows are the truth, and a worker also looks at them from time to time (leases that ended ring no bell).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from heavy_stack.backend.data.unit_of_work import Message, MessageSender, SilentSender
from heavy_stack.backend.jobs.loop_thread import LoopThread
from heavy_stack.settings import Settings

CHANNEL: Final = "heavy_work"
_POLL_S: Final = 0.05
_RETRY_S: Final = 1.0
_ALIVE_EVERY_S: Final = 15.0
_SEND_WITHIN_S: Final = 5.0

log = structlog.get_logger(__name__)


class WakeUp(Protocol):
    """Calls back, from any thread, when there may be new work."""

    def start(self) -> None:
        """Begin to watch."""

    def stop(self) -> None:
        """Stop watching."""


def watch_for_work(settings: Settings, loop: LoopThread, ring: Callable[[], None]) -> WakeUp:
    """The watch for the settings' database; `ring` is called from another thread."""
    if settings.is_sqlite:
        return SqliteWakeUp(settings.database.database or "", ring)
    return PostgresWakeUp(settings.database, loop, ring)


def message_sender(settings: Settings) -> MessageSender:
    """What tells workers about new work after a commit; one per process and event loop."""
    return SilentSender() if settings.is_sqlite else PostgresSender(settings.database)


class SqliteWakeUp:
    """Looks at the database's change counter twenty times a second: some microseconds each, no lock, no query."""

    def __init__(self, path: str, ring: Callable[[], None]) -> None:
        self._address = f"{Path(path).resolve().as_uri()}?mode=ro"
        self._ring = ring
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="wake-up", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            connection = None
            try:
                connection = sqlite3.connect(self._address, uri=True, isolation_level=None, timeout=1.0)
                self._follow(connection)
            except sqlite3.Error:  # not there yet, or busy: the worker's own look goes on meanwhile
                self._stopped.wait(_RETRY_S)
            finally:
                if connection is not None:
                    connection.close()

    def _follow(self, connection: sqlite3.Connection) -> None:
        seen = None
        while not self._stopped.wait(_POLL_S):
            version = connection.execute("PRAGMA data_version").fetchone()
            if version != seen:
                seen = version
                self._ring()


class PostgresWakeUp:
    """Holds one connection that listens; after a break it connects again, and rings because it may have missed some."""

    def __init__(self, url: URL, loop: LoopThread, ring: Callable[[], None]) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._loop = loop
        self._ring = ring
        self._cancel: Callable[[], bool] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._cancel = self._loop.submit(self._watch()).cancel

    def stop(self) -> None:
        """Stop watching."""
        if self._cancel is not None:
            self._cancel()

    async def _watch(self) -> None:
        while True:
            try:
                await self._listen()
            except (SQLAlchemyError, OSError, RuntimeError) as error:
                log.warning("worker.listen_failed", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.add_listener(CHANNEL, lambda *_: self._ring())
            self._ring()
            while not driver.is_closed():
                # A connection that a firewall forgot stays "open" for ever unless something is sent over it.
                await connection.execute(text("SELECT 1"))
                await asyncio.sleep(_ALIVE_EVERY_S)


class PostgresSender:
    """Sends one NOTIFY for all messages of a moment, in the background: the request that commits never waits for it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine: AsyncEngine | None = None
        self._running: asyncio.Task[None] | None = None
        self._again = False

    async def send(self, messages: Sequence[Message]) -> None:
        """Schedule the NOTIFY and return. Workers look for themselves what there is: it carries nothing."""
        if not messages:
            return
        self._again = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain(), name="notify-workers")

    async def close(self) -> None:
        """Wait for what is being sent and close the connection."""
        if self._running is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.wait([self._running], timeout=_SEND_WITHIN_S)
        if self._engine is not None:
            await self._engine.dispose()

    async def _drain(self) -> None:
        while self._again:
            self._again = False
            try:
                await asyncio.wait_for(self._notify(), _SEND_WITHIN_S)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                # The rows are there; workers find them when they next look.
                log.warning("work.notify_failed", error=type(error).__name__)

    async def _notify(self) -> None:
        if self._engine is None:
            self._engine = create_async_engine(
                self._url, pool_size=1, max_overflow=0, pool_pre_ping=True, isolation_level="AUTOCOMMIT"
            )
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
