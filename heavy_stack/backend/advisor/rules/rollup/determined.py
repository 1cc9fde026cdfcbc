"""Which columns determine others: each session is of one day. Asked of the data, and asked again as a certificate."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.disjoint_counts import certificate, one_source
from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import text_of
from heavy_stack.backend.advisor.sql.printing import trino_sql

CLEARLY_MORE = 1.3
"""A sample of so many times more pairs than values shows that one has several others; counts may err by a tenth."""
MAX_ASKED = 16
"""Each question to the whole table groups it by a column of many values."""
_COMPARABLE = frozenset(
    {"boolean", "tinyint", "smallint", "integer", "bigint", "decimal", "varchar", "date", "timestamp"}
)


class Determined:
    """Answers whether one column determines another, and remembers.

    Args:
        sizes: Asks the engine; without one nothing is known to determine anything.
        may_ask: Whether the client's engine can be asked to discharge the condition later.
    """

    def __init__(self, sizes: Sizes, may_ask: bool) -> None:
        self._sizes = sizes
        self._may_ask = may_ask
        self._known: dict[tuple[str, str, str], bool] = {}
        self._asked = 0

    def holds(self, core: Core, argument: exp.Expr, dimension: exp.Expr) -> bool:
        """Whether each value of `argument` has one value of `dimension` (canonical names) in all rows of the core."""
        key = (core.key, text_of(argument), text_of(dimension))
        if key[1] == key[2]:
            return True
        if key not in self._known:
            self._known[key] = self._look(core, argument, dimension)
        return self._known[key]

    def is_known(self, core: Core, argument: exp.Expr, dimension: exp.Expr) -> bool:
        """Whether that was asked before, and holds."""
        one, two = text_of(argument), text_of(dimension)
        return one == two or self._known.get((core.key, one, two), False)

    def _look(self, core: Core, argument: exp.Expr, dimension: exp.Expr) -> bool:
        kind = type_at(dimension)
        if kind is None or kind.base not in _COMPARABLE or self._asked >= MAX_ASKED or not self._may_ask:
            return False
        source = one_source(core, argument, dimension)
        if source is None:
            return False
        one, two = source.copy(), source.copy()
        one.set("expressions", [argument.copy()])
        two.set("expressions", [argument.copy(), dimension.copy()])
        counted = self._sizes.sampled_groups({"one": trino_sql(one), "two": trino_sql(two)})
        values, pairs = counted.get("one"), counted.get("two")
        if values is None or pairs is None or pairs > CLEARLY_MORE * values:
            return False
        self._asked += 1
        return self._sizes.distinct_rows(trino_sql(certificate(source, argument, dimension))) == 0
