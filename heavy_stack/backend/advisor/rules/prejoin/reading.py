"""A whole text read from pre-joined tables: each of its SELECTs by itself, from the inside out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import TableName
from heavy_stack.backend.advisor.rules.prejoin.extremes import Extreme, catalog_with, extreme_named
from heavy_stack.backend.advisor.rules.prejoin.folding import Folded, fold
from heavy_stack.backend.advisor.rules.prejoin.gains import MAX_WORTH, Gains
from heavy_stack.backend.advisor.rules.prejoin.newest_rows import Known, extremes_in, notes_of, spelled_by_extremes
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf
from heavy_stack.backend.advisor.rules.prejoin.stars import Reading, reading_of, star_at
from heavy_stack.backend.advisor.rules.rollup.inlining import drop_unread_ctes
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.sql.catalog import Catalog


@dataclass(frozen=True, eq=False)
class PrejoinedTree:
    """A text read from stored tables.

    Attributes:
        tree: The new tree.
        tables: The stored tables that it reads.
        conditions: What must hold of the data: name → SQL that returns no row.
        used: Table → the columns that are read.
    """

    tree: exp.Query
    tables: tuple[StoredTable, ...]
    conditions: dict[str, str]
    used: dict[TableName, frozenset[str]]


def read_from_shelves(tree: exp.Query, catalog: Catalog, shelves: Sequence[Shelf], gains: Gains) -> PrejoinedTree:
    """A copy of `tree` in which SELECTs read stored tables where that saves work.

    Raises:
        NotAnswerable: None does.
    """
    steps = (step for shelf in shelves for step in shelf.steps.values())
    extremes = [each for step in steps if (each := extreme_named(step.table)) is not None]
    marks = {replace(each, unique=False): each for each in extremes if not each.rows}
    rows = {replace(each, unique=False, rows=False): each for each in extremes if each.rows}
    # Rows that a table holds beside its own need no join at all; else the marks.
    for held in [marks | rows, marks, rows] if rows else [marks]:
        spelled = spelled_by_extremes(tree, catalog, _known_as(held)) if held else None
        if spelled is None:
            continue
        known = catalog_with(spelled.extremes, catalog)
        try:
            spent = dict(enumerate(map(gains.as_it_is_s, tree.find_all(exp.Select, bfs=False))))
            found = _read(spelled.tree, known, shelves, gains.knowing(spelled.extremes), spent)
        except NotAnswerable:
            found = None
        # What no stored table holds would have to be spelled back.
        if found is not None and not extremes_in(found.tree, frozenset(each.name for each in spelled.extremes)):
            return replace(found, conditions=found.conditions | spelled.conditions)
    return _read(tree, catalog, shelves, gains, {})


def _known_as(held: Mapping[Extreme, Extreme]) -> Known:
    return lambda extreme, _: held.get(extreme)


def _read(
    tree: exp.Query, catalog: Catalog, shelves: Sequence[Shelf], gains: Gains, spent: Mapping[int, float]
) -> PrejoinedTree:
    """`spent`: by their places in the text, the seconds of the SELECTs that a spelled tree's stand for."""
    new = tree.copy()
    by_fact: dict[TableName, list[Shelf]] = {}
    for shelf in shelves:
        by_fact.setdefault(shelf.fact, []).append(shelf)
    names = _Aliases(new)
    found: list[tuple[Shelf, Folded]] = []
    for select in reversed(list(new.find_all(exp.Select, bfs=False))):
        current = select
        while (step := _best(current, catalog, by_fact, gains, names.next(), spent)) is not None:
            found.append(step)
            names.take()
            if current is new:
                new = step[1].select
            else:
                current.replace(step[1].select)
            current = step[1].select
    if not found:
        raise NotAnswerable("No table of the design holds what the query reads.")
    drop_unread_ctes(new)
    tables = {str(shelf.table.name): shelf.table for shelf, _ in found}
    conditions: dict[str, str] = {}
    used: dict[TableName, frozenset[str]] = {}
    for shelf, folded in found:
        conditions |= shelf.conditions(folded.asked)
        name = shelf.table.name
        read = {shelf.columns[place] for place in folded.used}
        used[name] = used.get(name, frozenset()) | read
    return PrejoinedTree(new, tuple(tables[name] for name in sorted(tables)), conditions, used)


def _best(
    select: exp.Select,
    catalog: Catalog,
    by_fact: dict[TableName, list[Shelf]],
    gains: Gains,
    alias: str,
    spent: Mapping[int, float],
) -> tuple[Shelf, Folded] | None:
    """The stored table that saves this SELECT most; None where none saves enough."""
    reading = reading_of(select, catalog)
    if reading is None:
        return None
    best: tuple[float, Shelf, Folded] | None = None
    place, absorbed = notes_of(select)
    for name, table in reading.base.items():
        for shelf in by_fact.get(table.name, ()):
            found = _folded(reading, name, shelf, alias)
            if found is None:
                continue
            before, after = gains.before_and_after(select, found, shelf)
            if place in spent:
                before = sum(spent[each] for each in (place, *absorbed) if each is not None)
            if after <= MAX_WORTH * before and (best is None or after < best[0]):
                best = after, shelf, found
    return None if best is None else best[1:]


def _folded(reading: Reading, name: str, shelf: Shelf, alias: str) -> Folded | None:
    try:
        return fold(reading, star_at(name, reading, shelf), shelf, alias)
    except NotAnswerable:
        return None


class _Aliases:
    """Names that no source of a text has."""

    def __init__(self, tree: exp.Query) -> None:
        self._taken = {source.alias_or_name.lower() for source in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
        self._number = 1

    def next(self) -> str:
        """The next free name; the same until it is taken."""
        while (name := "p" if self._number == 1 else f"p{self._number}") in self._taken:
            self._number += 1
        return name

    def take(self) -> None:
        """The next name is in use."""
        self._taken.add(self.next())
