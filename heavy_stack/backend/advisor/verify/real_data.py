"""Checks and measures on the client's own data: conditions, the built design, times before and after."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Sequence

from heavy_stack.backend.advisor.artefacts import DesignTable, TableMeasure, TableName
from heavy_stack.backend.advisor.ports import (
    BuiltTable,
    NotCheckable,
    QueryRunner,
    QuerySession,
    RunFailed,
    RunTimeout,
)
from heavy_stack.backend.advisor.rules.costs import FASTER, is_faster
from heavy_stack.backend.advisor.verify.cases import Case
from heavy_stack.backend.advisor.verify.comparison import Outcome, run_both
from heavy_stack.shared_models.reports import Evidence
from heavy_stack.shared_models.verdicts import Reason, Verdict

CONDITION_LIMIT_S = 60.0
QUERY_LIMIT_S = 120.0
TIMED_RUNS = 3
CLOSE_CALL_RUNS = 4
REPEATED_BELOW_S = 2.0
"""A text that stays as it is, is timed again only where that is cheap."""
_NEAR = (0.6, 1.1)
"""Ratios in this range are measured again before they decide."""
PLAIN_BELOW_S = 5.0
"""The plain times stand beside only where they are cheap to take."""


def check_conditions(session: QuerySession | None, cases: Sequence[Case], implied: Callable[[str], bool]) -> None:
    """Discharge each side condition by the DDL or by a query on the data; refuse cases where that fails.

    Args:
        session: On the client's tables; None when no engine may be asked.
        implied: Whether the DDL alone guarantees a condition.
    """
    known: dict[str, tuple[str, str]] = {}
    for case in cases:
        if not case.open:
            continue
        for name, sql in case.rewritten.conditions:
            if sql not in known:
                known[sql] = _condition_outcome(session, sql, implied)
            outcome, detail = known[sql]
            case.note(Evidence(kind="condition", name=name, outcome=outcome, detail=detail))
            if outcome != "holds":
                case.refuse(Reason.NOT_CHECKABLE, f"side condition {name} is not discharged: {detail}")
                break
        else:
            case.discharged = True


def _condition_outcome(session: QuerySession | None, sql: str, implied: Callable[[str], bool]) -> tuple[str, str]:
    if implied(sql):
        return "holds", "implied by the DDL"
    if session is None:
        return "skipped", "the DDL does not imply it and no engine was asked"
    try:
        found = session.query(sql, limit_s=CONDITION_LIMIT_S, max_rows=1)
    except (NotCheckable, RunFailed, RunTimeout) as problem:
        return "failed", str(problem)
    return ("failed", "the data breaks it") if found.rows else ("holds", "no row of the data breaks it")


class DesignOnData:
    """The design's tables on the client's data: each is built when it is first needed.

    Args:
        runner: Builds.
        design: The tables, in order.

    Attributes:
        measures: What was built.
    """

    def __init__(self, runner: QueryRunner, design: Sequence[DesignTable]) -> None:
        self._runner, self._design = runner, design
        self._failed: dict[TableName, str] = {}
        self.measures: list[TableMeasure] = []

    def build(self, names: Collection[TableName], limit_s: float) -> None:
        """Build those of these tables that have not been tried yet."""
        known = {*self._failed, *(measure.name for measure in self.measures)}
        wanted = [table for table in self._design if table.name in names and table.name not in known]
        if not wanted:
            return
        results = self._runner.build([(each.name, each.create, each.insert) for each in wanted], limit_s=limit_s)
        for table, result in zip(wanted, results, strict=True):
            if isinstance(result, BuiltTable):
                self.measures.append(TableMeasure(table.name, result.rows, result.bytes, result.seconds))
            else:
                self._failed[table.name] = result

    def has_all(self, names: Collection[TableName]) -> bool:
        """Whether none of these tables failed."""
        return not any(name in self._failed for name in names)

    def build_for(self, cases: Sequence[Case], limit_s: float) -> None:
        """Build the tables that open cases read; cases whose table cannot be built are refused."""
        self.build({name for case in cases if case.open for name in case.rewritten.tables}, limit_s)
        for case in cases:
            broken = next((self._failed[name] for name in case.rewritten.tables if name in self._failed), None)
            if case.open and broken is not None:
                case.refuse(Reason.NOT_CHECKABLE, f"a table of the design could not be built on the data: {broken}")


def compare_on_data(session: QuerySession, case: Case, limit_s: float) -> None:
    """Compare on the client's data and decide the case, or leave it open with the reason in its evidence."""
    if case.check is None:
        return
    compared = run_both(session, case.check, limit_s=min(limit_s, QUERY_LIMIT_S), twice=False, rows_count=False)
    outcome = compared.outcome
    words = {Outcome.EQUAL: "equal", Outcome.DIFFERENT: "different", Outcome.REWRITE_FAILED: "failed"}
    case.note(
        Evidence(
            kind="real_data",
            name="client data",
            outcome=words.get(outcome, "skipped"),
            rows=compared.rows,
            seconds=round(compared.seconds, 6),
            detail=None if outcome is Outcome.EQUAL else compared.detail,
        )
    )
    if outcome is Outcome.EQUAL:
        case.accept(Verdict.EQUAL_ON_DATA)
    elif outcome in (Outcome.DIFFERENT, Outcome.UNSTABLE) and (outcome is Outcome.UNSTABLE or case.ties is not None):
        case.refuse(Reason.NONDETERMINISTIC, f"its result depends on {case.ties or 'chance'}: {compared.detail}")
    elif outcome in (Outcome.DIFFERENT, Outcome.REWRITE_FAILED):
        case.refuse(Reason.DIFFERENT, f"on the data: {compared.detail}")
    elif outcome is Outcome.ORIGINAL_FAILED:
        case.refuse(Reason.NOT_CHECKABLE, f"it fails as it was sent: {compared.detail}")
    elif outcome is Outcome.NOT_CHECKABLE:
        case.refuse(Reason.NOT_CHECKABLE, compared.detail)


def measure(session: QuerySession, case: Case, limit_s: float) -> None:
    """Time both texts as they are sent, interleaved; keep the original where the rewrite is not clearly faster."""
    before: list[float] = []
    after: list[float] = []
    try:
        _take_turns(session, case, before, after, 1 if case.brief else TIMED_RUNS, limit_s)
        ratio = statistics.median(after) / max(statistics.median(before), 1e-9)
        if _NEAR[0] < ratio < _NEAR[1]:
            _take_turns(session, case, before, after, CLOSE_CALL_RUNS, limit_s)
    except (NotCheckable, RunFailed) as problem:
        case.refuse(Reason.NOT_CHECKABLE, f"it could not be timed: {problem}")
        return
    except RunTimeout as problem:
        if not before or not after:
            case.note(Evidence(kind="real_data", name="times", outcome="skipped", detail=str(problem)))
            return
    case.before_s, case.after_s = statistics.median(before), statistics.median(after)
    _time_plain(session, case, limit_s)
    if not is_faster(case.before_s, case.after_s):
        times = f"{_ms(case.before_s)} before, {_ms(case.after_s)} after"
        case.refuse(Reason.NO_GAIN, f"{times}: for less than {1 / FASTER:.2f}× or 1 ms it stays as it was")


def time_original(session: QuerySession, sql: str, limit_s: float) -> float | None:
    """Seconds of a text that stays as it is, so that totals count it: T = A. None when it cannot be run here.

    What cannot be run with Trino's exact meaning is still timed as DuckDB reads it: no rows are compared here.
    """
    for plain in (False, True):
        try:
            first = session.time(sql, limit_s=min(limit_s, QUERY_LIMIT_S), repeat=1, plain=plain)
            if first > REPEATED_BELOW_S:
                return first
            return session.time(sql, limit_s=min(limit_s, QUERY_LIMIT_S), repeat=TIMED_RUNS, plain=plain)
        except NotCheckable:
            continue
        except (RunFailed, RunTimeout):
            return None
    return None


def _take_turns(
    session: QuerySession, case: Case, before: list[float], after: list[float], runs: int, limit_s: float
) -> None:
    limit_s = min(limit_s, QUERY_LIMIT_S)
    for _ in range(runs):
        before.append(session.time(case.original, limit_s=limit_s, repeat=1))
        after.append(session.time(case.rewritten.sql, limit_s=limit_s, repeat=1))


def _time_plain(session: QuerySession, case: Case, limit_s: float) -> None:
    """The same without Trino's exact numerics, since emulating them makes `before` slow here."""
    if case.before_s is None or case.before_s > PLAIN_BELOW_S or case.brief:
        return
    try:
        case.before_plain_s = session.time(case.original, limit_s=limit_s, repeat=TIMED_RUNS, plain=True)
        case.after_plain_s = session.time(case.rewritten.sql, limit_s=limit_s, repeat=TIMED_RUNS, plain=True)
    except (NotCheckable, RunFailed, RunTimeout) as problem:
        case.before_plain_s = case.after_plain_s = None
        case.note(Evidence(kind="real_data", name="plain times", outcome="skipped", detail=str(problem)))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
