"""Trials on test data: opens a session per data set and takes every case through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from heavy_stack.backend.advisor.artefacts import DesignTable, Table, TableName
from heavy_stack.backend.advisor.ports import NotCheckable, QueryRunner, QuerySession, RunFailed, RunTimeout
from heavy_stack.backend.advisor.verify.cases import NEEDED_DATA_SETS, Case
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts
from heavy_stack.backend.advisor.verify.comparison import Compared, Outcome, RelaxedPairs, run_both
from heavy_stack.backend.advisor.verify.data_sets import FEW_QUERIES, DataSet, KeyRules
from heavy_stack.backend.advisor.verify.side_by_side import AT_ONCE, side_by_side
from heavy_stack.shared_models.reports import Evidence
from heavy_stack.shared_models.verdicts import Reason

QUERY_LIMIT_S = 10.0
CONDITION_LIMIT_S = 5.0
_WORDS = {Outcome.EQUAL: "equal", Outcome.DIFFERENT: "different", Outcome.REWRITE_FAILED: "failed"}


@dataclass
class Bench:
    """One open data set.

    Attributes:
        broken: Conditions that do not hold on this data set, by their SQL.
        seen: What pairs of texts showed here: texts that differ in comments, spaces or LIMIT are the same pair.
        relaxed: Comparisons with lower thresholds made here.
    """

    name: str
    session: QuerySession
    broken: dict[str, bool] = field(default_factory=dict)
    seen: dict[CheckTexts, Compared] = field(default_factory=dict)
    relaxed: RelaxedPairs = field(default_factory=dict)

    def compare(self, check: CheckTexts, *, limit_s: float, twice: bool, thresholds: bool) -> Compared:
        """Both sides on this data set; each pair of texts is run once."""
        if check not in self.seen:
            known = self.relaxed if thresholds else None
            self.seen[check] = run_both(self.session, check, limit_s=limit_s, twice=twice, rows_count=True, known=known)
        return self.seen[check]

    def holds(self, condition: str) -> bool:
        """Whether a side condition holds on this data set; asked once."""
        if condition not in self.broken:
            try:
                found = self.session.query(condition, limit_s=CONDITION_LIMIT_S, max_rows=1)
                self.broken[condition] = bool(found.rows)
            except (NotCheckable, RunFailed, RunTimeout):
                self.broken[condition] = True
        return not self.broken[condition]


@dataclass(frozen=True)
class _Attempt:
    """A data set on its way to a bench, with these tables of the design."""

    data_set: DataSet
    design: tuple[DesignTable, ...]
    outcome: Bench | NotCheckable | RunFailed | RunTimeout


class Trials:
    """Runs cases on data sets.

    Args:
        runner: Opens sessions.
        tables: The DDL's tables.
        design: The design's tables, in order; one that cannot be built on test data is left out with its cases.
        time_left: Seconds left for trials.
    """

    def __init__(
        self,
        runner: QueryRunner,
        tables: Sequence[Table],
        design: Sequence[DesignTable],
        time_left: Callable[[], float],
    ) -> None:
        self._runner = runner
        self._tables = tables
        self._design = list(design)
        self._time_left = time_left
        self._failures: Counter[TableName] = Counter()
        self._few = True

    def run(
        self, data_sets: Iterable[DataSet], cases: Sequence[Case], progress: Callable[[int], None] | None = None
    ) -> None:
        """Take every open case through all data sets, in order; cases beyond the time stay open.

        Args:
            progress: Called with the number of cases done.
        """
        benches = []
        self._few = len(cases) <= FEW_QUERIES
        try:
            for attempt in side_by_side(self._attempts(data_sets), ahead=AT_ONCE):
                bench = self._opened(attempt, cases)
                if bench is not None:
                    benches.append(bench)
            for number, case in enumerate(cases):
                if self._time_left() <= 0:
                    return
                self._try_case(case, benches)
                if progress is not None:
                    progress(number + 1)
        finally:
            for bench in benches:
                bench.session.close()

    def _attempts(self, data_sets: Iterable[DataSet]) -> Iterator[Callable[[], _Attempt]]:
        """One for each data set; the next one is made while the last one is opened."""
        for data_set in data_sets:
            if self._time_left() <= 0:
                return
            yield partial(self._attempt, data_set, tuple(self._design))

    def _attempt(self, data_set: DataSet, design: tuple[DesignTable, ...]) -> _Attempt:
        pairs = [(table.create, table.insert) for table in design]
        try:
            session = self._runner.open_test_data(self._tables, data_set.rows, pairs)
        except (NotCheckable, RunFailed, RunTimeout) as problem:
            return _Attempt(data_set, design, problem)
        return _Attempt(data_set, design, Bench(data_set.name, session))

    def _opened(self, attempt: _Attempt, cases: Sequence[Case]) -> Bench | None:
        """The bench, opened without a table where one cannot be built; None where the data set is lost."""
        while not isinstance(attempt.outcome, Bench):
            # A table that was left out meanwhile, for another data set, may be what failed here.
            if attempt.design == tuple(self._design) and not self._may_go_on(attempt, attempt.outcome, cases):
                return None
            if self._time_left() <= 0:
                return None
            attempt = self._attempt(attempt.data_set, tuple(self._design))
        return attempt.outcome

    def _may_go_on(self, attempt: _Attempt, problem: Exception, cases: Sequence[Case]) -> bool:
        """Whether the data set may be opened without the table that the problem names."""
        if isinstance(problem, RunTimeout):
            # A table whose join multiplies these rows must not cost the others their data set.
            why = f"data set {attempt.data_set.name}: {problem}"
            left_out = self._leave_out(str(problem), cases, for_good=True, provable=True)
        else:
            why = str(problem)
            left_out = self._leave_out(why, cases, for_good=isinstance(problem, NotCheckable))
        if not left_out:
            self._miss_all(cases, why)
        return left_out

    def _leave_out(self, message: str, cases: Sequence[Case], *, for_good: bool, provable: bool = False) -> bool:
        """Drop the design table that the message names, with the cases that read it; False when nothing was dropped.

        A table that failed once may have met an overflow that only these rows have: then one data set is lost. One
        that fails again is given up. `provable`: on the client's data its cases may still be compared.
        """
        culprit = next((table for table in self._design if message.startswith(f"{table.name}:")), None)
        if culprit is None:
            return False
        self._failures[culprit.name] += 1
        if not for_good and self._failures[culprit.name] < 2:
            return False
        self._design.remove(culprit)
        for case in cases:
            if case.open and culprit.name in case.rewritten.tables:
                if provable:
                    case.missed[message] = None
                case.refuse(Reason.NOT_CHECKABLE, f"a table of the design cannot be built here: {message}")
        return True

    @staticmethod
    def _miss_all(cases: Sequence[Case], why: str) -> None:
        for case in cases:
            case.missed[why] = None

    def _try_case(self, case: Case, benches: Sequence[Bench]) -> None:
        for bench, found in side_by_side(self._comparisons(case, benches)):
            if not case.open:
                return
            if isinstance(found, str):
                case.missed[f"side condition {found} does not hold on test data"] = None
            else:
                judge(case, bench.name, found)

    def _comparisons(
        self, case: Case, benches: Sequence[Bench]
    ) -> Iterator[Callable[[], tuple[Bench, Compared | str]]]:
        """The case on each bench, as long as it is open and there is time."""
        for place, bench in enumerate(benches):
            if not case.open or case.check is None:
                return
            if self._time_left() <= 0:
                case.interrupted = True
                return
            # A stable original is seen by running it twice; among many texts only where ties could show.
            twice = place == 0 and len(benches) > 1 and (self._few or case.ties is not None)
            yield partial(self._compared, case, case.check, bench, twice=twice, thresholds=len(benches) > 1)

    def _compared(
        self, case: Case, check: CheckTexts, bench: Bench, *, twice: bool, thresholds: bool
    ) -> tuple[Bench, Compared | str]:
        """The comparison, or the name of a condition that does not hold."""
        broken = next((name for name, sql in case.rewritten.conditions if not bench.holds(sql)), None)
        if broken is not None:
            return bench, broken
        limit_s = max(0.1, min(QUERY_LIMIT_S, self._time_left()))
        return bench, bench.compare(check, limit_s=limit_s, twice=twice, thresholds=thresholds)


def judge(case: Case, name: str, compared: Compared) -> None:
    """What a comparison on the data set `name` means for a case."""
    outcome = _WORDS.get(compared.outcome, "skipped")
    case.note(
        Evidence(
            kind="data_set",
            name=name,
            outcome=outcome,
            rows=compared.rows,
            seconds=round(compared.seconds, 6),
            detail=compared.detail if compared.outcome is not Outcome.EQUAL else compared.note,
        )
    )
    if compared.outcome is Outcome.EQUAL:
        case.counted += 1
    elif compared.outcome is Outcome.DIFFERENT:
        if case.ties is not None:
            case.refuse(Reason.NONDETERMINISTIC, f"its result depends on {case.ties}")
        else:
            case.refuse(Reason.DIFFERENT, f"on data set {name}: {compared.detail}")
    elif compared.outcome is Outcome.REWRITE_FAILED:
        case.refuse(Reason.DIFFERENT, f"on data set {name} {compared.detail}")
    elif compared.outcome is Outcome.UNSTABLE:
        case.refuse(Reason.NONDETERMINISTIC, compared.detail)
    elif compared.outcome is Outcome.NOT_CHECKABLE:
        case.refuse(Reason.NOT_CHECKABLE, compared.detail)
    else:
        case.missed[compared.detail] = None


def unproven(cases: Sequence[Case]) -> list[Case]:
    """Open cases that need more data sets."""
    return [case for case in cases if case.open and case.counted < NEEDED_DATA_SETS]


def by_promise(
    cases: Sequence[Case], free: KeyRules | None, promised: KeyRules
) -> list[tuple[list[Case], KeyRules | None]]:
    """Cases without conditions on data that keeps the promises `free`, those with conditions on data that keeps all.

    In the first round nothing is promised to the former: what needs no key must not need one by chance. The latter's
    tables are not built there, where joins on keys that repeat would multiply their rows.
    """
    if free is promised:
        return [(list(cases), promised)]
    bare = [case for case in cases if not case.rewritten.conditions]
    return [
        (group, rules)
        for group, rules in ((bare, free), ([case for case in cases if case.rewritten.conditions], promised))
        if group
    ]
