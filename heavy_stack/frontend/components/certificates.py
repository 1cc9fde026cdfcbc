"""What must stay true of the data for rewritten queries to stay equal, and checking it again from the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from heavy_stack.errors import HeavyStackError
from heavy_stack.frontend.components.elements import (
    NOTHING,
    Column,
    Kind,
    chip,
    code_list,
    disclosure,
    notice,
    table,
)
from heavy_stack.frontend.components.figures import count, find_moment, plural, time_element
from heavy_stack.frontend.components.follow_up import Ended, FollowUp, progress_line
from heavy_stack.frontend.reactpy_util import (
    HeavyContext,
    TimezoneContext,
    component,
    heavy_event,
    html,
    use_context,
    use_state,
)
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import CertificateReport, Recheck

_COLUMNS = (
    Column("Condition"),
    Column("Found"),
    Column("Checked"),
    Column("Queries", figures=True),
    Column("Remark"),
)
_KINDS: dict[str, Kind] = {"holds": "good", "broken": "error", "unknown": "warning"}


@component
def CertificateSection(task_id: UUID, certificates: Sequence[CertificateReport]) -> Component:
    """The section of a design's result page."""
    heading = html.h2({"id": "certificates-heading"}, "What must stay true of your data")
    if not certificates:
        content: list[Component] = [
            html.p("Nothing: every rewrite is equal whatever the tables hold. Only the refresh has to follow the data.")
        ]
    else:
        content = [
            html.p(
                "The rewritten queries rely on these conditions. Each is one cheap query that must return no row; "
                "check them again after the data has changed, before the new tables are refreshed."
            ),
            CertificateTable(certificates, "Conditions that the rewritten queries rely on"),
            disclosure(
                f"SQL of the checks ({plural(len(certificates), 'query')})",
                code_list([item.sql for item in certificates], "Check"),
            ),
            RecheckButton(task_id),
        ]
    return html.section({"className": "card", "aria-labelledby": "certificates-heading"}, heading, *content)


@component
def CertificateTable(certificates: Sequence[CertificateReport], caption: str) -> Component:
    """Conditions with what was found, and when."""
    zone = use_context(TimezoneContext)
    return table(caption, _COLUMNS, [_row(item, zone) for item in certificates])


def _row(item: CertificateReport, zone: str) -> list[Component]:
    moment = find_moment(item.at)
    return [
        html.span({"className": "breakable"}, item.name),
        chip(item.outcome, _KINDS.get(item.outcome, "plain")),
        time_element(moment, zone) if moment is not None else NOTHING,
        count(item.queries),
        item.detail or NOTHING,
    ]


@component
def RecheckButton(task_id: UUID) -> Component:
    """Checks them again at the design's own address, and shows what was found in place."""
    asked, set_asked = use_state(_no_task)
    refused, set_refused = use_state("")

    async def check(context: HeavyContext, event: dict[str, Any]) -> None:
        set_refused("")
        try:
            made = await context.services.tasks.recheck(context.user, task_id)
        except HeavyStackError as error:
            set_refused(error.message)
            return
        context.after_commit(lambda: set_asked(made))

    button = html.button({"type": "button", "className": "secondary", "onClick": heavy_event(check)}, "Check again now")
    return html.div(
        {"className": "apart"},
        html.div({"className": "actions", "key": "button"}, button),
        html.div({"key": "refused"}, notice("error", html.p(refused)) if refused else None),
        html.div({"key": "outcome"}, FollowUp(asked, _read, _show, key=str(asked)) if asked is not None else None),
    )


def _no_task() -> UUID | None:
    return None


async def _read(context: HeavyContext, task_id: UUID) -> Recheck:
    return await context.services.tasks.get_recheck(context.user, task_id)


def _show(task_id: UUID, ended: Ended[Recheck]) -> Component:
    return progress_line(ended.status) if ended.found is None else _findings(ended.found)


def recheck_section(found: Recheck) -> Component:
    """The whole result of a task that checked conditions again."""
    link = html.a({"href": f"/tasks/{found.design}/result", "className": "mono"}, found.design[:8])
    return html.section(
        {"className": "card", "aria-labelledby": "recheck-heading"},
        html.h2({"id": "recheck-heading"}, "Conditions of design ", link, ", checked again"),
        _findings(found),
    )


def _findings(found: Recheck) -> Component:
    if not found.certificates:
        return notice("good", html.p("The design relies on no condition: there is nothing that could break."))
    if found.broken:
        words = f"{plural(found.broken, 'condition')} no longer true. Queries that rely on them may return other rows."
        head = notice("error", html.p(html.strong(words), " Send the workload again for a design that fits the data."))
    elif found.unknown:
        words = f"{plural(found.unknown, 'condition')} could not be checked."
        head = notice("warning", html.p(html.strong(words), f" {found.note or ''}"))
    else:
        head = notice("good", html.p(html.strong("All of them still hold.")))
    return html.div(head, CertificateTable(found.certificates, "Conditions, checked again"))
