"""The bounded search: a rewrite and its original on thousands of tiny databases, in one statement each.

Both sides are answered in every database at once (`QueryRunner.open_databases`). A database on which they differ is
opened by itself and compared once more, so this search never calls equal texts different: it finds data sets.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from threading import Lock
from typing import Any

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, DesignTable, RewrittenText, Table, TableName
from heavy_stack.backend.advisor.ports import (
    NotCheckable,
    QueryRunner,
    QuerySession,
    ResultSet,
    RunFailed,
    RunTimeout,
)
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.comparator import compare
from heavy_stack.backend.advisor.sql.parsing import SqlProblem, TooLarge, parse_statement
from heavy_stack.backend.advisor.verify.cases import Case
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts
from heavy_stack.backend.advisor.verify.comparison import Compared, Outcome, depends_on_order, run_both
from heavy_stack.backend.advisor.verify.side_by_side import side_by_side
from heavy_stack.backend.advisor.verify.small_databases import Database, SmallDatabases, rows_of
from heavy_stack.backend.advisor.verify.surveys import Studied, study
from heavy_stack.backend.advisor.verify.trials import judge
from heavy_stack.shared_models.reports import Evidence

MOST_DATABASES = 1_500
"""Databases per text; more take longer, and show next to nothing that these do not."""
MOST_ROWS = 150_000
"""Rows fetched of one side."""
CASE_S = 5.0
"""Seconds for one text."""
ALL_S = 20.0
SHARE = 0.15
"""Seconds for all texts of a task, and their share of the time that is left."""
CONFIRMED = 6
"""Databases that are opened by themselves before a difference seen among many is let go."""
SPLITS = 5
"""How often a batch is halved in which one database makes the original fail."""
EASILY = 1
"""Where the halving starts with databases of which any may do so."""
NAME = "small databases"
_ZERO = "division by zero"


@dataclass(frozen=True)
class Searched:
    """What a search showed.

    Attributes:
        databases: How many were compared.
        largest: Rows of the largest.
        answered: In how many of them the original returned a row.
        failed: On how many the original fails, or may fail.
        difference: The comparison on the first one that tells the texts apart; None where none does.
        data: That database.
        why: Why nothing could be compared.
    """

    databases: int = 0
    largest: int = 0
    answered: int = 0
    failed: int = 0
    difference: Compared | None = None
    data: Database | None = None
    why: str | None = None

    @property
    def sentence(self) -> str:
        """For the evidence."""
        text = f"{self.databases} databases of up to {self.largest} rows, {self.answered} of them with a result"
        return text + (f"; the original fails on {self.failed} more" if self.failed else "")


class BoundedSearch:
    """Searches for a small database that tells a rewrite from its original.

    Args:
        runner: Opens databases.
        catalog: The DDL's tables.
        design: The design's tables, in order.
    """

    def __init__(self, runner: QueryRunner, catalog: Catalog, design: Sequence[DesignTable]) -> None:
        self._runner = runner
        self._catalog = catalog
        self._design = design
        self._designed = catalog.with_tables(
            Table(table.name, tuple(Column(column.name, column.type) for column in table.columns)) for table in design
        )
        # By text: the design's tables are read by many rewrites.
        self._studied: dict[str, Studied | None] = {}
        self._named: dict[str, tuple[frozenset[str], frozenset[TableName]]] = {}
        self._making = Lock()

    def search(
        self,
        texts: CheckTexts,
        rewritten: RewrittenText,
        query: Studied,
        *,
        most: int = MOST_DATABASES,
        limit_s: float,
        seed: str = "",
    ) -> Searched:
        """Compare both sides on at most `most` databases.

        Args:
            texts: What is run.
            rewritten: The rewrite: its tables, its conditions (databases that break one do not count), its constants.
            query: The original, as studied.
            most: Databases at most.
            limit_s: Seconds.
            seed: Another seed draws other databases where there are too many.
        """
        needed = [table for table in self._design if table.name in rewritten.tables]
        with self._making:  # one at a time: it is all Python
            narrowed, made, large = self._make(texts, rewritten.sql, needed, query, most, seed)
        conditions = [sql for _, sql in rewritten.conditions]
        attempt = _Attempt(self._runner, narrowed, needed, texts, conditions, limit_s)
        try:
            found = attempt.run(made)
            if found.difference is not None:
                return found
            # What they make fail says nothing: their numbers are meant to be too large.
            return _sum(found, replace(attempt.run(large, EASILY), failed=0, why=None))
        except (NotCheckable, RunFailed, RunTimeout) as problem:
            return Searched(why=str(problem))

    def _make(
        self, texts: CheckTexts, sql: str, needed: Sequence[DesignTable], query: Studied, most: int, seed: str
    ) -> tuple[list[Table], list[Database], list[Database]]:
        """The tables as far as they are read, the databases near a witness of the query, and the extreme ones."""
        selects = [sql, *(_select_of(table.insert) for table in needed)]
        others = [studied for text in selects if (studied := self._study(text)) is not None]
        narrowed = self._narrowed([texts.original, texts.rewritten, *selects[1:]])
        making = SmallDatabases(Catalog(narrowed), query, others, random.Random(f"small|{seed}"))
        keeping = _Keeping(narrowed)
        made = [kept for kept in map(keeping, making.make(most)) if kept is not None]
        large = [kept for kept in map(keeping, making.extreme()) if kept is not None]
        return narrowed, made, large

    def _study(self, sql: str) -> Studied | None:
        if sql not in self._studied:
            try:
                tree = qualified(sql, self._designed)
                self._studied[sql] = study(tree, self._catalog, random.Random(0), sketches=0)
            except (SqlProblem, TooLarge):
                self._studied[sql] = None
        return self._studied[sql]

    def _named_in(self, sql: str) -> tuple[frozenset[str], frozenset[TableName]]:
        """Names of columns, and the DDL's tables, that a text names."""
        if sql not in self._named:
            try:
                tree = parse_statement(sql)
            except (SqlProblem, TooLarge):
                return frozenset(), frozenset()
            found = (self._catalog.resolve_node(table) for table in tree.find_all(exp.Table))
            self._named[sql] = (
                frozenset(column.name.lower() for column in tree.find_all(exp.Column)),
                frozenset(table.name for table in found if table is not None),
            )
        return self._named[sql]

    def _narrowed(self, texts: Sequence[str]) -> list[Table]:
        """The tables that any text reads, with the columns that any text names."""
        named = [self._named_in(sql) for sql in texts]
        names = {name for columns, _ in named for name in columns}
        read = {name for _, tables in named for name in tables}
        tables = [table for table in self._catalog.tables if table.name in read]
        return [
            replace(table, columns=tuple(c for c in table.columns if c.name.lower() in names) or table.columns[:1])
            for table in tables
        ]


def search_all(
    search: BoundedSearch,
    cases: Sequence[Case],
    studied: Mapping[int, Studied],
    time_left: Callable[[], float],
) -> None:
    """Take open cases through the search, the most important first, one for each shape, as far as its time goes."""
    until = time_left() - min(ALL_S, SHARE * time_left())
    shapes: set[str] = set()

    def searches() -> Iterator[Callable[[], tuple[Case, Searched, float]]]:
        for case in cases:
            query = studied.get(case.text)
            if not case.open or case.check is None or query is None or query.shape in shapes:
                continue
            left = time_left() - until
            if left <= 0:
                return
            shapes.update({query.shape} - {""})
            yield partial(_timed, search, case, case.check, query, min(CASE_S, max(0.5, left)))

    for case, found, seconds in side_by_side(searches()):
        if found.difference is not None:
            judge(case, NAME, found.difference)
        elif found.answered:
            evidence = Evidence(kind="data_set", name=NAME, outcome="equal", rows=found.answered, seconds=seconds)
            case.note(evidence.model_copy(update={"detail": found.sentence}))


def _timed(
    search: BoundedSearch, case: Case, check: CheckTexts, query: Studied, limit_s: float
) -> tuple[Case, Searched, float]:
    started = time.monotonic()
    found = search.search(check, case.rewritten, query, limit_s=limit_s)
    return case, found, round(time.monotonic() - started, 6)


class _Keeping:
    """Drops databases with NULL in a NOT NULL column."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._required = {
            table.name: [place for place, column in enumerate(table.columns) if not column.nullable] for table in tables
        }

    def __call__(self, database: Database) -> Database | None:
        for name, rows in database.items():
            required = self._required.get(name, ())
            if any(row[place] is None for row in rows for place in required):
                return None
        return database


class _Attempt:
    def __init__(
        self,
        runner: QueryRunner,
        tables: Sequence[Table],
        design: Sequence[DesignTable],
        texts: CheckTexts,
        conditions: Sequence[str],
        limit_s: float,
    ) -> None:
        self._runner = runner
        self._tables = tables
        self._pairs = [(table.create, table.insert) for table in design]
        self._texts = texts
        self._conditions = conditions
        self._limit_s = limit_s
        self._ends = time.monotonic() + limit_s
        self._lenient = False
        # With lower thresholds more databases return something; without any, both are the same.
        self._sides = texts.relaxed or (texts.original, texts.rewritten)
        self._moments = {place + 1 for place in texts.moments}

    def run(self, databases: list[Database], depth: int = 0) -> Searched:
        if not databases:
            return Searched()
        try:
            return self._together(databases)
        except RunFailed as problem:
            if depth == 0:
                self._together([{}])  # what fails without any rows has nothing to do with them
            if _ZERO in str(problem).lower() and not self._lenient:
                # A database in which both sides have NULL for it shows nothing; one with a difference is opened alone.
                self._lenient = True
                return self.run(databases, depth)
            if len(databases) == 1 or depth >= SPLITS or time.monotonic() > self._ends:
                return Searched(failed=len(databases), why=str(problem))
        middle = len(databases) // 2
        first = self.run(databases[:middle], depth + 1)
        return first if first.difference is not None else _sum(first, self.run(databases[middle:], depth + 1))

    def _together(self, databases: Sequence[Database]) -> Searched:
        """Raises RunFailed where the original, a condition or a table of the design fails in one of them."""
        session = self._runner.open_databases(self._tables, databases, self._pairs, lenient=self._lenient)
        try:
            broken = self._broken(session)
            before = session.query(self._sides[0], limit_s=self._limit_s, max_rows=MOST_ROWS)
            try:
                after = session.query(self._sides[1], limit_s=self._limit_s, max_rows=MOST_ROWS)
            except RunFailed:
                return self._look_at_failing(databases, broken, before)
        finally:
            session.close()
        if before.truncated or after.truncated:
            return Searched(why="the results are too large")
        answered = {row[0] for row in before.rows}
        searched = Searched(len(databases) - len(broken), rows_of(databases), len(answered - broken))
        if not broken and compare(before, after, moments=self._moments).equal:
            return searched
        return self._confirmed(searched, databases, self._differing(before, after, broken))

    def _broken(self, session: QuerySession) -> set[int]:
        """Databases on which a side condition does not hold."""
        found: set[int] = set()
        for condition in self._conditions:
            rows = session.query(condition, limit_s=self._limit_s, max_rows=MOST_ROWS)
            found |= {row[0] for row in rows.rows}
        return found

    def _look_at_failing(self, databases: Sequence[Database], broken: set[int], before: ResultSet) -> Searched:
        """The rewrite alone fails somewhere: find where, among the databases that have the most to show."""
        wanted = [number for number in range(len(databases)) if number not in broken]
        answered = Counter(row[0] for row in before.rows)
        wanted.sort(key=lambda number: (-answered[number], number))
        searched = Searched(len(wanted), rows_of(databases), len(answered))
        while len(wanted) > 1:
            half = wanted[: len(wanted) // 2]
            wanted = half if self._rewrite_fails([databases[number] for number in half]) else wanted[len(half) :]
        return self._confirmed(searched, databases, wanted)

    def _rewrite_fails(self, databases: Sequence[Database]) -> bool:
        session = self._runner.open_databases(self._tables, databases, self._pairs, lenient=self._lenient)
        try:
            session.query(self._sides[1], limit_s=self._limit_s, max_rows=MOST_ROWS)
        except RunFailed:
            return True
        finally:
            session.close()
        return False

    def _differing(self, before: ResultSet, after: ResultSet, broken: set[int]) -> list[int]:
        mine, others = _by_database(before), _by_database(after)
        found = []
        for number in sorted({*mine, *others} - broken):
            left = replace(before, rows=mine.get(number, []))
            right = replace(after, rows=others.get(number, []))
            if left.rows == right.rows or compare(left, right, moments=self._moments).equal:
                continue
            found.append(number)
            if len(found) >= CONFIRMED:
                break
        return found

    def _confirmed(self, searched: Searched, databases: Sequence[Database], numbers: Sequence[int]) -> Searched:
        """The same with the first of these databases on which the difference is seen again."""
        for number in numbers[:CONFIRMED]:
            session = self._runner.open_test_data(self._tables, databases[number], self._pairs)
            try:
                compared = run_both(
                    session, self._texts, limit_s=self._limit_s, twice=False, rows_count=False, known={}
                )
            finally:
                session.close()
            different = compared.outcome in (Outcome.DIFFERENT, Outcome.REWRITE_FAILED)
            if different and not depends_on_order(
                self._runner, self._tables, databases[number], self._texts, self._limit_s
            ):
                return replace(searched, difference=compared, data=databases[number])
        return searched


def _by_database(result: ResultSet) -> Mapping[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in result.rows:
        found[row[0]].append(row)
    return found


def _sum(first: Searched, second: Searched) -> Searched:
    return replace(
        second,
        databases=first.databases + second.databases,
        largest=max(first.largest, second.largest),
        answered=first.answered + second.answered,
        failed=first.failed + second.failed,
        why=first.why or second.why,
    )


@lru_cache(maxsize=256)
def _select_of(insert: str) -> str:
    tree = parse_statement(insert)
    body = tree.args.get("expression")
    return body.sql(dialect="trino") if isinstance(body, exp.Expr) else insert
