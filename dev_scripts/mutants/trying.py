"""Takes mutants through the verification: the same conditions, data sets and comparisons as any rewrite."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from dev_scripts.mutants.designs import Design
from dev_scripts.mutants.drawing import Maker, Mutant
from dev_scripts.mutants.equivalence import argument_for_table, argument_for_text
from dev_scripts.mutants.null_facts import Known
from heavy_stack.backend.advisor.artefacts import Column, DesignTable, RewrittenText, Table, TableName
from heavy_stack.backend.advisor.ports import Ports, QueryRunner, QuerySession, ResultSet
from heavy_stack.backend.advisor.rewrite.statements import design_table
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker
from heavy_stack.backend.advisor.sql.catalog import qualified, resolve
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.sql.printing import Unprintable, trino_sql
from heavy_stack.backend.advisor.verify.cases import Case
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts, StaticDifference, check_texts
from heavy_stack.backend.advisor.verify.conditions import promised_keys
from heavy_stack.backend.advisor.verify.data_sets import CROWDED, FLAVOURS, DataSet, DataSetMaker
from heavy_stack.backend.advisor.verify.exhaustive import NAME, BoundedSearch, search_all
from heavy_stack.backend.advisor.verify.surveys import study
from heavy_stack.backend.advisor.verify.trials import Trials, unproven
from heavy_stack.shared_models.verdicts import Reason, Verdict

ROUNDS = (0, 1, 2)
"""Rounds of data sets, as the stage has them."""
MORE_ROUNDS = (3, 4)
MORE_SEEDS = ("1",)
MORE_DATABASES = 5_000
"""What a mutant that passed is tried on as well: what shows there was missed, also against an argument."""
LONGER_S = 15.0
"""The further databases take most of a run's time."""
REMEMBERED = 48
"""Results kept per session: the right side of every mutant of a text is the same."""


@dataclass(frozen=True)
class Tried:
    """What became of a mutant.

    Attributes:
        how: `static` (it differs at sight), `data set`, `search` (the bounded search found a database): all these are
            caught. `missed`: only a longer search than the verification's tells it from the original. `survived`:
            nothing does, and no argument says that it is equivalent. `not compared`: too few data sets say anything; it
            is not sent, but nobody saw that it is wrong. `equivalent`: by an argument. `same`: it is no other query, or
            the text does not read what is wrong.
        detail: What showed it, or the argument.
        sql: The wrong text, or the wrong table's SELECT.
    """

    mutant: Mutant
    how: str
    detail: str = ""
    sql: str = ""


class Verifier:
    """The verification of one design's texts, for mutants of them.

    Args:
        design: What the advisor made.
        ports: Where it runs.
    """

    def __init__(self, design: Design, ports: Ports) -> None:
        self.design = design
        self.maker = Maker(design)
        self._ports = ports
        self._runner: QueryRunner = _Remembering(ports.runner)
        originals = {text.text: text.sql or text.answer for text in design.parsed.texts}
        self.originals = {text: originals[text] for text in self.maker.texts}
        shapes = {text.text: text.fingerprint for text in design.parsed.texts}
        task = design.workload.task_id
        self._studied, also = [], []
        for candidate in self.maker.candidates.values():
            also.append(
                study(qualified(candidate.select, self.maker.base), self.maker.base, random.Random(0), sketches=0)
            )
        for text, sql in self.originals.items():
            draw = random.Random(f"{task}|{text}")
            self._studied.append(study(qualified(sql, self.maker.base), self.maker.base, draw, shape=shapes[text]))
            right = qualified(self.maker.texts[text].sql, self.maker.catalog)
            also.append(study(right, self.maker.base, draw, sketches=0))
        self._also = also
        views = {
            self.maker.tables[name].name: qualified(candidate.select, self.maker.base)
            for name, candidate in self.maker.candidates.items()
        }
        self._known = Known(self.maker.base, views)
        self._data: dict[int, list[DataSet]] = {}
        self._small = 0
        self._by_text = dict(zip(self.originals, self._studied, strict=True))

    def data_sets(self, round_number: int) -> list[DataSet]:
        """The data sets of a round, as the stage makes them."""
        if round_number not in self._data:
            texts = list(self.maker.texts.values())
            rules = promised_keys(texts, self.maker.base)
            promised = rules if round_number or all(text.conditions for text in texts) else None
            seed = f"{self.design.workload.task_id}|{round_number}"
            making = DataSetMaker(self.maker.base, self._studied, seed, self._also)
            if round_number:
                plain = [replace(flavour, extremes=False) for flavour in FLAVOURS[:CROWDED]]
                made = [making.make(flavour, round_number + 1, promised) for flavour in plain]
            else:
                small = list(making.small(promised))
                self._small = len(small)
                made = [*small, *making.crowded(promised)]
            self._data[round_number] = made
        return self._data[round_number]

    def sent(self) -> set[int]:
        """Texts whose right rewrite passes: only their mutants say anything."""
        cases = [case for text in self.maker.texts.values() if (case := self._case(text, text.sql)) is not None]
        self._try(cases, self.design.rewrite.tables)
        for case in cases:
            if case.open:
                case.weigh_tests()
        return {case.text for case in cases if case.verdict and case.verdict.verdict is not Verdict.UNCHANGED}

    def try_texts(self, mutants: Sequence[Mutant]) -> list[Tried]:
        """Mutants of rewritten texts."""
        found: list[Tried] = []
        waiting: list[tuple[Mutant, Case]] = []
        for mutant in mutants:
            sql = self.maker.wrong_text(mutant)
            case = self._case(self.maker.texts[mutant.text], sql) if sql is not None else None
            if sql is None or case is None:
                found.append(Tried(mutant, "same" if sql is None else "static", "", sql or ""))
            else:
                waiting.append((mutant, case))
        self._try([case for _, case in waiting], self.design.rewrite.tables)
        return found + self._judged(waiting, self.design.rewrite.tables)

    def try_tables(self, mutants: Sequence[Mutant]) -> list[Tried]:
        """Mutants of tables, each through one text that reads it."""
        found: list[Tried] = []
        waiting: list[tuple[Mutant, Case]] = []
        tables: dict[str, DesignTable] = {}
        names = NameMaker()
        for table in self.design.rewrite.tables:
            names.fresh(table.name.name, 128)
        for mutant in mutants:
            wrong = self.maker.wrong_table(mutant)
            if wrong is None:
                found.append(Tried(mutant, "same"))
                continue
            sql_key = wrong.select
            if sql_key not in tables:
                right = self.maker.tables[mutant.table]
                made = design_table(wrong, right.name.catalog, right.name.schema, names)
                tables[sql_key] = made
            case = self._reader(mutant, tables[sql_key])
            if case is None:
                found.append(Tried(mutant, "static", "", wrong.select))
            else:
                waiting.append((mutant, case))
        design = [*self.design.rewrite.tables, *tables.values()]
        self._try([case for _, case in waiting], design)
        return found + self._judged(waiting, design)

    def _reader(self, mutant: Mutant, wrong: DesignTable) -> Case | None:
        text = self.maker.texts[mutant.text]
        right = self.maker.tables[mutant.table].name
        tree = parse_statement(text.sql).copy()
        for node in tree.find_all(exp.Table):
            if [part.name for part in node.parts] == [right.catalog, right.schema, right.name]:
                node.set("this", exp.to_identifier(wrong.name.name, quoted=True))
        tables = tuple(wrong.name if name == right else name for name in text.tables)
        return self._case(replace(text, tables=tables), trino_sql(tree), wrong)

    def _case(self, text: RewrittenText, sql: str | None, wrong: DesignTable | None = None) -> Case | None:
        catalog = self.maker.catalog if wrong is None else self.maker.catalog.with_tables([_as_table(wrong)])
        case = Case(text.text, 1, self.originals[text.text], replace(text, sql=sql or ""), discharged=True)
        try:
            original = qualified(case.original, self.maker.base).copy()
            check = check_texts(original, resolve(parse_statement(sql or ""), catalog))
        except (SqlProblem, Unprintable):
            return None
        if isinstance(check, StaticDifference):
            return None
        case.check = check
        return case

    def _try(self, cases: Sequence[Case], design: Sequence[DesignTable]) -> None:
        trials = Trials(self._runner, self.design.parsed.tables, design, self._ports.deadline.left_s)
        waiting = list(cases)
        for round_number in ROUNDS:
            if not waiting:
                break
            data_sets = self.data_sets(round_number)
            alone = self._small if not round_number else 0
            for each in data_sets[:alone]:  # as the stage does: what fails on a crowded one is compared before
                trials.run([each], waiting)
            trials.run(data_sets[alone:], waiting)
            waiting = unproven(waiting)

    def _judged(self, cases: Sequence[tuple[Mutant, Case]], design: Sequence[DesignTable]) -> list[Tried]:
        """The bounded search and the verdict; what would be sent then has to pass further data sets and searches."""
        search = BoundedSearch(self._runner, self.maker.base, design)
        found = [_tried(mutant, case) for mutant, case in cases if self._search(case, search)]
        alive = [(mutant, case) for mutant, case in cases if case.open]
        if alive:
            trials = Trials(self._runner, self.design.parsed.tables, design, self._ports.deadline.left_s)
            for round_number in MORE_ROUNDS:
                trials.run(self.data_sets(round_number), [case for _, case in alive])
        for mutant, case in alive:
            argument = self._argument(mutant)
            shown = case.verdict.detail if case.verdict is not None else None
            if shown is None and argument is None:
                shown = self._longer(case, search)
            how = "missed" if shown else "equivalent" if argument else "survived"
            found.append(Tried(mutant, how, shown or argument or "", case.rewritten.sql))
        return found

    def _argument(self, mutant: Mutant) -> str | None:
        """Why the mutant is no other query; None where nothing says so."""
        if mutant.table:
            wrong = self.maker.wrong_table(mutant)
            if wrong is None:
                return None
            right = qualified(self.maker.candidates[mutant.table].select, self.maker.base)
            readings = self.maker.readings(mutant.text, mutant.table)
            return argument_for_table(readings, right, qualified(wrong.select, self.maker.base), self._known)
        sql = self.maker.wrong_text(mutant)
        right = qualified(self.maker.texts[mutant.text].sql, self.maker.catalog)
        return argument_for_text(right, qualified(sql, self.maker.catalog), self._known) if sql is not None else None

    def _search(self, case: Case, search: BoundedSearch) -> bool:
        """The end of the verification; whether the case is refused."""
        if case.open and case.counted:
            search_all(search, [case], self._by_text, self._ports.deadline.left_s)
        if case.open:
            case.weigh_tests()
        refused = case.verdict is not None and case.verdict.verdict is Verdict.UNCHANGED
        case.verdict = case.verdict if refused else None
        return refused

    def _longer(self, case: Case, search: BoundedSearch) -> str | None:
        """What a longer search shows."""
        for seed in MORE_SEEDS:
            query = self._by_text[case.text]
            found = search.search(_check(case), case.rewritten, query, most=MORE_DATABASES, limit_s=LONGER_S, seed=seed)
            if found.difference is not None:
                return f"longer search: {found.difference.detail}"
        return None


def _tried(mutant: Mutant, case: Case) -> Tried:
    verdict = case.verdict
    reason = verdict.reason if verdict is not None else None
    how = "data set" if reason in (Reason.DIFFERENT, Reason.NONDETERMINISTIC) else "not compared"
    if case.evidence and case.evidence[-1].name == NAME:
        how = "search"
    return Tried(mutant, how, f"{reason}: {verdict.detail if verdict is not None else ''}", case.rewritten.sql)


def _check(case: Case) -> CheckTexts:
    if case.check is None:
        raise ValueError("the case has not been prepared")
    return case.check


def _as_table(table: DesignTable) -> Table:
    return Table(table.name, tuple(Column(column.name, column.type) for column in table.columns))


class _Remembering:
    """A runner whose sessions keep their last results, since one original is run for each of its mutants."""

    def __init__(self, runner: QueryRunner) -> None:
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def open_test_data(
        self,
        tables: Sequence[Table],
        rows: Mapping[TableName, Sequence[tuple[Any, ...]]],
        design: Sequence[tuple[str, str]],
    ) -> QuerySession:
        """A session that remembers."""
        return _RememberingSession(self._runner.open_test_data(tables, rows, design))


class _RememberingSession:
    def __init__(self, session: QuerySession) -> None:
        self._session = session
        self._known: OrderedDict[tuple[str, int], ResultSet] = OrderedDict()

    def query(self, sql: str, *, limit_s: float, max_rows: int) -> ResultSet:
        """The rows, from memory where they are known."""
        key = sql, max_rows
        if key not in self._known:
            self._known[key] = self._session.query(sql, limit_s=limit_s, max_rows=max_rows)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def time(self, sql: str, *, limit_s: float, repeat: int, plain: bool = False) -> float:
        """The session's own."""
        return self._session.time(sql, limit_s=limit_s, repeat=repeat, plain=plain)

    def close(self) -> None:
        """The session's own."""
        self._session.close()
