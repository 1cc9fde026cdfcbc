"""The rows of the result's table of queries: what is filtered, sorted and paged. Pure functions over a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from heavy_stack.shared_models.reports import Report, TextReport
from heavy_stack.shared_models.verdicts import REASON_LABELS, VERDICT_LABELS, Reason, Verdict

PAGE_SIZE = 50
MAX_SEARCH_CHARS = 200
_STRENGTH = {verdict: number for number, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class QueryRow:
    """One query of the workload with what is known about its text."""

    position: int
    queryid: str
    runs: int
    text: TextReport


@dataclass(frozen=True)
class View:
    """What of the table is shown; stands in the page's address.

    Attributes:
        search: Part of a query id or of the SQL, in any case.
        outcome: A verdict's or a reason's word; empty for all.
        sort: A key of `SORTS`; a minus in front turns it round.
        page: From 1.
    """

    search: str = ""
    outcome: str = ""
    sort: str = "order"
    page: int = 1

    @classmethod
    def from_query(cls, query: str) -> View:
        """From the address's query string; anything unknown is left out."""
        given = {name: values[0] for name, values in parse_qs(query, max_num_fields=20).items()}
        outcome, sort, page = given.get("outcome", ""), given.get("sort", "order"), given.get("page", "1")
        return cls(
            search=given.get("q", "")[:MAX_SEARCH_CHARS],
            outcome=outcome if outcome in OUTCOMES else "",
            sort=sort if sort.removeprefix("-") in SORTS else "order",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 9 and int(page) > 0 else 1,
        )

    def to_query(self) -> str:
        """The query string that leads back here, without `?`; empty for the plain view."""
        parts = {"q": self.search, "outcome": self.outcome}
        if self.sort != "order":
            parts["sort"] = self.sort
        if self.page != 1:
            parts["page"] = str(self.page)
        return urlencode({name: value for name, value in parts.items() if value})

    def sorted_by(self, key: str) -> View:
        """Sorted by `key`; a second time turns the order round. Starts on page 1."""
        return replace(self, sort=f"-{key}" if self.sort == key else key, page=1)


OUTCOMES: dict[str, str] = {
    **{str(verdict): label for verdict, label in VERDICT_LABELS.items()},
    **{str(reason): f"Unchanged: {label}" for reason, label in REASON_LABELS.items()},
}
"""What the table can be filtered by: word → label."""

_NEVER = float("-inf")
SORTS: dict[str, Callable[[QueryRow], Any]] = {
    "order": lambda row: row.position,
    "queryid": lambda row: row.queryid.casefold(),
    "runs": lambda row: row.runs,
    "before": lambda row: row.text.before_s if row.text.before_s is not None else _NEVER,
    "after": lambda row: row.text.after_s if row.text.after_s is not None else _NEVER,
    "ratio": lambda row: row.text.ratio if row.text.ratio is not None else _NEVER,
    "verdict": lambda row: _STRENGTH[row.text.verdict],
}


def list_rows(report: Report) -> tuple[QueryRow, ...]:
    """All rows in the workload's order."""
    return tuple(
        QueryRow(number, query.queryid, query.runquantity, report.texts[query.text])
        for number, query in enumerate(report.queries)
    )


def count_outcomes(rows: Sequence[QueryRow]) -> dict[str, int]:
    """Queries per verdict and per reason; only words that occur, in the order of `OUTCOMES`."""
    counts: dict[str, int] = {}
    for row in rows:
        for word in _words(row.text):
            counts[word] = counts.get(word, 0) + 1
    return {word: counts[word] for word in OUTCOMES if word in counts}


def choose_rows(rows: Sequence[QueryRow], view: View) -> list[QueryRow]:
    """The rows that a view shows on all of its pages, in its order."""
    wanted = view.search.strip().casefold()
    # Texts repeat in a workload's log: each is searched once.
    seen: dict[int, bool] = {}

    def matches(row: QueryRow) -> bool:
        if view.outcome and view.outcome not in _words(row.text):
            return False
        if not wanted or wanted in row.queryid.casefold():
            return True
        key = id(row.text)
        if key not in seen:
            seen[key] = wanted in row.text.original.casefold() or wanted in (row.text.rewritten or "").casefold()
        return seen[key]

    chosen = [row for row in rows if matches(row)]
    key = view.sort.removeprefix("-")
    return sorted(chosen, key=SORTS[key], reverse=view.sort.startswith("-"))


def page_of(rows: Sequence[QueryRow], page: int) -> tuple[Sequence[QueryRow], int, int]:
    """The rows of a page, the page that was possible, and how many there are."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(max(page, 1), pages)
    return rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], page, pages


def _words(text: TextReport) -> tuple[str, ...]:
    reason = (str(text.reason),) if text.reason is not None and text.verdict is Verdict.UNCHANGED else ()
    return (str(text.verdict), *reason)


def reason_label(reason: Reason | None) -> str:
    """A reason as a sentence part."""
    return REASON_LABELS[reason] if reason is not None else "No reason was given"
