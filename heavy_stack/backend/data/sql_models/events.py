"""The event log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from heavy_stack.backend.data.sql_models.base import HeavyTable
from heavy_stack.backend.data.sql_models.column_types import JsonValue, SequenceNumber, utc_now


class SQLEvent(HeavyTable, table=True):
    """One line of the append-only log; a trigger refuses every UPDATE.

    `seq` grows in commit order within a task, since every event is written after its task's row was written (and so
    locked) in the same unit of work. Its own key, no `updated_at`: an event never changes.
    """

    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: int | None = Field(default=None, primary_key=True, sa_type=SequenceNumber)
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE", index=True)
    type: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)
    created_at: datetime = Field(default_factory=utc_now)
