"""Artefacts: what a task took in, what each stage made, and the answer."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from heavy_stack.backend.data.sql_models.base import HeavyModel

REQUEST = "request"
ANSWER = "answer"


class Encoding(StrEnum):
    """How the bytes are packed. The answer is kept as gzip, since that is how it is sent."""

    ZSTD = "zstd"
    GZIP = "gzip"


class SQLArtefact(HeavyModel, table=True):
    """One artefact: `name` is `request`, a stage, or `answer`. Bytes, not JSON columns: SQL never looks inside."""

    __table_args__ = (UniqueConstraint("task_id", "name"),)

    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    name: str
    # ARTEFACT_VERSION at the time of writing; an artefact of another version restarts the task.
    version: int
    encoding: Encoding
    content: bytes
    etag: str | None = None
