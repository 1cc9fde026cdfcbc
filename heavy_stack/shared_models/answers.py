"""A finished task's answer as pages and clients see it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from heavy_stack.shared_models.reports import CertificateReport, Recheck, Report
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


class RecheckRequest(BaseModel):
    """What a worker needs to check a design's certificates again; stored as the request of a task of that kind."""

    model_config = ConfigDict(frozen=True)

    design: TaskId
    url: str
    ddl: list[DdlStatement]
    certificates: list[CertificateReport]


class RecheckView(BaseModel):
    """The parsed answer of a recheck; it has no statements of its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    taskid: TaskId
    recheck: Recheck
