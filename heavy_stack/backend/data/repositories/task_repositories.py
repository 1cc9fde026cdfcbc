"""Queries of the tasks table as their owners see them. Changes of the work itself: work_repositories.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, func, insert, or_, select, update

from heavy_stack.backend.data.repositories.base import SQLRepositoryBase
from heavy_stack.backend.data.sql_models.tasks import SQLTask
from heavy_stack.shared_models.tasks import TaskState

_tasks = SQLTask.__table__  # type: ignore[attr-defined]
# Credentials are never read with a task: only `WorkRepository.read_credentials` opens them.
_PUBLIC = [column for column in _tasks.c if column.name != "credentials"]

# Built once: building a SELECT costs as much as a tenth of running it.
_STATUS = select(
    *(_tasks.c[name] for name in ("id", "state", "stage", "activity", "progress", "lease_owner", "budget_s")),
    *(_tasks.c[name] for name in ("created_at", "started_at", "error_code", "error_message", "cancel_requested")),
).where(_tasks.c.id == bindparam("task_id"), _tasks.c.owner_id == bindparam("owner_id"))

_OPEN = (
    select(func.count())
    .where(_tasks.c.owner_id == bindparam("new_owner_id", type_=_tasks.c.owner_id.type))
    .where(_tasks.c.state == TaskState.RUNNING)
    .scalar_subquery()
)
_INSERT_BELOW = (
    insert(_tasks)
    .from_select(
        [column.name for column in _tasks.c],
        select(*(bindparam(f"new_{column.name}", type_=column.type) for column in _tasks.c)).where(
            bindparam("open_limit", type_=Integer) > _OPEN
        ),
        include_defaults=False,
    )
    .returning(_tasks.c.id)
)


class TaskRepository(SQLRepositoryBase[SQLTask]):
    """Queries of the tasks table, each limited to one owner."""

    model = SQLTask

    async def add_if_below(self, task: SQLTask, limit: int) -> bool:
        """Insert a task unless its owner has `limit` that run or wait; False when nothing was inserted.

        One statement counts and inserts. On SQLite that is exact; on PostgreSQL requests of the same moment may each
        pass, as many as there are connections.
        """
        values = {f"new_{name}": value for name, value in task.model_dump().items()}
        inserted = await self.session.exec(_INSERT_BELOW, params={**values, "open_limit": limit})
        return inserted.first() is not None

    async def find_status(self, owner_id: UUID, task_id: UUID) -> Any:
        """Row of what `/status` needs, or None; columns only, readable outside a unit of work."""
        return await self.read_first(_STATUS, task_id=task_id, owner_id=owner_id)

    async def find_owned(self, owner_id: UUID, task_id: UUID) -> SQLTask | None:
        """The owner's task (detached, without its credentials), or None."""
        row = await self.read_first(select(*_PUBLIC).where(_tasks.c.id == task_id, _tasks.c.owner_id == owner_id))
        return None if row is None else SQLTask(**row._mapping)

    async def list_owned(self, owner_id: UUID, limit: int) -> Sequence[SQLTask]:
        """The owner's newest tasks, newest first."""
        query = (
            select(*_PUBLIC)
            .where(_tasks.c.owner_id == owner_id)
            .order_by(_tasks.c.created_at.desc(), _tasks.c.id)
            .limit(limit)
        )
        return [SQLTask(**row._mapping) for row in await self.run(query)]

    async def cancel_unleased(self, owner_id: UUID, task_id: UUID, code: str, message: str) -> bool:
        """End a RUNNING task that no living worker holds; False when there is none."""
        t = _tasks.c
        query = (
            update(_tasks)
            .where(
                t.id == task_id,
                t.owner_id == owner_id,
                t.state == TaskState.RUNNING,
                or_(t.lease_owner.is_(None), t.lease_until < self.now()),
            )
            .values(
                state=TaskState.FAILED,
                error_code=code,
                error_message=message,
                credentials=None,
                lease_owner=None,
                lease_until=None,
                cancel_requested=True,
                activity=None,
                finished_at=self.now(),
            )
            .returning(t.id)
        )
        return (await self.run(query)).first() is not None

    async def request_cancel(self, owner_id: UUID, task_id: UUID) -> bool:
        """Ask the worker that holds the task to end it; False when the task is not RUNNING."""
        t = _tasks.c
        query = (
            update(_tasks)
            .where(t.id == task_id, t.owner_id == owner_id, t.state == TaskState.RUNNING)
            .values(cancel_requested=True)
            .returning(t.id)
        )
        return (await self.run(query)).first() is not None
