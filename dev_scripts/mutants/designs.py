"""A workload's design and right rewrites, as the advisor makes them; kept, so that a run can be taken up again."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heavy_stack.backend.advisor import pipeline
from heavy_stack.backend.advisor.artefacts import (
    ParsedWorkload,
    Plan,
    Rewrite,
    Workload,
    WorkloadProfile,
    from_json,
    to_json,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.engines import connect
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.shared_models.tasks import Stage

TASK = "0123456789abcdef0123456789abcdef"
"""A fixed task id, so that test data is the same in every run."""
STAGES = (Stage.INGEST, Stage.PARSE, Stage.PROFILE, Stage.PROPOSE, Stage.SELECT, Stage.REWRITE)
BUDGET_S = 3600.0


class Clock:
    """Progress and deadline of a run in this process."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def report(self, done: float, activity: str) -> None:
        """Nobody looks."""

    def left_s(self) -> float:
        """Seconds left."""
        return self._end - time.monotonic()


@dataclass(frozen=True)
class Design:
    """The artefacts up to rewrite."""

    workload: Workload
    parsed: ParsedWorkload
    profile: WorkloadProfile
    plan: Plan
    rewrite: Rewrite

    def queryid(self, text: int) -> str:
        """The first query with this text."""
        return next(entry.queryid for entry in self.workload.queries if entry.text == text)


@contextmanager
def opened(artefacts: dict[Stage, Any], *, seconds: float = BUDGET_S) -> Iterator[Ports]:
    """Ports for a workload, its engine included where the url can be reached."""
    workload = artefacts[Stage.INGEST]
    root = workload.url.removeprefix("jdbc:duckdb:")
    clock = Clock(seconds)
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        roots = (Path(root),) if workload.url.startswith("jdbc:duckdb:") else ()
        options = EngineOptions(lake_roots=roots, scratch_dir=Path(scratch), threads=1)
        with connect(workload, artefacts[Stage.PARSE], options, None, clock, clock) as ports:
            yield ports


def designed(path: Path, url: str | None, folder: Path) -> Design:
    """The design for the workload in `path`; read from `folder` when it was made before."""
    stored = folder / "design.json"
    if not stored.exists():
        folder.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(_made(path, url)))
    return read_design(folder)


def read_design(folder: Path) -> Design:
    """The design that lies in a folder."""
    texts = json.loads((folder / "design.json").read_text())
    found = {stage: from_json(stage, texts[stage.value].encode()) for stage in STAGES}
    return Design(*(found[stage] for stage in STAGES if stage is not Stage.PROPOSE))


def started(path: Path, url: str | None = None) -> dict[Stage, Any]:
    """The first two artefacts of a workload."""
    request = json.loads(path.read_text())
    request["url"] = url or "jdbc:trino://nowhere.invalid:8080"
    request.pop("options", None)
    clock = Clock(BUDGET_S)
    found: dict[Stage, Any] = {Stage.INGEST: pipeline.start(TASK, json.dumps(request).encode(), budget_s=BUDGET_S)}
    found[Stage.PARSE] = pipeline.run_stage(Stage.PARSE, found, Ports(None, clock, clock))  # type: ignore[arg-type]
    return found


def _made(path: Path, url: str | None) -> dict[str, str]:
    found = started(path, url)
    with opened(found) as ports:
        for stage in STAGES[2:]:
            found[stage] = pipeline.run_stage(stage, found, ports)
    return {stage.value: to_json(artefact).decode() for stage, artefact in found.items()}
