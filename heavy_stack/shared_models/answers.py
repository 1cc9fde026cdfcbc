"""A finished task's answer as pages and clients see it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from heavy_stack.shared_models.reports import Report
from heavy_stack.shared_models.tasks import TaskId
from heavy_stack.shared_models.workloads import DdlStatement


class AnswerQuery(BaseModel):
    """One queryid of the workload with the text to run instead."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    queryid: str
    query: str


class AnswerView(BaseModel):
    """The parsed answer: `ddl`, then `migrations`, then `queries` run in order; `report` says why and how fast."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    taskid: TaskId
    ddl: list[DdlStatement]
    migrations: list[DdlStatement]
    queries: list[AnswerQuery]
    report: Report
