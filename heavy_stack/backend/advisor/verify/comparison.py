"""Runs both sides of a case in one session and compares what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from heavy_stack.backend.advisor.artefacts import Table, TableName
from heavy_stack.backend.advisor.ports import (
    NotCheckable,
    QueryRunner,
    QuerySession,
    ResultSet,
    RunFailed,
    RunTimeout,
)
from heavy_stack.backend.advisor.sql.comparator import Comparison, compare
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts, multiset_difference

MAX_ROWS = 200_000
"""Rows fetched for a comparison where floats must be paired; beyond, the result cannot be compared."""
FEW_OF = 0.02
MANY_ROWS = 100
MAX_EXACT_ROWS = 50_000
"""Rows fetched where all columns are exact; beyond, the engine compares by itself."""


class Outcome(StrEnum):
    """What one run of both sides showed; the words of `Evidence.outcome` stand beside."""

    EQUAL = "equal"
    DIFFERENT = "different"
    EMPTY = "empty"
    UNSTABLE = "unstable"
    ORIGINAL_FAILED = "original_failed"
    REWRITE_FAILED = "rewrite_failed"
    TIMEOUT = "timeout"
    UNDECIDED = "undecided"
    NOT_CHECKABLE = "not_checkable"


@dataclass(frozen=True)
class Compared:
    """An outcome with its sentence, the original's rows and the seconds both sides took.

    `note` says how an EQUAL was reached where that is not plain.
    """

    outcome: Outcome
    detail: str
    rows: int | None = None
    seconds: float = 0.0
    note: str | None = None


class _Ended(Exception):
    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


RelaxedPairs = dict[tuple[str, str], tuple[Comparison, int]]
"""Comparisons with lower thresholds by their texts, each with the original's number of rows."""


def run_both(
    session: QuerySession,
    texts: CheckTexts,
    *,
    limit_s: float,
    twice: bool,
    rows_count: bool,
    known: RelaxedPairs | None = None,
) -> Compared:
    """Compare both sides in `session`.

    Args:
        twice: Run the original a second time, to see whether its own result is stable.
        rows_count: Equal results with too few rows (see `CheckTexts.needed_rows`) are EMPTY, not EQUAL.
        known: Comparisons with lower thresholds that this session has made; texts that differ in thresholds share them.
            None: no lower thresholds are tried.
    """
    try:
        most = MAX_EXACT_ROWS if texts.exact else MAX_ROWS
        before = _run(session, texts.original, limit_s, Outcome.ORIGINAL_FAILED, most)
        after = _run(session, texts.rewritten, limit_s, Outcome.REWRITE_FAILED, most)
        compared = compare(before, after, moments=texts.moments)
        if (before.truncated or after.truncated) and compared.undecided:
            compared = _compare_in_engine(session, texts, limit_s)
        if texts.unrounded is not None and _is_a_matter_of_rounding(compared, len(before.rows)):
            compared, _ = _compare_pair(session, texts, texts.unrounded[0], limit_s, compared)
        rows, seconds = len(before.rows), before.seconds + after.seconds
        lowered = 0
        if compared.equal and known is not None and texts.relaxed is not None:
            compared, lowered = _compare_relaxed(session, texts, texts.relaxed, limit_s, compared, known)
        if compared.equal and rows_count and not _returned_enough(session, texts, before, limit_s):
            if lowered < max(2, texts.needed_rows):
                return Compared(Outcome.EMPTY, f"the original returned {rows} rows", rows, seconds)
            note = f"{rows} rows as sent; {lowered} rows with the thresholds on aggregates lowered alike on both sides"
            return Compared(Outcome.EQUAL, compared.detail, lowered, seconds, note)
        if (twice or not compared.equal) and not before.truncated:
            again = _run(session, texts.original, limit_s, Outcome.ORIGINAL_FAILED)
            if not compare(before, again, moments=texts.moments).equal:
                return Compared(Outcome.UNSTABLE, "two runs of the original returned different rows", rows, seconds)
    except _Ended as ended:
        return Compared(ended.outcome, str(ended))
    return Compared(_outcome(compared), compared.detail, rows, seconds)


def depends_on_order(
    runner: QueryRunner,
    tables: Sequence[Table],
    rows: Mapping[TableName, Sequence[tuple[Any, ...]]],
    texts: CheckTexts,
    limit_s: float,
) -> bool:
    """Whether the original returns something else when the same rows come in another order: tied rows decide."""
    results = []
    for step in (1, -1):
        session = runner.open_test_data(tables, {name: each[::step] for name, each in rows.items()}, [])
        try:
            results.append(session.query(texts.original, limit_s=limit_s, max_rows=MAX_ROWS))
        except (RunFailed, RunTimeout):
            return False
        finally:
            session.close()
    return not compare(*results, moments=texts.moments).equal


def _different(compared: Comparison) -> bool:
    return not compared.equal and not compared.undecided


def _is_a_matter_of_rounding(compared: Comparison, rows: int) -> bool:
    """Whether so few rows differ that their values may have fallen on the other side of a half.

    A ROUND that stands at another level of the rewrite changes far more rows, and must not pass for that.
    """
    return compared.differing is not None and compared.differing <= max(2, rows * FEW_OF)


def _compare_pair(
    session: QuerySession, texts: CheckTexts, pair: tuple[str, str], limit_s: float, otherwise: Comparison
) -> tuple[Comparison, int]:
    """Compare another form of both sides; `otherwise` stands where the original cannot be run so.

    Returns:
        The comparison, and the rows that the original returned in that form.
    """
    try:
        before = _run(session, pair[0], limit_s, Outcome.ORIGINAL_FAILED)
        after = _run(session, pair[1], limit_s, Outcome.REWRITE_FAILED)
    except _Ended as ended:
        if ended.outcome is not Outcome.REWRITE_FAILED:
            return otherwise, 0
        raise
    return compare(before, after, moments=texts.moments), len(before.rows)


def _compare_relaxed(
    session: QuerySession,
    texts: CheckTexts,
    relaxed: tuple[str, str],
    limit_s: float,
    strict: Comparison,
    known: RelaxedPairs,
) -> tuple[Comparison, int]:
    """Compare again with lower thresholds; what cannot be run so leaves the strict comparison as it is.

    Returns:
        The comparison that counts, and the rows that the original returned so.
    """
    if relaxed not in known:
        compared, rows = _compare_pair(session, texts, relaxed, limit_s, strict)
        bare = texts.unrounded[1] if texts.unrounded is not None else None
        if bare is not None and _is_a_matter_of_rounding(compared, MANY_ROWS):
            compared, _ = _compare_pair(session, texts, bare, limit_s, compared)
        known[relaxed] = compared, rows
    compared, rows = known[relaxed]
    if not _different(compared):
        return strict, rows
    return Comparison(False, f"with lower thresholds on aggregates {compared.detail}"), rows


def _outcome(compared: Comparison) -> Outcome:
    if compared.equal:
        return Outcome.EQUAL
    return Outcome.UNDECIDED if compared.undecided else Outcome.DIFFERENT


def _run(session: QuerySession, sql: str, limit_s: float, on_failure: Outcome, max_rows: int = MAX_ROWS) -> ResultSet:
    side = "the original" if on_failure is Outcome.ORIGINAL_FAILED else "the rewrite"
    try:
        return session.query(sql, limit_s=limit_s, max_rows=max_rows)
    except NotCheckable as problem:
        raise _Ended(Outcome.NOT_CHECKABLE, f"{side}: {problem}") from problem
    except RunFailed as problem:
        raise _Ended(on_failure, f"{side} fails: {problem}") from problem
    except RunTimeout as problem:
        raise _Ended(Outcome.TIMEOUT, f"{side}: {problem}") from problem


def _returned_enough(session: QuerySession, texts: CheckTexts, before: ResultSet, limit_s: float) -> bool:
    if len(before.rows) >= max(2, texts.needed_rows):
        return True
    if len(before.rows) < texts.needed_rows:
        return False
    if texts.probe is None:
        return True
    counted = _run(session, texts.probe, limit_s, Outcome.ORIGINAL_FAILED)
    return bool(counted.rows) and int(counted.rows[0][0]) >= 2


def _compare_in_engine(session: QuerySession, texts: CheckTexts, limit_s: float) -> Comparison:
    if not texts.exact:
        text = f"more than {MAX_ROWS} rows with floating point in them are too many to compare"
        return Comparison(False, text, undecided=True)
    for sql in multiset_difference(texts):
        surplus = _run(session, sql, limit_s, Outcome.REWRITE_FAILED)
        if surplus.rows[0][0] != 0:
            return Comparison(False, f"{surplus.rows[0][0]} rows stand on one side only")
    return Comparison(True, f"more than {MAX_EXACT_ROWS} rows, equal by EXCEPT ALL both ways")
