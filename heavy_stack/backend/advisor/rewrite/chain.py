"""One text after the other through all rules: rollups answer aggregate blocks, pre-joined tables what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import (
    Candidate,
    DesignTable,
    ParsedText,
    RewrittenText,
    TableFacts,
    TableName,
)
from heavy_stack.backend.advisor.rules import ANSWER_FROM_ROLLUP, READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.gains import Gains
from heavy_stack.backend.advisor.rules.prejoin.missing import what_shelves_lack
from heavy_stack.backend.advisor.rules.prejoin.reading import PrejoinedTree
from heavy_stack.backend.advisor.rules.prejoin.shelves import shelf_of
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.matching import stored_table
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.rules.rollup.whole_text import RewrittenTree, check_worth, with_types
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.printing import Unprintable, trino_sql


@dataclass(frozen=True, eq=False)
class _Step:
    """A tree on the way, and which rules made it."""

    tree: RewrittenTree
    rules: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]
    columns: Mapping[TableName, frozenset[str]] = field(default_factory=dict)


class Chain:
    """Rewrites texts onto the tables of a design.

    Args:
        analyst: Analyses texts.
        candidates: The design's candidates.
        tables: The design's tables.
        facts: Statistics by full table name; may be empty.
        sizes: Row counts of the client's tables.

    Attributes:
        read: Of each pre-joined table, the columns that the rewritten texts read so far.
    """

    def __init__(
        self,
        analyst: Analyst,
        candidates: Sequence[Candidate],
        tables: Sequence[DesignTable],
        facts: Mapping[str, TableFacts],
        sizes: Sizes,
    ) -> None:
        self._analyst, self._sizes = analyst, sizes
        built = {table.candidate: table for table in tables}
        known = [(each, built[each.id]) for each in candidates if each.id in built]
        self._rollups = [stored_table(each, table.name) for each, table in known if each.rule == ANSWER_FROM_ROLLUP.id]
        self._conditions = {table.name: each.conditions for each, table in known}
        self._shelves = [
            shelf_of(each, table.name, table.columns) for each, table in known if each.rule == READ_FROM_PREJOIN.id
        ]
        self._gains = Gains(facts, analyst.catalog)
        self.read: dict[TableName, set[str]] = {shelf.table.name: set() for shelf in self._shelves}

    def rewrite(self, text: ParsedText) -> RewrittenText | str:
        """The rewritten text, or in a sentence why there is none."""
        try:
            return self._rewritten(text)
        except NotAnswerable as reason:
            return str(reason)
        except (SqlProblem, Unprintable) as problem:
            return f"The rewrite could not be written: {problem}."
        except RecursionError:
            return "The query is too deeply nested."

    def _rewritten(self, text: ParsedText) -> RewrittenText:
        sql = text.sql or ""
        analysis = self._analyst.analyse(sql)
        reason = NotAnswerable(_NOTHING)
        try:
            rollups = ANSWER_FROM_ROLLUP.replaced(analysis, self._rollups)
        except NotAnswerable as why:
            rollups, reason = None, why
        # With both first; then each alone, since a part that cannot be typed must not take the other with it.
        for step in self._steps(analysis.tree, rollups):
            try:
                if READ_FROM_PREJOIN.id not in step.rules:
                    check_worth(analysis.tree, step.tree, self._sizes)
                done = with_types(step.tree, sql, self._analyst.catalog)
            except NotAnswerable as why:
                reason = why
                continue
            for name, columns in step.columns.items():
                self.read[name] |= columns
            return RewrittenText(
                text=text.text,
                sql=trino_sql(done.tree),
                tables=tuple(table.name for table in done.tables),
                rules=step.rules,
                conditions=step.conditions,
                by_rule=done.exact and analysis.exact,
            )
        lacking = what_shelves_lack(analysis.tree, self._analyst.catalog, self._shelves)
        raise reason if lacking is None else NotAnswerable(f"{reason} {lacking}")

    def _steps(self, tree: exp.Query, rollups: RewrittenTree | None) -> Iterator[_Step]:
        if rollups is not None:
            prejoined = self._prejoined(rollups.tree)
            if prejoined is not None:
                yield self._joined(prejoined, rollups)
            yield _Step(rollups, (ANSWER_FROM_ROLLUP.id,), self._conditions_of(rollups))
        prejoined = self._prejoined(tree)
        if prejoined is not None:
            yield self._joined(prejoined, None)

    def _prejoined(self, tree: exp.Query) -> PrejoinedTree | None:
        if not self._shelves:
            return None
        try:
            return READ_FROM_PREJOIN.apply(tree, self._analyst.catalog, self._shelves, self._gains)
        except NotAnswerable:
            return None

    def _joined(self, prejoined: PrejoinedTree, base: RewrittenTree | None) -> _Step:
        conditions = tuple(sorted(prejoined.conditions.items()))
        if base is None:
            tree = RewrittenTree(prejoined.tree, prejoined.tables, exact=True)
            return _Step(tree, (READ_FROM_PREJOIN.id,), conditions, prejoined.used)
        tables = tuple(sorted((*base.tables, *prejoined.tables), key=lambda table: str(table.name)))
        tree = replace(base, tree=prejoined.tree, tables=tables)
        rules = (ANSWER_FROM_ROLLUP.id, READ_FROM_PREJOIN.id)
        conditions = tuple(dict.fromkeys((*self._conditions_of(base), *conditions)))
        return _Step(tree, rules, conditions, prejoined.used)

    def _conditions_of(self, tree: RewrittenTree) -> tuple[tuple[str, str], ...]:
        names: list[TableName] = [table.name for table in tree.tables]
        return tuple(dict.fromkeys(each for name in names for each in self._conditions.get(name, ())))


_NOTHING = "No table of the design holds what the query reads."
