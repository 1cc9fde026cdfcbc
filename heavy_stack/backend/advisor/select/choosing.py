"""The search: exact where the problem is small enough, greedy with swaps always, then the fewest tables."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from heavy_stack.backend.advisor.artefacts import FrontPoint
from heavy_stack.backend.advisor.select.exact import Program
from heavy_stack.backend.advisor.select.local_search import LocalSearch
from heavy_stack.backend.advisor.select.model import Design, Problem
from heavy_stack.backend.advisor.select.ways import ways_of

LIMIT_S = 12.0
SOLVE_LIMIT_S = 4.0
BUDGETS = (0.005, 0.01, 0.019, 0.028, 0.042, 0.095, 0.19, 0.37, 1.0)
"""Shares of the client's storage for which the best design is looked for: a little below round ones, since the client's
files may be written less tightly than the design."""
NEAR_Z = 0.92
NEAR_SAVED = 0.955
"""Near the best is a design with these shares of its z and of the total time that it saves, 1 - ΣQT/ΣQA: from 20 to 30
times is a third more in the ratio, and less than two hundredths of the time. The fewest tables among them are taken."""
MANY = 0.5
NEARER = (0.98, 0.985)
"""With fewer tables than this share of the query texts that it answers, a design has to be so near."""
MEASURED_SHARE = 0.5
MEASURED_SAVED = 0.98
"""By measured seconds, the fewest tables are taken, down to MANY times as many as there are texts, with which a design
answers as many texts and has such shares of the best one's worth and of the total time that it saves. Beyond that, one
is left out where it adds less than MEASURED_GAIN to the worth and the saved time stays as near as NEARER says."""
ENOUGH = 10.0
ENOUGH_SAVED = 0.95
"""Where fewer tables make the total so many times smaller, they may save a little less: hardly anything is left."""
MEASURED_GAIN = 0.01
CLEARLY = 0.78
"""Times its seconds: a text that is so much faster on the best design has to be so on one with fewer tables."""
SMALLER_COST = 0.1
"""A design of a smaller budget is taken where it is worth so little less."""
SLOPES = 2
MORE_SLOPES = 3
"""How often the program is asked again at its own answer; more often where the start is far from what is asked for."""


@dataclass(frozen=True)
class Choice:
    """The design taken, and the front from few bytes to many."""

    design: Design
    front: tuple[FrontPoint, ...]


def choose(
    problem: Problem, clock: Callable[[], float] = time.monotonic, *, limit_s: float = LIMIT_S, measured: bool = False
) -> Choice:
    """The design that is worth most, with no more tables than that needs.

    Args:
        problem: What decides.
        clock: Seconds.
        limit_s: After which the exact search ends.
        measured: Whether the problem's seconds are.
    """
    ends = clock() + limit_s
    best, found, search, program = _found(problem, _budgets(problem), lambda: ends - clock())
    if measured:
        taken = _sparing(best, program, problem, lambda: ends - clock())
        return Choice(taken, _front(problem, found, taken))
    many = MANY * sum(len(problem.demands[place].texts) for place in problem.answered(best.tables))

    def is_near(design: Design) -> bool:
        z, time = (NEAR_Z, NEAR_SAVED) if problem.count(design.tables) >= many else NEARER
        saved, most = 1 - 1 / design.sum_ratio, 1 - 1 / best.sum_ratio
        return design.z_total >= z * best.z_total and saved >= time * most

    taken = min(
        (search.fewer(design, is_near) for design in _different(found) if is_near(design)),
        key=lambda design: (-len(problem.answered(design.tables)), len(design.tables), design.bytes),
    )
    if program.is_small and taken.tables:
        taken = _fewer_tables(taken, is_near, search, program, problem, lambda: ends - clock())
    return Choice(taken, _front(problem, found, taken))


def best_design(problem: Problem, limit_s: float = LIMIT_S) -> Design:
    """The design that is worth most, however many tables that takes."""
    ends = time.monotonic() + limit_s
    return _found(problem, _budgets(problem)[-1:], lambda: ends - time.monotonic())[0]


def _found(
    problem: Problem, budgets: Sequence[float], left_s: Callable[[], float]
) -> tuple[Design, list[Design], LocalSearch, Program]:
    """The best design, the best for each budget, and what found them."""
    ways = [ways_of(demand, problem) for demand in problem.demands]
    search, program = LocalSearch(problem, ways), Program(problem, ways)
    found: list[Design] = [problem.design(())]
    for budget in reversed(budgets):
        if found[-1].tables and found[-1].bytes <= budget:
            continue  # the best for more than this takes no more than this
        design = search.polish(search.grow((), budget).tables, budget)
        if program.is_small:
            design = _solved(design, budget, search, program, left_s)
        found.append(design)
    best = max(found, key=lambda design: (design.worth, -len(design.tables)))
    return best, found, search, program


def _budgets(problem: Problem) -> list[float]:
    most = problem.limits.bytes
    wanted = [share * problem.storage for share in BUDGETS]
    return sorted({budget if most is None else min(budget, most) for budget in wanted})


def _solved(start: Design, budget: float, search: LocalSearch, program: Program, left_s: Callable[[], float]) -> Design:
    """The exact answers at the slope of the design at hand, kept where they are better."""
    best = start
    for _ in range(SLOPES):
        if left_s() <= 0:
            break
        design = program.best(best, budget, min(SOLVE_LIMIT_S, left_s()))
        if design is not None:
            design = search.polish(design.tables, budget)
        if design is None or design.worth <= best.worth:
            break
        best = design
    return best


def _fewer_tables(
    taken: Design,
    is_near: Callable[[Design], bool],
    search: LocalSearch,
    program: Program,
    problem: Problem,
    left_s: Callable[[], float],
) -> Design:
    """Ask for fewer and fewer tables, with no answer lost, until the design is no longer near the best."""
    best = taken
    while left_s() > 0 and len(best.tables) > 1:
        keep = problem.answered(best.tables)
        within = dict.fromkeys(keep, math.inf)
        design = program.best(best, None, min(SOLVE_LIMIT_S, left_s()), max_tables=len(best.tables) - 1, keep=within)
        if design is None or not is_near(design) or not keep <= problem.answered(design.tables):
            break
        best = search.fewer(design, is_near)
    return best


def _sparing(best: Design, program: Program, problem: Problem, left_s: Callable[[], float]) -> Design:
    """The best design, or one with fewer tables that answers as many texts."""
    keep = _as_well(best, problem)
    few = max(1, int(MANY * sum(len(demand.texts) for demand in problem.demands)))
    taken = best
    wanted = few  # at once where that is near enough, else halfway up to what is taken
    while wanted < problem.count(taken.tables):
        asked = [keep] if wanted > few else [keep, _any(keep, problem)]  # few tables first, even if one text is slower
        found = (_best_of(wanted, best, each, program, left_s) for each in asked)
        design = next((each for each in found if each is not None and _is_near(each, best)), None)
        if design is not None:
            taken = design
        else:
            few = wanted + 1
        wanted = (few + problem.count(taken.tables)) // 2
    while problem.count(taken.tables) > 1:
        design = _best_of(problem.count(taken.tables) - 1, taken, keep, program, left_s)
        if (
            design is None
            or design.worth < (1 - MEASURED_GAIN) * taken.worth
            or not _saves_as_much(design, best, NEARER[1])
        ):
            break
        taken = design
    for budget in _budgets(problem):
        if budget >= taken.bytes:
            break
        design = _best_of(problem.count(taken.tables), taken, keep, program, left_s, budget)
        if design is not None and design.worth >= (1 - SMALLER_COST) * taken.worth:
            return design
    return taken


def _is_near(design: Design, best: Design) -> bool:
    """The same with the share that is asked for down to MANY times as many tables as texts."""
    return _saves_as_much(design, best, ENOUGH_SAVED if design.sum_ratio >= ENOUGH else MEASURED_SAVED)


def _saves_as_much(design: Design, best: Design, share: float) -> bool:
    """Whether fewer tables are worth what they lose, by measured seconds."""
    saved, most = 1 - 1 / design.sum_ratio, 1 - 1 / best.sum_ratio
    return saved >= share * most and design.worth >= MEASURED_SHARE * best.worth


def _as_well(best: Design, problem: Problem) -> dict[int, float]:
    """The answers of a design, and the seconds that each may take at most: what it makes clearly faster stays so."""
    return {
        place: CLEARLY * demand.total_s if demand.seconds(best.tables) <= CLEARLY * demand.total_s else demand.total_s
        for place in sorted(problem.answered(best.tables))
        for demand in [problem.demands[place]]
    }


def _any(keep: Mapping[int, float], problem: Problem) -> dict[int, float]:
    """The same answers, however much faster they are."""
    return {place: problem.demands[place].total_s for place in keep}


def _best_of(
    tables: int,
    start: Design,
    keep: Mapping[int, float],
    program: Program,
    left_s: Callable[[], float],
    max_bytes: float | None = None,
) -> Design | None:
    """The best design of so many tables that keeps these answers, as far as slopes lead there from the start."""
    best: Design | None = None
    at = start
    for _ in range(MORE_SLOPES):
        if left_s() <= 0 or not program.is_small:
            break
        design = program.best(at, max_bytes, min(SOLVE_LIMIT_S, left_s()), max_tables=tables, keep=keep)
        if design is None or (best is not None and design.worth <= best.worth):
            break
        best = at = design
    return best


def _different(designs: Iterable[Design]) -> list[Design]:
    return list({design.tables: design for design in designs}.values())


def _front(problem: Problem, found: Sequence[Design], taken: Design) -> tuple[FrontPoint, ...]:
    """Designs that none beats in both bytes and speed; the chosen one stands among them in any case."""
    points: list[FrontPoint] = []
    fastest = 0.0
    for design in sorted({taken.tables: taken, **{each.tables: each for each in found}}.values(), key=_by_size):
        chosen = design.tables == taken.tables
        if chosen or design.x > fastest:
            fastest = max(fastest, design.x)
            points.append(FrontPoint(problem.count(design.tables), int(design.bytes), design.x, design.z_total, chosen))
    return tuple(points)


def _by_size(design: Design) -> tuple[float, float, list[int]]:
    return design.bytes, -design.x, sorted(design.tables)
