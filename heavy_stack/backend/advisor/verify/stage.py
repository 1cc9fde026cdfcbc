"""The stage: from rewrites to verdicts. Nothing is called equal that was not shown to be."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import (
    Column,
    DesignTable,
    ParsedWorkload,
    Plan,
    Rewrite,
    RewrittenText,
    Table,
    Verdicts,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import NotCheckable, Ports, QuerySession, RunFailed, RunTimeout
from heavy_stack.backend.advisor.sql.catalog import Catalog, resolve
from heavy_stack.backend.advisor.sql.comparator import TOLERANCE_TEXT
from heavy_stack.backend.advisor.sql.parsing import SqlProblem, TooLarge, parse_statement
from heavy_stack.backend.advisor.sql.printing import Unprintable
from heavy_stack.backend.advisor.verify.baseline import Baseline, time_unchanged
from heavy_stack.backend.advisor.verify.cases import Case
from heavy_stack.backend.advisor.verify.conditions import implied_by_ddl, promised_keys
from heavy_stack.backend.advisor.verify.data_sets import CROWDED, FEW_QUERIES, FLAVOURS, DataSet, DataSetMaker, KeyRules
from heavy_stack.backend.advisor.verify.exhaustive import BoundedSearch, search_all
from heavy_stack.backend.advisor.verify.kin import Kin, in_turns, kin_of
from heavy_stack.backend.advisor.verify.other_ways import MAX_PASSES, NEEDED_SHARE, OtherWays
from heavy_stack.backend.advisor.verify.reading import prepare, read_pair
from heavy_stack.backend.advisor.verify.real_data import (
    DesignOnData,
    check_conditions,
    compare_on_data,
    measure,
)
from heavy_stack.backend.advisor.verify.surveys import Studied, study
from heavy_stack.backend.advisor.verify.trials import Trials, by_promise, unproven
from heavy_stack.shared_models.verdicts import Reason, Verdict

KEPT_FOR_REPORT = 0.15
"""Share of the task's budget that stays for the report."""
TRIALS_SHARE = 0.6
"""Share of the stage's time that test data may take when real data is compared afterwards."""
OTHERS_SHARE = 0.1
"""Share of the task's budget for running texts on the client's data for which others of their shape have spoken."""
SEARCHED_CHARACTERS = 30_000
"""Longer texts (lists of thousands of values) take longer to read than a search for small databases is worth."""
EXTRA_ROUNDS = 2
"""Further data sets for texts that returned too little on the first three."""
_ASKING = ("conditions", "engine")
"""Levels at which the client's engine may be asked to run a side condition."""


def verify(
    workload: Workload,
    parsed: ParsedWorkload,
    profile: WorkloadProfile,
    plan: Plan,
    rewrite: Rewrite,
    ports: Ports,
) -> Verdicts:
    """A verdict for every rewritten text.

    Conditions first, then at least three data sets of ours, then, where an engine is reachable and `verify` is
    `engine`, the client's data: built, compared, measured. Texts with more runs come first; what the time does not
    reach is OUT_OF_TIME.

    What `workload.verify` lets the client's engine be asked: at `none` and `explain` nothing, so only conditions that
    the DDL implies are discharged; at `conditions` the side conditions; at `engine` also the whole comparison. Data
    sets of ours are run at every level: no rewrite is sent without them.
    """
    return _Stage(workload, parsed, profile, plan, rewrite, ports).run()


class _Stage:
    def __init__(
        self,
        workload: Workload,
        parsed: ParsedWorkload,
        profile: WorkloadProfile,
        plan: Plan,
        rewrite: Rewrite,
        ports: Ports,
    ) -> None:
        self.workload = workload
        self.parsed = parsed
        self.profile = profile
        self.rewrite = rewrite
        self.ports = ports
        self.catalog = Catalog(parsed.tables)
        self.designed = self.catalog.with_tables(_as_table(table) for table in rewrite.tables)
        built = {table.candidate for table in rewrite.tables}
        self.texts = {text.text: text for text in parsed.texts}
        self.studied: dict[int, Studied] = {}
        self.also = self._study_tables(candidate.select for candidate in plan.chosen if candidate.id in built)
        self.started_left = ports.deadline.left_s()
        self.warnings: list[str] = []
        self.storage = self._storage_before()
        self.on_data = workload.verify == "engine" and profile.reachable
        self.built = DesignOnData(ports.runner, rewrite.tables)
        self.other_ways = OtherWays(
            rewrite.others,
            self.texts,
            self.built if self.on_data else None,
            self.storage,
            lambda: self._open("the design", ports.runner.open_design),
            lambda: self._time_left() - NEEDED_SHARE * workload.budget_s,
        )

    def run(self) -> Verdicts:
        self.ports.progress.report(0.0, "Reading the rewritten queries")
        self.span = (0.0, 0.8 if self.rewrite.others else 1.0)
        found = {case.text: case for case in self._verified([(text, 0) for text in self.rewrite.texts])}
        spare: list[Case] = []
        for number in range(MAX_PASSES if self.rewrite.others else 0):
            again = self.other_ways.next(found.values(), with_spare=not number)
            if not again:
                break
            self.span = (self.span[1], 0.5 + 0.5 * self.span[1])
            self.started_left = self.ports.deadline.left_s()
            for case in self._verified(again):
                if case.is_sent and found[case.text].is_sent:
                    spare.append(case)
                elif case.is_sent:
                    found[case.text] = case
        self.span = (0.0, 1.0)
        baseline = self._time_the_rest(found.values())
        self.ports.progress.report(1.0, "Verified")
        return Verdicts(
            texts=tuple(sorted((case.final() for case in found.values()), key=lambda verdict: verdict.text)),
            tables=tuple(self.built.measures),
            storage_before_bytes=self.storage,
            tolerance=TOLERANCE_TEXT,
            warnings=tuple(dict.fromkeys(self.warnings)),
            baseline_s=baseline.seconds,
            baseline_texts=baseline.stands_on,
            spare=tuple(sorted((case.final() for case in spare), key=lambda verdict: (verdict.text, verdict.way))),
        )

    def _verified(self, texts: Sequence[tuple[RewrittenText, int]]) -> list[Case]:
        """Each of these rewrites (and which of its text's ways it is) on its way to a verdict."""
        self.ways = {text.text: way for text, way in texts}
        kin = kin_of((text for text, _ in texts), self.texts, self.profile.runs)
        for group in kin:
            group.tried = [self._case(text) for text in group.spokesmen()]
        cases = in_turns(kin, lambda group: group.tried)
        self._discharge(cases)
        cases += self._try_on_test_data(cases, kin)
        self._note_progress(0.47, "Searching small databases for a difference")
        search = BoundedSearch(self.ports.runner, self.catalog, self.rewrite.tables)
        found = [case for case in cases if case.counted and len(case.original) <= SEARCHED_CHARACTERS]
        search_all(search, found, self.studied, self._trial_time_left)
        for case in cases:
            if case.open and (case.counted or case.missed) and not case.interrupted:
                case.weigh_tests()
        for group in kin:
            tried = {case.text for case in group.tried}
            group.others = [self._unread_case(text) for text in group.texts if text.text not in tried]
            group.share_tests()
        self._try_on_real_data(cases, kin)
        return cases + [case for group in kin for case in group.others]

    # Reading

    def _unread_case(self, rewritten: RewrittenText) -> Case:
        text = self.texts[rewritten.text]
        runs, way = self.profile.runs.get(text.text, 0), self.ways[text.text]
        return Case(text.text, runs, text.sql or text.answer, rewritten, way=way)

    def _case(self, rewritten: RewrittenText) -> Case:
        case = self._unread_case(rewritten)
        text = self.texts[rewritten.text]
        try:
            original, other = read_pair(case, self.catalog, self.designed)
            if not case.open:
                return case
            draw = random.Random(f"{self.workload.task_id}|{text.text}")
            self.studied[text.text] = study(original, self.catalog, draw, shape=text.fingerprint)
            self.also.append(study(other, self.catalog, draw, sketches=0))
            prepare(case, original, other)
        except (SqlProblem, TooLarge, Unprintable) as problem:
            case.refuse(Reason.NOT_CHECKABLE, f"the rewrite cannot be read: {problem}")
        return case

    # Conditions

    def _discharge(self, cases: Sequence[Case]) -> None:
        """Side conditions: by the DDL, else on the data where that is allowed and there is an engine."""
        asked = any(case.open and case.rewritten.conditions for case in cases)
        session: QuerySession | None = None
        if asked and self.workload.verify in _ASKING:
            session = self._open("the client's tables", self.ports.runner.open_lake)
        try:
            check_conditions(session, cases, lambda sql: implied_by_ddl(sql, self.catalog))
        finally:
            if session is not None:
                session.close()

    def _open(self, what: str, opener: Callable[[], QuerySession | None]) -> QuerySession | None:
        try:
            return opener()
        except (NotCheckable, RunFailed, RunTimeout) as problem:
            self.warnings.append(f"{what} could not be opened: {problem}")
            return None

    # Test data

    def _try_on_test_data(self, cases: Sequence[Case], kin: Sequence[Kin]) -> list[Case]:
        """Try all cases; the result are further cases of groups of which too few could be compared."""
        waiting = [case for case in cases if case.open]
        promoted: list[Case] = []
        if not waiting:
            return promoted
        rules = promised_keys((case.rewritten for case in waiting), self.catalog)
        for round_number in range(1 + EXTRA_ROUNDS):
            if not waiting or self._trial_time_left() <= 0:
                break
            self._note_progress(0.02 + 0.15 * round_number, "Making test data")
            for cases, promised in by_promise(waiting, None if round_number == 0 else rules, rules):
                read = {name for case in cases for name in case.rewritten.tables}
                design = [table for table in self.rewrite.tables if table.name in read]
                trials = Trials(self.ports.runner, self.parsed.tables, design, self._trial_time_left)
                self._one_round(trials, cases, round_number, promised)
            more = self._promoted(kin) if not round_number else []
            promoted += more
            waiting = unproven(waiting) + more
        return promoted

    def _promoted(self, kin: Sequence[Kin]) -> list[Case]:
        found: list[Case] = []
        for group in kin:
            cases = [self._case(text) for text in group.more()]
            for case in cases:
                case.discharged = group.tried[0].discharged  # the conditions are the same
                case.evidence += [each for each in group.tried[0].evidence if each.kind == "condition"]
            group.tried += cases
            found += [case for case in cases if case.open]
        return found

    def _one_round(self, trials: Trials, cases: Sequence[Case], round_number: int, promised: KeyRules | None) -> None:
        """Small data sets first, one by one; then the crowded ones together, text by text, as far as the time goes."""
        queries = [self.studied[case.text] for case in cases]
        maker = DataSetMaker(self.catalog, queries, f"{self.workload.task_id}|{round_number}", self.also)
        data_sets: Iterator[DataSet]
        if round_number:
            plain = [replace(flavour, extremes=False) for flavour in FLAVOURS[:CROWDED]]
            data_sets = (maker.make(flavour, round_number + 1, promised) for flavour in plain)
        else:
            few = cases if len(cases) <= FEW_QUERIES else self._one_of_each_shape(cases)
            for small in maker.small(promised):
                trials.run([small], few)
            data_sets = maker.crowded(promised)  # each made when it is loaded, and freed then
        start, step = 0.05 + 0.15 * round_number, 0.1 / len(cases)
        trials.run(data_sets, cases, lambda done: self._note_progress(start + step * done, _TRYING))

    def _one_of_each_shape(self, cases: Sequence[Case]) -> list[Case]:
        """What small data sets show is a matter of shape: among many texts, one stands for those that share it."""
        shapes: dict[str, Case] = {}
        for case in cases:
            shapes.setdefault(self.studied[case.text].shape or str(case.text), case)
        return list(shapes.values())

    def _study_tables(self, selects: Iterable[str]) -> list[Studied]:
        """The SELECTs that fill the design's tables: their constants are to occur in test data too."""
        found = []
        for sql in selects:
            try:
                tree = resolve(parse_statement(sql), self.catalog)
            except (SqlProblem, TooLarge):
                continue
            found.append(study(tree, self.catalog, random.Random(0), sketches=0))
        return found

    # Real data

    def _try_on_real_data(self, cases: Sequence[Case], kin: Sequence[Kin]) -> None:
        """Build, compare, measure; a stronger verdict replaces the one that the tests gave."""
        waiting = [case for case in cases if self._deserves_real_data(case)]
        if not self.on_data or not waiting:
            return
        decided = [(case, case.verdict) for case in waiting]
        for case in waiting:
            case.verdict = None
        self._note_progress(0.5, "Building the design on your data")
        self.built.build_for(waiting, max(1.0, self._time_left() * 0.6))
        session = self._open("the design", self.ports.runner.open_design)
        try:
            if session is not None:
                self._compare_and_measure(session, waiting)
            for case, former in decided:
                if case.open:
                    case.verdict = former
            for group in kin:
                group.share_data()
            if session is not None:
                self._compare_others(session, kin)
        finally:
            if session is not None:
                session.close()
        for group in kin:
            group.share_data()

    def _compare_and_measure(self, session: QuerySession, cases: Sequence[Case]) -> None:
        for number, case in enumerate(cases):
            self._note_progress(0.6 + 0.3 * number / len(cases), "Comparing and measuring on your data")
            if case.open and self._time_left() > 0:
                compare_on_data(session, case, self._time_left())
            former = case.verdict
            if former is not None and former.verdict is Verdict.EQUAL_ON_DATA and self._time_left() > 0:
                measure(session, case, self._time_left())

    def _compare_others(self, session: QuerySession, kin: Sequence[Kin]) -> None:
        """Run texts for which others spoke as well, the often run ones first, as far as some time goes."""
        until = self._time_left() - OTHERS_SHARE * self.workload.budget_s
        others = [case for group in kin for case in group.others if case.verdict and case.verdict.reason is None]
        for number, case in enumerate(sorted(others, key=lambda each: (-each.runs, each.text))):
            if self._time_left() <= max(0.0, until):
                return
            self._note_progress(0.9 + 0.08 * number / len(others), "Comparing more texts on your data")
            former, case.verdict = case.verdict, None
            try:
                prepare(case, *read_pair(case, self.catalog, self.designed))
                if case.open:
                    compare_on_data(session, case, self._time_left())
            except (SqlProblem, TooLarge, Unprintable) as problem:
                case.refuse(Reason.NOT_CHECKABLE, f"the rewrite cannot be read: {problem}")
            if case.open:
                case.verdict = former

    def _time_the_rest(self, cases: Iterable[Case]) -> Baseline:
        """Seconds of texts that have no measured rewrite."""
        measured = {case.text for case in cases if case.before_s is not None}
        runnable = [t for t in self.parsed.texts if t.sql is not None or t.reason is Reason.NONDETERMINISTIC]
        rest = [text for text in runnable if text.text not in measured]
        if not self.on_data or not rest:
            return Baseline()
        session = self._open("the client's tables", self.ports.runner.open_lake)
        if session is None:
            return Baseline()
        self._note_progress(0.98, "Timing what stays as it is")
        try:
            rest.sort(key=lambda item: (-self.profile.runs.get(item.text, 0), item.text))
            return time_unchanged(session, rest, self._time_left)
        finally:
            session.close()

    @staticmethod
    def _deserves_real_data(case: Case) -> bool:
        """Not refused for good: a case that test data could not prove may still be proven on the data."""
        verdict = case.verdict
        if case.check is None or verdict is None:
            return case.check is not None
        return verdict.verdict is not Verdict.UNCHANGED or (
            verdict.reason is Reason.NOT_CHECKABLE and case.discharged and bool(case.missed)
        )

    # Time and progress

    def _time_left(self) -> float:
        return self.ports.deadline.left_s() - KEPT_FOR_REPORT * self.workload.budget_s

    def _trial_time_left(self) -> float:
        """Trials leave time for real data, where that is to come."""
        if not self.on_data:
            return self._time_left()
        usable = self.started_left - KEPT_FOR_REPORT * self.workload.budget_s
        return self._time_left() - (1 - TRIALS_SHARE) * usable

    def _note_progress(self, done: float, activity: str) -> None:
        start, end = self.span
        self.ports.progress.report(min(start + done * (end - start), 0.99), activity)

    def _storage_before(self) -> int | None:
        """Bytes of all tables of the DDL; None when any is unknown."""
        sizes = [
            self.profile.facts[str(t.name)].bytes if str(t.name) in self.profile.facts else None
            for t in self.parsed.tables
        ]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None


_TRYING = "Trying the rewrites on test data"


def _as_table(table: DesignTable) -> Table:
    return Table(table.name, tuple(Column(column.name, column.type) for column in table.columns))
