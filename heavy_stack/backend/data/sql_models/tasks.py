"""Tasks: the row is the truth about the work."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from heavy_stack.backend.data.sql_models.base import HeavyModel
from heavy_stack.backend.data.sql_models.column_types import EncryptedText, JsonValue
from heavy_stack.shared_models.tasks import Stage, TaskState


class SQLTask(HeavyModel, table=True):
    """One submitted workload.

    Queued = RUNNING without a lease. `fence` grows with every claim: a write that names an old fence is refused, so a
    worker that was given up for dead cannot disturb its successor. `stage` is the last finished one.
    """

    __table_args__ = (
        Index(
            "ix_tasks_running",
            "created_at",
            "id",
            postgresql_where=text("state = 'RUNNING'"),
            sqlite_where=text("state = 'RUNNING'"),
        ),
        Index("ix_tasks_owner_id_created_at", "owner_id", "created_at"),
    )

    owner_id: UUID = Field(foreign_key="users.id")
    # What the worker does with it; one kind so far.
    kind: str = "advise"
    state: TaskState = TaskState.RUNNING
    stage: Stage | None = None
    # A short phrase for people, and 0..1 over the whole task.
    activity: str | None = None
    progress: float = 0.0
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)
    # Without credentials.
    url: str
    query_count: int
    table_count: int
    # JSON of user, password and the like; NULL from the commit that ends the task.
    credentials: str | None = Field(default=None, sa_type=EncryptedText)
    lease_owner: str | None = None
    lease_until: datetime | None = None
    fence: int = 0
    attempts: int = 0
    cancel_requested: bool = False
    error_code: str | None = None
    error_message: str | None = None
    # Seconds from the submission.
    budget_s: float
    started_at: datetime | None = None
    finished_at: datetime | None = None
