"""The lattice of shared tables: blocks of one core, narrow tables for each, and wider ones for several.

Sharing is a reason to merge, never to bake: a block's own filters become conditions of its measures, and only the
dimensions decide how many rows the table has. Every level is a candidate; the selection decides which is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, rollup_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes

MAX_SHARE = 0.1
"""A rollup of more than this share of its source's rows saves too little for what it costs (rule 8 of the contract)."""
MAX_GROWTH = 8.0
"""A merged table may have so many times the rows of the larger one: beyond, no query would want to share it."""
SMALL_ROWS = 50_000
"""Up to here a scan costs next to nothing beside the planning of a query, whatever the growth."""
FEW_ROWS = 5_000
CHEAP_GROWTH = 1.5
"""A merged table is worth looking at beside the tree where it has few rows or hardly more than the larger one."""
MAX_COLUMNS = 90
"""Wider tables are slow to build and no longer read like a table."""
MAX_PAIRS = 300
"""Pairs looked at for one core, those with the most dimensions in common first: pairs grow with the square."""
MAX_FRESH_PAIRS = 40
MAX_SAMPLED = 100
"""Pairs that the engine looks at in one round: they share one scan."""
MAX_CANDIDATES = 300
"""Rollups handed to the selection."""


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


def lattice(rollups: list[Rollup], runs: Mapping[int, int], sizes: Sizes) -> list[Rollup]:
    """These rollups and what merging them step by step gives, each step by the least added work.

    Args:
        rollups: None has more rows than a rollup may have.
        runs: Runs by text.
        sizes: Row counts; asked in batches of pairs.
    """
    by_core: dict[str, list[Rollup]] = {}
    for rollup in rollups:
        by_core.setdefault(rollup.core.key, []).append(rollup)
    levels: list[Rollup] = []
    beside: list[Rollup] = []
    for group in by_core.values():
        of_core = _levels(group, runs, sizes)
        levels += of_core
        beside += _beside([*group, *of_core], sizes)
    for more in (levels, beside):
        more.sort(key=lambda each: -_runs_of(each, runs))
    known: dict[tuple[int, ...], Rollup] = {}
    for each in (*rollups, *levels, *beside):
        known.setdefault(tuple(sorted(map(id, each.asked))), each)
    return list(known.values())[: max(len(rollups), MAX_CANDIDATES)]


def _beside(rollups: list[Rollup], sizes: Sizes) -> list[Rollup]:
    """Merged tables that are off the tree but cheap: one's dimensions hold the other's, or both together are few.

    The tree merges each table once; with these the selection can also let the widest of several stand for all.
    """
    found: list[Rollup] = []
    likely = [(one, two) for index, one in enumerate(rollups) for two in rollups[:index]]
    likely = [(one, two) for one, two in likely if not set(map(id, one.asked)) & set(map(id, two.asked))]
    pairs = _pairs(likely, MAX_PAIRS)
    for pair in pairs:
        _take_over(pair, sizes)
    sizes.sample([pair.merged for pair in pairs if not sizes.is_counted(pair.merged)])
    for pair in pairs:
        larger = max(sizes.guess(pair.one), sizes.guess(pair.two))
        few = sizes.merged_rows(pair.merged, pair.one, pair.two) <= max(FEW_ROWS, CHEAP_GROWTH * larger)
        if (pair.holds or few) and _bearable(pair, sizes):
            found.append(pair.merged)
    return found


def _levels(rollups: list[Rollup], runs: Mapping[int, int], sizes: Sizes) -> list[Rollup]:
    """The merged tables of one core: a tree from narrow tables to the few that hold all."""
    left = list(rollups)
    found: list[Rollup] = []
    pairs = _pairs([(one, two) for index, one in enumerate(left) for two in left[:index]], MAX_PAIRS)
    for pair in pairs:
        _take_over(pair, sizes)
    if pairs:
        sizes.sample([*left, *(pair.merged for pair in pairs if not sizes.is_counted(pair.merged))])
    while True:
        best = _best(pairs, runs, sizes)
        if best is None:
            return found
        left = [each for each in left if each is not best.one and each is not best.two]
        pairs = [each for each in pairs if not {id(each.one), id(each.two)} & {id(best.one), id(best.two)}]
        fresh = _pairs([(best.merged, each) for each in left], MAX_FRESH_PAIRS)
        for pair in fresh:
            _take_over(pair, sizes)
        pairs += fresh
        left.append(best.merged)
        found.append(best.merged)


def _pairs(likely: list[tuple[Rollup, Rollup]], limit: int) -> list[_Pair]:
    likely.sort(key=lambda pair: len(set(pair[0].dimensions) ^ set(pair[1].dimensions)))
    found: list[_Pair] = []
    for one, two in likely[:limit]:
        merged = rollup_of([*one.asked, *two.asked])
        if merged is not None and _columns(merged) <= MAX_COLUMNS:
            found.append(_Pair(one, two, merged))
    return found


def _take_over(pair: _Pair, sizes: Sizes) -> None:
    if pair.holds:
        sizes.take_over(pair.merged, pair.wider)


def _best(pairs: list[_Pair], runs: Mapping[int, int], sizes: Sizes) -> _Pair | None:
    """The pair that adds the least work; the likeliest are looked at until the best one is."""
    while True:
        weighed = sorted(
            ((_added(pair, runs, sizes), place) for place, pair in enumerate(pairs) if _bearable(pair, sizes)),
        )
        if not weighed:
            return None
        ordered = [pairs[place] for _, place in weighed]
        unknown = [pair.merged for pair in ordered[:MAX_SAMPLED] if not sizes.is_counted(pair.merged)]
        first = ordered[0].merged
        if sizes.is_counted(first) or sizes.was_sampled(first) or not sizes.sample(unknown):
            return ordered[0]


def _added(pair: _Pair, runs: Mapping[int, int], sizes: Sizes) -> float:
    """Rows that the texts of both would read more, in all their runs."""
    rows = sizes.merged_rows(pair.merged, pair.one, pair.two)
    return sum(
        max(0.0, rows - sizes.guess(each)) * sum(max(1, runs.get(text, 1)) for text in each.texts)
        for each in (pair.one, pair.two)
    )


def _bearable(pair: _Pair, sizes: Sizes) -> bool:
    larger = max(sizes.guess(pair.one), sizes.guess(pair.two))
    rows = sizes.merged_rows(pair.merged, pair.one, pair.two)
    source = sizes.core_rows(pair.merged.core)
    if source is None:  # guesses only compare: a table is shared where one's groups are the other's, or nearly
        return rows <= larger * MAX_GROWTH
    return rows <= MAX_SHARE * source and rows <= max(SMALL_ROWS, larger * MAX_GROWTH)


def _runs_of(rollup: Rollup, runs: Mapping[int, int]) -> int:
    return sum(runs.get(text, 0) for text in rollup.texts)


def _columns(rollup: Rollup) -> int:
    return len(rollup.dimensions) + len(rollup.measures)
