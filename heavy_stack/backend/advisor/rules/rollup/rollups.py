"""A rollup: groups of a core's rows with measures that merge, made from the needs of the blocks that it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, StoredColumn
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.measures import Measure, stored_type, type_at
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker, name_of_expression, name_of_measure
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.over_dimensions import without_given
from heavy_stack.backend.advisor.rules.rollup.partial_values import roomy
from heavy_stack.backend.advisor.rules.rollup.trees import joined, text_of
from heavy_stack.backend.advisor.sql.printing import cast_to, trino_sql

RULE_ID = "answer_from_rollup"
DIMENSION, MEASURE, FLAG = "dimension", "measure", "flag"


@dataclass(frozen=True, eq=False)
class Asked:
    """The needs of one block of one text."""

    text: int
    block: int
    needs: Needs

    @property
    def key(self) -> str:
        """How the block is known in artefacts."""
        return f"{self.text}:{self.block}"


@dataclass(frozen=True, eq=False)
class Rollup:
    """A table to be: `common` filters stand in its WHERE, the rest of each block's in its measures."""

    core: Core
    common: dict[str, exp.Expr]
    dimensions: dict[str, exp.Expr]
    measures: dict[str, Measure]
    flags: frozenset[str]
    asked: tuple[Asked, ...]
    rows: int | None = None
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[int, ...]:
        """The texts that it serves."""
        return tuple(sorted({each.text for each in self.asked}))

    def keys_select(self, *, filtered: bool = True) -> exp.Select:
        """SELECT of the groups alone; its distinct rows are the table's rows (all groups when not `filtered`)."""
        select = self.body() if filtered else self.core.from_.copy()
        select.set("expressions", [node.copy() for node in self.dimensions.values()])
        return select

    def body(self) -> exp.Select:
        """FROM and WHERE of the table's SELECT."""
        select = self.core.from_.copy()
        if self.common:
            select.set("where", exp.Where(this=joined([self.common[text] for text in sorted(self.common)])))
        return select


def rollup_of(asked: list[Asked], rows: int | None = None) -> Rollup | None:
    """One table for all these blocks (of one core); None where it would have to evaluate what may fail on more rows."""
    first = asked[0].needs
    shared = set(first.filters)
    for each in asked[1:]:
        shared &= set(each.needs.filters)
    common = {text: node for text, node in first.filters.items() if text in shared}
    dimensions: dict[str, exp.Expr] = {}
    for each in asked:
        dimensions.update(each.needs.dimensions)
    measures: dict[str, Measure] = {}
    flags: set[str] = set()
    for each in asked:
        needs = each.needs
        if needs.fragile and set(needs.filters) != shared:
            return None  # the build would compute a division for rows that the query filters out
        if needs.distinct_stored and set(needs.dimensions) != set(dimensions):
            return None  # a stored distinct count is right at exactly its keys only
        if not needs.counts_apart(dimensions):
            return None  # a value would be counted in several groups
        for wanted in needs.measures:
            kept = wanted.without(shared)
            measures[kept.text] = kept
        if set(needs.filters) != shared:
            counted = needs.row_count.without(shared)
            measures[counted.text] = counted
            flags.add(counted.text)
    if not any(each.needs.block.null_extended for each in asked):
        measures = without_given(measures, dimensions)
    return Rollup(first.block.core, common, dimensions, measures, frozenset(flags), tuple(asked), rows)


def candidate_of(rollup: Rollup, number: int, why: str, evidence: dict[str, object]) -> Candidate:
    """The artefact of a rollup; its evidence says how other queries are matched onto it.

    Raises:
        NotAnswerable: A dimension's type cannot be stored.
    """
    names = NameMaker()
    single = len(rollup.core.tables) == 1
    columns: list[StoredColumn] = []
    items: list[exp.Expr] = []
    keys: list[exp.Expr] = []
    for text, node in rollup.dimensions.items():
        # Other queries' rows meet the expression here too, and an overflow would fail the build.
        wide = roomy(node)
        kind, own = stored_type(type_at(wide)), type_at(wide)
        column = StoredColumn(names.fresh(name_of_expression(node, single)), text, kind, DIMENSION)
        columns.append(column)
        value = wide.copy() if str(own) == kind else cast_to(wide.copy(), kind)
        items.append(exp.alias_(value, column.name, quoted=True))
        keys.append(wide)
    for text, measure in rollup.measures.items():
        role = FLAG if text in rollup.flags else MEASURE
        column = StoredColumn(names.fresh(name_of_measure(measure, single)), text, measure.type, role)
        columns.append(column)
        call = measure.expression()
        kept = measure.function not in ("MIN", "MAX") or str(type_at(measure.argument)) == measure.type
        items.append(exp.alias_(call if kept else cast_to(call, measure.type), column.name, quoted=True))
    select = rollup.body()
    select.set("expressions", items)
    if keys:
        select.set("group", exp.Group(expressions=keys))
    return Candidate(
        id=f"rollup-{number}",
        rule=RULE_ID,
        select=trino_sql(select),
        columns=tuple(columns),
        source_tables=rollup.core.table_names,
        serves=rollup.texts,
        blocks=tuple(each.key for each in rollup.asked),
        rows=rollup.rows,
        bytes=None if rollup.rows is None else rollup.rows * sum(map(width_of, (column.type for column in columns))),
        why=why,
        evidence={
            "core": rollup.core.key,
            "filters": sorted(rollup.common),
            "spread": sorted({each.needs.spread.text for each in rollup.asked if each.needs.spread is not None}),
            "kinds": sorted({type(node).__name__ for node in rollup.dimensions.values()} - {"Column"}),
            **evidence,
        },
    )


def width_of(kind: str) -> int:
    """A rough size of one stored value in bytes, after encoding."""
    return {"boolean": 1, "integer": 3, "date": 3, "varchar": 8}.get(kind, 16 if kind.startswith("decimal") else 6)


def filter_texts(rollup: Rollup) -> str:
    """The table's own filter as one text, for sentences."""
    return " AND ".join(text_of(rollup.common[text]) for text in sorted(rollup.common))
