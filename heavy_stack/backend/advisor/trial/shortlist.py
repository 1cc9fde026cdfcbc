"""Which tables are worth trying: those of the first guess, small ones beside them, and those of other good designs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from heavy_stack.backend.advisor.select.choosing import best_design, choose
from heavy_stack.backend.advisor.select.model import Design, Problem

MAX_TRIED = 150
WIDER = 1.5
"""Times the bytes allowed, for a design whose tables estimates may have thought too large."""
MAX_BYTES = 4.5
"""Times the bytes allowed, for all tables that are tried."""
LARGE_BYTES = 4 << 30
"""Beyond this the tables that are tried take no more than the bytes allowed: a task's folder is no lake."""
LARGEST = 2
"""Tables of the first guess without which another design is looked for."""
SMALL = 0.05
"""Of the client's bytes: smaller tables that a text would be fastest on are tried even where they lose by estimates."""
SMALL_TOGETHER = 2.0
"""Times the bytes allowed, for all small tables together."""
LEAST_BYTES = 0.002
"""Of the client's bytes: what every table costs at least."""
FASTEST = 2
LIMIT_S = 4.0


def shortlist(problem: Problem, guess: Design, widest: Mapping[int, int]) -> list[int]:
    """Places of tables, the most promising first.

    Args:
        problem: What decides, by estimates.
        guess: The best design by them.
        widest: Tables in whose stead a wider one is tried.
    """
    limits = problem.limits
    allowed = limits.bytes
    most_bytes = None if allowed is None else min(MAX_BYTES * allowed, max(allowed, float(LARGE_BYTES)))
    found: list[int] = []
    size = build_s = 0.0
    for table in (widest.get(each, each) for each in _promising(problem, guess, widest)):
        if table in found or len(found) >= MAX_TRIED:
            continue
        fits = most_bytes is None or size + problem.bytes[table] <= most_bytes
        if fits and (limits.build_s is None or build_s + problem.build_s[table] <= limits.build_s):
            found.append(table)
            size += problem.bytes[table]
            build_s += problem.build_s[table]
    return found


def _promising(problem: Problem, guess: Design, widest: Mapping[int, int]) -> Iterator[int]:
    yield from _by_build(problem, guess.tables)
    yield from _by_build(problem, best_design(problem, LIMIT_S).tables)
    yield from _small(problem)
    yield from _wide(problem, set(widest.values()) - guess.tables)
    for design in _other_designs(problem, guess):
        yield from _by_build(problem, design.tables)


def _largest(problem: Problem, guess: Design) -> list[int]:
    return sorted(guess.tables, key=lambda each: (-problem.bytes[each], each))[:LARGEST]


def _wide(problem: Problem, tables: Iterable[int]) -> list[int]:
    """The widest tables of each kind, those that could save most first: which columns pay is seen once they run."""

    def saved(table: int) -> float:
        return sum(
            problem.demands[place].weight * (block.before_s - block.after_s[table])
            for place in problem.askers[table]
            for block in problem.demands[place].blocks
            if table in block.after_s
        )

    return sorted(tables, key=lambda table: (-saved(table), table))


def _small(problem: Problem) -> Iterator[int]:
    """Small tables on which a SELECT would be fastest: first those that could save most for their bytes."""
    most = SMALL * problem.storage
    offers: list[tuple[float, int]] = []
    for demand in problem.demands:
        for block in demand.blocks:
            fitting = [table for table in block.after_s if problem.bytes[table] <= most]
            for table in sorted(fitting, key=lambda each: (block.after_s[each], each))[:FASTEST]:
                saved = demand.weight * (block.before_s - block.after_s[table])
                offers.append((saved / (problem.bytes[table] + LEAST_BYTES * problem.storage), table))
    left = problem.storage if problem.limits.bytes is None else SMALL_TOGETHER * problem.limits.bytes
    for table in dict.fromkeys(table for _, table in sorted(offers, key=lambda offer: (-offer[0], offer[1]))):
        if problem.bytes[table] <= left:
            left -= problem.bytes[table]
            yield table


def _other_designs(problem: Problem, guess: Design) -> Iterator[Design]:
    limits = problem.limits
    if limits.bytes is not None:
        wider = replace(limits, bytes=WIDER * limits.bytes, build_s=None)
        yield choose(replace(problem, limits=wider), limit_s=LIMIT_S).design
    for table in _largest(problem, guess):
        others = [place for place in range(len(problem.bytes)) if place != table]
        demands = tuple(demand.on(others) for demand in problem.demands)
        yield choose(replace(problem, demands=demands), limit_s=LIMIT_S).design


def _by_build(problem: Problem, tables: Iterable[int]) -> list[int]:
    return sorted(tables, key=lambda table: (problem.build_s[table], table))
