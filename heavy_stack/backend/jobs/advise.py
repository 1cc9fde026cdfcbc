"""What a child does with a task of the kind `advise`: the pipeline's remaining stages, then the answer as bytes.

Importing this module loads everything that a task needs (SQL, stages, engine client); workers never do, children do it
while they wait.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from heavy_stack.backend import engines
from heavy_stack.backend.advisor import pipeline
from heavy_stack.backend.advisor.artefacts import Answer, FrozenDesign, from_json, to_json
from heavy_stack.backend.advisor.ports import NotCheckable, Ports, QueryRunner
from heavy_stack.backend.advisor.report import render_answer
from heavy_stack.backend.jobs.link import Finished, Job, Link
from heavy_stack.errors import InputError
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
    run = _StageRun(job, link, _load(job.artefacts))
    run.stages(_BEFORE_ENGINE, Ports(cast(QueryRunner, _NoRunner()), link, deadline))
    if pipeline.remaining(run.artefacts):
        workload, parsed = run.artefacts[Stage.INGEST], run.artefacts[Stage.PARSE]
        with _CONNECT(workload, parsed, job.engine, job.credentials, link, deadline) as ports:
            run.stages(STAGES, ports)
    answer: Answer = run.artefacts[Stage.REPORT]
    body = gzip.compress(render_answer(job.task_id, answer), compresslevel=6, mtime=0)
    return Finished(body, hashlib.sha256(body).hexdigest()[:32])


class _StageRun:
    """Runs stages that have no artefact yet, and hands each over."""

    def __init__(self, job: Job, link: Link, artefacts: dict[Stage, Any]) -> None:
        self._job = job
        self._link = link
        self._seconds: dict[str, float] = {}
        self.artefacts = artefacts

    def stages(self, wanted: tuple[Stage, ...], ports: Ports) -> None:
        for stage in pipeline.remaining(self.artefacts):
            if stage not in wanted:
                return
            self._link.enter(stage, STAGE_LABELS[stage])
            begun = time.monotonic()
            artefact = self._run(stage, ports)
            self._seconds[stage.value] = round(time.monotonic() - begun, 3)
            if isinstance(artefact, Answer):  # only here is it known how long the stages of this run took
                timed = artefact.report.model_copy(update={"stage_seconds": dict(self._seconds)})
                artefact = replace(artefact, report=timed)
            self.artefacts[stage] = artefact
            self._link.hand_over(stage, to_json(artefact))

    def _run(self, stage: Stage, ports: Ports) -> Any:
        if stage is Stage.INGEST:
            job = self._job
            frozen = None if job.design is None else _frozen(job.design)
            return pipeline.start(job.task_id, job.request, budget_s=job.budget_s, frozen=frozen)
        return pipeline.run_stage(stage, self.artefacts, ports)


def _frozen(stored: Mapping[Stage, bytes]) -> FrozenDesign:
    made = _load(stored)
    if Stage.VERIFY not in made:
        raise InputError(
            "the design named by options.design was made by another version of this service; send its workload again",
            code="design_outdated",
        )
    return pipeline.freeze(made)


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
