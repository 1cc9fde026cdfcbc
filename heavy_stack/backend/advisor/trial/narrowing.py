"""Wide tables without the columns that no query needs of them, once it is known which queries read them.

What a wide table is left with decides its bytes, and the bytes that become free may pay for other tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import Candidate
from heavy_stack.backend.advisor.rules import READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.prejoins import narrowed
from heavy_stack.backend.advisor.select.model import Demand, Design, Problem, TimedDemand
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.trial.timing import TriedWay

LEAST_SHARE = 0.005
"""Of the client's bytes: a smaller table is not worth building again."""


def narrower(problem: Problem, design: Design, possible: Sequence[Candidate], catalog: Catalog) -> dict[int, Candidate]:
    """The design's wide tables that can do with fewer columns, by place.

    A table that a text which was not tried could read keeps all its columns.
    """
    read: dict[int, set[str]] = {}
    whole: set[int] = set()
    for demand in problem.demands:
        way = _taken(demand, design)
        if way is not None:
            for place, columns in way.columns.items():
                read.setdefault(place, set()).update(columns)
        elif not isinstance(demand, TimedDemand):
            whole |= demand.tables
    found: dict[int, Candidate] = {}
    for place in sorted(design.tables - whole):
        wide = possible[place]
        large = problem.bytes[place] >= LEAST_SHARE * problem.storage
        if wide.rule == READ_FROM_PREJOIN.id and large and read.get(place):
            less = narrowed(wide, catalog, read[place])
            if len(less.columns) < len(wide.columns):
                found[place] = less
    return found


def without_columns(problem: Problem, built: Mapping[int, tuple[Candidate, int]]) -> Problem:
    """The problem with these tables in their new width and bytes, and without the ways that need more columns."""
    sizes = list(problem.bytes)
    left: dict[int, frozenset[str]] = {}
    for place, (candidate, size) in built.items():
        sizes[place] = float(size)
        left[place] = frozenset(column.name for column in candidate.columns)

    def possible(way: TriedWay) -> bool:
        return all(columns <= left.get(place, columns) for place, columns in way.columns.items())

    return replace(problem, bytes=tuple(sizes), demands=tuple(_only(demand, possible) for demand in problem.demands))


def _only(demand: Demand, possible: Callable[[TriedWay], bool]) -> Demand:
    if not isinstance(demand, TimedDemand):
        return demand
    ways = tuple(way for way in demand.ways if not isinstance(way, TriedWay) or possible(way))
    return replace(demand, ways=ways)


def _taken(demand: Demand, design: Design) -> TriedWay | None:
    """How a text that was tried is answered."""
    if not isinstance(demand, TimedDemand):
        return None
    way = demand.way(design.tables)
    return way if isinstance(way, TriedWay) else None
