"""A task that a page started and whose outcome it shows in place: its live state, then what came out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from heavy_stack.errors import NotFound, TaskFailed
from heavy_stack.frontend.components.elements import notice
from heavy_stack.frontend.reactpy_util import HeavyContext, component, heavy_use_poll, html, use_state
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.tasks import TaskState, TaskStatus

T = TypeVar("T")
POLL_S = 0.4


@dataclass(frozen=True)
class Ended(Generic[T]):
    """How far the task is; `found` once it is DONE, `refused` once it is FAILED or gone."""

    status: TaskStatus | None = None
    found: T | None = None
    refused: str | None = None


@component
def FollowUp(
    task_id: UUID,
    read: Callable[[HeavyContext, UUID], Awaitable[Any]],
    show: Callable[[UUID, Ended[Any]], Component],
) -> Component:
    """Poll the task until it ended; `read` gets what it made, `show` draws both.

    Args:
        task_id: The task.
        read: Called once, when it is DONE.
        show: Called with every state; not when it was refused.
    """
    state, set_state = use_state(_nothing_known)

    async def poll(context: HeavyContext) -> bool:
        tasks = context.services.tasks
        try:
            status = await tasks.get_status(context.user, task_id)
            if status.status is TaskState.RUNNING:
                set_state(Ended(status=status))
                return True
            set_state(Ended(status=status, found=await read(context, task_id)))
        except (TaskFailed, NotFound) as error:
            set_state(Ended(refused=error.message))
        return False

    heavy_use_poll(poll, POLL_S, [str(task_id)])
    if state.refused is not None:
        return notice("error", html.p(html.strong("It failed. "), state.refused))
    return html.div({"role": "status", "aria-live": "polite"}, show(task_id, state))


def _nothing_known() -> Ended[Any]:
    return Ended()


def progress_line(status: TaskStatus | None) -> Component:
    """How far it is, in a line with a bar."""
    if status is None or status.queued:
        words, percent = "Waiting for a worker", 0
    else:
        words, percent = status.activity or "Working", round(100 * status.progress)
    return html.div(
        {"className": "bar-line", "key": "progress"},
        html.span(words),
        html.progress({"max": 100, "value": percent, "aria-label": "Progress"}),
    )
