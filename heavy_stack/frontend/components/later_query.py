"""The box for a query that arrives after the design: is it answered, how, and what is missing if not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from heavy_stack_brython.forms import focus_element, post_text

from heavy_stack.frontend.brython_executors import BrythonExecutorContext
from heavy_stack.frontend.components.elements import chip, notice
from heavy_stack.frontend.components.follow_up import Ended, FollowUp, progress_line
from heavy_stack.frontend.components.posting import Refusal, read_answer, refusal_notice
from heavy_stack.frontend.components.query_rows import QueryRow, reason_label
from heavy_stack.frontend.components.query_table import QueryDetails
from heavy_stack.frontend.reactpy_util import HeavyContext, component, heavy_event, html, use_context, use_state
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import TextReport
from heavy_stack.shared_models.verdicts import VERDICT_LABELS, Verdict

FIELD_ID = "later-query"
ERROR_ID = "later-error"
_POSITION = 1_000_000_000
"""Element ids of details are made from a row's position: above every row of the table of queries."""


@component
def LaterQueryBox(task_id: UUID) -> Component:
    """The section. The browser posts the query itself: a large one does not fit into a page event."""
    executor = use_context(BrythonExecutorContext)
    refusal, set_refusal = use_state(_no_refusal)
    asked, set_asked = use_state(_no_task)
    sending, set_sending = use_state(False)

    def take_answer(value: object) -> None:
        set_sending(False)
        made, found = read_answer(value)
        set_refusal(found)
        set_asked(made)
        if found is not None:
            executor.call(focus_element, element_id=ERROR_ID)

    def send(event: dict[str, Any]) -> None:
        set_sending(True)
        set_refusal(None)
        set_asked(None)
        executor.call(
            post_text, take_answer, field_id=FIELD_ID, url=f"/tasks/{task_id}/rewrite", content_type="text/plain"
        )

    button = html.button(
        {"type": "submit", "disabled": sending, "onClick": heavy_event(send, prevent_default=True)},
        "Sending…" if sending else "Rewrite it",
    )
    return html.section(
        {"className": "card", "aria-labelledby": "later-heading"},
        html.h2({"id": "later-heading"}, "A query that arrives later"),
        html.div({"key": "refusal"}, refusal_notice(refusal, "The query", ERROR_ID) if refusal is not None else None),
        html.form(
            {"key": "form"},
            html.label({"htmlFor": FIELD_ID}, "Paste one SELECT on the tables of this task"),
            html.textarea(
                {
                    "id": FIELD_ID,
                    "rows": 6,
                    "className": "short",
                    "spellCheck": False,
                    "autoComplete": "off",
                    "placeholder": "SELECT …",
                    "aria-describedby": "later-hint",
                }
            ),
            html.p(
                {"id": "later-hint", "className": "hint"},
                "It is rewritten onto the tables of this design, which stay as they are, and checked on test data.",
            ),
            html.div({"className": "actions"}, button),
        ),
        html.div({"key": "outcome"}, FollowUp(asked, _read_text, _show, key=str(asked)) if asked is not None else None),
    )


def _no_refusal() -> Refusal | None:
    return None


def _no_task() -> UUID | None:
    return None


async def _read_text(context: HeavyContext, task_id: UUID) -> TextReport:
    return (await context.services.tasks.get_report(context.user, task_id)).texts[0]


def _show(task_id: UUID, ended: Ended[TextReport]) -> Component:
    if ended.found is None:
        return progress_line(ended.status)
    text = ended.found
    if text.verdict is Verdict.UNCHANGED:
        sentence = html.p(html.strong("The design does not answer this query. "), f"{reason_label(text.reason)}.")
        head = notice("warning", sentence, html.p(text.detail or ""))
    else:
        head = notice(
            "good", html.p(html.strong("The design answers this query. "), chip(VERDICT_LABELS[text.verdict], "good"))
        )
    link = html.p({"className": "hint"}, html.a({"href": f"/tasks/{task_id}/result"}, "Its own result page"))
    details = QueryDetails(QueryRow(_POSITION, "your query", 1, text), key="details")
    return html.div({"key": "found"}, head, details, link)
