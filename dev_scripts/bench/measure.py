"""Runs each query before and after, interleaved, every run in a fresh process, and compares the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dev_scripts.bench import fresh
from dev_scripts.bench.figures import Measured, median
from dev_scripts.bench.fresh import Job
from dev_scripts.bench.service import Answer
from dev_scripts.bench.sides import Side
from dev_scripts.bench.texts import Form, Query, Texts, sample
from dev_scripts.replay_on_trino import moments_of, order_keys
from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.advisor.ports import ResultSet
from heavy_stack.backend.advisor.sql.comparator import Comparison, OrderKey, compare
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.parsing import parse_statement

MAX_ROWS = 400_000
"""Rows fetched for a comparison; larger results are compared as far as their counts only, and said so."""
SURE = (0.5, 1.1)
"""With a single round: T/A outside of this needs no second look."""


@dataclass(frozen=True)
class Plan:
    """How much is run: rounds of each side, texts of each shape."""

    rounds: int = 3
    per_shape: int = 1_000_000


@dataclass(frozen=True)
class Time:
    """Medians of some runs."""

    seconds: float
    cpu_s: float = 0.0

    @classmethod
    def of(cls, outcomes: Sequence[fresh.Outcome]) -> Time:
        """The median of each."""
        return cls(median([o.seconds for o in outcomes]), median([o.cpu_s for o in outcomes]))


@dataclass
class Bench:
    """Everything that stands still while queries are measured."""

    texts: Texts
    base: Side
    design: Side
    design_tables: tuple[Table, ...]
    say: Callable[[str], None]

    def measure(self, queries: Sequence[Query], answer: Answer, plan: Plan) -> list[Measured]:
        """Each query's figures; a query that another stands for gets that one's times."""
        verdicts, answers = answer.verdicts, answer.queries
        # Queries of one shape with different fates must not stand for each other.
        marked = [replace(q, shape=f"{q.shape}|{verdicts[q.queryid][0] == 'UNCHANGED'}") for q in queries]
        chosen = sample(marked, plan.per_shape)
        by_id = {query.queryid: query for query in marked}
        results: list[Measured] = []
        known: dict[tuple[str, str], Measured] = {}
        for place, (queryid, members) in enumerate(chosen.items(), 1):
            query, after = by_id[queryid], answers[queryid]
            measured = known.get((query.text, after)) or self._one(query, after, verdicts[queryid], plan.rounds)
            known[query.text, after] = measured
            for member in members:
                verdict, reason = verdicts[member.queryid]
                results.append(
                    replace(
                        measured,
                        queryid=member.queryid,
                        runs=member.runs,
                        verdict=verdict,
                        reason=reason,
                        stated_s=member.executiontime,
                        measured=member.queryid == queryid,
                    )
                )
            self.say(f"{place}/{len(chosen)} {queryid}: {_line(measured)}")
        places = {query.queryid: place for place, query in enumerate(queries)}
        return sorted(results, key=lambda measured: places[measured.queryid])

    def again(self, measured: Sequence[Measured], side: Side) -> list[Measured]:
        """The originals once more, on the client's tables and beside that on others: what a baseline takes."""
        texts = {query.queryid: query.text for query in self.texts.queries}
        results: list[Measured] = []
        for one in measured:
            if one.measured:
                form = self.texts.form(texts[one.queryid])
                (before, after), error = self._times([(form, self.base), (form, side)], 1)
                if not error:
                    results.append(_timed(replace(one, verdict="BASELINE"), before, after, None, ""))
        return results

    def _one(self, query: Query, after: str, verdict: tuple[str, str | None], rounds: int) -> Measured:
        mine = self.texts.form(query.text)
        empty = Measured(query.queryid, query.runs, 0.0, 0.0, verdict[0], verdict[1])
        if verdict[0] == "UNCHANGED":
            (only,), error = self._times([(mine, self.base)], rounds)
            return _timed(empty, only, only, None, error)
        theirs = self.texts.form(after, self.design_tables)
        both = self.base.beside(self.design)
        comparison = self._compare(query.text, mine, after, theirs, both)
        sides = [(mine, self.base), (theirs, both)]
        times, error = self._times(sides, rounds)
        if rounds == 1 and SURE[0] < times[1].seconds / max(times[0].seconds, 1e-6) < SURE[1]:
            times, error = self._times(sides, 3)
        equal = None if comparison.undecided else comparison.equal
        return _timed(empty, times[0], times[1], equal, error or comparison.detail)

    def _times(self, sides: Sequence[tuple[Form, Side]], rounds: int) -> tuple[list[Time], str]:
        """Median times of each side; both sides plain if both plain forms run, else both exact."""
        error = ""
        for texts in ([form.plain for form, _ in sides], [form.exact for form, _ in sides]):
            jobs = [Job(side.setup_for(text), text) for text, (_, side) in zip(texts, sides, strict=True) if text]
            if len(jobs) < len(sides):
                continue
            times: list[list[fresh.Outcome]] = [[] for _ in jobs]
            error = ""
            for _ in range(rounds):
                for place, job in enumerate(jobs):
                    outcome = fresh.run(job)
                    times[place].append(outcome)
                    error = error or outcome.error or ""
                if error:
                    break
            if not error:
                return [Time.of(outcomes) for outcomes in times], ""
        # A text that DuckDB cannot run at all says nothing about the design: the same time on both sides.
        return [Time(0.001), Time(fresh.LIMIT_S)][: len(sides)], error or "no form for DuckDB"

    def _compare(self, before: str, mine: Form, after: str, theirs: Form, both: Side) -> Comparison:
        """Whether the rewrite returns the same rows; ties at a LIMIT's cut may fall either way."""
        comparison = self._compare_once(before, mine, theirs, both, _order(before))
        if comparison.equal or comparison.undecided:
            return comparison
        uncut = without_limit(before), without_limit(after)
        if uncut[0] is None or uncut[1] is None:
            return comparison
        forms = self.texts.form(uncut[0]), self.texts.form(uncut[1], self.design_tables)
        whole = self._compare_once(before, *forms, both, [])  # ORDER BY went with LIMIT
        return Comparison(whole.equal, f"before LIMIT: {whole.detail}", whole.undecided)

    def _compare_once(self, before: str, mine: Form, theirs: Form, both: Side, order: list[OrderKey]) -> Comparison:
        exact = mine.exact is not None and theirs.exact is not None
        left, right = (mine.exact, theirs.exact) if exact else (mine.plain, theirs.plain)
        if left is None or right is None:
            return Comparison(False, "no form for DuckDB", undecided=True)
        results: list[ResultSet] = []
        for text, form in ((left, mine), (right, theirs)):
            outcome = fresh.run(Job(both.setup_for(text), text, MAX_ROWS))
            if outcome.error is not None:
                return Comparison(False, outcome.error, undecided=form is mine)
            names = form.names or outcome.names
            types = form.types or ("varchar",) * len(names)
            results.append(ResultSet(names, types, outcome.rows, outcome.seconds, outcome.truncated))
        if not exact:
            types = ("double",) * len(results[0].names)
            results = [ResultSet(r.names, types, r.rows, r.seconds, r.truncated) for r in results]
        return compare(results[0], results[1], order=order, moments=moments_of(before, len(results[0].names)))


def _timed(measured: Measured, before: Time, after: Time, equal: bool | None, detail: str) -> Measured:
    return replace(
        measured,
        before_s=before.seconds,
        after_s=after.seconds,
        before_cpu_s=before.cpu_s,
        after_cpu_s=after.cpu_s,
        equal=equal,
        detail=detail,
    )


def _order(sql: str) -> list[OrderKey]:
    """The order that the query fixes, as far as its keys are outputs."""
    try:
        tree = parse_statement(sql)
    except SqlProblem:
        return []
    keys = order_keys(tree)
    if keys is None:
        return []
    items = tree.args["order"].expressions
    return [
        OrderKey(key, bool(item.args.get("desc")), bool(item.args.get("nulls_first")))
        for key, item in zip(keys, items, strict=True)
    ]


def without_limit(sql: str) -> str | None:
    """The text without its outermost ORDER BY and LIMIT; None where there is no LIMIT."""
    try:
        tree = parse_statement(sql)
    except SqlProblem:
        return None
    if tree.args.get("limit") is None:
        return None
    tree = tree.copy()
    tree.set("limit", None)
    tree.set("order", None)
    return tree.sql(dialect="trino")


def _line(measured: Measured) -> str:
    if not measured.rewritten:
        return f"{measured.before_s * 1e3:.0f} ms, {measured.reason} {measured.detail[:100]}"
    rows = {True: "equal", False: "DIFFERENT", None: "not compared"}[measured.equal]
    times = f"{measured.before_s * 1e3:.0f} → {measured.after_s * 1e3:.0f} ms ({measured.ratio:.1f}×)"
    return f"{times}, {rows}: {measured.detail[:120]}"
