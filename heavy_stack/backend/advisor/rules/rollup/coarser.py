"""Coarser tables for blocks whose own would be too large: numbers at round steps, a column as a measure per value,
distinct counts of groups that share no value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.determined import Determined
from heavy_stack.backend.advisor.rules.rollup.merging import MAX_SHARE
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.repeated_rows import RepeatedRows
from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, rollup_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import own_nodes

LARGE_ROWS = 50_000
"""From here on a coarser table is looked for beside one that is small enough."""
MIN_SHRINK = 3.0
"""A coarser table beside one that would do has so many times fewer rows at least."""
MAX_DISTINCT_SHARE = 0.3
"""Distinct rows of a few columns are a narrow copy: COUNT(DISTINCT) of them is cheap where they are so few. The same
holds where all dimensions are groups or join keys: no filter column blows the table up."""


def max_share(rollup: Rollup) -> float:
    """Which share of its source's rows a table may have."""
    open_needs = [each.needs for each in rollup.asked if not each.needs.distinct_stored]
    kept = any(plan.build is None for needs in open_needs for plan in needs.plans)
    kept = kept or all(_filters_nothing(each.needs) for each in rollup.asked)
    return MAX_DISTINCT_SHARE if kept else MAX_SHARE


def _filters_nothing(needs: Needs) -> bool:
    """Whether the dimensions serve groups and joins only: no literal is asked of them."""
    asked = [*needs.residual, *(part for plan in needs.plans for part in plan.conditions())]
    asked += [part for parts in needs.block.fixed.values() for part in parts]
    return not any(isinstance(node, exp.Literal) for part in asked for node in own_nodes(part))


def is_too_large(rollup: Rollup, sizes: Sizes, repeated: RepeatedRows) -> bool:
    """Whether a rollup has more rows than pay; where rows repeat, each distinct one may stand once."""
    rows, source = sizes.rows(rollup), sizes.core_rows(rollup.core)
    if rows is None or source is None or rows <= max_share(rollup) * source:
        return False
    left = repeated.share(rollup.core)
    return left == 1.0 or rows > left * source


def coarser(
    rollups: Iterable[Rollup], analyst: Analyst, sizes: Sizes, repeated: RepeatedRows, determined: Determined
) -> list[Asked]:
    """For the blocks of rollups that are too large or large: their coarsest variants.

    Args:
        rollups: Rollups whose rows are counted.
        analyst: Makes the variants.
        sizes: Counts their rows.
        repeated: Which tables hold each row several times.
        determined: Which columns determine others.
    """
    tried: list[tuple[Rollup, Asked, Rollup]] = []
    for rollup in rollups:
        if _is_small(rollup, sizes, repeated):
            continue
        for each in rollup.asked:
            variants = [*analyst.spreads(each.needs, sizes.values), analyst.by_steps(each.needs)]
            for needs in (*variants, analyst.summed(each.needs, sizes.values, determined)):
                if needs is None:
                    continue
                asked = replace(each, needs=needs)
                alone = rollup_of([asked])
                if alone is not None:
                    tried.append((rollup, asked, alone))
    sizes.count([alone for _, _, alone in tried])
    best: dict[tuple[str, int], tuple[float, Asked]] = {}
    for rollup, asked, alone in tried:
        rows, before = sizes.rows(alone), sizes.rows(rollup)
        if rows is None or before is None or is_too_large(alone, sizes, repeated):
            continue
        if rows * MIN_SHRINK > before and not is_too_large(rollup, sizes, repeated):
            continue
        key = (asked.key, asked.text)
        if key not in best or rows < best[key][0]:
            best[key] = (rows, asked)
    return [asked for _, asked in best.values()]


def _is_small(rollup: Rollup, sizes: Sizes, repeated: RepeatedRows) -> bool:
    rows = sizes.rows(rollup)
    return rows is None or (rows <= LARGE_ROWS and not is_too_large(rollup, sizes, repeated))
