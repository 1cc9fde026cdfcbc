"""Whether a large table that is sorted by a date is split by its months or years, so that whole files are passed over.

Before: `WITH (sorted_by = ARRAY['sold_on'])` on 200 M rows of five years; every file holds some of every month.
After: `WITH (partitioning = ARRAY['month(sold_on)'], sorted_by = ARRAY['sold_on'])`; a month is a file of its own.
Safe when: statistics give the first and last date and the rows; what a table holds does not depend on its files.
Never when: there would be more partitions than one INSERT may write, or files too small to be worth opening.
Source: Trino's Iceberg connector writes at most 100 partitions per writer; partition transforms of the Iceberg format.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from heavy_stack.backend.advisor.artefacts import Candidate, ColumnFacts

MAX_PARTITIONS = 60
"""Well under the 100 that a writer of Trino may have open, since new rows bring new months."""
ROWS_PER_PARTITION = 1_000_000
"""Below, opening a file costs more than the rows that are passed over."""
_DATES = ("date", "timestamp")


def partitioned(candidate: Candidate, known: ColumnFacts | None) -> Candidate:
    """The sorted table with its partitions; as it is where it has none.

    Args:
        candidate: A copy or pre-join.
        known: Statistics of the column that it is sorted by first.
    """
    first = next(iter(candidate.evidence.get("sort", ())), None)
    column = next((each for each in candidate.columns if each.name == first), None)
    if column is None:
        return candidate
    partition = partition_of(column.name, column.type, known, candidate.rows)
    return (
        candidate if partition is None else replace(candidate, evidence={**candidate.evidence, "partition": partition})
    )


def partition_of(column: str, kind: str, known: ColumnFacts | None, rows: int | None) -> str | None:
    """The partition transform (`month(column)`) of a table that is sorted by this column; None for no partitions.

    Args:
        column: The stored column that the table is sorted by first.
        kind: Its Trino type.
        known: Its statistics.
        rows: The table's rows.
    """
    if known is None or rows is None or not kind.startswith(_DATES):
        return None
    low, high = _day(known.low), _day(known.high)
    if low is None or high is None:
        return None
    years = high.year - low.year + 1
    months = 12 * (years - 1) + high.month - low.month + 1
    for span, count in (("month", months), ("year", years)):
        parts = count + 1 if known.nulls != 0 else count
        if 1 < parts <= MAX_PARTITIONS and rows >= parts * ROWS_PER_PARTITION:
            return f"{span}({column})"
    return None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
