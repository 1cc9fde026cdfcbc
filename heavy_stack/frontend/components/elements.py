"""Small building blocks without data access: notices, state chips, tables that become cards on narrow screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reactpy import html

from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.tasks import TaskState

Kind = Literal["info", "good", "warning", "error"]

STATE_LABELS: dict[TaskState, str] = {
    TaskState.RUNNING: "Running",
    TaskState.DONE: "Done",
    TaskState.FAILED: "Failed",
}
_STATE_KINDS: dict[TaskState, Kind] = {
    TaskState.RUNNING: "info",
    TaskState.DONE: "good",
    TaskState.FAILED: "error",
}
CANCELLED = "cancelled"
NOTHING = "–"
"""In a cell: there is nothing to say. Cards leave it out."""


@dataclass(frozen=True)
class Column:
    """A table's column: its heading, and whether its cells are figures."""

    label: str
    figures: bool = False


def notice(kind: Kind, *children: Component, element_id: str | None = None) -> Component:
    """A boxed message; errors are announced at once."""
    attributes: dict[str, Any] = {"className": f"notice notice-{kind}"}
    if kind == "error":
        attributes |= {"role": "alert", "tabIndex": -1}
    if element_id is not None:
        attributes["id"] = element_id
    return html.div(attributes, *children)


def chip(text: str, kind: Kind | Literal["plain"] = "plain") -> Component:
    """A short state word in a coloured pill; the word carries the meaning, not the colour."""
    return html.span({"className": f"chip chip-{kind}"}, text)


def state_chip(state: TaskState, error_code: str | None = None, *, queued: bool = False) -> Component:
    """The chip of a task's state."""
    if state is TaskState.FAILED and error_code == CANCELLED:
        return chip("Cancelled")
    if state is TaskState.RUNNING and queued:
        return chip("Waiting")
    return chip(STATE_LABELS[state], _STATE_KINDS[state])


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Component]]) -> Component:
    """A table whose rows become cards on narrow screens.

    Roles are spelled out because `display: block`, which the cards need, takes a table's meaning away.
    """
    head = html.tr(
        {"role": "row"},
        *[html.th({"scope": "col", "role": "columnheader", "className": _cell_class(c)}, c.label) for c in columns],
    )
    body = [html.tr({"role": "row", "key": number}, *cells(columns, row)) for number, row in enumerate(rows)]
    return html.table(
        {"className": "cards", "role": "table"},
        html.caption({"className": "visually-hidden"}, caption),
        html.thead({"role": "rowgroup"}, head),
        html.tbody({"role": "rowgroup"}, *body),
    )


def cells(columns: Sequence[Column], row: Sequence[Component]) -> list[Component]:
    """One row's cells, each labelled with its column for the card form."""
    return [
        html.td({"role": "cell", "data-label": column.label, "className": _cell_class(column, cell)}, cell)
        for column, cell in zip(columns, row, strict=True)
    ]


def _cell_class(column: Column, cell: Component = "") -> str:
    kind = "figure" if column.figures else "text"
    return f"{kind} nothing" if cell == NOTHING else kind


def facts(*pairs: tuple[str, Component]) -> Component:
    """A list of names and values."""
    return html.dl(
        {"className": "facts"},
        *[html.div(html.dt(name), html.dd(value)) for name, value in pairs],
    )


def disclosure(summary: str, *children: Component, is_open: bool = False) -> Component:
    """A part that opens and closes in the browser alone, by mouse or key."""
    return html.details({"className": "disclosure", "open": is_open}, html.summary(summary), *children)


def code_list(statements: Sequence[str], label: str) -> Component:
    """SQL statements one below the other, each scrolling inside its own box."""
    return html.div(
        {"className": "statements"},
        *[
            html.pre(
                {"className": "code", "tabIndex": 0, "role": "region", "aria-label": f"{label} {number}"},
                html.code(statement),
            )
            for number, statement in enumerate(statements, 1)
        ],
    )
