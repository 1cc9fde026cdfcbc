"""Tasks as pages, the API and the worker see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

TaskId = UUID


class TaskState(StrEnum):
    """The three status words of the API. Queued = RUNNING without a lease; cancelled = FAILED with code `cancelled`."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class TaskKind(StrEnum):
    """What a worker does with a task."""

    ADVISE = "advise"  # a design for a workload
    RECHECK = "recheck"  # the conditions of an earlier design, checked again


class Stage(StrEnum):
    """The eight verbs, in order. A task's `stage` is the last one that finished."""

    INGEST = "ingest"
    PARSE = "parse"
    PROFILE = "profile"
    PROPOSE = "propose"
    SELECT = "select"
    REWRITE = "rewrite"
    VERIFY = "verify"
    REPORT = "report"


STAGES: tuple[Stage, ...] = tuple(Stage)
STAGE_LABELS: dict[Stage, str] = {
    Stage.INGEST: "Reading the workload",
    Stage.PARSE: "Parsing the SQL",
    Stage.PROFILE: "Profiling tables and queries",
    Stage.PROPOSE: "Proposing tables",
    Stage.SELECT: "Selecting the design",
    Stage.REWRITE: "Rewriting queries",
    Stage.VERIFY: "Verifying and measuring",
    Stage.REPORT: "Writing the report",
}


class TaskStatus(BaseModel):
    """What `/status` says. `progress` is 0..1 over the whole task; `seconds_left` is an estimate or None.

    `cancelling`: its end was asked for, and the worker that holds it has not seen that yet.
    """

    model_config = ConfigDict(frozen=True)

    taskid: TaskId
    status: TaskState
    stage: Stage | None = None
    activity: str | None = None
    progress: float = 0.0
    queued: bool = False
    cancelling: bool = False
    seconds_left: float | None = None
    error: str | None = None
    message: str | None = None


class Task(BaseModel):
    """A task in lists and on its page."""

    model_config = ConfigDict(frozen=True)

    id: TaskId
    owner_id: UUID
    kind: str
    state: TaskState
    stage: Stage | None
    activity: str | None
    progress: float
    url: str
    query_count: int
    table_count: int
    attempts: int
    error_code: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class TaskEvent(BaseModel):
    """One line of a task's append-only event log."""

    model_config = ConfigDict(frozen=True)

    seq: int
    task_id: TaskId
    type: str
    data: dict[str, object]
    created_at: datetime


class StoredAnswer(BaseModel):
    """The one final answer of a task, as bytes ready to be sent; it never changes."""

    model_config = ConfigDict(frozen=True)

    body_gzip: bytes
    etag: str
