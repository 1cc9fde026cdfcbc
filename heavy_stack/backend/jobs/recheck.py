"""What a child does with a task of the kind `recheck`: a design's certificates, run again on the engine."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime

import orjson

from heavy_stack.backend import engines
from heavy_stack.backend.advisor.artefacts import Workload
from heavy_stack.backend.advisor.ingest import engine_kind
from heavy_stack.backend.advisor.parse import parse
from heavy_stack.backend.advisor.verify.certificates import check_certificates
from heavy_stack.backend.jobs.advise import BudgetDeadline
from heavy_stack.backend.jobs.link import Finished, Job, Link
from heavy_stack.shared_models.answers import RecheckRequest
from heavy_stack.shared_models.reports import CertificateReport, Recheck
from heavy_stack.shared_models.tasks import Stage

_CONNECT = engines.connect


def run_job(job: Job, link: Link) -> Finished:
    """Check every certificate and render what was found.

    Raises:
        HeavyStackError: The task ends with this code and message.
    """
    request = RecheckRequest.model_validate_json(job.request)
    link.enter(Stage.VERIFY, "Checking the conditions again")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    certificates, note = _check(job, request, link, at) if request.certificates else ([], None)
    found = Recheck(design=str(request.design), certificates=certificates, at=at, note=note)
    # The three keys of every answer, so that a client which knows only those is not surprised.
    answer = {
        "ddl": [],
        "migrations": [],
        "queries": [],
        "taskid": job.task_id,
        "status": "DONE",
        "result": {"ok": True, "meta": {"tokens_used": 0}},
        "meta": {"tokens_used": 0},
        "recheck": found.model_dump(mode="json"),
    }
    body = gzip.compress(orjson.dumps(answer), compresslevel=6, mtime=0)
    return Finished(body, hashlib.sha256(body).hexdigest()[:32])


def _check(job: Job, request: RecheckRequest, link: Link, at: str) -> tuple[list[CertificateReport], str | None]:
    workload = Workload(
        task_id=job.task_id,
        engine=engine_kind(request.url),
        url=request.url,
        ddl=tuple(item.statement for item in request.ddl),
        texts=(),
        queries=(),
        verify="conditions",
        budget_s=job.budget_s,
    )
    deadline = BudgetDeadline(job.left_s)
    parsed = parse(workload, link)
    with _CONNECT(workload, parsed, job.engine, job.credentials, link, deadline) as ports:
        return check_certificates(request.certificates, ports, at), ports.note
