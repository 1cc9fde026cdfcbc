"""The ways to answer one text: which tables together, and how long it takes then."""

from __future__ import annotations

from collections.abc import Mapping

from heavy_stack.backend.advisor.select.model import Demand, Problem, TimedDemand, Way

MAX_WAYS = 40
MAX_OPTIONS = 8
"""Tables looked at for one block; fewer where a text has many blocks."""
MAX_COMBINED = 400
"""Combinations kept while the blocks are gone through."""


def ways_of(demand: Demand, problem: Problem) -> tuple[Way, ...]:
    """The ways that are worth it, the fastest and the ones with the fewest tables; none that another beats."""
    if isinstance(demand, TimedDemand):
        return tuple(way for way in demand.ways if demand.is_worth(way.seconds))
    combined: dict[frozenset[int], float] = {frozenset(): demand.total_s}
    most = MAX_OPTIONS if len(demand.blocks) <= 3 else MAX_OPTIONS // 2
    for block in sorted(demand.blocks, key=lambda each: -each.before_s):
        options = _options(block.after_s, problem, most)
        found = dict(combined)
        for tables, seconds in combined.items():
            for table in options:
                together = tables | {table}
                saved = max(0.0, block.before_s - block.after_s[table])
                found[together] = min(found.get(together, seconds), seconds - saved)
        # A table that was taken for another block answers this one as well.
        for tables in list(found):
            own = [block.after_s[table] for table in tables if table in block.after_s]
            if own and tables in combined:
                found[tables] = min(found[tables], combined[tables] - max(0.0, block.before_s - min(own)))
        combined = _kept(found, MAX_COMBINED)
    worth = {tables: seconds for tables, seconds in combined.items() if demand.is_worth(seconds)}
    return tuple(Way(tables, seconds) for tables, seconds in _kept(_undominated(worth), MAX_WAYS).items())


def _options(after_s: Mapping[int, float], problem: Problem, most: int) -> list[int]:
    """The fastest tables of a block, and those that most texts could share."""
    fastest = sorted(after_s, key=lambda table: (after_s[table], problem.bytes[table], table))
    shared = sorted(after_s, key=lambda table: (-len(problem.askers[table]), after_s[table], table))
    return list(dict.fromkeys([*fastest[: (most + 1) // 2], *shared[: most // 2]]))


def _kept(ways: dict[frozenset[int], float], most: int) -> dict[frozenset[int], float]:
    if len(ways) <= most:
        return dict(sorted(ways.items(), key=_fastest))
    fastest = sorted(ways.items(), key=_fastest)
    fewest = sorted(ways.items(), key=lambda way: (len(way[0]), *_fastest(way)))
    kept = dict(fewest[: most // 2])
    for tables, seconds in fastest:
        if len(kept) >= most:
            break
        kept[tables] = seconds
    return dict(sorted(kept.items(), key=_fastest))


def _fastest(way: tuple[frozenset[int], float]) -> tuple[float, int, list[int]]:
    return way[1], len(way[0]), sorted(way[0])


def _undominated(ways: dict[frozenset[int], float]) -> dict[frozenset[int], float]:
    ordered = sorted(ways.items(), key=lambda way: (len(way[0]), way[1], sorted(way[0])))
    found: dict[frozenset[int], float] = {}
    for tables, seconds in ordered:
        if not any(other < tables and spent <= seconds for other, spent in found.items()):
            found[tables] = seconds
    return found
