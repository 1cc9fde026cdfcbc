"""Use cases around tasks, as their owners see them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID, uuid4

import orjson

from heavy_stack.backend.advisor.artefacts import ARTEFACT_VERSION
from heavy_stack.backend.data.model_managers.answer_archive import pack_answer
from heavy_stack.backend.data.model_managers.answer_cache import AnswerCache
from heavy_stack.backend.data.model_managers.base import BaseManager
from heavy_stack.backend.data.model_managers.follow_ups import (
    later_body,
    read_later_query,
    read_recheck_wish,
    recheck_intake,
)
from heavy_stack.backend.data.model_managers.task_intake import Intake, read_new_task
from heavy_stack.backend.data.model_mungers.artefact_packing import pack, unpack
from heavy_stack.backend.data.model_mungers.event_model_mungers import EventModelMunger
from heavy_stack.backend.data.model_mungers.task_model_mungers import TaskModelMunger
from heavy_stack.backend.data.repositories.artefact_repositories import ArtefactRepository
from heavy_stack.backend.data.repositories.event_repositories import EventRepository
from heavy_stack.backend.data.repositories.task_repositories import TaskRepository
from heavy_stack.backend.data.sql_models.artefacts import ANSWER, REQUEST, Encoding, SQLArtefact
from heavy_stack.backend.data.sql_models.column_types import utc_now
from heavy_stack.backend.data.sql_models.tasks import SQLTask
from heavy_stack.backend.data.unit_of_work import Message, queue_message
from heavy_stack.errors import Conflict, NotFound, TaskFailed, WorkloadFormat
from heavy_stack.settings import Settings
from heavy_stack.shared_models.answers import AnswerView, RecheckView
from heavy_stack.shared_models.reports import Recheck, Report
from heavy_stack.shared_models.tasks import StoredAnswer, Task, TaskEvent, TaskId, TaskKind, TaskState, TaskStatus
from heavy_stack.shared_models.users import User

ADVANCE_MESSAGE = "task.advance"
CANCEL_MESSAGE = "task.cancel"
CANCELLED = "cancelled"
CANCELLED_TEXT = "The task was cancelled."

# Below this size the work takes less time than handing it to a thread.
_INLINE_BYTES = 256 * 1024
_MAX_EVENTS = 1000
_RETRY_AFTER_S = 1

A = TypeVar("A")
R = TypeVar("R")


class TaskManager(BaseManager[TaskRepository, TaskModelMunger]):
    """Submit, watch, cancel and collect tasks. Another user's task looks as if it did not exist.

    `get_status` and the reads of a finished answer also work outside a unit of work: they read columns on the
    AUTOCOMMIT engine.
    """

    def __init__(
        self,
        settings: Settings,
        tasks: TaskRepository,
        artefacts: ArtefactRepository,
        events: EventRepository,
        *,
        answers: AnswerCache | None = None,
    ) -> None:
        super().__init__(tasks, TaskModelMunger())
        self._settings = settings
        self._artefacts = artefacts
        self._events = events
        self._event_munger = EventModelMunger()
        self._answers = answers or AnswerCache()

    async def submit(self, user: User, body: bytes) -> TaskId:
        """Store a workload as a RUNNING task without a lease; a worker is told after the commit.

        Args:
            user: The owner.
            body: The request's bytes.

        Raises:
            WorkloadFormat, BodyTooLarge: See `read_new_task`.
            Conflict: The owner has too many open tasks (`too_many_tasks`).
        """
        intake, content = await _in_thread_if(len(body) > _INLINE_BYTES, self._read, body)
        await self._check_design(user, intake.options.design)
        return await self._store(user, intake, content, TaskKind.ADVISE)

    async def rewrite(self, user: User, task_id: TaskId, body: bytes, *, as_text: bool = False) -> TaskId:
        """Submit a query that arrives after the design: a task whose design is that one, frozen (`options.design`).

        Args:
            user: The owner of both.
            task_id: The task whose design is asked.
            body: JSON of a `LaterQuery`.
            as_text: The body is the query itself.

        Raises:
            NotFound, Conflict, TaskFailed: As `get_result`.
            WorkloadFormat, BodyTooLarge: The body has no meaning.
        """
        later = read_later_query(body, as_text=as_text)
        return await self.submit(user, later_body(later, task_id, await self._design_request(user, task_id)))

    async def recheck(self, user: User, task_id: TaskId, body: bytes = b"") -> TaskId:
        """Submit a task that checks again what must stay true of the data for a design's queries to stay equal.

        Args:
            user: The owner of both.
            task_id: The task whose design is checked.
            body: JSON of a `RecheckWish`, or nothing.

        Raises:
            NotFound, Conflict, TaskFailed: As `get_result`.
            WorkloadFormat: The body has no meaning.
        """
        wish = read_recheck_wish(body)
        answer = await self.get_result(user, task_id)
        intake = recheck_intake(wish, answer, await self._design_request(user, task_id))
        return await self._store(user, intake, pack(intake.request), TaskKind.RECHECK)

    async def _design_request(self, user: User, task_id: TaskId) -> bytes:
        task = await self.get_task(user, task_id)
        if task.kind != TaskKind.ADVISE:
            raise _no_design()
        if task.state is not TaskState.DONE:
            await self.get_answer(user, task_id)  # says why there is none
        row = await self._artefacts.find_named(task_id, REQUEST)
        if row is None:
            raise NotFound("the task is done, but its request is gone")
        return unpack(row.content, row.encoding)

    async def _store(self, user: User, intake: Intake, content: bytes, kind: TaskKind) -> TaskId:
        budget_s = self._settings.task_budget_s
        task = SQLTask(
            id=uuid4(),
            owner_id=user.id,
            kind=kind.value,
            options=intake.options.model_dump(mode="json", exclude_none=True),
            url=intake.url,
            query_count=intake.query_count,
            table_count=intake.table_count,
            credentials=orjson.dumps(intake.credentials).decode() if intake.credentials else None,
            budget_s=min(intake.options.budget_s or budget_s, budget_s),
        )
        limit = self._settings.max_open_tasks
        if not await self.repository.add_if_below(task, limit):
            raise Conflict(
                f"{limit} of your tasks run or wait already; let one end, or cancel one",
                code="too_many_tasks",
                status=429,
                retryable=True,
            )
        await self._artefacts.put_new(
            SQLArtefact(
                task_id=task.id, name=REQUEST, version=ARTEFACT_VERSION, encoding=Encoding.ZSTD, content=content
            )
        )
        await self._events.append(
            task.id, "task.submitted", {"queries": intake.query_count, "tables": intake.table_count}
        )
        queue_message(Message(ADVANCE_MESSAGE, task.id))
        return task.id

    async def _check_design(self, user: User, design: str | None) -> None:
        if design is None:
            return
        found = await self.repository.find_owned(user.id, UUID(design))
        if found is None or found.state is not TaskState.DONE or found.kind != TaskKind.ADVISE:
            raise WorkloadFormat(
                f"options.design: {design} is not a finished task of yours; name a task whose status is DONE",
                context={"place": "options.design"},
            )

    def _read(self, body: bytes) -> tuple[Intake, bytes]:
        intake = read_new_task(body, self._settings)
        return intake, pack(intake.request)

    async def get_status(self, user: User, task_id: TaskId) -> TaskStatus:
        """What `/status` says.

        Raises:
            NotFound: Unknown, or another user's.
        """
        row = await self.repository.find_status(user.id, task_id)
        if row is None:
            raise _not_found()
        return self.munger.to_status(row, utc_now())

    async def get_task(self, user: User, task_id: TaskId) -> Task:
        """The task.

        Raises:
            NotFound: Unknown, or another user's.
        """
        row = await self.repository.find_owned(user.id, task_id)
        if row is None:
            raise _not_found()
        return self.munger.to_shared(row)

    async def list_tasks(self, user: User, limit: int = 50) -> list[Task]:
        """The user's newest tasks, newest first."""
        return self.munger.to_shared_list(await self.repository.list_owned(user.id, limit))

    async def list_events(self, user: User, task_id: TaskId, after: int = 0) -> list[TaskEvent]:
        """Up to 1,000 events with a larger `seq`, oldest first.

        Raises:
            NotFound: Unknown, or another user's.
        """
        await self.get_status(user, task_id)
        return self._event_munger.to_shared_list(await self._events.list_after(task_id, after, _MAX_EVENTS))

    async def cancel(self, user: User, task_id: TaskId) -> TaskStatus:
        """End a task: at once if no worker holds it, else its worker is asked to. Cancelling twice is no error.

        Raises:
            NotFound: Unknown, or another user's.
            Conflict: It is DONE, or FAILED for another cause (`already_finished`).
        """
        if await self.repository.cancel_unleased(user.id, task_id, CANCELLED, CANCELLED_TEXT):
            await self._events.append(task_id, "task.cancelled", {})
        elif await self.repository.request_cancel(user.id, task_id):
            queue_message(Message(CANCEL_MESSAGE, task_id))
        status = await self.get_status(user, task_id)
        if status.status is not TaskState.RUNNING and status.error != CANCELLED:
            raise Conflict(f"the task is {status.status} already", code="already_finished", context=_state(status))
        return status

    async def get_answer(self, user: User, task_id: TaskId) -> StoredAnswer:
        """The one final answer, as it is sent.

        Raises:
            NotFound: Unknown, or another user's.
            Conflict: Still RUNNING (`not_finished`; context: status, retry_after_s).
            TaskFailed: It ended without an answer; code and message are the task's.
        """
        kept = self._answers.find(user.id, task_id)
        if kept is not None:
            return kept
        status = await self.get_status(user, task_id)
        if status.status is TaskState.RUNNING:
            raise Conflict(
                "the task is still running",
                code="not_finished",
                context={**_state(status), "retry_after_s": _RETRY_AFTER_S},
            )
        if status.status is TaskState.FAILED:
            raise TaskFailed(status.message or "the task failed", code=status.error, context=_state(status))
        row = await self._artefacts.find_named(task_id, ANSWER)
        if row is None:
            raise NotFound("the task is done, but its answer is gone")
        answer = StoredAnswer(body_gzip=row.content, etag=row.etag)
        self._answers.keep(user.id, task_id, answer)
        return answer

    async def get_result(self, user: User, task_id: TaskId) -> AnswerView:
        """The answer, parsed.

        Raises:
            NotFound, Conflict, TaskFailed: See `get_answer`; Conflict also when the task made no design (`no_design`).
        """
        answer = await self.get_answer(user, task_id)
        if (await self.get_task(user, task_id)).kind != TaskKind.ADVISE:
            raise _no_design()
        return await _in_thread_if(len(answer.body_gzip) > _INLINE_BYTES // 8, _parse, answer)

    async def get_report(self, user: User, task_id: TaskId) -> Report:
        """The answer's report.

        Raises:
            NotFound, Conflict, TaskFailed: See `get_answer`.
        """
        return (await self.get_result(user, task_id)).report

    async def get_recheck(self, user: User, task_id: TaskId) -> Recheck:
        """What a recheck found.

        Raises:
            NotFound, Conflict, TaskFailed: See `get_answer`; Conflict also when the task is no recheck (`no_recheck`).
        """
        answer = await self.get_answer(user, task_id)
        if (await self.get_task(user, task_id)).kind != TaskKind.RECHECK:
            raise Conflict("this task made a design; it checked none again", code="no_recheck")
        return RecheckView.model_validate_json(unpack(answer.body_gzip, Encoding.GZIP)).recheck

    async def get_download(self, user: User, task_id: TaskId) -> bytes:
        """The answer as a zip of ordered .sql files (`answer_archive.py`).

        Raises:
            NotFound, Conflict, TaskFailed: See `get_answer`.
        """
        return await asyncio.to_thread(pack_answer, await self.get_result(user, task_id))


def _parse(answer: StoredAnswer) -> AnswerView:
    return AnswerView.model_validate_json(unpack(answer.body_gzip, Encoding.GZIP))


async def _in_thread_if(large: bool, work: Callable[[A], R], argument: A) -> R:
    # Large bodies would hold up every other request of this process.
    return await asyncio.to_thread(work, argument) if large else work(argument)


def _not_found() -> NotFound:
    return NotFound("there is no task with that id")


def _no_design() -> Conflict:
    return Conflict("this task checked conditions of an earlier design; it made none of its own", code="no_design")


def _state(status: TaskStatus) -> dict[str, object]:
    return {"taskid": str(status.taskid), "status": status.status.value, "stage": status.stage}
