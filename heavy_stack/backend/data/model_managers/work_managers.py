"""Use cases around tasks, as workers see them: claim, beat, save, end.

Every method opens a short unit of work of its own, so that no transaction is open while a stage computes. Every
change names the claim's fence: once another worker has claimed the task, nothing of the earlier claim is written any
more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from heavy_stack.backend.advisor.artefacts import ARTEFACT_VERSION
from heavy_stack.backend.data.model_managers.base import BaseManager
from heavy_stack.backend.data.model_managers.task_managers import CANCELLED, CANCELLED_TEXT
from heavy_stack.backend.data.model_mungers.artefact_packing import pack, unpack
from heavy_stack.backend.data.model_mungers.task_model_mungers import TaskModelMunger
from heavy_stack.backend.data.repositories.artefact_repositories import ArtefactRepository
from heavy_stack.backend.data.repositories.event_repositories import EventRepository
from heavy_stack.backend.data.repositories.work_repositories import WorkRepository
from heavy_stack.backend.data.sql_models.artefacts import ANSWER, REQUEST, Encoding, SQLArtefact
from heavy_stack.backend.data.unit_of_work import OpenUnitOfWork
from heavy_stack.errors import Conflict
from heavy_stack.shared_models.tasks import STAGES, Stage, TaskId, TaskState

# A task whose worker died this often is what kills them.
MAX_ATTEMPTS: Final = 5
KILLED_ITS_WORKER: Final = "killed_its_worker"
_KILLED_TEXT: Final = "The worker process died each time it worked on this task, so it was given up."


@dataclass(frozen=True)
class ClaimedWork:
    """A task that belongs to `worker` until its lease ends; `fence` names this claim.

    Attributes:
        task_id: The task.
        kind: What to do with it.
        worker: Who claimed it.
        fence: Number of the claim.
        attempts: How often it was claimed, this claim included.
        budget_s: Seconds from the submission: that is what its client waits for.
        elapsed_s: Seconds since the submission.
    """

    task_id: TaskId
    kind: str
    worker: str
    fence: int
    attempts: int
    budget_s: float
    elapsed_s: float


@dataclass(frozen=True)
class WorkInputs:
    """What a claimed task goes on from.

    Attributes:
        request: Canonical JSON of the request, without credentials.
        credentials: User, password and the like; None when the client sent none.
        artefacts: What earlier claims finished (JSON bytes); empty when `artefacts_current` is False.
        artefacts_current: False when stored artefacts have another version: call `restart`, then begin at ingest.
        design: What the task's stages made whose design is frozen (`options.design`), empty when another version of
            this service made it; None without that option.
    """

    request: bytes
    credentials: dict[str, str] | None
    artefacts: dict[Stage, bytes]
    artefacts_current: bool = True
    design: dict[Stage, bytes] | None = None


@dataclass(frozen=True)
class Beat:
    """The answer to a heartbeat: is the claim still held, and should the task end?"""

    held: bool
    cancelled: bool


class WorkManager(BaseManager[WorkRepository, TaskModelMunger]):
    """Claims of tasks and fenced changes of what is claimed."""

    def __init__(
        self,
        open_unit: OpenUnitOfWork,
        work: WorkRepository,
        artefacts: ArtefactRepository,
        events: EventRepository,
    ) -> None:
        super().__init__(work, TaskModelMunger())
        self._open_unit = open_unit
        self._artefacts = artefacts
        self._events = events

    async def claim(self, worker: str, lease_s: float) -> ClaimedWork | None:
        """Take the oldest task that waits or whose worker is gone; None when there is none.

        Tasks whose cancel was asked for, or that were claimed too often, are ended on the way.

        Args:
            worker: A name that no other worker has or had.
            lease_s: Seconds until the task is free again without a heartbeat.
        """
        while True:
            row, work = await self._claim_one(worker, lease_s, None)
            if row is None or work is not None:
                return work

    async def claim_task(self, task_id: TaskId, worker: str, lease_s: float) -> ClaimedWork | None:
        """Take that task; None when somebody else has it or it ended."""
        return (await self._claim_one(worker, lease_s, task_id))[1]

    async def list_claimable(self, limit: int) -> list[TaskId]:
        """Ids of tasks that could be claimed now, oldest first."""
        async with self._open_unit():
            return list(await self.repository.list_claimable(limit))

    async def read_inputs(self, work: ClaimedWork) -> WorkInputs:
        """Everything that the work goes on from.

        Raises:
            Conflict: The claim was lost (`claim_lost`).
        """
        async with self._open_unit():
            if not await self.repository.holds(work.task_id, work.worker, work.fence):
                raise Conflict("another worker has claimed the task", code="claim_lost")
            credentials = await self.repository.read_credentials(work.task_id)
            rows = await self._artefacts.list_all(work.task_id, without=ANSWER)
            design_id = await self.repository.read_design(work.task_id)
            design = None if design_id is None else await self._artefacts.list_all(design_id, without=ANSWER)
        content = {row.name: unpack(row.content, row.encoding) for row in rows}
        request = content.pop(REQUEST)
        current = all(row.version == ARTEFACT_VERSION for row in rows if row.name != REQUEST)
        return WorkInputs(
            request=request,
            credentials=None if credentials is None else orjson.loads(credentials),
            artefacts={Stage(name): data for name, data in content.items()} if current else {},
            artefacts_current=current,
            design=None if design is None else _stages(design),
        )

    async def beat(
        self, work: ClaimedWork, lease_s: float, progress: float | None = None, activity: str | None = None
    ) -> Beat:
        """Extend the lease, and say how far the work is.

        Args:
            work: The claim.
            lease_s: Seconds from now.
            progress: 0..1 over the whole task; None leaves it.
            activity: A short phrase for people; None leaves it.
        """
        values: dict[str, Any] = {}
        if progress is not None:
            values["progress"] = min(max(progress, 0.0), 1.0)
        if activity is not None:
            values["activity"] = activity
        async with self._open_unit():
            values["lease_until"] = self.repository.now(lease_s)
            row = await self.repository.change_held(work.task_id, work.worker, work.fence, values)
        return Beat(held=row is not None, cancelled=row is not None and bool(row.cancel_requested))

    async def save_stage(
        self, work: ClaimedWork, stage: Stage, artefact: bytes, *, progress: float | None = None
    ) -> bool:
        """Store a finished stage: artefact, stage and event in one commit. False when the claim was lost.

        Args:
            work: The claim.
            stage: What finished.
            artefact: Its JSON.
            progress: 0..1 over the whole task; None counts stages.
        """
        content = pack(artefact)
        done = (STAGES.index(stage) + 1) / len(STAGES) if progress is None else progress

        async def write() -> None:
            await self._artefacts.put(_artefact(work.task_id, stage.value, Encoding.ZSTD, content))
            await self._events.append(work.task_id, "stage.finished", {"stage": stage.value, "bytes": len(artefact)})

        # The answer is not stored yet, so the last stage's progress stays below 1.
        return await self._change_and(work, {"stage": stage, "progress": min(done, 0.99)}, write)

    async def finish(self, work: ClaimedWork, body_gzip: bytes, etag: str) -> bool:
        """Store the answer and end the task as DONE, in one commit. False when the claim was lost.

        Args:
            work: The claim.
            body_gzip: The answer as it will be sent.
            etag: Names these bytes.
        """

        async def write() -> None:
            await self._artefacts.put(_artefact(work.task_id, ANSWER, Encoding.GZIP, body_gzip, etag))
            await self._events.append(work.task_id, "task.done", {"bytes": len(body_gzip)})

        values = {"state": TaskState.DONE, "stage": Stage.REPORT, "progress": 1.0}
        return await self._change_and(work, values, write, ended=True)

    async def fail(self, work: ClaimedWork, code: str, message: str) -> bool:
        """End the task as FAILED. False when the claim was lost.

        Args:
            work: The claim.
            code: Stable word for machines; `cancelled` when its owner asked for it.
            message: One sentence for the reader, without secrets.
        """

        async def write() -> None:
            await self._log_failure(work.task_id, code)

        return await self._change_and(work, _failed(code, message), write, ended=True)

    async def release(self, work: ClaimedWork, *, counted: bool = False) -> bool:
        """Give the task back: free at once. False when the claim was lost.

        Args:
            work: The claim.
            counted: The claim counts as an attempt: its child process died. Otherwise the worker just shuts down.
        """
        values: dict[str, Any] = {"lease_owner": None, "lease_until": None, "activity": None}
        if not counted:
            values["attempts"] = self.repository.attempts_less_one()
        return await self._change_and(work, values, None)

    async def restart(self, work: ClaimedWork) -> bool:
        """Forget what the stages made, so that the work begins at ingest; the claim stays. False when it was lost."""

        async def write() -> None:
            await self._artefacts.delete_made(work.task_id)
            await self._events.append(work.task_id, "task.restarted", {})

        return await self._change_and(work, {"stage": None, "progress": 0.0, "activity": None}, write)

    async def _claim_one(
        self, worker: str, lease_s: float, task_id: UUID | None
    ) -> tuple[Any | None, ClaimedWork | None]:
        async with self._open_unit():
            row = await self.repository.claim(worker, lease_s, task_id)
            if row is None:
                return None, None
            if row.cancel_requested:
                await self._end_claimed(row, worker, CANCELLED, CANCELLED_TEXT)
                return row, None
            if row.attempts > MAX_ATTEMPTS:
                await self._end_claimed(row, worker, KILLED_ITS_WORKER, _KILLED_TEXT)
                return row, None
            await self._events.append(row.id, "task.claimed", {"attempt": row.attempts, "fence": row.fence})
            return row, ClaimedWork(
                task_id=row.id,
                kind=row.kind,
                worker=worker,
                fence=row.fence,
                attempts=row.attempts,
                budget_s=row.budget_s,
                elapsed_s=_seconds_between(row.created_at, row.now),
            )

    async def _end_claimed(self, row: Any, worker: str, code: str, message: str) -> None:
        await self.repository.change_held(row.id, worker, row.fence, _failed(code, message), ended=True)
        await self._log_failure(row.id, code)

    async def _log_failure(self, task_id: UUID, code: str) -> None:
        if code == CANCELLED:
            await self._events.append(task_id, "task.cancelled", {})
        else:
            await self._events.append(task_id, "task.failed", {"code": code})

    async def _change_and(
        self,
        work: ClaimedWork,
        values: dict[str, Any],
        write: Callable[[], Awaitable[None]] | None,
        *,
        ended: bool = False,
    ) -> bool:
        async with self._open_unit():
            row = await self.repository.change_held(work.task_id, work.worker, work.fence, values, ended=ended)
            if row is None:
                return False
            if write is not None:
                await write()
        return True


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"state": TaskState.FAILED, "error_code": code, "error_message": message}


def _artefact(task_id: UUID, name: str, encoding: Encoding, content: bytes, etag: str | None = None) -> SQLArtefact:
    return SQLArtefact(
        task_id=task_id, name=name, version=ARTEFACT_VERSION, encoding=encoding, content=content, etag=etag
    )


def _seconds_between(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0)


def _stages(rows: Sequence[SQLArtefact]) -> dict[Stage, bytes]:
    """What a task's stages made; nothing when another version of this service made it."""
    made = [row for row in rows if row.name != REQUEST]
    current = all(row.version == ARTEFACT_VERSION for row in made)
    return {Stage(row.name): unpack(row.content, row.encoding) for row in made} if current else {}
