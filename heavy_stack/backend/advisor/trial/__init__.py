"""trial: more tables than may stay are built, the queries run on them, and the choice is made again by what they took.

Estimates are off by a factor of two or more on single queries, and a design that rests on them can lose to a smaller
one. So where the client's data is at hand, select's choice is only the first guess: the tables of several such guesses
are built aside, one query of each shape runs on each of them and on those that go together, and the program is solved
again with measured seconds and bytes. What is not tried in time keeps its estimates. Nothing is verified here: that is
done for what is chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import (
    Candidate,
    DesignTable,
    ParsedWorkload,
    Plan,
    Proposals,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import BuiltTable, NotCheckable, Ports, RunFailed, RunTimeout
from heavy_stack.backend.advisor.rewrite.statements import design_table, named_table, new_schema_name
from heavy_stack.backend.advisor.rules.costs import FREE_BYTES
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.select import Weighed, plan_of, select, weigh
from heavy_stack.backend.advisor.select.choosing import best_design, choose
from heavy_stack.backend.advisor.select.model import Demand, Problem, TimedDemand
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.trial.asking import Asked, asked_of
from heavy_stack.backend.advisor.trial.columns import by_column, lean, narrower, widest_of, without_columns
from heavy_stack.backend.advisor.trial.formulas import formulas_of
from heavy_stack.backend.advisor.trial.shortlist import SMALL, shortlist
from heavy_stack.backend.advisor.trial.tightness import tightness
from heavy_stack.backend.advisor.trial.timing import Timing

__all__ = ["select_by_trial"]

TRIAL_SHARE = 0.4
"""Of the task's budget, for trying tables out."""
BUILD_SHARE = 0.65
"""Of that, for building them."""
MAX_NARROWED = 2
"""How often wide tables are built again with what is left to read of them."""
LARGE_BUILD_SHARE = 0.3
"""Of that, for one large table."""
MEASURED_STORAGE_SHARE = 0.39
"""Of the client's bytes as the design's writer would write them: 40 %, less what measurements differ."""
NARROWING_SHARE = 0.15
"""Of the time for trying, for building wide tables again, where there are any."""
NARROWING_S = 6.0
"""For finding out what to build again."""
CHOOSING_S = 25.0
"""For the choice by what was measured."""
LEAST_LEFT = 0.6
"""Of the budget: with less time left, nothing is tried."""


def select_by_trial(
    workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, proposals: Proposals, ports: Ports
) -> Plan:
    """select's plan; where the client's data may be asked, the best one by what tables were measured to save."""
    may_try = workload.frozen is None and workload.verify == "engine" and profile.reachable
    if not may_try or not proposals.candidates or ports.deadline.left_s() < LEAST_LEFT * workload.budget_s:
        return select(workload, parsed, profile, proposals, ports)
    ports.progress.report(0.0, "Weighing the proposed tables")
    until = ports.deadline.left_s() - TRIAL_SHARE * workload.budget_s
    weighed = _within(weigh(workload, parsed, profile, proposals), workload, parsed, profile, ports)
    first = choose(weighed.problem)
    guess = first.design
    if weighed.storage is None or not guess.tables:
        return plan_of(weighed, first)
    widest = widest_of(weighed.possible, weighed.problem.bytes)
    guess = replace(guess, tables=frozenset(widest.get(table, table) for table in guess.tables))
    tried = shortlist(weighed.problem, guess, widest)
    tables = _tables(weighed, workload, parsed, tried)
    ports.progress.report(0.1, f"Building {len(tables)} tables to try them")
    large = {place for place in tables if weighed.problem.bytes[place] > SMALL * weighed.storage}
    built, failed = _built_in_turn(tables, large, ports, BUILD_SHARE * (ports.deadline.left_s() - until))
    catalog = Catalog(parsed.tables)
    less = lean(weighed.possible, built, catalog, Sizes(profile.facts, None, ports.deadline).table_rows)
    timing = Timing(parsed, profile, weighed.possible, {place: tables[place] for place in built}, ports, less)
    try:
        session = ports.runner.open_design()
    except (NotCheckable, RunFailed, RunTimeout):
        session = None
    if session is None:
        return plan_of(weighed, first)
    try:
        asked = asked_of(weighed.problem, parsed, profile)
        narrowing_s = NARROWING_SHARE * TRIAL_SHARE * workload.budget_s if less else 0.0
        timed = timing.run(session, asked, guess, weighed.problem, until + narrowing_s)
        formulas = {
            place: formulas_of(session, tables[place].name, weighed.possible[place], table)
            for place, table in built.items()
        }
    finally:
        session.close()
    measured = by_column(_measured(weighed.problem, asked, timed, built), weighed.possible, built, formulas)
    for _ in range(MAX_NARROWED):
        design = best_design(measured, NARROWING_S)
        less = narrower(measured, design, weighed.possible, catalog, formulas)
        renamed = {place: named_table(candidate, tables[place].name) for place, candidate in less.items()}
        rebuilt, _ = _built(renamed, ports, ports.deadline.left_s() - until)
        if not rebuilt:
            break
        weighed = replace(weighed, possible=_with(less, weighed.possible, rebuilt))
        measured = without_columns(measured, {p: (less[p], table) for p, table in rebuilt.items()})
    choice = choose(measured, limit_s=CHOOSING_S, measured=True)
    # What could not be built again in time is sent as narrow as it was chosen.
    less = narrower(measured, choice.design, weighed.possible, catalog, formulas)
    weighed = replace(weighed, possible=_with(less, weighed.possible, less))
    plan = plan_of(weighed, choice, measured, failed)
    ports.progress.report(1.0, f"Chose {len(plan.chosen)} tables")
    return replace(plan, ways=_ways(measured, weighed, choice.design.tables, parsed))


def _with(
    changed: Mapping[int, Candidate], possible: Sequence[Candidate], places: Collection[int]
) -> tuple[Candidate, ...]:
    """All candidates, those at these places as they were changed."""
    return tuple(changed[place] if place in places else each for place, each in enumerate(possible))


def _within(
    weighed: Weighed, workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, ports: Ports
) -> Weighed:
    """The same with the bytes that new tables may take where the task names no limit: measured bytes are exact."""
    problem = weighed.problem
    if weighed.storage is None or workload.max_storage_bytes is not None or problem.limits.bytes is None:
        return weighed
    share = tightness(parsed, profile, _schema(workload, parsed), ports)
    most = max(float(FREE_BYTES), MEASURED_STORAGE_SHARE * share * weighed.storage)
    return replace(weighed, problem=replace(problem, limits=replace(problem.limits, bytes=most)))


def _schema(workload: Workload, parsed: ParsedWorkload) -> str:
    return new_schema_name(workload.task_id, {table.name.schema for table in parsed.tables})


def _tables(
    weighed: Weighed, workload: Workload, parsed: ParsedWorkload, tried: Sequence[int]
) -> dict[int, DesignTable]:
    schema, names = _schema(workload, parsed), NameMaker()
    return {place: design_table(weighed.possible[place], parsed.catalog, schema, names) for place in tried}


def _built_in_turn(
    tables: Mapping[int, DesignTable], large: AbstractSet[int], ports: Ports, limit_s: float
) -> tuple[dict[int, BuiltTable], dict[int, str]]:
    """The small tables first, then the large ones one by one, so that none takes the time of all others."""
    ends = ports.deadline.left_s() - limit_s
    built, failed = _built({place: each for place, each in tables.items() if place not in large}, ports, limit_s)
    for place, table in tables.items():
        if place in large:
            left_s = ports.deadline.left_s() - ends
            more, refused = _built({place: table}, ports, min(left_s, LARGE_BUILD_SHARE * limit_s))
            built |= more
            failed |= refused
    return built, failed


def _built(
    tables: Mapping[int, DesignTable], ports: Ports, limit_s: float
) -> tuple[dict[int, BuiltTable], dict[int, str]]:
    """What was built in time and why the others were not, by place."""
    design = [(table.name, table.create, table.insert) for table in tables.values()]
    results = ports.runner.build(design, limit_s=max(1.0, limit_s))
    built: dict[int, BuiltTable] = {}
    failed: dict[int, str] = {}
    for place, result in zip(tables, results, strict=True):
        if isinstance(result, BuiltTable):
            built[place] = result
        else:
            failed[place] = f"It could not be built to be tried: {result}"
    return built, failed


def _measured(
    problem: Problem, asked: Sequence[Asked], timed: Mapping[int, TimedDemand], built: Mapping[int, BuiltTable]
) -> Problem:
    """The problem with what was measured; what was not keeps its estimates, on the scale of the measured seconds.

    A table that could not be built is offered to nobody.
    """
    guessed = sum(each.demand.weight * each.demand.total_s for number, each in enumerate(asked) if number in timed)
    spent = sum(demand.weight * demand.total_s for demand in timed.values())
    scale = spent / guessed if guessed > 0 and spent > 0 else 1.0
    demands: list[Demand] = []
    for number, each in enumerate(asked):
        demands.append(timed[number] if number in timed else each.demand.scaled(scale))
    sizes, build_s = list(problem.bytes), list(problem.build_s)
    for place, table in built.items():
        sizes[place], build_s[place] = float(table.bytes), table.seconds
    return replace(
        problem,
        bytes=tuple(sizes),
        build_s=tuple(build_s),
        demands=tuple(demands),
        rest_s=problem.rest_s * scale,
    )


def _ways(
    measured: Problem, weighed: Weighed, chosen: frozenset[int], parsed: ParsedWorkload
) -> dict[int, tuple[str, ...]]:
    """By text, the candidates of its fastest way on the chosen tables; none where it stays as it is.

    A text that no demand names goes the way of its shape's heaviest one: what is rewritten alike is derived from few.
    """
    found: dict[int, tuple[str, ...]] = {}
    of_shape: dict[str, tuple[str, ...]] = {}
    shapes = {text.text: text.shape for text in parsed.texts if text.sql is not None and text.shape}
    for demand in measured.demands:
        if isinstance(demand, TimedDemand):
            way = demand.way(chosen)
            ids = (
                ()
                if way is None
                else tuple(weighed.possible[place].id for place in sorted(way.tables - measured.columns.keys()))
            )
            found.update(dict.fromkeys(demand.texts, ids))
            of_shape.setdefault(shapes.get(demand.texts[0]) or "", ids)
    for text, shape in shapes.items():
        if shape in of_shape:
            found.setdefault(text, of_shape[shape])
    return found
