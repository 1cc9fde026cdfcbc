"""Pairs rows that agree in their exact columns and differ in floats only.

Both sides are cut wherever a float column has a gap that the tolerance cannot bridge; inside the small pieces that are
left a perfect matching is searched, so neither sorting by floats nor a greedy choice can miss one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

Row = tuple[Any, ...]
FloatColumns = Mapping[int, tuple[float, float]]
"""Positions of the columns with floats in them, each with its relative and absolute tolerance."""

MAX_PAIRING = 600
"""Rows that differ in floats only are paired by search up to this many; beyond, the comparison is undecided."""
NAN = ("NaN",)
"""Stands for NaN in rows that are compared: one value that equals itself."""
_NUMBER_TYPES = (int, float)


def by_exact_columns(rows: Sequence[Row], exact: Sequence[int]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    if not exact:
        groups[()] = list(rows)
        return groups
    key = itemgetter(*exact)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def pair_rows(left: list[Row], right: list[Row], floats: FloatColumns) -> tuple[list[Row], int]:
    """Pair rows that agree in all exact columns.

    Returns:
        Rows of `left` without a partner (any excess of `right` is reported as such a row too), and how many rows could
        not be decided.
    """
    if len(left) != len(right):
        return (left or right)[:1], 0
    lost: list[Row] = []
    undecided = 0
    for mine, theirs in _clusters(left, right, floats):
        if len(mine) != len(theirs):
            lost.append((mine or theirs)[0])
        elif len(mine) > MAX_PAIRING and not _pairs_in_order(mine, theirs, floats):
            undecided += len(mine)
        elif len(mine) <= MAX_PAIRING:
            lost.extend(_unmatched(mine, theirs, floats))
    return lost, undecided


def _clusters(left: list[Row], right: list[Row], floats: FloatColumns) -> Iterator[tuple[list[Row], list[Row]]]:
    """Cut both sides wherever a float column has a gap that no pair could bridge; pairs never cross a cut."""
    pending = [(left, right)]
    for position, tolerance in floats.items():
        pending = [part for mine, theirs in pending for part in _cut(mine, theirs, position, tolerance)]
    yield from pending


def _cut(
    left: list[Row], right: list[Row], position: int, tolerance: tuple[float, float]
) -> Iterator[tuple[list[Row], list[Row]]]:
    if len(left) + len(right) <= 2:
        yield left, right
        return
    marked = [(_float_rank(row[position]), side, row) for side, rows in ((0, left), (1, right)) for row in rows]
    marked.sort(key=itemgetter(0))
    parts: tuple[list[Row], list[Row]] = ([], [])
    previous: tuple[int, float] | None = None
    for rank, side, row in marked:
        if previous is not None and not _ranks_touch(previous, rank, tolerance):
            yield parts
            parts = ([], [])
        parts[side].append(row)
        previous = rank
    yield parts


def _float_rank(value: Any) -> tuple[int, float]:
    if value is None:
        return (0, 0.0)
    if value is NAN:
        return (2, 0.0)
    if isinstance(value, _NUMBER_TYPES):
        return (1, float(value))
    return (3, 0.0)  # nested values: not cut, compared pair by pair


def _ranks_touch(low: tuple[int, float], high: tuple[int, float], tolerance: tuple[float, float]) -> bool:
    return low[0] == high[0] and floats_close(low[1], high[1], tolerance)


def _pairs_in_order(left: list[Row], right: list[Row], floats: FloatColumns) -> bool:
    def rank(row: Row) -> list[tuple[int, float]]:
        return [_float_rank(row[position]) for position in floats]

    pairs = zip(sorted(left, key=rank), sorted(right, key=rank), strict=True)
    return all(_rows_close(mine, theirs, floats) for mine, theirs in pairs)


def _unmatched(left: list[Row], right: list[Row], floats: FloatColumns) -> list[Row]:
    """Rows of `left` that no perfect matching can serve (augmenting paths; sides are of one length)."""
    edges = [[j for j, theirs in enumerate(right) if _rows_close(mine, theirs, floats)] for mine in left]
    partner: dict[int, int] = {}  # place in right -> place in left
    chosen: dict[int, int] = {}  # place in left -> place in right
    return [left[start] for start in range(len(left)) if not _augment(start, edges, partner, chosen)]


def _augment(start: int, edges: list[list[int]], partner: dict[int, int], chosen: dict[int, int]) -> bool:
    """One augmenting path by breadth-first search, so that deep chains cannot overflow the stack."""
    came_from: dict[int, int] = {}
    queue = [start]
    for node in queue:
        for other in edges[node]:
            if other in came_from:
                continue
            came_from[other] = node
            if other in partner:
                queue.append(partner[other])
                continue
            free: int | None = other
            while free is not None:  # flip the path back to `start`
                node = came_from[free]
                partner[free] = node
                freed = chosen.get(node)
                chosen[node] = free
                free = freed
            return True
    return False


def _rows_close(mine: Row, theirs: Row, floats: FloatColumns) -> bool:
    return all(_close(mine[p], theirs[p], tolerance) for p, tolerance in floats.items())


def _close(mine: Any, theirs: Any, tolerance: tuple[float, float]) -> bool:
    if mine is theirs or mine == theirs:
        return True
    if isinstance(mine, bool) or isinstance(theirs, bool):
        return False
    if isinstance(mine, _NUMBER_TYPES) and isinstance(theirs, _NUMBER_TYPES):
        return floats_close(float(mine), float(theirs), tolerance)
    if isinstance(mine, tuple) and isinstance(theirs, tuple) and len(mine) == len(theirs):
        return all(_close(a, b, tolerance) for a, b in zip(mine, theirs, strict=True))
    return False


def floats_close(mine: float, theirs: float, tolerance: tuple[float, float]) -> bool:
    if mine == theirs:
        return True
    if math.isinf(mine) or math.isinf(theirs):
        return False
    relative, absolute = tolerance
    return abs(mine - theirs) <= max(absolute, relative * max(abs(mine), abs(theirs)))
