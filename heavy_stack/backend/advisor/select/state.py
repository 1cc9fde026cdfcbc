"""A design that changes: what a change is worth, looking only at the texts that it touches."""

from __future__ import annotations

import math
from collections.abc import Iterable

from heavy_stack.backend.advisor.select.model import Design, Problem


class State:
    """A design at hand.

    Args:
        problem: What decides.
        tables: The design to start from.
    """

    def __init__(self, problem: Problem, tables: Iterable[int] = ()) -> None:
        self._problem = problem
        self.tables = frozenset(tables)
        self._seconds = [demand.seconds(self.tables) for demand in problem.demands]
        self._weight = problem.rest_weight + sum(demand.weight for demand in problem.demands)
        self._before = problem.rest_s + sum(demand.weight * demand.total_s for demand in problem.demands)
        self._sum()

    def _sum(self) -> None:
        problem = self._problem
        pairs = list(zip(problem.demands, self._seconds, strict=True))
        self._ratios = problem.rest_weight + sum(each.weight * each.total_s / spent for each, spent in pairs)
        self._logs = sum(each.weight * math.log(each.total_s / spent) for each, spent in pairs)
        self._after = problem.rest_s + sum(each.weight * spent for each, spent in pairs)
        self.worth = self._design(self.tables, self._ratios, self._logs, self._after).worth

    def _design(self, tables: frozenset[int], ratios: float, logs: float, after: float) -> Design:
        size, storage = self._problem.size(tables), self._problem.storage
        return Design(
            tables=tables,
            bytes=size,
            x=ratios / self._weight if self._weight > 0 else 1.0,
            geometric=math.exp(logs / self._weight) if self._weight > 0 else 1.0,
            sum_ratio=self._before / after if after > 0 else 1.0,
            y_total=storage / (storage + size) if storage > 0 else 1.0,
        )

    def peek(self, tables: frozenset[int], *, keep_answers: bool = False) -> Design | None:
        """The design with these tables instead; None where an answer is lost that must be kept."""
        problem = self._problem
        ratios, logs, after = self._ratios, self._logs, self._after
        touched = {place for table in tables ^ self.tables for place in problem.askers[table]}
        for place in sorted(touched):  # in one order, so that sums round alike
            demand, before = problem.demands[place], self._seconds[place]
            spent = demand.seconds(tables)
            if keep_answers and demand.is_worth(before) and not demand.is_worth(spent):
                return None
            ratios += demand.weight * demand.total_s * (1 / spent - 1 / before)
            logs += demand.weight * math.log(before / spent)
            after += demand.weight * (spent - before)
        return self._design(tables, ratios, logs, after)

    def move(self, tables: frozenset[int]) -> None:
        """Change to these tables."""
        changed = {place for table in tables ^ self.tables for place in self._problem.askers[table]}
        self.tables = tables
        for place in changed:
            self._seconds[place] = self._problem.demands[place].seconds(tables)
        self._sum()

    def design(self) -> Design:
        """The design with all its figures."""
        return self._problem.design(self.tables)
