"""Tasks: stored form to shared form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from heavy_stack.backend.data.model_mungers.base import ModelMunger
from heavy_stack.backend.data.sql_models.tasks import SQLTask
from heavy_stack.shared_models.tasks import Task, TaskState, TaskStatus

# Below this share done, elapsed time says nothing about what is left.
_LEAST_PROGRESS = 0.05


class TaskModelMunger(ModelMunger[SQLTask, Task]):
    """SQLTask → Task, and status columns → TaskStatus."""

    def to_shared(self, row: SQLTask) -> Task:
        """The task; credentials and lease stay behind."""
        return Task(
            id=row.id,
            owner_id=row.owner_id,
            kind=row.kind,
            state=row.state,
            stage=row.stage,
            activity=row.activity,
            progress=row.progress,
            url=row.url,
            query_count=row.query_count,
            table_count=row.table_count,
            attempts=row.attempts,
            error_code=row.error_code,
            error_message=row.error_message,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )

    def to_status(self, row: Any, now: datetime) -> TaskStatus:
        """The status from a row of `TaskRepository.find_status`."""
        running = row.state is TaskState.RUNNING
        return TaskStatus(
            taskid=row.id,
            status=row.state,
            stage=row.stage,
            activity=row.activity,
            progress=row.progress,
            queued=running and row.lease_owner is None,
            cancelling=running and bool(row.cancel_requested),
            seconds_left=_seconds_left(row, now) if running else None,
            error=row.error_code,
            message=row.error_message,
        )


def _seconds_left(row: Any, now: datetime) -> float | None:
    if row.started_at is None or row.progress < _LEAST_PROGRESS:
        return None
    elapsed_s: float = max((now - row.started_at).total_seconds(), 0.0)
    estimate_s: float = elapsed_s * (1.0 - row.progress) / row.progress
    waited_s: float = (now - row.created_at).total_seconds()
    left_s: float = min(estimate_s, row.budget_s - waited_s)
    return round(max(left_s, 0.0), 1)
