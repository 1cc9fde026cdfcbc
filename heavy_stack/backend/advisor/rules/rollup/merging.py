"""Fewer, shared tables: blocks of one core share a table where its groups stay about as few as their own.

Sharing is a reason to merge, never to bake: a block's own filters become conditions of its measures, and only the
dimensions decide how many rows the table has.
"""

from __future__ import annotations

from collections.abc import Mapping

from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, rollup_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes

MAX_GROWTH = 1.3
"""A merged table may have so many times the rows of the larger one: beyond, queries would pay for the sharing."""
SMALL_ROWS = 2_000
"""Up to here a scan costs the same whatever its rows: planning is all that a query waits for."""
MAX_RATIO = 10
"""A table does not serve a query whose own groups would be so many times fewer."""
MAX_COUNTED = 40
"""Pairs that the engine counts in one round."""
MAX_COLUMNS = 90
"""Wider tables are slow to build and no longer read like a table."""
MAX_PAIRS = 300
"""Pairs looked at in one round, those with the most dimensions in common first: pairs grow with the square."""


def rollups_by_dimensions(asked: list[Asked]) -> list[Rollup]:
    """One rollup for all blocks of one core and the same dimensions; more where they cannot share."""
    groups: dict[tuple[str, frozenset[str]], list[Asked]] = {}
    for each in asked:
        key = (each.needs.block.core.key, frozenset(each.needs.dimensions))
        groups.setdefault(key, []).append(each)
    found: list[Rollup] = []
    for group in groups.values():
        together = rollup_of(group)
        if together is not None and _columns(together) <= MAX_COLUMNS:
            found.append(together)
            continue
        by_filter: dict[frozenset[str], list[Asked]] = {}
        for each in group:
            by_filter.setdefault(frozenset(each.needs.filters), []).append(each)
        for part in by_filter.values():
            one = rollup_of(part)
            found += [one] if one is not None else [made for each in part if (made := rollup_of([each])) is not None]
    return found


def merged_rollups(rollups: list[Rollup], runs: Mapping[int, int], sizes: Sizes, max_tables: int) -> list[Rollup]:
    """Merge while it costs next to nothing, then down to `max_tables` by least added work.

    Args:
        rollups: At most one per core and dimensions.
        runs: Runs by text.
        sizes: Row counts; asked in batches of pairs.
        max_tables: No more tables than this, where merging can reach it.
    """
    left = list(rollups)
    sizes.count(left)
    pairs = _likely_pairs([(one, two) for index, one in enumerate(left) for two in left[:index]])
    _count(pairs, sizes)
    while True:
        best: tuple[float, Rollup, Rollup, Rollup] | None = None
        for one, two, merged in pairs:
            added = _added_work(one, two, merged, runs, sizes)
            allowed = _is_cheap(one, two, merged, sizes) or len(left) > max_tables
            if allowed and (best is None or added < best[0]):
                best = (added, one, two, merged)
        if best is None:
            return left
        _, one, two, merged = best
        left = [each for each in left if each is not one and each is not two]
        fresh = _likely_pairs([(merged, each) for each in left])
        left.append(merged)
        _count(fresh, sizes)
        gone = {id(one), id(two)}
        pairs = [pair for pair in pairs if id(pair[0]) not in gone and id(pair[1]) not in gone] + fresh


def _likely_pairs(pairs: list[tuple[Rollup, Rollup]]) -> list[tuple[Rollup, Rollup, Rollup]]:
    likely = [(one, two) for one, two in pairs if one.core.key == two.core.key]
    likely.sort(key=lambda pair: _distance(*pair))
    found: list[tuple[Rollup, Rollup, Rollup]] = []
    for one, two in likely[:MAX_PAIRS]:
        merged = rollup_of([*one.asked, *two.asked])
        if merged is not None and _columns(merged) <= MAX_COLUMNS:
            found.append((one, two, merged))
    return found


def _count(pairs: list[tuple[Rollup, Rollup, Rollup]], sizes: Sizes) -> None:
    """Count the groups of pairs that might share cheaply; where one's dimensions hold the other's, nothing is open."""
    asked: list[Rollup] = []
    for one, two, merged in pairs:
        larger = one if len(one.dimensions) >= len(two.dimensions) else two
        if set(larger.dimensions) == set(merged.dimensions):
            sizes.take_over(merged, larger)
        elif _alike(sizes.guess(one), sizes.guess(two)):
            asked.append(merged)
    sizes.count(asked[:MAX_COUNTED], filtered=False)


def _alike(one: float, two: float) -> bool:
    return max(one, two) <= max(min(one, two) * MAX_RATIO, SMALL_ROWS)


def _distance(one: Rollup, two: Rollup) -> int:
    return len(set(one.dimensions) ^ set(two.dimensions))


def _is_cheap(one: Rollup, two: Rollup, merged: Rollup, sizes: Sizes) -> bool:
    larger, smaller = max(sizes.guess(one), sizes.guess(two)), min(sizes.guess(one), sizes.guess(two))
    for each in (one, two):
        if set(each.dimensions) == set(merged.dimensions):
            return _alike(larger, smaller)  # the groups are its own
    rows = sizes.guess(merged)
    if sizes.rows(merged) is None:
        # Nothing is counted: share only where one table's groups are the other's, or nearly.
        return rows <= larger * MAX_GROWTH and larger <= smaller * MAX_RATIO
    return rows <= SMALL_ROWS or (rows <= larger * MAX_GROWTH and _alike(larger, smaller))


def _added_work(one: Rollup, two: Rollup, merged: Rollup, runs: Mapping[int, int], sizes: Sizes) -> float:
    """Rows read more per workload, by every query that the two serve."""
    rows = sizes.guess(merged)
    added = 0.0
    for each in (one, two):
        weight = sum(runs.get(text, 1) for text in each.texts)
        added += weight * (rows - sizes.guess(each))
    return added


def _columns(rollup: Rollup) -> int:
    return len(rollup.dimensions) + len(rollup.measures)
