"""The result's parts about the design: its tables with what they cost, and what was not built."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.frontend.components.elements import Column, code_list, disclosure, facts, table
from heavy_stack.frontend.components.figures import count, plural, seconds, share, size
from heavy_stack.frontend.reactpy_util import html
from heavy_stack.frontend.types import Component
from heavy_stack.shared_models.reports import RejectedReport, Report, TableReport

_REJECTED_COLUMNS = (Column("Candidate"), Column("Rule"), Column("Why it was not built"))


def design_section(report: Report) -> Component:
    """The tables of the design, one card each."""
    heading = html.h2({"id": "design-heading"}, "New tables")
    if not report.tables:
        content: list[Component] = [
            html.p("No table would pay off, so none is proposed. All queries stay as they were.")
        ]
    else:
        schema = html.p(
            "They all lie in the new schema ", html.code({"className": "breakable"}, report.schema_name or "?"), "."
        )
        content = [schema, *[_table_card(item) for item in report.tables]]
    return html.section({"className": "card", "aria-labelledby": "design-heading"}, heading, *content)


def _table_card(item: TableReport) -> Component:
    serves = f"{plural(item.serves_queries, 'query')}, {plural(item.serves_runs, 'run')}"
    parts: list[Component] = [
        html.h3({"className": "mono breakable"}, item.name),
        html.p(item.why),
        facts(
            ("Serves", serves),
            ("Rows", count(item.rows)),
            ("Size", size(item.bytes)),
            ("Share of its source", share(item.share_of_source)),
            ("Build time", seconds(item.build_s)),
            ("Rule", html.code(item.rule)),
        ),
    ]
    columns = [("Dimensions", item.dimensions), ("Measures", item.measures), ("Read from", item.source_tables)]
    listed: list[tuple[str, Component]] = [(name, _words(words)) for name, words in columns if words]
    if listed:
        parts.append(disclosure("Columns and sources", facts(*listed)))
    if item.refresh:
        parts.append(disclosure("Refresh statement", code_list([item.refresh], f"Refresh of {item.name}")))
    return html.article({"className": "design-table", "key": item.name}, *parts)


def _words(words: Sequence[str]) -> Component:
    return html.ul(
        {"className": "words"}, *[html.li({"key": word}, html.code({"className": "breakable"}, word)) for word in words]
    )


def rejected_section(rejected: Sequence[RejectedReport]) -> Component:
    """Candidates that were not chosen; nothing is dropped silently."""
    if not rejected:
        return None
    rows: list[list[Component]] = [
        [html.span({"className": "mono breakable"}, item.candidate), html.code(item.rule), item.why]
        for item in rejected
    ]
    label = f"{plural(len(rejected), 'candidate')} not built"
    return html.section(
        {"className": "card", "aria-labelledby": "rejected-heading"},
        html.h2({"id": "rejected-heading"}, "Considered and rejected"),
        disclosure(label, table("Rejected candidates", _REJECTED_COLUMNS, rows)),
    )
