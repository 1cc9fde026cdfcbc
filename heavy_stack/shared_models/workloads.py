"""What a client sends: the task API's request body (docs/api.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

VerifyLevel = Literal["none", "explain", "conditions", "engine"]
MAX_RUN_QUANTITY = 10**12


class EngineKind(StrEnum):
    """Which engine a task's `url` names."""

    TRINO = "trino"
    DUCKDB = "duckdb"
    UNKNOWN = "unknown"


class DdlStatement(BaseModel):
    """One DDL statement, as the client wrote it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    statement: str


class WorkloadQuery(BaseModel):
    """One query of the workload; `executiontime` is in whole seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    queryid: Annotated[str, Field(min_length=1, max_length=1000)]
    query: str
    runquantity: Annotated[int, Field(ge=0, le=MAX_RUN_QUANTITY)] = 1
    executiontime: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class TaskOptions(BaseModel):
    """Optional wishes of a task; an unknown option is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    design: str | None = None
    verify: VerifyLevel | None = None
    storage: Literal["table"] | None = None
    budget_s: Annotated[int, Field(ge=5, le=720)] | None = None
    window_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    max_tables: Annotated[int, Field(ge=0, le=1000)] | None = None
    max_storage_bytes: Annotated[int, Field(ge=0)] | None = None
    scratch: bool | None = None


class NewTask(BaseModel):
    """The body of `POST /new`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: Annotated[str, Field(max_length=10_000)]
    ddl: Annotated[list[DdlStatement], Field(min_length=1)]
    queries: Annotated[list[WorkloadQuery], Field(min_length=1)]
    options: TaskOptions = TaskOptions()


class LaterQuery(BaseModel):
    """The body of `POST /tasks/<taskid>/rewrite`: a query that arrives after the design.

    Attributes:
        query: Its text.
        url: Where the tables are, credentials included; left out, the design's own address, without credentials.
        verify: How far the rewrite is checked; `engine` also builds the design and compares on the data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Annotated[str, Field(min_length=1)]
    url: Annotated[str, Field(max_length=10_000)] | None = None
    verify: VerifyLevel | None = None


class RecheckWish(BaseModel):
    """The body of `POST /tasks/<taskid>/recheck`; it may be empty.

    Attributes:
        url: Where the tables are, credentials included; left out, the design's own address, without credentials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(max_length=10_000)] | None = None
