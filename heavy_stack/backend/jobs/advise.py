"""What a child does with a task of the kind `advise`: the pipeline's remaining stages, then the answer as bytes.

Importing this module loads everything that a task needs (SQL, stages, engine client); workers never do, children do it
while they wait.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from heavy_stack.backend import engines
from heavy_stack.backend.advisor import pipeline
from heavy_stack.backend.advisor.artefacts import from_json, to_json
from heavy_stack.backend.advisor.ports import NotCheckable, Ports, QueryRunner
from heavy_stack.backend.advisor.report import render_answer
from heavy_stack.backend.jobs.link import Finished, Job, Link
from heavy_stack.shared_models.tasks import STAGE_LABELS, STAGES, Stage

# Loaded now, while the child waits: otherwise on first use.
_CONNECT = engines.connect

_BEFORE_ENGINE = (Stage.INGEST, Stage.PARSE)
"""Stages that need no engine, and that the engine's adapter needs the artefacts of."""


class BudgetDeadline:
    """The `Deadline` port."""

    def __init__(self, left_s: float) -> None:
        self._ends = time.monotonic() + left_s

    def left_s(self) -> float:
        """Seconds left; negative once it has passed."""
        return self._ends - time.monotonic()


class _NoRunner:
    """Stands for the `QueryRunner` port before the DDL is parsed."""

    def __getattr__(self, name: str) -> Any:
        raise NotCheckable("nothing runs before the DDL is parsed")


def run_job(job: Job, link: Link) -> Finished:
    """Run the stages that have no artefact yet, hand each over, and render the answer.

    Raises:
        HeavyStackError: The task ends with this code and message.
    """
    deadline = BudgetDeadline(job.left_s)
    artefacts = _load(job.artefacts)
    runner = cast(QueryRunner, _NoRunner())
    for stage in _remaining(artefacts, engine=False):
        link.enter(stage, STAGE_LABELS[stage])
        if stage is Stage.INGEST:
            artefacts[stage] = pipeline.start(job.task_id, job.request, budget_s=job.budget_s)
        else:
            artefacts[stage] = pipeline.run_stage(stage, artefacts, Ports(runner, link, deadline))
        link.commit(stage, to_json(artefacts[stage]))
    stages = _remaining(artefacts, engine=True)
    if stages:
        with _connected(job, artefacts, link, deadline) as ports:
            for stage in stages:
                link.enter(stage, STAGE_LABELS[stage])
                artefacts[stage] = pipeline.run_stage(stage, artefacts, ports)
                link.commit(stage, to_json(artefacts[stage]))
    body = gzip.compress(render_answer(job.task_id, artefacts[Stage.REPORT]), compresslevel=6, mtime=0)
    return Finished(body, hashlib.sha256(body).hexdigest()[:32])


@contextmanager
def _connected(job: Job, artefacts: Mapping[Stage, Any], link: Link, deadline: BudgetDeadline) -> Iterator[Ports]:
    workload, parsed = artefacts[Stage.INGEST], artefacts[Stage.PARSE]
    with _CONNECT(workload, parsed, job.engine, job.credentials, link, deadline) as ports:
        yield ports


def _remaining(artefacts: Mapping[Stage, Any], *, engine: bool) -> tuple[Stage, ...]:
    return tuple(stage for stage in pipeline.remaining(artefacts) if (stage not in _BEFORE_ENGINE) is engine)


def _load(stored: Mapping[Stage, bytes]) -> dict[Stage, Any]:
    """Artefacts of the stages up to the first that is missing or cannot be read: later ones were made from it."""
    artefacts: dict[Stage, Any] = {}
    for stage in STAGES:
        if stage not in stored:
            break
        try:
            artefacts[stage] = from_json(stage, stored[stage])
        except ValueError:
            break
    return artefacts
