"""Services: which managers exist, and how to get the current ones."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.db_connection import MAIN, Engines
from heavy_stack.backend.data.model_managers.task_managers import TaskManager
from heavy_stack.backend.data.model_managers.user_managers import UserManager
from heavy_stack.backend.data.model_managers.work_managers import WorkManager
from heavy_stack.backend.data.unit_of_work import Message, MessageSender, SilentSender, unit_of_work
from heavy_stack.settings import Settings

__all__ = [
    "Message",
    "MessageSender",
    "Services",
    "SilentSender",
    "current_services",
    "set_current_services",
]


@dataclass(frozen=True)
class Services:
    """Everything that API handlers, pages and workers may call; built by `bootstrap.build_services`.

    Attributes:
        settings: With the password and keys filled in.
        engines: Databases by name.
        users, tasks: Use cases; they expect an open unit of work unless they say otherwise.
        work: The workers' use cases; they open their own.
        sender: Where messages go after a commit.
    """

    settings: Settings
    engines: Engines
    users: UserManager
    tasks: TaskManager
    work: WorkManager
    sender: MessageSender

    def unit_of_work(self, name: str = MAIN) -> AbstractAsyncContextManager[AsyncSession]:
        """One request's or page event's unit of work: commits at the end, rolls back on an error."""
        return unit_of_work(self.engines[name], self.sender)

    async def start(self) -> None:
        """Check that the database answers, so that a wrong address shows at the start and not at the first request."""
        async with self.engines.main.reader.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def close(self) -> None:
        """Close every database connection."""
        await self.engines.close()


_current: Services | None = None


def set_current_services(services: Services | None) -> None:
    """Make these the process's services; the web app does so when it starts, and takes them back when it stops."""
    global _current
    _current = services


def current_services() -> Services:
    """The process's services, for pages (an API handler has them on its app).

    Raises:
        RuntimeError: The web app has not started.
    """
    if _current is None:
        raise RuntimeError("no services here: the web app sets them when it starts (set_current_services)")
    return _current
