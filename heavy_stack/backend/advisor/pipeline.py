"""The advisor on one screen: eight stages, in order. Read this first; README.md draws the flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from heavy_stack.backend.advisor.artefacts import FrozenDesign
from heavy_stack.backend.advisor.ingest import ingest
from heavy_stack.backend.advisor.parse import parse
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.profile import profile
from heavy_stack.backend.advisor.propose import propose
from heavy_stack.backend.advisor.report import frozen_design, report
from heavy_stack.backend.advisor.rewrite import rewrite
from heavy_stack.backend.advisor.trial import select_by_trial
from heavy_stack.backend.advisor.verify import verify
from heavy_stack.shared_models.tasks import STAGES, Stage

Artefacts = Mapping[Stage, Any]

_RUN: dict[Stage, Callable[[Artefacts, Ports], Any]] = {
    Stage.PARSE: lambda a, p: parse(a[Stage.INGEST], p.progress),
    Stage.PROFILE: lambda a, p: profile(a[Stage.INGEST], a[Stage.PARSE], p),
    Stage.PROPOSE: lambda a, p: propose(a[Stage.INGEST], a[Stage.PARSE], a[Stage.PROFILE], p),
    Stage.SELECT: lambda a, p: select_by_trial(a[Stage.INGEST], a[Stage.PARSE], a[Stage.PROFILE], a[Stage.PROPOSE], p),
    Stage.REWRITE: lambda a, p: rewrite(a[Stage.INGEST], a[Stage.PARSE], a[Stage.PROFILE], a[Stage.SELECT], p),
    Stage.VERIFY: lambda a, p: verify(
        a[Stage.INGEST], a[Stage.PARSE], a[Stage.PROFILE], a[Stage.SELECT], a[Stage.REWRITE], p
    ),
    Stage.REPORT: lambda a, p: report(
        a[Stage.INGEST], a[Stage.PARSE], a[Stage.PROFILE], a[Stage.SELECT], a[Stage.REWRITE], a[Stage.VERIFY], p
    ),
}


def start(task_id: str, request: bytes, *, budget_s: float, frozen: FrozenDesign | None = None) -> Any:
    """The first stage: the stored request (no credentials in it) becomes a `Workload`, onto `frozen` if given."""
    return replace(ingest(task_id, request, budget_s=budget_s), frozen=frozen)


def freeze(artefacts: Artefacts) -> FrozenDesign:
    """The design that a finished task's answer has, for `options.design` of a later task."""
    return artefacts[Stage.INGEST].frozen or frozen_design(
        artefacts[Stage.INGEST],
        artefacts[Stage.PARSE],
        artefacts[Stage.PROFILE],
        artefacts[Stage.SELECT],
        artefacts[Stage.REWRITE],
        artefacts[Stage.VERIFY],
    )


def run_stage(stage: Stage, artefacts: Artefacts, ports: Ports) -> Any:
    """Run one stage after `ingest` on the artefacts of the earlier ones and return its artefact."""
    return _RUN[stage](artefacts, ports)


def remaining(artefacts: Artefacts) -> tuple[Stage, ...]:
    """The stages still to run, in order, given the artefacts at hand."""
    for index, stage in enumerate(STAGES):
        if stage not in artefacts:
            return STAGES[index:]
    return ()
