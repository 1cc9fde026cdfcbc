"""Queries of the tasks table as workers see it: claims, and changes that name the claim's fence.

Each change is one conditional UPDATE. It touches no row when the claim was lost, and then nothing else of its unit of
work may be written either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from heavy_stack.backend.data.repositories.base import SQLRepositoryBase
from heavy_stack.backend.data.sql_models.tasks import SQLTask
from heavy_stack.shared_models.tasks import TaskState

_tasks = SQLTask.__table__  # type: ignore[attr-defined]


class WorkRepository(SQLRepositoryBase[SQLTask]):
    """Claims and fenced changes of tasks."""

    model = SQLTask

    async def claim(self, worker: str, lease_s: float, task_id: UUID | None = None) -> Any:
        """Take the oldest free task, or the one named; None when there is none.

        Returns:
            Row of (id, kind, fence, attempts, budget_s, cancel_requested, created_at, now).
        """
        t = _tasks.c
        free = select(t.id).where(self._claimable()).order_by(t.created_at, t.id).limit(1)
        if task_id is not None:
            free = free.where(t.id == task_id)
        if self.on_postgresql:
            free = free.with_for_update(skip_locked=True)
        query = (
            update(_tasks)
            # The condition again: without row locks (SQLite) the inner SELECT alone promises nothing.
            .where(t.id == free.scalar_subquery(), self._claimable())
            .values(
                lease_owner=worker,
                lease_until=self.now(lease_s),
                fence=t.fence + 1,
                attempts=t.attempts + 1,
                started_at=func.coalesce(t.started_at, self.now()),
            )
            .returning(
                t.id,
                t.kind,
                t.fence,
                t.attempts,
                t.budget_s,
                t.cancel_requested,
                t.created_at,
                self.now().label("now"),
            )
        )
        return (await self.run(query)).first()

    async def list_claimable(self, limit: int) -> Sequence[UUID]:
        """Ids of tasks that wait or whose worker is gone, oldest first."""
        t = _tasks.c
        query = select(t.id).where(self._claimable()).order_by(t.created_at, t.id).limit(limit)
        return list((await self.run(query)).scalars())

    async def holds(self, task_id: UUID, worker: str, fence: int) -> bool:
        """Is the claim still the latest one, and the task RUNNING?"""
        return (await self.run(select(_tasks.c.id).where(self._held(task_id, worker, fence)))).first() is not None

    async def change_held(
        self, task_id: UUID, worker: str, fence: int, values: dict[str, Any], *, ended: bool = False
    ) -> Any:
        """Change the task if the claim still holds.

        Args:
            task_id: The task.
            worker: Who claimed it.
            fence: The claim's number.
            values: What changes.
            ended: Also end the lease, forget the credentials and note the time.

        Returns:
            Row of (cancel_requested,), or None when the claim was lost and nothing changed.
        """
        if ended:
            nothing = dict.fromkeys(("activity", "lease_owner", "lease_until", "credentials"))
            values = {**values, **nothing, "finished_at": self.now()}
        query = (
            update(_tasks)
            .where(self._held(task_id, worker, fence))
            .values(**values)
            .returning(_tasks.c.cancel_requested)
        )
        return (await self.run(query)).first()

    async def read_credentials(self, task_id: UUID) -> str | None:
        """The decrypted credentials (JSON), or None."""
        found: str | None = (await self.run(select(_tasks.c.credentials).where(_tasks.c.id == task_id))).scalar()
        return found

    async def read_design(self, task_id: UUID) -> UUID | None:
        """The task whose design is frozen for this one (`options.design`), or None."""
        options: dict[str, Any] | None = (
            await self.run(select(_tasks.c.options).where(_tasks.c.id == task_id))
        ).scalar()
        named = (options or {}).get("design")
        return None if named is None else UUID(str(named))

    def attempts_less_one(self) -> ColumnElement[Any]:
        """SQL for a claim that is given back unharmed."""
        less: ColumnElement[Any] = _tasks.c.attempts - 1
        return less

    def _claimable(self) -> ColumnElement[bool]:
        t = _tasks.c
        return and_(t.state == TaskState.RUNNING, or_(t.lease_until.is_(None), t.lease_until < self.now()))

    @staticmethod
    def _held(task_id: UUID, worker: str, fence: int) -> ColumnElement[bool]:
        t = _tasks.c
        return and_(t.id == task_id, t.lease_owner == worker, t.fence == fence, t.state == TaskState.RUNNING)
