"""The choice as a mixed-integer program, solved by HiGHS.

Variables: y_c = 1 where table c is built, and for each text one variable per way of answering it. A way needs all its
tables; a text takes at most one way. What a way is worth is a constant, so all is linear; the objective itself is not
(a weighted mean of logarithms), so it is replaced by its slope at a design at hand, and asked again at the answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import highspy

from heavy_stack.backend.advisor.select.model import Design, Problem, Way

MAX_VARIABLES = 20_000
"""Beyond, greedy with swaps answers alone."""
MAX_NODES = 300
"""Ends a search alike on every machine, where a clock would not."""
GAP = 1e-4
_INFINITY = highspy.kHighsInf


@dataclass(frozen=True)
class _Row:
    low: float
    high: float
    entries: tuple[tuple[int, float], ...]


class Program:
    """The program of one problem; solved for one budget at a time.

    Args:
        problem: What decides.
        ways: By demand, the ways to answer it.
    """

    def __init__(self, problem: Problem, ways: Sequence[Sequence[Way]]) -> None:
        self._problem = problem
        self._tables = len(problem.bytes)
        self._ways = [(place, way) for place, each in enumerate(ways) for way in each]
        self._rows = self._rules()

    @property
    def is_small(self) -> bool:
        """Whether it can be solved in the time that choosing may take."""
        return self._tables + len(self._ways) <= MAX_VARIABLES

    def best(
        self,
        at: Design,
        max_bytes: float | None,
        limit_s: float,
        *,
        max_tables: int | None = None,
        keep: Mapping[int, float] | None = None,
    ) -> Design | None:
        """The best design within a budget by the slope of the objective at `at`; None where the solver found none.

        Args:
            at: Where the slope is taken.
            max_bytes: The budget.
            limit_s: Seconds.
            max_tables: No more tables than this.
            keep: Demands that must be answered, and in how many seconds at most.
        """
        problem, limits = self._problem, self._problem.limits
        rows = list(self._rows)
        sizes = [value for value in (max_bytes, limits.bytes) if value is not None]
        scale = max(problem.storage, 1.0)
        if sizes:
            entries = tuple((table, size / scale) for table, size in enumerate(problem.bytes))
            rows.append(_Row(-_INFINITY, min(sizes) / scale, entries))
        if limits.build_s is not None:
            rows.append(_Row(-_INFINITY, limits.build_s, tuple(enumerate(problem.build_s))))
        count = limits.tables if max_tables is None else min(limits.tables, max_tables)
        counted = (table for table in range(self._tables) if table not in problem.columns)
        rows.append(_Row(-_INFINITY, count, tuple((table, 1.0) for table in counted)))
        for place, most_s in sorted((keep or {}).items()):
            own = tuple(
                (self._tables + index, 1.0)
                for index, (whose, way) in enumerate(self._ways)
                if whose == place and way.seconds <= most_s
            )
            rows.append(_Row(1.0, 1.0, own))
        solution = _solve(self._gains(at), self._tables, rows, limit_s)
        if solution is None:
            return None
        tables = frozenset(table for table in range(self._tables) if solution[table] > 0.5)
        return problem.design(tables) if problem.fits(tables, max_bytes) else None

    def _gains(self, at: Design) -> list[float]:
        """The slope of ln(worth) by each variable: half the gain in total time, a quarter each in x and in g."""
        problem = self._problem
        weight = problem.rest_weight + sum(demand.weight for demand in problem.demands)
        total = problem.rest_s + sum(demand.weight * demand.total_s for demand in problem.demands)
        spent = total / at.sum_ratio
        cost = problem.storage + at.bytes
        gains = [-size / (3 * cost) - 1e-7 if cost > 0 else -1e-7 for size in problem.bytes]
        for place, way in self._ways:
            demand = problem.demands[place]
            ratio = demand.weight * (demand.total_s / way.seconds - 1) / (weight * at.x)
            time = demand.weight * (demand.total_s - way.seconds) / spent
            log = demand.weight * math.log(demand.total_s / way.seconds) / weight
            gains.append((ratio + log + 2 * time) / 4)
        return gains

    def _rules(self) -> list[_Row]:
        """One way a text at most, and a way only with its tables."""
        rows: list[_Row] = []
        by_demand: dict[int, list[int]] = {}
        needing: dict[tuple[int, int], list[int]] = {}
        for index, (place, way) in enumerate(self._ways):
            variable = self._tables + index
            by_demand.setdefault(place, []).append(variable)
            for table in sorted(way.tables):
                needing.setdefault((place, table), []).append(variable)
        for variables in by_demand.values():
            rows.append(_Row(-_INFINITY, 1.0, tuple((variable, 1.0) for variable in variables)))
        for (_, table), variables in needing.items():
            rows.append(_Row(-_INFINITY, 0.0, (*((variable, 1.0) for variable in variables), (table, -1.0))))
        return rows


def _solve(gains: list[float], tables: int, rows: list[_Row], limit_s: float) -> list[float] | None:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 1)
    solver.setOptionValue("mip_rel_gap", GAP)
    solver.setOptionValue("mip_max_nodes", MAX_NODES)
    solver.setOptionValue("time_limit", limit_s)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(gains), len(rows)
    model.col_cost_ = gains
    model.col_lower_, model.col_upper_ = [0.0] * len(gains), [1.0] * len(gains)
    model.row_lower_ = [row.low for row in rows]
    model.row_upper_ = [row.high for row in rows]
    model.sense_ = highspy.ObjSense.kMaximize
    starts = list(accumulate((len(row.entries) for row in rows), initial=0))
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = starts
    model.a_matrix_.index_ = [place for row in rows for place, _ in row.entries]
    model.a_matrix_.value_ = [value for row in rows for _, value in row.entries]
    integer, continuous = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    model.integrality_ = [integer if place < tables else continuous for place in range(len(gains))]
    if solver.passModel(model) == highspy.HighsStatus.kError or solver.run() == highspy.HighsStatus.kError:
        return None
    solution = solver.getSolution()
    return list(solution.col_value) if solution.value_valid else None
