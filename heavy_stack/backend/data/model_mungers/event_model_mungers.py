"""Events: stored form to shared form."""

from __future__ import annotations

from heavy_stack.backend.data.model_mungers.base import ModelMunger
from heavy_stack.backend.data.sql_models.events import SQLEvent
from heavy_stack.shared_models.tasks import TaskEvent


class EventModelMunger(ModelMunger[SQLEvent, TaskEvent]):
    """SQLEvent → TaskEvent."""

    def to_shared(self, row: SQLEvent) -> TaskEvent:
        """The event; a row without `seq` was never stored and counts as 0."""
        return TaskEvent(seq=row.seq or 0, task_id=row.task_id, type=row.type, data=row.data, created_at=row.created_at)
