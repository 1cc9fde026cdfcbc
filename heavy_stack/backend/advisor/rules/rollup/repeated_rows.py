"""Tables in which every row stands several times (loaded several times over): how often.

Grouping such a table by all that a query asks of it keeps each distinct row once with its multiplicity, so that every
aggregate is weighted and exact. The table then has a third or a fifth of the rows, which is more than a rollup may
have, but less than any copy would.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.sql.printing import trino_sql

MIN_COPIES = 1.8
"""A row stands at least so often on average before its table counts as loaded several times over."""
SLACK = 1.1
"""Counts by a sketch are some 10 % off."""
_GROUPED = ("boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal", "varchar", "char")
_GROUPED_TIMES = ("date", "timestamp", "time")


class RepeatedRows:
    """Asks once for each table.

    Args:
        sizes: Statistics, and the engine that counts distinct rows.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._known: dict[str, float] = {}

    def copies(self, core: Core) -> float:
        """How often each row of the core's only table stands in it on average; 1 where that is not known."""
        if len(core.tables) != 1:
            return 1.0
        known = self._known.get(core.key)
        if known is None:
            known = self._known[core.key] = self._count(core)
        return known

    def share(self, core: Core) -> float:
        """Which share of the rows is left when each distinct row stands once; 1 where rows do not repeat."""
        copies = self.copies(core)
        return min(1.0, SLACK / copies) if copies >= MIN_COPIES else 1.0

    def _count(self, core: Core) -> float:
        alias, table = next(iter(core.tables.items()))
        rows = self._sizes.core_rows(core)
        if not rows or not all(column.type.startswith((*_GROUPED, *_GROUPED_TIMES)) for column in table.columns):
            return 1.0
        # One column with about as many values as rows (a key) tells that no row repeats, without a scan.
        if any(count * MIN_COPIES > rows for count in self._sizes.distinct_counts(table)):
            return 1.0
        select = core.from_.copy()
        select.set("expressions", [exp.column(column.name, table=alias, quoted=True) for column in table.columns])
        distinct = self._sizes.distinct_rows(trino_sql(select))
        return rows / distinct if distinct else 1.0
