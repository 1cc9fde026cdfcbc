"""How many bytes a stored column takes, from the values that it has: Parquet, dictionary or plain, then compressed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from heavy_stack.backend.advisor.artefacts import Table, TableFacts

SORTED_BYTES = 0.01
"""A value of a column that follows the sort order: it is stored once per run."""
_UNKNOWN_SHARE = 1.5
"""A column without statistics is no key, filter or group, so most likely a measure: above the average width."""
_LONGEST = {"boolean": 0.15, "date": 2.5, "integer": 4.0, "real": 4.0}
_TEXT_BYTES = 12.0
_OVERHEAD = 1.1


def bytes_per_value(table: Table, column: str, facts: Mapping[str, TableFacts], rows: int) -> float:
    """Roughly the bytes of one value of `column` in a table of `rows` rows that it was joined into.

    Args:
        table: The table that has the column.
        column: Its name, in any case.
        facts: Statistics by full table name.
        rows: Rows of the stored table.
    """
    kind = next((each.type for each in table.columns if each.name.lower() == column.lower()), "")
    known = facts.get(str(table.name))
    longest = _LONGEST.get(kind.split("(")[0], _TEXT_BYTES if kind.startswith("varchar") else 7.0)
    found = None
    if known is not None:
        found = next((each for name, each in known.columns.items() if name.lower() == column.lower()), None)
    if found is not None and found.distinct is not None:
        coded = math.log2(found.distinct + 1) / 8 * _OVERHEAD
        # Of values that are nearly all different, the dictionary is as long as the column.
        spelled = longest * min(1.0, found.distinct / max(1, rows))
        return min(coded + spelled, longest)
    if known is not None and known.rows and known.bytes:
        return min(longest, _UNKNOWN_SHARE * known.bytes / known.rows / len(table.columns))
    return min(longest, 4.0)
