"""A text's aggregate blocks and their needs: made once, read by every stage that asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import TableFacts
from heavy_stack.backend.advisor.rules.rollup.blocks import Block, blocks_of, outer_alternative
from heavy_stack.backend.advisor.rules.rollup.conditions import simplify_conditions
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.inlining import merge_plain_sources
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import MAX_FLAG_VALUES
from heavy_stack.backend.advisor.rules.rollup.needs import Determines, Needs, needs_of
from heavy_stack.backend.advisor.rules.rollup.plain_spellings import spell_plainly
from heavy_stack.backend.advisor.rules.rollup.sets import folds_rows
from heavy_stack.backend.advisor.rules.rollup.spread_values import Spread, literals_of
from heavy_stack.backend.advisor.rules.rollup.sub_cores import smaller_cores, without_wide_tables
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.rules.rollup.union_branches import group_below_unions
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

ValuesOf = Callable[[Core, exp.Expr], tuple[str, ...]]
"""(core, column) → all values of the column where they are few and known."""

_REMEMBERED = 2000
_MAX_DEPTH = 160
"""Trees deeper than this are left alone: the walks here call themselves once or twice a level."""


@dataclass(frozen=True)
class Analysis:
    """A text's blocks.

    Attributes:
        tree: The resolved tree with plain sources merged; read only.
        blocks: (place, needs, or why the block has no rollup); a block that can be answered in several ways stands
            here with each.
        exact: No rounding in the tree can differ from the text's.
    """

    tree: exp.Query
    blocks: tuple[tuple[int, Needs | str], ...]
    exact: bool = True

    def answerable(self) -> list[tuple[int, Needs]]:
        """The blocks that a rollup could answer."""
        return [(place, needs) for place, needs in self.blocks if isinstance(needs, Needs)]


class Analyst:
    """Analyses texts against a catalog and remembers the outcome.

    Args:
        catalog: The DDL's tables.
        flags: `(full table name, column)` of the columns that are flags.
    """

    def __init__(self, catalog: Catalog, flags: Iterable[tuple[str, str]] = ()) -> None:
        self.catalog = catalog
        self.flags = frozenset((table.lower(), column.lower()) for table, column in flags)
        for table in catalog.tables:
            more = {(str(table.name).lower(), each.name.lower()) for each in table.columns if each.type == "boolean"}
            self.flags |= more
        self._done: OrderedDict[str, Analysis] = OrderedDict()

    def analyse(self, text: str) -> Analysis:
        """The analysis of a text that parses and reads only known tables.

        Raises:
            NotAnswerable: The text is too deeply nested.
        """
        done = self._done.get(text)
        if done is None:
            done = self._analyse(text)
            self._done[text] = done
            if len(self._done) > _REMEMBERED:
                self._done.popitem(last=False)
        return done

    def _analyse(self, text: str) -> Analysis:
        shared = qualified(text, self.catalog)
        if _depth(shared) > _MAX_DEPTH:
            raise NotAnswerable("The query is too deeply nested.")
        tree = shared.copy()
        merge_plain_sources(tree, folds_rows)
        split, exact = group_below_unions(tree)
        if split:
            merge_plain_sources(tree, folds_rows)
        simplify_conditions(tree)
        spell_plainly(tree)
        found: list[tuple[int, Needs | str]] = []
        for place, block in blocks_of(tree, self.catalog):
            for needs in [block] if isinstance(block, str) else self._needs(block):
                found.append((place, needs))
        return Analysis(tree, tuple(found), exact)

    def _needs(self, block: Block) -> list[Needs | str]:
        """The block's needs, and those of ways to answer it from fewer tables; or why there are none."""
        try:
            needs = needs_of(block, self._is_flag, distinct_stored=True)
        except NotAnswerable as reason:
            others = [outer_alternative(block, self.catalog), *smaller_cores(block, self.catalog)]
            return [next(self._possible(others), str(reason))]
        return [needs, *self._possible([without_wide_tables(needs, self.catalog)])]

    def _possible(self, blocks: Iterable[Block | None]) -> Iterator[Needs]:
        for block in blocks:
            if block is not None:
                try:
                    yield needs_of(block, self._is_flag, distinct_stored=True)
                except NotAnswerable:
                    continue

    def by_steps(self, needs: Needs) -> Needs | None:
        """The same block with numbers kept at steps of their literals; None where that changes nothing."""
        try:
            found = needs_of(needs.block, self._is_flag, distinct_stored=True, by_steps=True)
        except NotAnswerable:
            return None
        return None if set(found.dimensions) == set(needs.dimensions) else found

    def summed(self, needs: Needs, values_of: ValuesOf, determines: Determines) -> Needs | None:
        """The same block with distinct counts as sums of the groups' own; None where they are none.

        A column that only other aggregates ask for is kept as measures where the counts' values may have several of it.
        """
        if needs.distinct_stored or all(plan.disjoint is None for plan in needs.plans):
            return None
        for spread in (None, *self._spreads_of(needs, values_of)):
            try:
                return needs_of(needs.block, self._is_flag, distinct_stored=False, spread=spread, determines=determines)
            except NotAnswerable:
                continue
        return None

    def spreads(self, needs: Needs, values_of: ValuesOf) -> list[Needs]:
        """The same block with one column of few values kept as measures, for each column where that goes."""
        if needs.distinct_stored:
            return []
        found: list[Needs] = []
        for spread in self._spreads_of(needs, values_of):
            try:
                found.append(needs_of(needs.block, self._is_flag, distinct_stored=True, spread=spread))
            except NotAnswerable:
                continue
        return found

    @staticmethod
    def _spreads_of(needs: Needs, values_of: ValuesOf) -> list[Spread]:
        found: list[Spread] = []
        for node in () if needs.block.null_extended else needs.dimensions.values():
            values = literals_of(values_of(needs.block.core, node), node) if isinstance(node, exp.Column) else ()
            if isinstance(node, exp.Column) and values:
                found.append(Spread(node, values))
        return found

    def _is_flag(self, table: str, column: str) -> bool:
        return (table.lower(), column.lower()) in self.flags


def flags_of(facts: dict[str, TableFacts]) -> frozenset[tuple[str, str]]:
    """The columns of at most three values, by the profile's facts."""
    found: set[tuple[str, str]] = set()
    for table, table_facts in facts.items():
        for name, column in table_facts.columns.items():
            count = column.distinct if column.distinct is not None else len(column.values or ()) or None
            if count is not None and count <= MAX_FLAG_VALUES:
                found.add((table, name))
    return frozenset(found)


def _depth(tree: exp.Expr) -> int:
    deepest = 0
    waiting: list[tuple[exp.Expr, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        # Chains of AND and OR are walked without recursion, so they count as one level.
        waiting.extend(
            (child, depth if isinstance(child, exp.Connector) and isinstance(node, exp.Connector) else depth + 1)
            for child in node.iter_expressions()
        )
    return deepest
