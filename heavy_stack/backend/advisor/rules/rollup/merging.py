"""Fewer, shared tables: blocks of one core share a table where its groups stay about as few as their own.

Sharing is a reason to merge, never to bake: a block's own filters become conditions of its measures, and only the
dimensions decide how many rows the table has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, rollup_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes

MAX_GROWTH = 1.3
"""A merged table may have so many times the rows of the larger one: beyond, queries would pay for the sharing."""
MAX_FORCED_GROWTH = 4.0
"""The same where there are more tables than allowed; what cannot be merged then is left to the selection."""
SMALL_ROWS = 2_000
"""Up to here a scan costs the same whatever its rows: planning is all that a query waits for."""
MAX_RATIO = 10
"""A table does not serve a query whose own groups would be so many times fewer."""
MAX_COLUMNS = 90
"""Wider tables are slow to build and no longer read like a table."""
MAX_PAIRS = 300
"""Pairs looked at in one round, those with the most dimensions in common first: pairs grow with the square."""
MAX_FRESH_PAIRS = 40
MAX_COUNTED = 40
"""Pairs that the engine counts in one round."""


@dataclass(frozen=True, eq=False)
class _Pair:
    one: Rollup
    two: Rollup
    merged: Rollup

    @property
    def wider(self) -> Rollup:
        return self.one if len(self.one.dimensions) >= len(self.two.dimensions) else self.two

    @property
    def holds(self) -> bool:
        """Whether one's dimensions hold the other's, so that nothing is open about the groups."""
        return set(self.wider.dimensions) == set(self.merged.dimensions)


@dataclass(frozen=True, eq=False)
class _Weighed:
    pair: _Pair
    added: float
    cheap: bool
    bearable: bool


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
    """Merge while it costs next to nothing, then on towards `max_tables` by least added work.

    Args:
        rollups: At most one per core and dimensions.
        runs: Runs by text.
        sizes: Row counts; asked in batches of pairs.
        max_tables: No more tables than this, where merging can reach it.
    """
    left = list(rollups)
    sizes.count(left)
    likely = [(one, two) for index, one in enumerate(left) for two in left[:index]]
    weighed = _weighed(_pairs(likely, MAX_PAIRS), runs, sizes)
    while True:
        crowded = len(left) > max_tables
        allowed = [each for each in weighed if each.cheap or (crowded and each.bearable)]
        if not allowed:
            return left
        best = min(allowed, key=lambda each: each.added).pair
        left = [each for each in left if each is not best.one and each is not best.two]
        gone = {id(best.one), id(best.two)}
        weighed = [each for each in weighed if id(each.pair.one) not in gone and id(each.pair.two) not in gone]
        fresh = _pairs([(best.merged, each) for each in left], MAX_FRESH_PAIRS)
        weighed += _weighed(fresh, runs, sizes)
        left.append(best.merged)


def _pairs(likely: list[tuple[Rollup, Rollup]], limit: int) -> list[_Pair]:
    likely = [(one, two) for one, two in likely if one.core.key == two.core.key]
    likely.sort(key=lambda pair: len(set(pair[0].dimensions) ^ set(pair[1].dimensions)))
    found: list[_Pair] = []
    for one, two in likely[:limit]:
        merged = rollup_of([*one.asked, *two.asked])
        if merged is not None and _columns(merged) <= MAX_COLUMNS:
            found.append(_Pair(one, two, merged))
    return found


def _weighed(pairs: list[_Pair], runs: Mapping[int, int], sizes: Sizes) -> list[_Weighed]:
    open_ones: list[Rollup] = []
    for pair in pairs:
        if pair.holds:
            sizes.take_over(pair.merged, pair.wider)
        elif _alike(sizes.guess(pair.one), sizes.guess(pair.two)):
            open_ones.append(pair.merged)
    sizes.count(open_ones[:MAX_COUNTED], filtered=False)
    return [_weigh(pair, runs, sizes) for pair in pairs]


def _weigh(pair: _Pair, runs: Mapping[int, int], sizes: Sizes) -> _Weighed:
    first, second, rows = sizes.guess(pair.one), sizes.guess(pair.two), sizes.guess(pair.merged)
    larger = max(first, second)
    alike = _alike(first, second)
    # Without statistics the guesses only compare: a table is shared where one's groups are the other's, or nearly.
    small = rows <= SMALL_ROWS and sizes.rows(pair.merged) is not None
    cheap = alike if pair.holds else small or (alike and rows <= larger * MAX_GROWTH)
    bearable = pair.holds or rows <= max(SMALL_ROWS, larger * MAX_FORCED_GROWTH)
    added = sum(
        (rows - before) * sum(runs.get(text, 1) for text in each.texts)
        for each, before in ((pair.one, first), (pair.two, second))
    )
    return _Weighed(pair, added, cheap, bearable)


def _alike(one: float, two: float) -> bool:
    return max(one, two) <= max(min(one, two) * MAX_RATIO, SMALL_ROWS)


def _columns(rollup: Rollup) -> int:
    return len(rollup.dimensions) + len(rollup.measures)
