"""Which tables are worth trying: those of the first guess, small ones beside them, and those of other good designs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from heavy_stack.backend.advisor.select.choosing import choose
from heavy_stack.backend.advisor.select.model import Design, Problem

MAX_TRIED = 120
WIDER = 1.5
"""Times the bytes allowed, for a design whose tables estimates may have thought too large."""
MAX_BYTES = 3.5
"""Times the bytes allowed, for all tables that are tried."""
LARGEST = 2
"""Tables of the first guess without which another design is looked for."""
SMALL = 0.05
"""Of the client's bytes: smaller tables that a text would be fastest on are tried even where they lose by estimates."""
FASTEST = 2
LIMIT_S = 4.0


def shortlist(problem: Problem, guess: Design) -> list[int]:
    """Places of tables, the most promising first."""
    limits = problem.limits
    most_bytes = None if limits.bytes is None else MAX_BYTES * limits.bytes
    found: list[int] = []
    size = build_s = 0.0
    for table in _promising(problem, guess):
        if table in found or len(found) >= MAX_TRIED:
            continue
        fits = most_bytes is None or size + problem.bytes[table] <= most_bytes
        if fits and (limits.build_s is None or build_s + problem.build_s[table] <= limits.build_s):
            found.append(table)
            size += problem.bytes[table]
            build_s += problem.build_s[table]
    return found


def _promising(problem: Problem, guess: Design) -> Iterator[int]:
    yield from _by_build(problem, guess.tables)
    small = SMALL * problem.storage
    for demand in sorted(problem.demands, key=lambda each: -each.weight * each.total_s):
        for block in sorted(demand.blocks, key=lambda each: -each.before_s):
            fitting = [table for table in block.after_s if problem.bytes[table] <= small]
            yield from sorted(fitting, key=lambda table: (block.after_s[table], table))[:FASTEST]
    for design in _other_designs(problem, guess):
        yield from _by_build(problem, design.tables)


def _other_designs(problem: Problem, guess: Design) -> Iterator[Design]:
    limits = problem.limits
    if limits.bytes is not None:
        wider = replace(limits, bytes=WIDER * limits.bytes, build_s=None)
        yield choose(replace(problem, limits=wider), limit_s=LIMIT_S).design
    for table in sorted(guess.tables, key=lambda each: (-problem.bytes[each], each))[:LARGEST]:
        others = [place for place in range(len(problem.bytes)) if place != table]
        demands = tuple(demand.on(others) for demand in problem.demands)
        yield choose(replace(problem, demands=demands), limit_s=LIMIT_S).design


def _by_build(problem: Problem, tables: Iterable[int]) -> list[int]:
    return sorted(tables, key=lambda table: (problem.build_s[table], table))
