"""`/tasks/<id>/result`: what came out, how far it can be trusted, and where to get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from heavy_stack.errors import Conflict, NotFound, TaskFailed
from heavy_stack.frontend.components.certificates import CertificateSection, recheck_section
from heavy_stack.frontend.components.design_front import front_section
from heavy_stack.frontend.components.design_tables import design_section, rejected_section
from heavy_stack.frontend.components.elements import code_list, disclosure, facts, notice
from heavy_stack.frontend.components.figures import find_moment, plural, seconds, time_element
from heavy_stack.frontend.components.later_query import LaterQueryBox
from heavy_stack.frontend.components.query_rows import QueryRow, View, list_rows
from heavy_stack.frontend.components.query_table import QueryTable
from heavy_stack.frontend.components.score_figures import score_section
from heavy_stack.frontend.reactpy_util import (
    HeavyContext,
    TimezoneContext,
    component,
    heavy_use_effect,
    html,
    use_context,
    use_state,
)
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import Recheck, Report
from heavy_stack.shared_models.tasks import STAGE_LABELS, STAGES, TaskKind


@dataclass(frozen=True)
class Loaded:
    """A finished task's answer, ready to be shown."""

    report: Report
    rows: tuple[QueryRow, ...]
    ddl: tuple[str, ...]
    migrations: tuple[str, ...]
    finished_at: datetime | None


@dataclass(frozen=True)
class Missing:
    """Why there is nothing to show."""

    message: str
    code: str = ""


@component
def ResultPage(task_id: UUID, query: str) -> Component:
    """The page; `query` is the address's query string: search, filter, sorting and page of the table."""
    found, set_found = use_state(_nothing_yet)

    async def load(context: HeavyContext) -> None:
        tasks = context.services.tasks
        try:
            task = await tasks.get_task(context.user, task_id)
            if task.kind == TaskKind.RECHECK:
                set_found(await tasks.get_recheck(context.user, task_id))
                return
            answer = await tasks.get_result(context.user, task_id)
        except Conflict:
            set_found(Missing("The task is still running, so there is no result yet."))
        except TaskFailed as error:
            set_found(Missing(f"The task ended without a result. {error.message}", error.code))
        except NotFound:
            set_found(Missing("There is no task with that id."))
        else:
            ddl = tuple(item.statement for item in answer.ddl)
            migrations = tuple(item.statement for item in answer.migrations)
            set_found(Loaded(answer.report, list_rows(answer.report), ddl, migrations, task.finished_at))

    heavy_use_effect(load, [str(task_id)])

    title = html.h1("Result of task ", html.a({"href": f"/tasks/{task_id}", "className": "mono"}, str(task_id)[:8]))
    if found is None:
        return html.div(title, html.p({"className": "loading"}, "Loading…"))
    if isinstance(found, Missing):
        code = [html.p({"className": "hint"}, "Code: ", html.code(found.code))] if found.code else []
        link = html.p(html.a({"href": f"/tasks/{task_id}"}, "See the task"))
        return html.div(title, notice("info", html.p(found.message), *code, link))
    if isinstance(found, Recheck):
        return html.div(title, recheck_section(found))
    report = found.report
    return html.div(
        title,
        html.p({"className": "headline"}, report.headline),
        AsOfLine(report, found.finished_at),
        _warnings(report),
        _downloads(task_id),
        score_section(report),
        QueryTable(found.rows, View.from_query(query)),
        LaterQueryBox(task_id),
        design_section(report),
        CertificateSection(task_id, report.certificates) if report.tables else None,
        front_section(report.front),
        rejected_section(report.rejected),
        _statements(found),
        _about(report),
    )


def _nothing_yet() -> Loaded | Missing | Recheck | None:
    return None


@component
def AsOfLine(report: Report, finished_at: datetime | None) -> Component:
    """As of when the answer holds, with the refresh beside it."""
    zone = use_context(TimezoneContext)
    as_of = report.as_of
    moment = find_moment(as_of.at) or finished_at
    parts: list[Component] = [html.strong("As of: "), as_of.sentence]
    if moment is not None:
        parts += [" (", time_element(moment, zone), ")"]
    refresh: list[Component] = []
    if report.refresh:
        label = f"Refresh ({plural(len(report.refresh), 'statement')})"
        note = html.p(
            {"className": "hint"},
            "Run these after the tables were written to. Each replaces its table at once and can be repeated.",
        )
        refresh.append(disclosure(label, note, code_list(report.refresh, "Refresh statement")))
    return html.section({"className": "card as-of", "aria-label": "As of"}, html.p(*parts), *refresh)


def _warnings(report: Report) -> Component:
    lines = list(report.warnings)
    if not report.engine_reachable:
        lines.insert(
            0, report.engine_note or "The engine could not be reached: the design was made from DDL and queries alone."
        )
    if not lines:
        return None
    return notice(
        "warning", html.ul({"className": "plain"}, *[html.li({"key": n}, line) for n, line in enumerate(lines)])
    )


def _downloads(task_id: UUID) -> Component:
    return html.div(
        {"className": "actions"},
        html.a(
            {"className": "button", "href": f"/tasks/{task_id}/download", "download": ""}, "Download everything (zip)"
        ),
        html.a(
            {
                "className": "button secondary",
                "href": f"/getresult?task_id={task_id}",
                "download": f"answer-{task_id}.json",
            },
            "Answer and report (JSON)",
        ),
    )


def _statements(found: Loaded) -> Component:
    parts = [
        ("1. Create the schema and tables", found.ddl, "DDL statement"),
        ("2. Fill them", found.migrations, "Migration"),
        ("Maintenance", tuple(found.report.maintenance), "Maintenance statement"),
        ("Undo everything", tuple(found.report.rollback), "Rollback statement"),
    ]
    listed = [
        disclosure(f"{label} ({plural(len(statements), 'statement')})", code_list(statements, name))
        for label, statements, name in parts
        if statements
    ]
    if not listed:
        return None
    return html.section(
        {"className": "card", "aria-labelledby": "statements-heading"},
        html.h2({"id": "statements-heading"}, "Statements"),
        html.p("Run in this order, then send the rewritten queries. Nothing touches your existing tables."),
        *listed,
    )


def _about(report: Report) -> Component:
    pairs: list[tuple[str, Component]] = [
        ("Engine", html.span({"className": "breakable"}, report.engine or "none")),
        ("Verification", html.code(report.verify)),
    ]
    if report.tolerance:
        pairs.append(("Tolerance", report.tolerance))
    times = [
        f"{STAGE_LABELS[stage]}: {seconds(report.stage_seconds[stage])}"
        for stage in STAGES
        if stage in report.stage_seconds
    ]
    if times:
        pairs.append(
            ("Time per stage", html.ul({"className": "plain"}, *[html.li({"key": line}, line) for line in times]))
        )
    return html.section(
        {"className": "card", "aria-labelledby": "about-heading"},
        html.h2({"id": "about-heading"}, "How this was made"),
        facts(*pairs),
    )
