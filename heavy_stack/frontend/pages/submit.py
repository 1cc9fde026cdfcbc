"""`/`: hand in a workload (pasted, as a file, or a sample), and find one's recent tasks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from heavy_stack_brython.forms import focus_element, post_form, post_text
from heavy_stack_brython.navigate import navigate_to

from heavy_stack.errors import HeavyStackError
from heavy_stack.frontend.brython_executors import BrythonExecutorContext
from heavy_stack.frontend.components.elements import NOTHING, Column, notice, state_chip, table
from heavy_stack.frontend.components.figures import count, plural, time_element
from heavy_stack.frontend.components.posting import Refusal, read_answer, refusal_notice
from heavy_stack.frontend.reactpy_util import (
    HeavyContext,
    PageSessionContext,
    TimezoneContext,
    component,
    heavy_event,
    heavy_use_context,
    heavy_use_poll,
    html,
    use_context,
    use_state,
)
from heavy_stack.frontend.types import Component
from heavy_stack.settings import resource_dir
from heavy_stack.shared_models.tasks import STAGE_LABELS, Task, TaskKind, TaskState

TEXT_FORM_ID = "workload-form"
FILE_FORM_ID = "file-form"
TEXT_ID = "workload-text"
ERROR_ID = "submit-error"
SAMPLES_FOLDER = "samples"
LAKE_PLACEHOLDER = "{lake}"
RECENT_TASKS = 20
LIST_REFRESH_S = 3.0
_EXAMPLE = """{
  "url": "jdbc:duckdb:/data/lake/shop",
  "ddl": [{"statement": "CREATE TABLE lake.shop.orders (…)"}],
  "queries": [{"queryid": "q1", "query": "SELECT …", "runquantity": 100}]
}"""
_COLUMNS = (
    Column("Submitted"),
    Column("Task"),
    Column("State"),
    Column("Queries", figures=True),
    Column("Tables", figures=True),
)


@dataclass(frozen=True)
class Sample:
    """A workload that ships with the project."""

    name: str
    queries: int
    tables: int
    body: bytes


@cache
def list_samples() -> tuple[Sample, ...]:
    """The workloads in static/samples, by name."""
    found = []
    for file in sorted((resource_dir("static") / SAMPLES_FOLDER).glob("*.json")):
        body = file.read_bytes()
        content = orjson.loads(body)
        found.append(Sample(file.stem, len(content["queries"]), len(content["ddl"]), body))
    return tuple(found)


@component
def SubmitPage() -> Component:
    """The page."""
    return html.div(
        html.h1("New task"),
        html.p(
            {"className": "lead"},
            "Send the tables and queries of a lakehouse. You get back new tables, the statements that fill them, and "
            "each query rewritten, with proof that it returns the same rows.",
        ),
        html.div({"className": "columns"}, WorkloadForm(), SampleList()),
        RecentTasks(),
    )


@component
def WorkloadForm() -> Component:
    """Paste or upload. The browser posts both itself: large texts and files do not fit into page events."""
    executor = use_context(BrythonExecutorContext)
    refusal, set_refusal = use_state(_no_refusal)
    busy, set_busy = use_state("")

    def take_answer(value: object) -> None:
        task_id, found = read_answer(value)
        if task_id is not None:
            executor.call(navigate_to, url=f"/tasks/{task_id}")
            return
        set_busy("")
        set_refusal(found)
        executor.call(focus_element, element_id=ERROR_ID)

    def send_text(event: dict[str, Any]) -> None:
        set_busy("text")
        set_refusal(None)
        executor.call(post_text, take_answer, field_id=TEXT_ID, url="/new", content_type="application/json")

    def send_file(event: dict[str, Any]) -> None:
        set_busy("file")
        set_refusal(None)
        executor.call(post_form, take_answer, form_id=FILE_FORM_ID)

    return html.section(
        {"className": "card", "aria-labelledby": "workload-heading"},
        html.h2({"id": "workload-heading"}, "Your workload"),
        html.div(
            {"key": "refusal"}, refusal_notice(refusal, "The workload", ERROR_ID) if refusal is not None else None
        ),
        html.form(
            {"id": TEXT_FORM_ID, "key": "text"},
            html.label({"htmlFor": TEXT_ID}, "Paste the workload as JSON"),
            html.textarea(
                {
                    "id": TEXT_ID,
                    "rows": 12,
                    "spellCheck": False,
                    "autoComplete": "off",
                    "placeholder": _EXAMPLE,
                    "aria-describedby": "workload-hint",
                }
            ),
            html.p(
                {"id": "workload-hint", "className": "hint"},
                "The keys url, ddl and queries, as ",
                html.a({"href": "/docs"}, "POST /new"),
                " takes them.",
            ),
            _submit_button("Submit workload", busy == "text", bool(busy), heavy_event(send_text, prevent_default=True)),
        ),
        html.form(
            {
                "id": FILE_FORM_ID,
                "key": "file",
                "className": "apart",
                "method": "post",
                "action": "/upload",
                "encType": "multipart/form-data",
            },
            html.label({"htmlFor": "workload-file"}, "Or upload a file"),
            html.input({"id": "workload-file", "name": "workload", "type": "file", "accept": ".json,application/json"}),
            _submit_button("Upload file", busy == "file", bool(busy), heavy_event(send_file, prevent_default=True)),
        ),
    )


def _submit_button(label: str, sending: bool, disabled: bool, on_click: object) -> Component:
    return html.div(
        {"className": "actions"},
        html.button({"type": "submit", "disabled": disabled, "onClick": on_click}, "Sending…" if sending else label),
    )


def _no_refusal() -> Refusal | None:
    return None


def _refused(refusal: Refusal | None) -> Component:
    return None if refusal is None else refusal_notice(refusal, "The workload", ERROR_ID)


@component
def SampleList() -> Component:
    """The samples, each with a button that submits it."""
    executor = use_context(BrythonExecutorContext)
    session = heavy_use_context(PageSessionContext)
    refusal, set_refusal = use_state("")
    lake = str(session.services.settings.lakes[0])

    def submitter(sample: Sample) -> Any:
        async def submit(context: HeavyContext, event: dict[str, Any]) -> None:
            body = sample.body.replace(LAKE_PLACEHOLDER.encode(), orjson.dumps(lake)[1:-1])
            try:
                task_id = await context.services.tasks.submit(context.user, body)
            except HeavyStackError as error:
                set_refusal(error.message)
                return
            context.after_commit(lambda: executor.call(navigate_to, url=f"/tasks/{task_id}"))

        return heavy_event(submit)

    items = [
        html.li(
            {"key": sample.name},
            html.div(html.strong(sample.name), html.br(), _sample_size(sample)),
            html.button(
                {"type": "button", "className": "secondary", "onClick": submitter(sample)}, f"Run {sample.name}"
            ),
        )
        for sample in list_samples()
    ]
    return html.section(
        {"className": "card", "aria-labelledby": "samples-heading"},
        html.h2({"id": "samples-heading"}, "Or try a sample"),
        html.p({"className": "hint"}, f"Samples read the sample lakehouse below {lake}, when it has been made."),
        *([notice("error", html.p(refusal))] if refusal else []),
        html.ul({"className": "samples"}, *items) if items else html.p("No sample is installed."),
    )


def _sample_size(sample: Sample) -> Component:
    return html.span({"className": "hint"}, f"{plural(sample.queries, 'query')}, {plural(sample.tables, 'table')}")


@component
def RecentTasks() -> Component:
    """One's newest tasks, kept up to date while any of them runs."""
    zone = use_context(TimezoneContext)
    tasks, set_tasks = use_state(_none_read)

    async def read(context: HeavyContext) -> bool:
        found = tuple(await context.services.tasks.list_tasks(context.user, RECENT_TASKS))
        set_tasks(found)
        return any(task.state is TaskState.RUNNING for task in found)

    heavy_use_poll(read, LIST_REFRESH_S, [])

    heading = html.h2({"id": "recent-heading"}, "Your recent tasks")
    if tasks is None:
        content: Component = html.p({"className": "hint"}, "Loading…")
    elif not tasks:
        content = html.p({"className": "hint"}, "You have not submitted anything yet.")
    else:
        content = table("Your recent tasks", _COLUMNS, [_task_row(task, zone) for task in tasks])
    return html.section({"className": "card", "aria-labelledby": "recent-heading"}, heading, content)


def _none_read() -> tuple[Task, ...] | None:
    return None


def _task_row(task: Task, zone: str) -> list[Component]:
    path = f"/tasks/{task.id}" + ("/result" if task.state is TaskState.DONE else "")
    link = html.a({"href": path, "className": "mono"}, str(task.id)[:8])
    rechecks = task.kind == TaskKind.RECHECK
    return [
        time_element(task.created_at, zone),
        html.span(link, html.span({"className": "hint"}, " recheck")) if rechecks else link,
        _state_cell(task),
        NOTHING if rechecks else count(task.query_count),
        count(task.table_count),
    ]


def _state_cell(task: Task) -> Component:
    chip = state_chip(task.state, task.error_code, queued=task.started_at is None)
    if task.state is not TaskState.RUNNING or task.stage is None:
        return chip
    return html.span(chip, html.span({"className": "hint"}, f" after “{STAGE_LABELS[task.stage]}”"))
