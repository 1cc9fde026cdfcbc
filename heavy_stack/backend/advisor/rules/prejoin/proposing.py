"""From the texts of a workload to candidate pre-joins: what each SELECT would read, shared in one table per fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, ColumnFacts, Saving, Table, TableName
from heavy_stack.backend.advisor.rules.costs import CostModel
from heavy_stack.backend.advisor.rules.prejoin.extremes import (
    Extreme,
    catalog_with,
    extreme_named,
    facts_with,
    table_named,
    word_for,
)
from heavy_stack.backend.advisor.rules.prejoin.folding import fold
from heavy_stack.backend.advisor.rules.prejoin.gains import MAX_WORTH, Gains
from heavy_stack.backend.advisor.rules.prejoin.keys import Keys
from heavy_stack.backend.advisor.rules.prejoin.newest_rows import notes_of, spelled_by_extremes
from heavy_stack.backend.advisor.rules.prejoin.orders import other_orders
from heavy_stack.backend.advisor.rules.prejoin.partitioning import partitioned
from heavy_stack.backend.advisor.rules.prejoin.prejoins import Prejoin, candidate_of, needed_steps, shelf_to_be
from heavy_stack.backend.advisor.rules.prejoin.shelves import EXISTS, RoleColumn, Shelf
from heavy_stack.backend.advisor.rules.prejoin.sorting import sort_of, ties_of
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Reading, Star, Step, reading_of, stars_of
from heavy_stack.backend.advisor.rules.prejoin.widths import Widths
from heavy_stack.backend.advisor.rules.protocol import ProposeContext, Proposed
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable, select_places
from heavy_stack.backend.advisor.sql.guards import SqlProblem

MIN_ROWS = 50_000
"""Below, reading and joining costs less than planning: no table would be felt."""
NARROW_BYTES = 1.6
"""A joined table's column that takes more per row of the fact stays where it is: names and descriptions join later."""
THRIFTY_BYTES = 0.35
"""The same where the joined table is small: looking its rows up costs no more than reading a stored copy."""
SMALL_ROWS = 30_000
AMPLE_BYTES = 8.0
"""Where the joined table is large, looking rows up may cost more than even a wide number: both are tried."""
MIN_BYTES = 1e-3
LATE_SHARE = 0.45
DRAFT = "(stored)"
"""An alias that no query has: with one of the query's own the two tables would be taken for one."""
MAX_OWN = 3
"""Tables for the SELECTs of one group alone, beside the shared ones."""
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the bytes that all SELECTs together ask for: the selection chooses between narrow and wide tables."""


@dataclass(frozen=True, eq=False)
class Use:
    """A star in one SELECT of one text; `stands_for`: the SELECTs that were merged to it → their seconds."""

    text: int
    place: int
    reading: Reading
    star: Star
    stands_for: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Wish:
    """What a SELECT would read of a table, and what that saves."""

    use: Use
    columns: frozenset[RoleColumn]
    asked: frozenset[RoleColumn]
    saving: Saving
    worth: float
    more: tuple[Saving, ...] = ()


def propose_prejoins(context: ProposeContext) -> Proposed:
    """Candidates for all texts together; see the rule's `match`."""
    if not context.facts or not context.may_ask:
        return Proposed(())  # a partner is one only where its key is known to be unique
    uses, extremes = _uses(context)
    if extremes:
        catalog, facts = catalog_with(extremes, context.analyst.catalog), facts_with(extremes, context.facts)
        analyst = Analyst(catalog, context.analyst.flags)
        context = replace(context, analyst=analyst, facts=facts, costs=CostModel(facts, catalog))
    candidates: list[Candidate] = []
    for name in sorted({use.star.fact.name for use in uses}):
        of_fact = [use for use in uses if use.star.fact.name == name]
        candidates += _candidates(of_fact, context, len(candidates))
        reads = {place: (use.reading, use.star, context.runs.get(use.text, 1)) for place, use in enumerate(of_fact)}
        for places in other_orders(reads, context.analyst.catalog, context.facts):
            candidates += _candidates([of_fact[place] for place in places], context, len(candidates))
    return Proposed(tuple(candidates))


def _uses(context: ProposeContext) -> tuple[list[Use], set[Extreme]]:
    keys = Keys(context.facts, context.sizes.distinct_rows)
    found: list[Use] = []
    extremes: set[Extreme] = set()
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
        for rows in (False, True):
            more, asked = _uses_of_newest_rows(number, tree, keys, context, rows=rows)
            found += more
            extremes |= asked if more else frozenset()
    return found, extremes


def _uses_of_newest_rows(
    number: int, tree: exp.Query, keys: Keys, context: ProposeContext, *, rows: bool
) -> tuple[list[Use], frozenset[Extreme]]:
    """The SELECTs that ask for each key's newest row, spelled as joins; they take those that they merged along."""
    catalog, costs = context.analyst.catalog, context.costs

    def known_as(extreme: Extreme, filled: bool) -> Extreme | None:
        table, columns = catalog.table(extreme.table), (*extreme.keys, extreme.column)
        if table is None or costs.table_rows(table) < MIN_ROWS:
            return None
        is_filled = keys.is_filled(table, columns)
        found = replace(extreme, unique=is_filled and keys.is_key(table, tuple(sorted(columns))))
        if rows and found.unique:
            found = replace(found, rows=True)
        keys.declare(found.name, (found.keys,) if found.rows else (columns, found.keys))
        return found if (is_filled or not filled) and found.rows == rows else None

    spelled = spelled_by_extremes(tree, catalog, known_as)
    if spelled is None:
        return [], frozenset()
    known = catalog_with(spelled.extremes, catalog)
    names = {each.name for each in spelled.extremes}
    before = {place: costs.block_cost(select) for place, select in enumerate(tree.find_all(exp.Select, bfs=False))}
    found: list[Use] = []
    for select in spelled.tree.find_all(exp.Select):
        place, absorbed = notes_of(select)
        reading = reading_of(select, known)
        if reading is None or place is None or not names & {table.name for table in reading.base.values()}:
            continue
        for star in stars_of(reading, keys, lambda table: 0.0 if table.name in names else costs.table_rows(table)):
            if star.fact.name not in names and costs.table_rows(star.fact) >= MIN_ROWS:
                stands_for = {each: before[each] for each in (place, *absorbed)}
                found.append(Use(number, place, reading, star, stands_for))
    return found, spelled.extremes


def _candidates(uses: list[Use], context: ProposeContext, before: int) -> list[Candidate]:
    catalog, facts = context.analyst.catalog, context.facts
    fact = uses[0].star.fact
    rows = int(context.costs.table_rows(fact))
    steps = {member.step.role: member.step for use in uses for member in use.star.members}
    sort = sort_of([(use.reading, use.star, context.runs.get(use.text, 1)) for use in uses], catalog, facts)
    width = Widths(fact, steps, sort, catalog, facts, rows)
    wishes: list[Wish] = []
    for columns in _drafts(fact, steps, width, context):
        kept = columns | frozenset(sort)
        filled = sorted((each for each in kept if width.is_filled(each)), key=lambda each: (width.of(each), each))
        draft = Prejoin(fact, steps, kept, sort, tuple(filled))
        wishes += _wishes(uses, shelf_to_be(draft, catalog, TableName(fact.name.catalog, "design", "p"), rows), context)
    found: list[Candidate] = []
    levels = _levels(wishes, width)
    # The same for what other rules leave: a table need not hold columns of SELECTs that a rollup answers.
    left = [wish for wish in (_beside(wish, context) for wish in wishes) if wish.worth > 0.0]
    if len(left) < len(wishes):
        levels += _levels(left, width)
    seen: set[frozenset[RoleColumn]] = set()
    for chosen in levels:
        kept = frozenset().union(*(wish.columns for wish in chosen)) | frozenset(sort)
        if kept in seen:
            continue
        seen.add(kept)
        asked = frozenset().union(*(wish.asked for wish in chosen))
        prejoin = Prejoin(fact, needed_steps(kept, steps), kept, sort, tuple(sorted(asked)))
        served = [wish for wish in wishes if wish.columns <= kept]
        # The least saving first, so that the best of a SELECT is the one that is kept.
        served.sort(key=lambda wish: wish.worth)
        each = [saving for wish in served for saving in (wish.saving, *wish.more)]
        savings = tuple(sorted({_key(saving): saving for saving in each}.values(), key=_key))
        size = int(rows * width.total(kept))
        made = candidate_of(prejoin, catalog, before + len(found) + 1, savings, rows, size, _why(prejoin, savings))
        made = replace(made, evidence={**made.evidence, "ties": ties_of(fact, steps.values(), facts)})
        found.append(partitioned(made, _facts_of_first(prejoin, context)))
    return found


def _facts_of_first(prejoin: Prejoin, context: ProposeContext) -> ColumnFacts | None:
    """Statistics of the column that the table is sorted by first."""
    if not prejoin.sort:
        return None
    role, name = prejoin.sort[0]
    known = context.facts.get(str(prejoin.fact.name if role == FACT else prejoin.steps[role].table))
    columns = known.columns if known is not None else {}
    return next((each for column, each in columns.items() if column.lower() == name), None)


def _drafts(
    fact: Table, steps: Mapping[str, Step], width: Widths, context: ProposeContext
) -> list[frozenset[RoleColumn]]:
    """What could be stored: thriftily, small tables staying joined; all that is narrow; and large tables' numbers."""
    thrifty = {(FACT, column.name.lower()) for column in fact.columns}
    generous, ample = set(thrifty), set(thrifty)
    for step in steps.values():
        table = table_named(step.table, context.analyst.catalog)
        if table is None:
            continue
        is_small = context.costs.table_rows(table) < SMALL_ROWS
        keys = {key.lower() for _, key in step.pairs}
        thrifty.add((step.role, EXISTS))
        generous.add((step.role, EXISTS))
        ample.add((step.role, EXISTS))
        for column in table.columns:
            place = (step.role, column.name.lower())
            size = width.of(place)
            if place[1] in keys or size <= NARROW_BYTES or extreme_named(step.table) is not None:
                generous.add(place)
                ample.add(place)
                if size <= THRIFTY_BYTES or not is_small:
                    thrifty.add(place)
            elif size <= AMPLE_BYTES and not is_small and not column.type.startswith(("varchar", "char")):
                ample.add(place)
    return list(dict.fromkeys(map(frozenset, (thrifty, generous, ample))))


def _key(saving: Saving) -> tuple[int, int]:
    return saving.text, saving.block


def _why(prejoin: Prejoin, savings: tuple[Saving, ...]) -> str:
    count = len({saving.text for saving in savings})
    texts = "1 query text reads" if count == 1 else f"{count} query texts read"
    names = ", ".join(sorted({word_for(step.table) for step in prejoin.steps.values()}))
    joined_to = f" with {names} joined" if names else ""
    order = f", sorted by {', '.join(name for _, name in prejoin.sort)}" if prejoin.sort else ""
    return f"{texts} {prejoin.fact.name.name}{joined_to}{order}."


def _wishes(uses: list[Use], shelf: Shelf, context: ProposeContext) -> list[Wish]:
    gains = Gains(context.facts, context.analyst.catalog)
    found: list[Wish] = []
    for use in uses:
        try:
            folded = fold(use.reading, use.star, shelf, DRAFT)
        except NotAnswerable:
            continue
        before, after = gains.before_and_after(use.reading.select, folded, shelf)
        parts = use.stands_for or {use.place: before}
        before = max(sum(parts.values()), 1e-9)
        if after <= MAX_WORTH * before:
            savings = [Saving(use.text, place, spent, after * spent / before) for place, spent in parts.items()]
            worth = context.runs.get(use.text, 1) * (before - after)
            found.append(Wish(use, folded.used, folded.asked, savings[0], worth, tuple(savings[1:])))
    return found


def _beside(wish: Wish, context: ProposeContext) -> Wish:
    """The wish with what it saves beside the tables that other rules propose."""
    saving = wish.saving
    other = context.answered.get(_key(saving), saving.before_s)
    return replace(wish, worth=context.runs.get(saving.text, 1) * (min(other, saving.before_s) - saving.after_s))


def _levels(wishes: list[Wish], width: Widths) -> list[list[Wish]]:
    """Nested choices of wishes, those that save most per byte first, cut at shares of the whole size."""
    waiting: dict[frozenset[RoleColumn], list[Wish]] = {}
    for wish in wishes:
        waiting.setdefault(wish.columns, []).append(wish)
    whole = width.total(frozenset().union(*waiting)) if waiting else 0.0
    kept: frozenset[RoleColumn] = frozenset()
    saved: dict[tuple[int, int], float] = {}
    order: list[tuple[float, list[Wish]]] = []
    while waiting:
        best: frozenset[RoleColumn] = frozenset()
        rate = -1.0
        for columns in sorted(waiting, key=sorted):
            more = sum(max(0.0, wish.worth - saved.get(_key(wish.saving), 0.0)) for wish in waiting[columns])
            if (found := more / max(width.total(columns - kept), MIN_BYTES)) > rate:
                best, rate = columns, found
        if rate <= 0.0:
            break
        kept |= best
        group = waiting.pop(best)
        saved |= {_key(wish.saving): max(wish.worth, saved.get(_key(wish.saving), 0.0)) for wish in group}
        order.append((width.total(kept), group))
    levels: list[list[Wish]] = []
    for share in LEVELS:
        level = [wish for size, group in order if size <= share * whole + 1e-9 for wish in group]
        if level and (not levels or len(level) > len(levels[-1])):
            levels.append(level)
    # What pays only with the widest tables may pay by itself, where other rules answer the rest.
    late = [group for size, group in order if size > LATE_SHARE * whole and len(levels) > 1]
    late.sort(key=lambda group: -sum(wish.worth for wish in group))
    return [*levels, *late[:MAX_OWN]]
