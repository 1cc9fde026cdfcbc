"""Workloads and tasks for tests."""

from __future__ import annotations

import gzip
import json
from typing import Any
from uuid import uuid4

from heavy_stack.backend.advisor.artefacts import ARTEFACT_VERSION
from heavy_stack.backend.data.model_managers.work_managers import ClaimedWork
from heavy_stack.backend.data.model_mungers.artefact_packing import pack
from heavy_stack.backend.data.repositories.artefact_repositories import ArtefactRepository
from heavy_stack.backend.data.sql_models.artefacts import ANSWER, REQUEST, Encoding, SQLArtefact
from heavy_stack.backend.data.sql_models.tasks import SQLTask
from heavy_stack.backend.services import Services
from heavy_stack.shared_models.reports import AsOf, QueryReport, Report, TextReport
from heavy_stack.shared_models.tasks import Stage, TaskId, TaskState
from heavy_stack.shared_models.users import User
from heavy_stack.shared_models.verdicts import Reason, Verdict

SMALL_URL = "jdbc:trino://trino.example.invalid:8080/lake/shop"


def workload_body(**fields: Any) -> bytes:
    """The body of a small, valid `POST /new`; `fields` replace its own."""
    body = {
        "url": SMALL_URL,
        "ddl": [{"statement": "CREATE TABLE lake.shop.sale (id bigint, amount decimal(12,2))"}],
        "queries": [{"queryid": "q1", "query": "SELECT sum(amount) FROM lake.shop.sale", "runquantity": 3}],
    }
    return json.dumps({**body, **fields}).encode()


async def make_user(services: Services, external_id: str = "ann") -> User:
    """A stored user."""
    async with services.unit_of_work():
        return await services.users.ensure_user(external_id)


async def submit(services: Services, user: User, **fields: Any) -> TaskId:
    """A stored task."""
    async with services.unit_of_work():
        return await services.tasks.submit(user, workload_body(**fields))


async def claim(services: Services, worker: str = "worker-1", lease_s: float = 30.0) -> ClaimedWork:
    """The oldest free task, claimed."""
    work = await services.work.claim(worker, lease_s)
    assert work is not None
    return work


def make_report(**fields: Any) -> Report:
    """A report on one query that was left alone; `fields` replace its own."""
    text = TextReport(verdict=Verdict.UNCHANGED, reason=Reason.NO_GAIN, original="SELECT 1")
    given: dict[str, Any] = {
        "headline": "1 query, none rewritten",
        "as_of": AsOf(kind="no_engine", sentence="The design was made from DDL and queries alone."),
        "engine": None,
        "engine_reachable": False,
        "verify": "none",
        "texts": [text],
        "queries": [QueryReport(queryid="q1", runquantity=3, text=0)],
        **fields,
    }
    return Report(**given)


def answer_body(task_id: TaskId, report: Report | None = None, **fields: Any) -> bytes:
    """A stored answer's bytes (gzip), as the last stage makes them."""
    body = {
        "taskid": str(task_id),
        "status": "DONE",
        "ddl": [],
        "migrations": [],
        "queries": [{"queryid": "q1", "query": "SELECT 1"}],
        "report": (report or make_report()).model_dump(mode="json"),
        "result": {"ok": True, "meta": {"tokens_used": 0}},
        **fields,
    }
    return gzip.compress(json.dumps(body).encode())


async def store_finished(services: Services, user: User, report: Report, **request: Any) -> TaskId:
    """A DONE task with that report, which no worker ever saw; `request` replaces fields of its request."""
    task = SQLTask(
        id=uuid4(),
        owner_id=user.id,
        state=TaskState.DONE,
        stage=Stage.REPORT,
        progress=1.0,
        url=str(request.get("url", SMALL_URL)),
        query_count=len(report.queries),
        table_count=1,
        budget_s=60.0,
    )
    artefacts = ArtefactRepository()
    common: dict[str, Any] = {"task_id": task.id, "version": ARTEFACT_VERSION}
    async with services.unit_of_work():
        assert await services.tasks.repository.add_if_below(task, 1000)
        content = pack(workload_body(**request))
        await artefacts.put_new(SQLArtefact(name=REQUEST, encoding=Encoding.ZSTD, content=content, **common))
        body = answer_body(task.id, report)
        await artefacts.put_new(SQLArtefact(name=ANSWER, encoding=Encoding.GZIP, content=body, etag="e", **common))
    return task.id
