"""`/tasks/<id>`: a task while it runs, and how it ended. All of it comes from the database, so a reload or a restarted
server shows the same.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from heavy_stack.errors import Conflict, NotFound
from heavy_stack.frontend.components.elements import CANCELLED, disclosure, facts, notice, state_chip
from heavy_stack.frontend.components.figures import clock, plural, time_element
from heavy_stack.frontend.reactpy_util import (
    HeavyContext,
    TimezoneContext,
    component,
    heavy_event,
    heavy_use_poll,
    html,
    use_context,
    use_state,
)
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.tasks import (
    STAGE_LABELS,
    STAGES,
    Stage,
    Task,
    TaskEvent,
    TaskKind,
    TaskState,
    TaskStatus,
)

POLL_S = 0.5


@dataclass(frozen=True)
class Snapshot:
    """A task as it was at one moment."""

    task: Task
    status: TaskStatus
    events: tuple[TaskEvent, ...]
    elapsed_s: int


@component
def TaskPage(task_id: UUID) -> Component:
    """The page."""
    zone = use_context(TimezoneContext)
    snapshot, set_snapshot = use_state(_no_snapshot)
    missing, set_missing = use_state(False)

    async def read(context: HeavyContext) -> bool:
        try:
            found = await _take_snapshot(context, task_id)
        except NotFound:
            set_missing(True)
            return False
        set_snapshot(found)
        return found.status.status is TaskState.RUNNING

    heavy_use_poll(read, POLL_S, [str(task_id)])

    if missing:
        return notice("error", html.p("There is no task with that id."))
    if snapshot is None:
        return html.p({"className": "loading"}, "Loading…")
    return html.div(
        html.h1("Task ", html.span({"className": "mono"}, str(task_id)[:8])),
        _facts(snapshot, zone),
        _outcome(snapshot),
        _progress(snapshot),
        CancelBox(task_id, snapshot.status.cancelling) if snapshot.status.status is TaskState.RUNNING else None,
        _event_log(snapshot, zone),
    )


def _no_snapshot() -> Snapshot | None:
    return None


async def _take_snapshot(context: HeavyContext, task_id: UUID) -> Snapshot:
    tasks = context.services.tasks
    status = await tasks.get_status(context.user, task_id)
    task = await tasks.get_task(context.user, task_id)
    events = await tasks.list_events(context.user, task_id)
    end = task.finished_at or datetime.now(UTC)
    return Snapshot(task, status, tuple(events), int((end - task.created_at).total_seconds()))


def _facts(snapshot: Snapshot, zone: str) -> Component:
    task, status = snapshot.task, snapshot.status
    size = f"{plural(task.query_count, 'query')} on {plural(task.table_count, 'table')}"
    if task.kind == TaskKind.RECHECK:
        size = f"{plural(task.query_count, 'condition')} of an earlier design"
    pairs: list[tuple[str, Component]] = [
        ("State", state_chip(status.status, status.error, queued=status.queued)),
        ("Elapsed", html.span({"className": "mono"}, clock(snapshot.elapsed_s))),
        ("Workload", size),
        ("Engine", html.span({"className": "breakable"}, task.url or "none")),
        ("Submitted", time_element(task.created_at, zone)),
    ]
    if status.seconds_left is not None and status.seconds_left >= 1:
        pairs.insert(2, ("Time left", f"about {clock(status.seconds_left)}"))
    if task.attempts > 1:
        pairs.append(("Attempts", str(task.attempts)))
    return html.section({"className": "card", "aria-label": "About this task"}, facts(*pairs))


def _outcome(snapshot: Snapshot) -> Component:
    status = snapshot.status
    path = f"/tasks/{status.taskid}"
    download = html.a({"className": "button secondary", "href": f"{path}/download", "download": ""}, "Download (zip)")
    if status.status is TaskState.DONE:
        return notice(
            "good",
            html.p(html.strong("The answer is ready.")),
            html.div(
                {"className": "actions"},
                html.a({"className": "button", "href": f"{path}/result"}, "See the result"),
                download if snapshot.task.kind == TaskKind.ADVISE else None,
            ),
        )
    if status.status is TaskState.FAILED and status.error == CANCELLED:
        return notice("info", html.p("This task was cancelled. ", html.a({"href": "/"}, "Submit another one.")))
    if status.status is TaskState.FAILED:
        return notice(
            "error",
            html.p(html.strong("The task failed. "), status.message or "No reason was given."),
            html.p({"className": "hint"}, "Code: ", html.code(status.error or "unknown")),
        )
    return None


def _progress(snapshot: Snapshot) -> Component:
    status = snapshot.status
    current = current_stage(status)
    is_design = snapshot.task.kind == TaskKind.ADVISE
    if status.status is TaskState.DONE:
        headline = "All eight stages are finished" if is_design else "All conditions are checked"
    elif status.status is TaskState.FAILED:
        headline = "Stopped"
    elif status.queued:
        headline = "Waiting for a worker"
    elif not is_design:
        headline = "Checking conditions"
    else:
        headline = STAGE_LABELS[current] if current is not None else "Finishing"
    percent = round(100 * (1.0 if status.status is TaskState.DONE else status.progress))
    activity = status.activity if status.status is TaskState.RUNNING else None
    return html.section(
        {"className": "card", "aria-labelledby": "progress-heading"},
        html.h2({"id": "progress-heading"}, "Progress"),
        # Announced when the stage changes, not with every percent.
        html.p({"className": "now", "role": "status", "aria-live": "polite"}, headline),
        html.div(
            {"className": "bar-line"},
            html.progress({"max": 100, "value": percent, "aria-labelledby": "progress-heading"}),
            html.span({"className": "mono"}, f"{percent} %"),
        ),
        html.p({"className": "hint activity"}, activity or "\u00a0"),
        html.ol({"className": "stages"}, *[_stage_item(stage, status, current) for stage in STAGES])
        if is_design
        else None,
    )


def current_stage(status: TaskStatus) -> Stage | None:
    """The stage after the last finished one; None when all are finished."""
    if status.stage is None:
        return STAGES[0]
    following = STAGES.index(status.stage) + 1
    return STAGES[following] if following < len(STAGES) else None


def _stage_item(stage: Stage, status: TaskStatus, current: Stage | None) -> Component:
    finished = status.status is TaskState.DONE or (
        status.stage is not None and STAGES.index(stage) <= STAGES.index(status.stage)
    )
    running = stage is current and status.status is TaskState.RUNNING and not status.queued
    stopped = stage is current and status.status is TaskState.FAILED
    if finished:
        word, mark, kind = "finished", "✓", "finished"
    elif running:
        word, mark, kind = "running", "●", "running"
    elif stopped:
        word, mark, kind = "stopped here", "✕", "stopped"
    else:
        word, mark, kind = "not started", "○", "waiting"
    attributes: dict[str, Any] = {"className": f"stage stage-{kind}", "key": stage.value}
    if running:
        attributes["aria-current"] = "step"
    return html.li(
        attributes,
        html.span({"className": "mark", "aria-hidden": "true"}, mark),
        html.span({"className": "stage-label"}, STAGE_LABELS[stage]),
        html.span({"className": "stage-word"}, word),
    )


@component
def CancelBox(task_id: UUID, cancelling: bool) -> Component:
    """Cancel, after a second question; `cancelling` when that was asked for, here or elsewhere."""
    asked, set_asked = use_state(False)
    sent, set_sent = use_state(False)

    def ask(event: dict[str, Any]) -> None:
        set_asked(True)

    def keep(event: dict[str, Any]) -> None:
        set_asked(False)

    async def cancel(context: HeavyContext, event: dict[str, Any]) -> None:
        set_sent(True)
        with suppress(Conflict):  # it ended in the meantime; the page shows how
            await context.services.tasks.cancel(context.user, task_id)

    if sent or cancelling:
        return html.p({"className": "hint", "role": "status"}, "Cancelling…")
    if not asked:
        button = html.button({"type": "button", "className": "secondary", "onClick": heavy_event(ask)}, "Cancel task")
        return html.div({"className": "actions", "key": "ask"}, button)
    return html.div(
        {"className": "notice notice-warning", "role": "group", "aria-label": "Confirm cancelling", "key": "confirm"},
        html.p({"role": "status"}, "Cancel this task? What it has worked out so far is thrown away."),
        html.div(
            {"className": "actions"},
            html.button({"type": "button", "className": "danger", "onClick": heavy_event(cancel)}, "Yes, cancel it"),
            html.button({"type": "button", "className": "secondary", "onClick": heavy_event(keep)}, "Keep it running"),
        ),
    )


def _event_log(snapshot: Snapshot, zone: str) -> Component:
    if not snapshot.events:
        return None
    items = [
        html.li(
            {"key": event.seq},
            time_element(event.created_at, zone),
            " ",
            html.code(event.type),
            " ",
            ", ".join(f"{name} {value}" for name, value in event.data.items() if isinstance(value, str | int | float)),
        )
        for event in snapshot.events
    ]
    return html.section({"className": "card"}, disclosure("Event log", html.ol({"className": "events"}, *items)))
