"""The columns of wide tables, each with its bytes: the program says which ones a table keeps.

A table in columns is read by column, so one wide table shows how fast a text is on it with any of the columns that the
text reads. Which of them are worth their bytes depends on what else is chosen, so they are chosen with the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from heavy_stack.backend.advisor.artefacts import Candidate, TableName
from heavy_stack.backend.advisor.ports import BuiltTable
from heavy_stack.backend.advisor.rules import READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.derived import names_of, with_derived
from heavy_stack.backend.advisor.rules.prejoin.prejoins import narrowed
from heavy_stack.backend.advisor.select.model import Demand, Design, Problem, TimedDemand, Way
from heavy_stack.backend.advisor.select.ways import ways_of
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.trial.formulas import Found

COMPUTING = 1.03
"""Times the seconds of a way that reads a column, those of one that computes it."""
LEAST_SHARE = 0.005
"""Of the client's bytes: a smaller table is taken as it is."""

SMALL_ROWS = 30_000
DEAR_SHARE = 0.02
"""A column of a joined table of so few rows may be left out where it takes so much of the wide table's bytes."""
HELD_SHARE = 0.8
"""A table with so many of its columns in a wider one is not tried itself."""
_SAME = ("fact", "sort")
"""What tables have in common that differ in their columns only."""


@dataclass(frozen=True)
class TriedWay(Way):
    """A way that was run, and the columns that it reads of each wide table."""

    columns: Mapping[int, frozenset[str]] = field(default_factory=dict)


def widest_of(possible: Sequence[Candidate], sizes: Sequence[float]) -> dict[int, int]:
    """For each pre-joined table that the widest one in the same order holds, all or nearly, that one, by place."""
    kinds: dict[str, list[int]] = {}
    for place, each in enumerate(possible):
        if each.rule == READ_FROM_PREJOIN.id:
            kinds.setdefault(repr([each.evidence[key] for key in _SAME]), []).append(place)
    found: dict[int, int] = {}
    for places in kinds.values():
        widest = max(places, key=lambda place: (sizes[place], -place))
        names = {column.name for column in possible[widest].columns}
        for place in places:
            held = sum(column.name in names for column in possible[place].columns)
            if held >= HELD_SHARE * len(possible[place].columns):
                found[place] = widest
    return found


def lean(
    possible: Sequence[Candidate], built: Mapping[int, BuiltTable], catalog: Catalog, rows: Callable[[str], float]
) -> dict[int, Candidate]:
    """Wide tables without the dear columns of small joined tables: looking those up may cost less than storing them."""
    found: dict[int, Candidate] = {}
    for place in sorted(built):
        wide, sizes = possible[place], built[place].column_bytes
        if wide.rule != READ_FROM_PREJOIN.id:
            continue
        stored, roles = wide.evidence["stored"], wide.evidence["roles"]
        small = {str(alias) for alias, _, parts, _ in roles if rows(str(TableName(*map(str, parts)))) <= SMALL_ROWS}
        dear = {name for name, size in sizes.items() if size >= DEAR_SHARE * built[place].bytes}
        kept = {each.name for each in wide.columns if each.name not in dear or str(stored[each.name][0]) not in small}
        less = narrowed(wide, catalog, kept)
        if len(less.columns) < len(wide.columns):
            found[place] = less
    return found


def by_column(
    problem: Problem,
    possible: Sequence[Candidate],
    built: Mapping[int, BuiltTable],
    formulas: Mapping[int, Mapping[str, Found]],
) -> Problem:
    """The problem with a place of its own for each column of a large pre-joined table.

    A way that was run asks for the columns that it reads, any other one for all. A table's own bytes are what is left:
    the columns that it is sorted by. What formulas give can be read, a little slower, without being stored.
    """
    sizes = list(problem.bytes)
    places: dict[int, dict[str, int]] = {}
    columns: dict[int, int] = {}
    for place in sorted(built):
        wide, table = possible[place], built[place]
        if wide.rule != READ_FROM_PREJOIN.id or table.bytes < LEAST_SHARE * problem.storage:
            continue
        sort = {str(name) for name in wide.evidence["sort"]}
        own = places.setdefault(place, {})
        for column in wide.columns:
            if column.name not in sort and column.name in table.column_bytes:
                own[column.name] = len(sizes)
                columns[len(sizes)] = place
                sizes.append(float(table.column_bytes[column.name]))
        sizes[place] = max(0.0, table.bytes - sum(sizes[each] for each in own.values()))
        for name, found in formulas.get(place, {}).items():
            for added, size in zip(names_of(name), (found.rest_bytes, found.mark_bytes), strict=True):
                own[added] = len(sizes)
                columns[len(sizes)] = place
                sizes.append(size)
    build_s = (*problem.build_s, *(0.0 for _ in columns))
    wider = replace(problem, bytes=tuple(sizes), build_s=build_s, columns=columns)
    return replace(wider, demands=tuple(_asking(demand, problem, places, formulas) for demand in problem.demands))


def _asking(
    demand: Demand,
    problem: Problem,
    places: Mapping[int, Mapping[str, int]],
    formulas: Mapping[int, Mapping[str, Found]],
) -> Demand:
    if not demand.tables & places.keys():
        return demand
    run = demand.ways if isinstance(demand, TimedDemand) else ways_of(demand, problem)
    ways = [each for way in run for each in (way, *_by_formulas(way, formulas))]
    ways.sort(key=lambda way: way.seconds)  # what is fastest is taken, so it comes first
    asking = (replace(way, tables=way.tables | frozenset(_read(way, places))) for way in ways)
    return TimedDemand(demand.texts, demand.weight, demand.total_s, (), tuple(asking))


def _by_formulas(way: Way, formulas: Mapping[int, Mapping[str, Found]]) -> Iterator[TriedWay]:
    """The way where it reads what gives a column instead of the column."""
    if not isinstance(way, TriedWay):
        return
    columns: dict[int, frozenset[str]] = {}
    for place, read in way.columns.items():
        given = {name: found for name, found in formulas.get(place, {}).items() if name in read}
        parts = (part for name, found in given.items() for part in (*names_of(name), *found.reads))
        columns[place] = (read - given.keys()).union(parts)
    if columns != way.columns:
        yield replace(way, seconds=COMPUTING * way.seconds, columns=columns)


def _read(way: Way, places: Mapping[int, Mapping[str, int]]) -> Iterator[int]:
    for table in way.tables & places.keys():
        own = places[table]
        names = way.columns.get(table, frozenset(own)) if isinstance(way, TriedWay) else own
        yield from (own[name] for name in names if name in own)


def narrower(
    problem: Problem,
    design: Design,
    possible: Sequence[Candidate],
    catalog: Catalog,
    formulas: Mapping[int, Mapping[str, Found]],
) -> dict[int, Candidate]:
    """The design's wide tables that can do with fewer columns, by place; with what stands for those that formulas give.

    A table that a text which was not tried is answered from keeps all its columns.
    """
    read: dict[int, set[str]] = {}
    whole: set[int] = set()
    for demand in problem.demands:
        way = demand.way(design.tables) if isinstance(demand, TimedDemand) else None
        if isinstance(way, TriedWay):
            for place, columns in way.columns.items():
                read.setdefault(place, set()).update(columns)
        elif way is not None:
            whole |= way.tables
        elif not isinstance(demand, TimedDemand):
            whole |= demand.tables
    found: dict[int, Candidate] = {}
    for place in sorted({each for each in design.tables if each < len(possible)} - whole):
        wide = possible[place]
        large = problem.size(problem.with_columns(place)) >= LEAST_SHARE * problem.storage
        if wide.rule == READ_FROM_PREJOIN.id and large and read.get(place):
            own = {each.name for each in wide.columns}
            given = {
                name: each.derived
                for name, each in formulas.get(place, {}).items()
                if name in own and read[place] & {*names_of(name)} - own
            }
            less = narrowed(with_derived(wide, given) if given else wide, catalog, read[place])
            if less.columns != wide.columns:
                found[place] = less
    return found


def without_columns(problem: Problem, built: Mapping[int, tuple[Candidate, BuiltTable]]) -> Problem:
    """The problem with these tables in their new width and bytes, and without the ways that need more columns."""
    sizes = list(problem.bytes)
    left: dict[int, frozenset[str]] = {}
    for place, (candidate, table) in built.items():
        for column in problem.with_columns(place):
            sizes[column] = 0.0  # what it keeps is there, and the other columns' ways are gone
        sizes[place] = float(table.bytes)
        left[place] = frozenset(column.name for column in candidate.columns)

    def is_possible(way: Way) -> bool:
        read = way.columns if isinstance(way, TriedWay) else {}
        return all(columns <= left.get(place, columns) for place, columns in read.items())

    demands = tuple(
        replace(demand, ways=tuple(filter(is_possible, demand.ways))) if isinstance(demand, TimedDemand) else demand
        for demand in problem.demands
    )
    return replace(problem, bytes=tuple(sizes), demands=demands)
