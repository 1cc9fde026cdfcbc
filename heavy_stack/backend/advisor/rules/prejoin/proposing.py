"""From the texts of a workload to candidate pre-joins: what each SELECT would read, shared in one table per fact."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, Saving, Table, TableName
from heavy_stack.backend.advisor.rules.prejoin.folding import fold
from heavy_stack.backend.advisor.rules.prejoin.gains import MAX_WORTH, Gains
from heavy_stack.backend.advisor.rules.prejoin.keys import Keys, table_of
from heavy_stack.backend.advisor.rules.prejoin.prejoins import Prejoin, candidate_of, needed_steps, shelf_to_be
from heavy_stack.backend.advisor.rules.prejoin.shelves import RoleColumn, Shelf
from heavy_stack.backend.advisor.rules.prejoin.sorting import sort_of
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Reading, Star, reading_of, stars_of
from heavy_stack.backend.advisor.rules.prejoin.widths import Widths
from heavy_stack.backend.advisor.rules.protocol import ProposeContext, Proposed
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, select_places
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.printing import trino_sql

MIN_ROWS = 50_000
"""Below, reading and joining costs less than planning: no table would be felt."""
NARROW_BYTES = 1.6
"""A joined table's column that takes more per row of the fact stays where it is: names and descriptions join later."""
LEVELS = (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Shares of the bytes that all SELECTs together ask for: the selection chooses between narrow and wide tables."""


@dataclass(frozen=True, eq=False)
class Use:
    """A star in one SELECT of one text."""

    text: int
    place: int
    reading: Reading
    star: Star


@dataclass(frozen=True, eq=False)
class Wish:
    """What a SELECT would read of a table, and what that saves."""

    use: Use
    columns: frozenset[RoleColumn]
    asked: frozenset[RoleColumn]
    saving: Saving
    worth: float


def propose_prejoins(context: ProposeContext) -> Proposed:
    """Candidates for all texts together; see the rule's `match`."""
    if not context.facts or not context.may_ask:
        return Proposed(())  # a partner is one only where its key is known to be unique
    uses = _uses(context)
    candidates: list[Candidate] = []
    for name in sorted({use.star.fact.name for use in uses}):
        of_fact = [use for use in uses if use.star.fact.name == name]
        candidates += _candidates(of_fact, context, len(candidates))
    return Proposed(tuple(candidates))


def _uses(context: ProposeContext) -> list[Use]:
    keys = Keys(context.facts, lambda table, columns: context.sizes.distinct_rows(_distinct_select(table, columns)))
    found: list[Use] = []
    for number, text in context.texts.items():
        if context.sizes.time_left_s() < context.until_left_s:
            break
        try:
            tree = context.analyst.analyse(text).tree
        except (NotAnswerable, SqlProblem, RecursionError):
            continue  # the first rule of the catalogue says why
        places = select_places(tree)
        for select in tree.find_all(exp.Select):
            reading = reading_of(select, context.analyst.catalog)
            if reading is None:
                continue
            for star in stars_of(reading, keys, context.costs.table_rows):
                if context.costs.table_rows(star.fact) >= MIN_ROWS:
                    found.append(Use(number, places[id(select)], reading, star))
    return found


def _distinct_select(table: Table, columns: tuple[str, ...]) -> str:
    listed = [exp.column(name, quoted=True) for name in columns]
    return trino_sql(exp.Select(expressions=listed).from_(table_of(table.name)))


def _candidates(uses: list[Use], context: ProposeContext, before: int) -> list[Candidate]:
    catalog, facts = context.analyst.catalog, context.facts
    fact = uses[0].star.fact
    rows = int(context.costs.table_rows(fact))
    steps = {member.step.role: member.step for use in uses for member in use.star.members}
    sort = sort_of([(use.reading, use.star, context.runs.get(use.text, 1)) for use in uses], catalog, facts)
    width = Widths(fact, steps, sort, catalog, facts, rows)
    columns = {(FACT, column.name.lower()) for column in fact.columns}
    for step in steps.values():
        table = catalog.table(step.table)
        keys = {key.lower() for _, key in step.pairs}
        for column in table.columns if table is not None else ():
            place = (step.role, column.name.lower())
            if place[1] in keys or width.of(place) <= NARROW_BYTES:
                columns.add(place)
    filled = sorted((place for place in columns if width.is_filled(place)), key=lambda place: (width.of(place), place))
    everything = Prejoin(fact, steps, frozenset(columns) | frozenset(sort), sort, tuple(filled))
    shelf = shelf_to_be(everything, catalog, TableName(fact.name.catalog, "design", "p"), rows)
    wishes = _wishes(uses, shelf, context)
    found: list[Candidate] = []
    for chosen in _levels(wishes, width):
        kept = frozenset().union(*(wish.columns for wish in chosen)) | frozenset(sort)
        asked = frozenset().union(*(wish.asked for wish in chosen))
        prejoin = Prejoin(fact, needed_steps(kept, steps), kept, sort, tuple(sorted(asked)))
        served = [wish for wish in wishes if wish.columns <= kept]
        savings = tuple(sorted({_key(wish.saving): wish.saving for wish in served}.values(), key=_key))
        size = int(rows * width.total(kept))
        found.append(
            candidate_of(prejoin, catalog, before + len(found) + 1, savings, rows, size, _why(prejoin, savings))
        )
    return found


def _key(saving: Saving) -> tuple[int, int]:
    return saving.text, saving.block


def _why(prejoin: Prejoin, savings: tuple[Saving, ...]) -> str:
    count = len({saving.text for saving in savings})
    texts = "1 query text reads" if count == 1 else f"{count} query texts read"
    names = ", ".join(sorted({step.table.name for step in prejoin.steps.values()}))
    joined_to = f" with {names} joined" if names else ""
    order = f", sorted by {', '.join(name for _, name in prejoin.sort)}" if prejoin.sort else ""
    return f"{texts} {prejoin.fact.name.name}{joined_to}: {len(prejoin.columns)} columns{order}."


def _wishes(uses: list[Use], shelf: Shelf, context: ProposeContext) -> list[Wish]:
    gains = Gains(context.facts, context.analyst.catalog)
    found: list[Wish] = []
    for use in uses:
        try:
            folded = fold(use.reading, use.star, shelf, "p")
        except NotAnswerable:
            continue
        before, after = gains.before_and_after(use.reading.select, folded, shelf)
        if after <= MAX_WORTH * before:
            saving = Saving(use.text, use.place, before, after)
            found.append(Wish(use, folded.used, folded.asked, saving, context.runs.get(use.text, 1) * (before - after)))
    return found


def _levels(wishes: list[Wish], width: Widths) -> list[list[Wish]]:
    """Nested choices of wishes, those that save most per byte first, cut at shares of the whole size."""
    waiting: dict[frozenset[RoleColumn], list[Wish]] = {}
    for wish in wishes:
        waiting.setdefault(wish.columns, []).append(wish)
    worth = {columns: sum(wish.worth for wish in group) for columns, group in waiting.items()}
    whole = width.total(frozenset().union(*waiting)) if waiting else 0.0
    kept: frozenset[RoleColumn] = frozenset()
    order: list[tuple[float, list[Wish]]] = []
    while waiting:
        best = max(waiting, key=lambda each: (worth[each] / max(width.total(each - kept), 1e-3), sorted(each)))
        kept |= best
        order.append((width.total(kept), waiting.pop(best)))
    levels: list[list[Wish]] = []
    for share in LEVELS:
        level = [wish for size, group in order if size <= share * whole + 1e-9 for wish in group]
        if level and (not levels or len(level) > len(levels[-1])):
            levels.append(level)
    return levels
