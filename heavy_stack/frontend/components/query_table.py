"""The result's table of queries: search, filter, sort, pages of 50, and each query's evidence and SQL on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from heavy_stack_brython.clipboard import copy_text_of
from heavy_stack_brython.navigate import replace_query

from heavy_stack.frontend.brython_executors import BrythonExecutorContext
from heavy_stack.frontend.components.elements import NOTHING, Column, cells, chip, notice, table
from heavy_stack.frontend.components.figures import count, plural, ratio, seconds
from heavy_stack.frontend.components.query_rows import (
    MAX_SEARCH_CHARS,
    OUTCOMES,
    PAGE_SIZE,
    QueryRow,
    View,
    choose_rows,
    count_outcomes,
    page_of,
    reason_label,
)
from heavy_stack.frontend.components.sql_text import code_block, compare_sql, diff_panes, lay_out
from heavy_stack.frontend.reactpy_util import (
    component,
    heavy_event,
    html,
    use_computed,
    use_context,
    use_memo,
    use_state,
)
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import Evidence, TextReport
from heavy_stack.shared_models.verdicts import VERDICT_LABELS, Verdict

_COLUMNS = (
    ("queryid", Column("Query")),
    ("runs", Column("Runs", figures=True)),
    ("before", Column("Before", figures=True)),
    ("after", Column("After", figures=True)),
    ("ratio", Column("Faster", figures=True)),
    ("verdict", Column("Verdict")),
)
_COLUMN_LIST = tuple(column for _, column in _COLUMNS)
_EVIDENCE_COLUMNS = (
    Column("Check"),
    Column("Outcome"),
    Column("Rows", figures=True),
    Column("Took", figures=True),
    Column("Remark"),
)
_EVIDENCE_KINDS = {"condition": "Side condition", "data_set": "Test data", "real_data": "Your data"}


@component
def QueryTable(rows: Sequence[QueryRow], start: View) -> Component:
    """The section; `start` is the view that the address asked for."""
    executor = use_context(BrythonExecutorContext)
    view, set_view = use_state(start)
    found = use_memo(lambda: choose_rows(rows, view), [view.search, view.outcome, view.sort])
    shown, page, pages = page_of(found, view.page)

    def show(new: View) -> None:
        set_view(new)
        executor.call(replace_query, query=new.to_query())

    def search(event: dict[str, Any]) -> None:
        show(replace(view, search=_value(event)[:MAX_SEARCH_CHARS], page=1))

    def choose(event: dict[str, Any]) -> None:
        word = _value(event)
        show(replace(view, outcome=word if word in OUTCOMES else "", page=1))

    options = [html.option({"value": ""}, f"All ({count(len(rows))})")]
    outcomes = use_memo(lambda: count_outcomes(rows), [])
    options += [
        html.option({"value": word, "key": word}, f"{OUTCOMES[word]} ({count(number)})")
        for word, number in outcomes.items()
    ]
    summary = f"{plural(len(found), 'query')}" + (f" of {count(len(rows))}" if len(found) != len(rows) else "")
    return html.section(
        {"className": "card", "aria-labelledby": "queries-heading"},
        html.h2({"id": "queries-heading"}, "Queries"),
        html.div(
            {"className": "filters", "role": "search", "aria-label": "Queries"},
            html.div(
                html.label({"htmlFor": "query-search"}, "Search ids and SQL"),
                html.input(
                    {
                        "id": "query-search",
                        "type": "search",
                        "defaultValue": start.search,
                        "maxLength": MAX_SEARCH_CHARS,
                        "onInput": heavy_event(search, debounce_ms=250),
                    }
                ),
            ),
            html.div(
                html.label({"htmlFor": "query-outcome"}, "Verdict"),
                html.select({"id": "query-outcome", "value": view.outcome, "onChange": heavy_event(choose)}, *options),
            ),
        ),
        html.p({"className": "hint", "role": "status"}, summary),
        html.table(
            {"className": "cards queries", "role": "table"},
            html.caption({"className": "visually-hidden"}, "Queries with their times and verdicts"),
            html.thead(
                {"role": "rowgroup"}, html.tr({"role": "row"}, *[_heading(k, c, view, show) for k, c in _COLUMNS])
            ),
            html.tbody({"role": "rowgroup"}, *[QueryEntry(row, key=row.position) for row in shown]),
        ),
        _pager(page, pages, lambda number: show(replace(view, page=number))) if pages > 1 else None,
    )


def _value(event: dict[str, Any]) -> str:
    value = (event.get("target") or {}).get("value")
    return value if isinstance(value, str) else ""


def _heading(key: str, column: Column, view: View, show: Callable[[View], None]) -> Component:
    direction = {key: "ascending", f"-{key}": "descending"}.get(view.sort, "none")
    arrow = {"ascending": " ▲", "descending": " ▼"}.get(direction, "")

    def sort(event: dict[str, Any]) -> None:
        show(view.sorted_by(key))

    return html.th(
        {
            "scope": "col",
            "role": "columnheader",
            "aria-sort": direction,
            "className": "figure" if column.figures else "text",
            "key": key,
        },
        html.button(
            {"type": "button", "className": "sort", "onClick": heavy_event(sort)},
            column.label,
            html.span({"aria-hidden": "true"}, arrow),
        ),
    )


def _pager(page: int, pages: int, go: Callable[[int], None]) -> Component:
    def button(label: str, target: int) -> Component:
        def turn(event: dict[str, Any]) -> None:
            go(target)

        return html.button(
            {
                "type": "button",
                "className": "secondary",
                "disabled": not 1 <= target <= pages or target == page,
                "onClick": heavy_event(turn),
            },
            label,
        )

    return html.nav(
        {"className": "pager", "aria-label": f"Pages of {PAGE_SIZE} queries"},
        button("First", 1),
        button("Previous", page - 1),
        html.span({"role": "status"}, f"Page {page:,} of {pages:,}"),
        button("Next", page + 1),
        button("Last", pages),
    )


@component
def QueryEntry(row: QueryRow) -> Component:
    """One query; its details are worked out when they are opened."""
    is_open, set_open = use_state(False)
    details_id = f"query-{row.position}"

    def toggle(event: dict[str, Any]) -> None:
        set_open(not is_open)

    button = html.button(
        {
            "type": "button",
            "className": "toggle",
            "aria-expanded": "true" if is_open else "false",
            "aria-controls": details_id,
            "onClick": heavy_event(toggle),
        },
        html.span({"className": "triangle", "aria-hidden": "true"}),
        html.span({"className": "mono breakable"}, row.queryid),
    )
    text = row.text
    values: list[Component] = [
        button,
        count(row.runs),
        _like(text, seconds(text.before_s)),
        _like(text, seconds(text.after_s)),
        _like(text, ratio(text.ratio)),
        verdict_chip(text),
    ]
    details = html.tr(
        {"role": "row", "className": "details", "hidden": not is_open, "key": "details"},
        html.td(
            {"role": "cell", "colSpan": len(_COLUMN_LIST), "id": details_id},
            QueryDetails(row, key=details_id) if is_open else "",
        ),
    )
    return html.fragment(html.tr({"role": "row", "key": "row"}, *cells(_COLUMN_LIST, values)), details)


def _like(text: TextReport, shown: str) -> str:
    """Marks a figure of texts like this one: nobody timed the text itself."""
    return f"≈ {shown}" if text.measured_texts is not None and shown != NOTHING else shown


def verdict_chip(text: TextReport) -> Component:
    """The verdict's words; for an unchanged query the reason stands beside it."""
    if text.verdict is Verdict.UNCHANGED:
        return html.span(
            chip(VERDICT_LABELS[text.verdict]), html.span({"className": "reason"}, reason_label(text.reason))
        )
    return chip(VERDICT_LABELS[text.verdict], "good")


@component
def QueryDetails(row: QueryRow) -> Component:
    """Evidence or reason, and the SQL."""
    text = row.text
    parts: list[Component] = []
    if text.verdict is Verdict.UNCHANGED:
        place = f" (line {text.line}, column {text.column})" if text.line is not None else ""
        parts.append(html.p(html.strong(f"{reason_label(text.reason)}{place}. "), text.detail or ""))
    elif text.detail:
        parts.append(html.p(text.detail))
    if text.tables:
        parts.append(html.p("Reads ", *_codes(text.tables), " by ", *_codes(text.rules), "."))
    if text.measured_texts is not None:
        like = f"Not timed itself: the times are medians of {text.measured_texts} texts that differ in literals only."
        parts.append(html.p({"className": "hint"}, like))
    if text.before_plain_s is not None or text.after_plain_s is not None:
        parts.append(
            html.p(
                {"className": "hint"},
                "Without Trino's exact decimals: "
                f"{seconds(text.before_plain_s)} before, {seconds(text.after_plain_s)} after.",
            )
        )
    if text.evidence:
        parts.append(html.h3("Evidence"))
        parts.append(table(f"Evidence for {row.queryid}", _EVIDENCE_COLUMNS, [_evidence(e) for e in text.evidence]))
    parts.append(SqlTexts(row.queryid, text.original, text.rewritten, f"query-{row.position}"))
    return html.div({"className": "panel"}, *parts)


def _codes(words: Sequence[str]) -> list[Component]:
    listed: list[Component] = []
    for number, word in enumerate(words):
        if number:
            listed.append(", ")
        listed.append(html.code({"className": "breakable"}, word))
    return listed


def _evidence(item: Evidence) -> list[Component]:
    kind = _EVIDENCE_KINDS.get(item.kind, item.kind)
    good = item.outcome in ("holds", "equal")
    rows = NOTHING if item.rows is None else count(item.rows)
    if item.groups is not None:
        rows += f" ({plural(item.groups, 'group')})"
    outcome = chip(item.outcome, "good" if good else "warning")
    return [f"{kind}: {item.name}", outcome, rows, seconds(item.seconds), item.detail or NOTHING]


@component
def SqlTexts(name: str, original: str, rewritten: str | None, prefix: str) -> Component:
    """Both texts with their differences, or the one there is; copied as they are, shown laid out."""
    heading = html.div(
        {"className": "sql-heading"},
        html.h3("SQL"),
        CopyButton("Copy the original", original, f"{prefix}-original"),
        CopyButton("Copy the rewritten", rewritten, f"{prefix}-rewritten") if rewritten is not None else None,
    )
    note = html.p({"className": "hint"}, "Laid out for reading. Copies and downloads have the exact text.")
    return html.div(
        heading, note, _Diff(name, original, rewritten) if rewritten is not None else _Single(name, original)
    )


@component
def _Diff(name: str, original: str, rewritten: str) -> Component:
    diff = use_computed(compare_sql, original, rewritten)
    if diff is None:
        return html.p({"className": "hint"}, "Comparing…")
    more = (
        [notice("info", html.p("Only the beginning is shown; the download has all of it."))] if diff.shortened else []
    )
    return html.div(diff_panes(diff, name), *more)


@component
def _Single(name: str, text: str) -> Component:
    lines = use_computed(lay_out, text)
    if lines is None:
        return html.p({"className": "hint"}, "Laying out…")
    return code_block(lines, f"SQL of {name}")


@component
def CopyButton(label: str, text: str, element_id: str) -> Component:
    """Copies the exact text, which stands hidden in the page."""
    executor = use_context(BrythonExecutorContext)
    said, set_said = use_state("")

    def copied(succeeded: object) -> None:
        set_said("Copied" if succeeded is True else "The browser refused; select the text instead")

    def copy(event: dict[str, Any]) -> None:
        executor.call(copy_text_of, copied, element_id=element_id)

    return html.span(
        html.button({"type": "button", "className": "quiet", "onClick": heavy_event(copy)}, label),
        html.span({"role": "status", "className": "hint"}, said),
        html.pre({"id": element_id, "hidden": True}, text),
    )
