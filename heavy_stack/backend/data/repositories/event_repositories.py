"""The append-only event log: written and read, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from heavy_stack.backend.data.repositories.base import SQLRepositoryBase
from heavy_stack.backend.data.sql_models.events import SQLEvent

_events = SQLEvent.__table__  # type: ignore[attr-defined]


class EventRepository(SQLRepositoryBase[SQLEvent]):
    """Queries of the events table."""

    model = SQLEvent

    async def append(self, task_id: UUID, event_type: str, data: dict[str, Any] | None = None) -> None:
        """Append one event; call it after the task's row was written in the same unit of work (order of `seq`)."""
        await self.run(insert(_events).values(task_id=task_id, type=event_type, data=data or {}))

    async def list_after(self, task_id: UUID, after: int, limit: int) -> Sequence[SQLEvent]:
        """Events of a task with a larger `seq`, oldest first."""
        query = (
            select(_events)
            .where(_events.c.task_id == task_id, _events.c.seq > after)
            .order_by(_events.c.seq)
            .limit(limit)
        )
        return [SQLEvent(**row._mapping) for row in await self.run(query)]
