"""What a worker and its child process say to each other: one job down, then progress, stages and one ending up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.shared_models.tasks import STAGES, Stage, TaskKind

_REPORT_EVERY_S = 0.25

SHARES: dict[Stage, float] = {
    Stage.INGEST: 0.02,
    Stage.PARSE: 0.10,
    Stage.PROFILE: 0.08,
    Stage.PROPOSE: 0.10,
    Stage.SELECT: 0.05,
    Stage.REWRITE: 0.05,
    Stage.VERIFY: 0.55,
    Stage.REPORT: 0.05,
}
"""Share of a task's time that each stage takes, as seen on workloads with an engine; they add up to 1."""


def overall(stage: Stage, done: float) -> float:
    """Progress of the whole task, 0..1, when `stage` is `done` (0..1)."""
    before = sum(SHARES[earlier] for earlier in STAGES[: STAGES.index(stage)])
    return min(1.0, before + SHARES[stage] * min(1.0, max(0.0, done)))


@dataclass(frozen=True)
class Job:
    """All that a child gets. Bodies and credentials never show in a log or a traceback.

    Attributes:
        task_id: The task's id as text.
        request: The stored request, without credentials.
        credentials: What was taken out of the task's url, or None.
        artefacts: Finished stages' artefacts as JSON, by stage.
        budget_s: The whole budget, for the workload.
        left_s: Seconds until the stages' deadline; may be negative.
        engine: Limits and folders for the engine's adapter.
        design: Artefacts of the task whose design is frozen (`options.design`), or None.
        kind: What to do (`TaskKind`).
    """

    task_id: str
    request: bytes = field(repr=False)
    credentials: dict[str, str] | None = field(repr=False)
    artefacts: dict[Stage, bytes] = field(repr=False)
    budget_s: float
    left_s: float
    engine: EngineOptions
    design: dict[Stage, bytes] | None = field(default=None, repr=False)
    kind: str = TaskKind.ADVISE


@dataclass(frozen=True)
class ProgressMade:
    """`done` is 0..1 over the whole task."""

    done: float
    activity: str


@dataclass(frozen=True)
class StageDone:
    """A finished stage; the child waits for `Committed` before it goes on."""

    stage: Stage
    artefact: bytes = field(repr=False)


@dataclass(frozen=True)
class Committed:
    """The parent's reply to `StageDone`."""


@dataclass(frozen=True)
class Finished:
    """The whole answer, ready to be sent."""

    body_gzip: bytes = field(repr=False)
    etag: str


@dataclass(frozen=True)
class Refused:
    """A `HeavyStackError`: the task's own code and message."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True)
class Broken:
    """Any other exception: a defect. `frames` says where; no message, since messages quote data."""

    stage: Stage
    error: str
    frames: tuple[str, ...]


@dataclass(frozen=True)
class OutOfMemory:
    """The child reached its memory limit."""

    stage: Stage


Message = ProgressMade | StageDone | Finished | Refused | Broken | OutOfMemory
Ending = Finished | Refused | Broken | OutOfMemory


class Link:
    """The child's end. Also the stages' `Progress`, for the stage that was entered last."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._last_report = 0.0
        self.stage = STAGES[0]

    def enter(self, stage: Stage, activity: str) -> None:
        """From here on progress belongs to `stage`."""
        self.stage = stage
        self._last_report = 0.0
        self.report(0.0, activity)

    def report(self, done: float, activity: str) -> None:
        """The `Progress` port; more often than four times a second is dropped."""
        now = time.monotonic()
        if now - self._last_report >= _REPORT_EVERY_S:
            self._last_report = now
            self._connection.send(ProgressMade(overall(self.stage, done), activity[:200]))

    def hand_over(self, stage: Stage, artefact: bytes) -> None:
        """Give a finished stage to the worker and wait until it is stored. One that lost the task ends us instead."""
        self._connection.send(StageDone(stage, artefact))
        self._connection.recv()


Target = Callable[[Job, Link], Finished]
"""What a child runs; named as `module:function`, so that a new process can find it."""
