"""Advance one task: claim it, run its remaining stages in a child, commit each under the claim's fence, and end it.

Nothing here trusts that it is alone: every commit names the fence, and a commit that is refused means that another
worker has the task. What a child made before it died is kept; the next one goes on after the last commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from queue import Empty
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from heavy_stack.backend.data.model_managers.work_managers import MAX_ATTEMPTS, ClaimedWork, WorkInputs, WorkManager
from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.jobs.heartbeat import Heartbeat, Run
from heavy_stack.backend.jobs.link import (
    Broken,
    Committed,
    Ending,
    Finished,
    Job,
    OutOfMemory,
    ProgressMade,
    Refused,
    StageDone,
    overall,
)
from heavy_stack.backend.jobs.loop_thread import LoopThread
from heavy_stack.backend.jobs.pool import Cause, Child, ChildEnded, ChildPool
from heavy_stack.backend.jobs.scratch import remove_scratch
from heavy_stack.errors import Conflict, ExternalError
from heavy_stack.settings import Settings

T = TypeVar("T")

LAST_GRACE_S: Final = 120.0
"""With the budget spent, a child only writes down what there is; this ends one that hangs even then."""

_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0)
_CALL_WITHIN_S: Final = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TimePlan:
    """Seconds from now: `left_s` until the stages' deadline (may be negative), `kill_s` until the child is ended."""

    left_s: float
    kill_s: float


def plan_time(budget_s: float, elapsed_s: float, *, hurry: bool) -> TimePlan:
    """Stages stop a little before the budget ends, so that the answer is there when it does.

    A child that does not stop by itself is ended early enough for another to write down what the stages made so far:
    that one is in a hurry, it finds its deadline passed.
    """
    reserve_s = min(30.0, max(2.0, 0.05 * budget_s))
    left_s = budget_s - elapsed_s - reserve_s
    if hurry or left_s <= 0:
        return TimePlan(min(0.0, left_s), LAST_GRACE_S)
    return TimePlan(left_s, left_s + reserve_s / 2)


@dataclass
class _History:
    """What went wrong with this task while this worker had it."""

    out_of_memory: int = 0
    overran: bool = False


class TaskRunner:
    """What the actor `task.advance` calls.

    Args:
        settings: Lease, engine and folders.
        loop: Where database calls run.
        work: The worker side's manager.
        pool: Children.
        worker: A name that no other worker has or had.
    """

    def __init__(
        self, settings: Settings, loop: LoopThread, work: WorkManager, pool: ChildPool, *, worker: str
    ) -> None:
        self._settings = settings
        self._loop = loop
        self._work = work
        self._pool = pool
        self._worker = worker
        self._lock = threading.Lock()
        self._runs: set[Run] = set()
        self._stopped = False

    def advance(self, task_id: UUID) -> None:
        """Claim the task and bring it to its end, or leave it to another worker.

        Raises:
            ExternalError: Something outside was not there; try again later.
        """
        history = _History()
        while not self._stopped and (claimed := self._claim(task_id)) is not None:
            log.info("task.claimed", attempt=claimed.attempts, fence=claimed.fence)
            remove_scratch(self._settings.scratch_dir, task_id)
            outcome = self._run(claimed, history)
            if outcome is not Cause.LOST:  # while it is still ours: its next worker builds in the same folder
                remove_scratch(self._settings.scratch_dir, task_id)
            if not self._settle(claimed, outcome, history):
                return

    def give_back(self) -> None:
        """End all runs; their tasks are free for other workers at once."""
        with self._lock:
            self._stopped = True
            runs = list(self._runs)
        for run in runs:
            run.end(Cause.STOPPED)

    def _claim(self, task_id: UUID) -> ClaimedWork | None:
        return self._database(lambda: self._work.claim_task(task_id, self._worker, self._settings.lease_s))

    def _run(self, claimed: ClaimedWork, history: _History) -> Ending | Cause:
        run = Run()
        with self._lock:
            self._runs.add(run)
            if self._stopped:
                run.end(Cause.STOPPED)
        try:
            with Heartbeat(self._loop, self._work, claimed, self._settings.lease_s, run) as heart:
                return self._run_held(claimed, history, run, heart)
        except Conflict:
            return Cause.LOST
        finally:
            with self._lock:
                self._runs.discard(run)

    def _run_held(self, claimed: ClaimedWork, history: _History, run: Run, heart: Heartbeat) -> Ending | Cause:
        inputs = self._database(lambda: self._work.read_inputs(claimed))
        if not inputs.artefacts_current and not self._database(lambda: self._work.restart(claimed)):
            return Cause.LOST
        plan = plan_time(claimed.budget_s, claimed.elapsed_s, hurry=history.overran)
        begun = time.monotonic()
        child = self._take_child(run)
        if child is None:
            return run.cause or Cause.STOPPED
        code = None
        try:
            run.attach(child)
            waited_s = time.monotonic() - begun
            child.send(self._job(claimed, inputs, plan.left_s - waited_s))
            return self._converse(child, claimed, heart, begun + plan.kill_s)
        except ChildEnded as ended:
            code = child.close()
            if ended.cause is Cause.CRASHED:
                log.warning("worker.child_died", exit_code=code, attempt=claimed.attempts)
            return ended.cause
        finally:
            self._pool.replace(child)

    def _take_child(self, run: Run) -> Child | None:
        while run.cause is None:
            try:
                return self._pool.take(timeout_s=0.5)
            except Empty:
                continue
        return None

    def _converse(self, child: Child, claimed: ClaimedWork, heart: Heartbeat, until: float) -> Ending | Cause:
        while True:
            message = child.receive(until)
            if isinstance(message, ProgressMade):
                heart.tell(message.done, message.activity)
            elif isinstance(message, StageDone):
                if not self._save(claimed, message):
                    return Cause.LOST
                log.info("stage.finished", stage=message.stage.value, bytes=len(message.artefact))
                child.send(Committed())
            else:
                return message

    def _save(self, claimed: ClaimedWork, done: StageDone) -> bool:
        progress = overall(done.stage, 1.0)
        return self._database(lambda: self._work.save_stage(claimed, done.stage, done.artefact, progress=progress))

    def _job(self, claimed: ClaimedWork, inputs: WorkInputs, left_s: float) -> Job:
        settings = self._settings
        return Job(
            task_id=str(claimed.task_id),
            request=inputs.request,
            credentials=inputs.credentials,
            artefacts=inputs.artefacts if inputs.artefacts_current else {},
            design=inputs.design,
            kind=claimed.kind,
            budget_s=claimed.budget_s,
            left_s=left_s,
            engine=EngineOptions(
                lake_roots=settings.lakes,
                scratch_dir=settings.scratch_dir,
                memory_mb=settings.duckdb_memory_mb,
                threads=settings.duckdb_threads,
                trino_allow=settings.trino_allow,
                embedded=settings.embedded,
                process_memory_mb=settings.child_memory_mb,
            ),
        )

    def _settle(self, claimed: ClaimedWork, outcome: Ending | Cause, history: _History) -> bool:
        """Write the outcome down; True when this worker should claim the task again at once."""
        if isinstance(outcome, Finished):
            if self._database(lambda: self._work.finish(claimed, outcome.body_gzip, outcome.etag)):
                log.info("task.done", bytes=len(outcome.body_gzip))
            return False
        if isinstance(outcome, Broken):
            log.error("task.stage_broke", stage=outcome.stage.value, error=outcome.error, frames=outcome.frames)
            reason = f"The stage {outcome.stage.value} broke with {outcome.error}: a defect of this service."
            return self._fail(claimed, "stage_error", reason)
        if isinstance(outcome, Refused):
            return self._refuse(claimed, outcome)
        if isinstance(outcome, OutOfMemory):
            history.out_of_memory += 1
            log.warning("task.out_of_memory", stage=outcome.stage.value, times=history.out_of_memory)
            if history.out_of_memory > 1:
                limit = self._settings.child_memory_mb
                reason = f"The stage {outcome.stage.value} needs more memory than a task may have ({limit} MiB)."
                return self._fail(claimed, "out_of_memory", reason)
            return self._try_again(claimed)
        return self._settle_ended(claimed, outcome, history)

    def _settle_ended(self, claimed: ClaimedWork, cause: Cause, history: _History) -> bool:
        log.info("task.run_ended", cause=cause.value)
        if cause is Cause.CANCELLED:
            return self._fail(claimed, "cancelled", "The task was cancelled.")
        if cause is Cause.STOPPED:
            self._database(lambda: self._work.release(claimed))
            return False
        if cause is Cause.OVERRAN:
            if history.overran or plan_time(claimed.budget_s, claimed.elapsed_s, hurry=False).left_s <= 0:
                return self._fail(claimed, "out_of_time", "The task's time budget ended before there was an answer.")
            history.overran = True
            return self._try_again(claimed)
        return cause is Cause.CRASHED and self._try_again(claimed)

    def _refuse(self, claimed: ClaimedWork, refused: Refused) -> bool:
        if not refused.retryable or claimed.attempts >= MAX_ATTEMPTS:
            return self._fail(claimed, refused.code, refused.message)
        self._try_again(claimed)
        raise ExternalError(refused.message, code=refused.code)

    def _fail(self, claimed: ClaimedWork, code: str, message: str) -> bool:
        self._database(lambda: self._work.fail(claimed, code, message))
        log.info("task.failed", code=code)
        return False

    def _try_again(self, claimed: ClaimedWork) -> bool:
        """Free the row, with this attempt counted; the next claim's fence shuts out whatever is left of this one."""
        return self._database(lambda: self._work.release(claimed, counted=True))

    def _database(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """A call on the services' loop; repeated for some seconds while the database is away. All are idempotent."""
        for pause_s in _PAUSES_S:
            try:
                return self._loop.call(work(), timeout_s=_CALL_WITHIN_S)
            except (SQLAlchemyError, OSError) as error:
                log.warning("worker.database_failed", error=type(error).__name__)
                time.sleep(pause_s)
        return self._loop.call(work(), timeout_s=_CALL_WITHIN_S)
