"""SQL for reading: laid out by sqlfmt, coloured by pygments, compared line by line. Display only: what is copied or
downloaded is the exact text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

import structlog
from pygments.lexers.sql import SqlLexer
from pygments.token import Token
from reactpy import html
from sqlfmt.api import format_string
from sqlfmt.mode import Mode

from heavy_stack.frontend.types import Component

log = structlog.get_logger("heavy_stack.frontend")

MAX_FORMATTED_CHARS = 100_000
"""Longer texts are shown as they are: laying them out takes seconds."""
MAX_SHOWN_LINES = 2_000
LINE_LENGTH = 60
"""Short, so that lists stand one entry per line and differences show where they are."""

Span = tuple[str, str]
"""CSS class (empty for plain text) and text."""
Line = tuple[Span, ...]

_CLASSES: tuple[tuple[Any, str], ...] = (
    (Token.Comment, "c"),
    (Token.Keyword, "k"),
    (Token.Name.Builtin, "f"),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "n"),
)


@dataclass(frozen=True)
class DiffRow:
    """One line of both sides; None where a side has no such line."""

    left: Line | None
    right: Line | None
    changed: bool


@dataclass(frozen=True)
class SqlDiff:
    """Two texts side by side."""

    rows: tuple[DiffRow, ...]
    shortened: bool


def format_sql(text: str) -> str:
    """The statement laid out, or the text itself when the formatter cannot read it."""
    if len(text) > MAX_FORMATTED_CHARS:
        return text
    try:
        laid_out = format_string(text, Mode(line_length=LINE_LENGTH))
    except Exception as error:  # an edge: a formatter for display must never break the page
        log.debug("sql.not_formatted", error=type(error).__name__)
        return text
    return laid_out.rstrip().removesuffix(";").rstrip() or text


def highlight(text: str) -> tuple[Line, ...]:
    """The text's lines as coloured spans; neighbours of one colour are joined."""
    lines: list[list[Span]] = [[]]
    for token, value in SqlLexer(ensurenl=False, stripnl=False).get_tokens(text):
        name = next((css for kind, css in _CLASSES if token in kind), "")
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if not part:
                continue
            if lines[-1] and lines[-1][-1][0] == name:
                lines[-1][-1] = (name, lines[-1][-1][1] + part)
            else:
                lines[-1].append((name, part))
    return tuple(tuple(line) for line in lines)


@lru_cache(maxsize=256)
def compare_sql(original: str, rewritten: str) -> SqlDiff:
    """Both texts laid out and aligned line by line."""
    left, right = format_sql(original), format_sql(rewritten)
    left_texts, right_texts = left.split("\n"), right.split("\n")
    left_lines, right_lines = highlight(left), highlight(right)
    rows: list[DiffRow] = []
    matcher = SequenceMatcher(None, left_texts, right_texts, autojunk=False)
    for kind, left_from, left_to, right_from, right_to in matcher.get_opcodes():
        for offset in range(max(left_to - left_from, right_to - right_from)):
            here = left_lines[left_from + offset] if left_from + offset < left_to else None
            there = right_lines[right_from + offset] if right_from + offset < right_to else None
            rows.append(DiffRow(here, there, changed=kind != "equal"))
    return SqlDiff(tuple(rows[:MAX_SHOWN_LINES]), shortened=len(rows) > MAX_SHOWN_LINES)


@lru_cache(maxsize=256)
def lay_out(text: str) -> tuple[Line, ...]:
    """One text laid out and coloured."""
    return highlight(format_sql(text))[:MAX_SHOWN_LINES]


def code_block(lines: Sequence[Line], label: str) -> Component:
    """Coloured lines in a box that scrolls by itself."""
    return _box(label, [_line(line, "") for line in lines])


def diff_panes(diff: SqlDiff, name: str) -> Component:
    """Two boxes whose lines stand beside each other; on narrow screens one below the other."""
    left = [_line(row.left, "removed" if row.changed else "") for row in diff.rows]
    right = [_line(row.right, "added" if row.changed else "") for row in diff.rows]
    return html.div(
        {"className": "diff"},
        html.div(html.h4("Original"), _box(f"Original SQL of {name}", left)),
        html.div(html.h4("Rewritten"), _box(f"Rewritten SQL of {name}", right)),
    )


def _box(label: str, lines: Sequence[Component]) -> Component:
    attributes = {"className": "code", "tabIndex": 0, "role": "region", "aria-label": label}
    return html.pre(attributes, html.code(*lines))


def _line(line: Line | None, change: str) -> Component:
    if line is None:
        return html.span({"className": "line missing"}, "\n")
    attributes: dict[str, Any] = {"className": f"line {change}".strip()}
    spans = [html.span({"className": f"t-{name}"}, text) if name else text for name, text in line]
    sign = {"removed": "− ", "added": "+ "}.get(change, "  ")
    return html.span(attributes, html.span({"className": "sign"}, sign), *spans, "\n")
