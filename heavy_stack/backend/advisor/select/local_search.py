"""Greedy with swaps: any number of texts, the true objective, no promise of the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from heavy_stack.backend.advisor.select.model import Design, Problem, Way
from heavy_stack.backend.advisor.select.state import State

MAX_SWAPS = 100
_BETTER = 1 + 1e-6
"""A step must gain more than rounding."""
_UNKNOWN = float("inf")


class LocalSearch:
    """Improves designs of one problem step by step.

    Args:
        problem: What decides.
        ways: By demand, the ways to answer it.
    """

    def __init__(self, problem: Problem, ways: Sequence[Sequence[Way]]) -> None:
        self._problem = problem
        steps = {way.tables for each in ways for way in each}
        self._steps = sorted(steps, key=lambda tables: (len(tables), sorted(tables)))

    def grow(self, start: Iterable[int], max_bytes: float | None = None) -> Design:
        """Add what gains most for each table, a way of some text at a time, until nothing gains."""
        state = State(self._problem, start)
        known = dict.fromkeys(self._steps, _UNKNOWN)
        while known:
            winner, gained = None, 0.0
            # What a step gains seldom rises as others are taken, so the last known gains say which to look at first.
            for step in sorted(known, key=lambda each: -known[each]):
                if winner is not None and known[step] <= gained:
                    break
                gain = self._gain(state, step, max_bytes)
                if gain is None:
                    del known[step]
                    continue
                known[step] = gain
                if gain > gained:
                    winner, gained = step, gain
            if winner is None:
                break
            state.move(state.tables | winner)
        return state.design()

    def _gain(self, state: State, step: frozenset[int], max_bytes: float | None) -> float | None:
        """The relative gain of a step for each table that it adds; None where it is taken already or never fits."""
        tables = state.tables | step
        if tables == state.tables or not self._problem.fits(tables, max_bytes):
            return None
        found = state.peek(tables)
        worth = found.worth if found is not None else 0.0
        added = max(1, self._problem.count(tables - state.tables))
        return (worth / state.worth - 1) / added if worth > state.worth * _BETTER else 0.0

    def polish(self, start: Iterable[int], max_bytes: float | None = None) -> Design:
        """Drop what does not pay and swap tables while that gains."""
        state = State(self._problem, start)
        for _ in range(MAX_SWAPS):
            better = self._better(state, self._drops(state), max_bytes, 1.0)
            better = better or self._better(state, self._swaps(state), max_bytes, _BETTER)
            if better is None:
                break
            state.move(better)
        return state.design()

    def _better(
        self, state: State, moves: Iterable[frozenset[int]], max_bytes: float | None, factor: float
    ) -> frozenset[int] | None:
        """The first move that makes the design worth so many times as much."""
        for tables in moves:
            if not self._problem.fits(tables, max_bytes):
                continue
            found = state.peek(tables)
            if found is not None and found.worth >= state.worth * factor:
                return tables
        return None

    def _drops(self, state: State) -> Iterable[frozenset[int]]:
        for table in sorted(state.tables, key=lambda each: (-self._problem.bytes[each], each)):
            yield state.tables - self._problem.with_columns(table)

    def _swaps(self, state: State) -> Iterable[frozenset[int]]:
        columns = self._problem.columns
        for table in sorted(state.tables - columns.keys()):
            for rival in sorted(self._rivals(table) - state.tables - columns.keys()):
                yield (state.tables - self._problem.with_columns(table)) | self._problem.with_columns(rival)

    def _rivals(self, table: int) -> set[int]:
        problem = self._problem
        return {rival for place in problem.askers[table] for rival in problem.demands[place].tables}

    def fewer(self, start: Design, is_near: Callable[[Design], bool]) -> Design:
        """Leave out tables, or let one stand for several, while the design is near the best and answers as many."""
        state = State(self._problem, start.tables)
        while True:
            best: Design | None = None
            for tables in self._smaller(state.tables):
                found = state.peek(tables, keep_answers=True) if self._problem.fits(tables) else None
                if found is not None and is_near(found) and (best is None or found.worth > best.worth):
                    best = found
            if best is None:
                return state.design()
            state.move(best.tables)

    def _smaller(self, tables: frozenset[int]) -> Iterable[frozenset[int]]:
        askers, sizes, limit = self._problem.askers, self._problem.bytes, self._problem.limits.bytes
        room = math.inf if limit is None else limit - self._problem.size(tables)
        for table in sorted(tables):
            yield tables - {table}
        for rival in sorted({rival for table in tables for rival in self._rivals(table)} - tables):
            near = set(askers[rival])
            held = sorted(table for table in tables if near & set(askers[table]))
            for index, one in enumerate(held):
                for two in held[:index]:
                    if (
                        sizes[rival] - sizes[one] - sizes[two] <= room + 1.0
                    ):  # most do not fit: said before they are made
                        yield (tables - {one, two}) | {rival}
