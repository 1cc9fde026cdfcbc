"""What a block asks for that a stored table does not hold, in words for whoever sent a query after the design."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.trees import text_of

MAX_LISTED = 5
MAX_CHARS = 120


def what_is_missing(needs: Needs, tables: Iterable[StoredTable]) -> str | None:
    """What the closest table lacks, as a sentence; None where nothing can be named."""
    found = [(lacking, table) for table in tables if (lacking := _lacking(needs, table))]
    if not found:
        return None
    lacking, table = min(found, key=lambda each: (sum(len(words) for _, words in each[0]), str(each[1].name)))
    return f"{table.name.name} has {' and '.join(f'{what} {_listed(words)}' for what, words in lacking)}."


def _lacking(needs: Needs, table: StoredTable) -> list[tuple[str, list[str]]]:
    dimensions = [text for text, node in needs.dimensions.items() if not _given(text, node, table)]
    measures = [
        wanted.text
        for plan in needs.plans
        for wanted in ([plan.distinct] if needs.distinct_stored and plan.distinct is not None else plan.measures())
        if wanted.text not in table.columns
        and wanted.given(needs.tests).without(table.common).text not in table.columns
    ]
    rows = sorted(table.common - set(needs.filters))
    named = [("no dimension", dimensions), ("no measure", list(dict.fromkeys(measures))), ("only rows where", rows)]
    return [(what, words) for what, words in named if words]


def _given(text: str, node: exp.Expr, table: StoredTable) -> bool:
    if text in table.dimensions:
        return True
    columns = [text_of(column) for column in node.find_all(exp.Column)]
    return bool(columns) and all(column in table.dimensions for column in columns)


def _listed(words: Sequence[str]) -> str:
    """Written by the client, so of any length and number; a reason is a line or two."""
    shown = [word if len(word) <= MAX_CHARS else f"{word[:MAX_CHARS]}…" for word in words[:MAX_LISTED]]
    return ", ".join(shown) + (f" and {len(words) - MAX_LISTED} more" if len(words) > MAX_LISTED else "")
