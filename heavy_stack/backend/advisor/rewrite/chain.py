"""One text after the other through all rules: rollups answer aggregate blocks, pre-joined tables what is left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf, shelf_of
from heavy_stack.backend.advisor.rules.rollup.analysis import Analysis, Analyst
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable, stored_table
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.rules.rollup.whole_text import RewrittenTree, check_worth, with_types
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.printing import Unprintable, trino_sql

MAX_WAYS = 4
"""Each way that is tried costs a text's verification once more."""


@dataclass(frozen=True, eq=False)
class Way:
    """A text rewritten.

    Attributes:
        rewritten: What could be sent.
        columns: Pre-joined table → the columns of it that are read.
    """

    rewritten: RewrittenText
    columns: Mapping[TableName, frozenset[str]]


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
        self._made_of = (analyst, candidates, tables, facts, sizes)
        self._narrower: dict[frozenset[str], Chain] = {}
        built = {table.candidate: table for table in tables}
        known = [(each, built[each.id]) for each in candidates if each.id in built]
        self._rollups = [stored_table(each, table.name) for each, table in known if each.rule == ANSWER_FROM_ROLLUP.id]
        self._conditions = {table.name: each.conditions for each, table in known}
        self._shelves = [
            shelf_of(each, table.name, table.columns) for each, table in known if each.rule == READ_FROM_PREJOIN.id
        ]
        self._gains = Gains(facts, analyst.catalog)

    def only(self, ids: Collection[str]) -> Chain:
        """The same with no other candidates than these."""
        key = frozenset(ids)
        if key not in self._narrower:
            analyst, candidates, tables, facts, sizes = self._made_of
            chosen = [each for each in candidates if each.id in key]
            self._narrower[key] = Chain(analyst, chosen, tables, facts, sizes)
        return self._narrower[key]

    def ways(self, text: ParsedText, most: int = MAX_WAYS) -> tuple[Way, ...] | str:
        """The text rewritten, in `most` ways at most, the first to be tried first; or in a sentence why not.

        Each is whole: which of them pays is known once they have run.
        """
        try:
            return self._ways(text, most)
        except NotAnswerable as reason:
            return str(reason)
        except (SqlProblem, Unprintable) as problem:
            return f"The rewrite could not be written: {problem}."
        except RecursionError:
            return "The query is too deeply nested."

    def _ways(self, text: ParsedText, most: int) -> tuple[Way, ...]:
        analysis = self._analyst.analyse(text.sql or "")
        reasons: list[str] = []
        found: dict[str, Way] = {}
        for step in self._steps(analysis, reasons):
            try:
                done = self._finished(text, analysis, step)
            except NotAnswerable as why:
                reasons.append(str(why))
                continue
            except (SqlProblem, Unprintable, RecursionError):
                if not found:
                    raise
                continue
            found.setdefault(done.sql, Way(done, step.columns))
            if len(found) == most:
                break
        if found:
            return tuple(found.values())
        reason = reasons[-1] if reasons else _NOTHING
        lacking = what_shelves_lack(analysis.tree, self._analyst.catalog, self._shelves)
        raise NotAnswerable(reason if lacking is None else f"{reason} {lacking}")

    def _finished(self, text: ParsedText, analysis: Analysis, step: _Step) -> RewrittenText:
        if READ_FROM_PREJOIN.id not in step.rules:
            check_worth(analysis.tree, step.tree, self._sizes)
        done = with_types(step.tree, text.sql or "", self._analyst.catalog)
        return RewrittenText(
            text=text.text,
            sql=trino_sql(done.tree),
            tables=tuple(table.name for table in done.tables),
            rules=step.rules,
            conditions=step.conditions,
            by_rule=done.exact and analysis.exact,
        )

    def _steps(self, analysis: Analysis, reasons: list[str]) -> Iterator[_Step]:
        """Both rules first; then each alone, since one that fails, or does not pay, must not take the other with it.

        Then what is left without one of the tables: the part of the text that it answers may be what does not pay.
        """
        rollups = self._rolled_up(analysis, self._rollups, reasons)
        first = list(self._both(analysis.tree, rollups, self._shelves))
        yield from first
        if rollups is not None:
            yield from self._both(analysis.tree, None, self._shelves)
        used = list(dict.fromkeys(table.name for step in first for table in step.tree.tables))
        if len(used) < 2:
            return
        for name in used:
            less = [table for table in self._rollups if table.name != name]
            others = [shelf for shelf in self._shelves if shelf.table.name != name]
            left = rollups if len(less) == len(self._rollups) else self._rolled_up(analysis, less, [])
            yield from self._both(analysis.tree, left, others)

    def _both(self, tree: exp.Query, rollups: RewrittenTree | None, shelves: Sequence[Shelf]) -> Iterator[_Step]:
        prejoined = self._prejoined(tree if rollups is None else rollups.tree, shelves)
        if prejoined is not None:
            yield self._joined(prejoined, rollups)
        if rollups is not None:
            yield _Step(rollups, (ANSWER_FROM_ROLLUP.id,), self._conditions_of(rollups))

    def _rolled_up(self, analysis: Analysis, tables: Sequence[StoredTable], reasons: list[str]) -> RewrittenTree | None:
        try:
            return ANSWER_FROM_ROLLUP.replaced(analysis, tables)
        except NotAnswerable as why:
            reasons.append(str(why))
            return None

    def _prejoined(self, tree: exp.Query, shelves: Sequence[Shelf]) -> PrejoinedTree | None:
        if not shelves:
            return None
        try:
            return READ_FROM_PREJOIN.apply(tree, self._analyst.catalog, shelves, self._gains)
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
        own = (each for name in names for each in self._conditions.get(name, ()))
        return tuple(dict.fromkeys((*own, *tree.conditions)))


_NOTHING = "No table of the design holds what the query reads."
