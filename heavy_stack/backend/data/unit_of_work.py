"""One unit of work: commit, then send the queued messages; on an error roll back and drop them.

This is the only module that commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.db_connection import Database, close_session, db_session, find_session
from heavy_stack.errors import HeavyStackError

_MESSAGES: Final = "heavy_stack_messages"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Message:
    """What a worker is told after a commit: ids only, since message bodies are neither encrypted nor transactional."""

    kind: str
    id: UUID


class MessageSender(Protocol):
    """Where messages go after the commit. A message is a hint: a lost one is found by the sweep over the rows."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand the messages over without waiting for a network: the commit stands whatever becomes of them."""


class OpenUnitOfWork(Protocol):
    """Opens a unit of work; what managers that work on their own are given."""

    def __call__(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A new unit of work."""


class SilentSender:
    """Sends nothing: workers find the rows by looking."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Nothing."""


def current_session() -> AsyncSession:
    """The session of the unit of work that runs now.

    Raises:
        RuntimeError: No unit of work is open here: database access in the wrong place.
    """
    session = find_session()
    if session is None:
        raise RuntimeError(
            "The db_session variable is not set: database access is allowed only inside a unit of work. One is open in "
            "async functions given to heavy_use_effect or heavy_event, in API handlers, in "
            "`async with services.unit_of_work()`, and in tests that use the `db_session: AsyncSession` fixture."
        )
    return session


def queue_message(message: Message) -> None:
    """Send a message after the current unit of work commits; a rollback drops it.

    Raises:
        RuntimeError: No unit of work is open.
    """
    current_session().info.setdefault(_MESSAGES, []).append(message)


@asynccontextmanager
async def unit_of_work(database: Database, sender: MessageSender) -> AsyncIterator[AsyncSession]:
    """Open a session, make it the current one, and commit at the end.

    An error (also a cancellation: the client went away) inside rolls everything back and drops the messages. A
    cancellation that arrives during the commit waits for the commit and its messages, then goes on. On SQLite the
    write lock is taken by the first write and held until the end, so do not wait for people or networks after a
    write.
    """
    session = database.session()
    previous = db_session.get()
    db_session.set(session)
    try:
        yield session
        await _to_the_end(_commit_and_send(session, sender))
    finally:
        # Set, not reset by token: the end may run in another context than the start, and a keep-alive connection's next
        # request must not find this session.
        db_session.set(previous)
        # Closing rolls back what is not committed.
        await _to_the_end(close_session(session))


async def _commit_and_send(session: AsyncSession, sender: MessageSender) -> None:
    await session.commit()
    messages: list[Message] = session.info.pop(_MESSAGES, [])
    if not messages:
        return
    try:
        await sender.send(messages)
    except (OSError, RuntimeError, HeavyStackError) as error:
        # The commit stands; to fail here would tell the client that it does not.
        _log.warning("message.lost", count=len(messages), error=type(error).__name__)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
