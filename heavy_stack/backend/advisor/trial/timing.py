"""Query texts are run as they stand and on the tables that were built to be tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from heavy_stack.backend.advisor.artefacts import Candidate, DesignTable, ParsedText, ParsedWorkload, WorkloadProfile
from heavy_stack.backend.advisor.ports import NotCheckable, Ports, QuerySession, RunFailed, RunTimeout
from heavy_stack.backend.advisor.rewrite.chain import Chain
from heavy_stack.backend.advisor.rewrite.statements import flags_of
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.select.model import Demand, Design, Problem, TimedDemand
from heavy_stack.backend.advisor.select.ways import ways_of
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.trial.asking import Asked
from heavy_stack.backend.advisor.trial.columns import TriedWay

RUNS = 2
"""Of each text as it stands, after its first."""
HOPELESS = 1.2
"""Times the fastest so far: what took longer once is not run again; of two runs, the faster one counts."""
LONG_S = 0.5
"""What takes longer is run once: noise decides little there, and the time is better spent on other texts."""
FIRST_RUNS_SHARE = 0.25
"""Of the time, for running texts as they stand to see which ones are long."""
FAIR = 3.0
"""Times its part of the time left, at most for one text: a text that is not tried at all keeps estimates, which mislead
more than a few ways less of a long one."""
MAX_SETS = 5
MAX_SINGLE = 6
"""Sets of tables and single tables that a text is tried on."""
TINY = 0.01
TINY_SETS = 2
"""Further sets, of tables of so little of the client's bytes: they find room beside anything."""
QUERY_LIMIT_S = 60.0


@dataclass(frozen=True)
class _Begun:
    """A text's first run as it stands, without Trino's exact numerics where `plain`."""

    plain: bool
    seconds: float


class Timing:
    """Runs texts.

    Args:
        parsed, profile: The workload.
        possible: All tables that could be chosen, by place.
        tables: Those that were built.
        ports: For the time left and progress.
        lean: Tables that are also read as if they had only these columns.
    """

    def __init__(
        self,
        parsed: ParsedWorkload,
        profile: WorkloadProfile,
        possible: Sequence[Candidate],
        tables: Mapping[int, DesignTable],
        ports: Ports,
        lean: Mapping[int, Candidate],
    ) -> None:
        self._possible, self._tables, self._ports = possible, tables, ports
        self._places = {table.name: place for place, table in tables.items()}
        candidates = [possible[place] for place in tables]
        analyst = Analyst(Catalog(parsed.tables), flags_of(candidates))
        sizes = Sizes(profile.facts, None, ports.deadline)
        chain = Chain(analyst, candidates, list(tables.values()), profile.facts, sizes)
        leaner = Chain(
            analyst,
            [lean.get(place, possible[place]) for place in tables],
            [replace(each, columns=lean[place].columns) if place in lean else each for place, each in tables.items()],
            profile.facts,
            sizes,
        )
        self._chains = ((chain, frozenset(tables)), (leaner, frozenset(lean)))

    def run(
        self, session: QuerySession, asked: Sequence[Asked], guess: Design, problem: Problem, until: float
    ) -> dict[int, TimedDemand]:
        """What each text took, by its place in `asked`, as far as the time goes.

        Args:
            session: Sees the client's tables and those that were built.
            asked: The texts, the most work first.
            guess: The design by estimates: tried as a whole in any case.
            problem: The estimates.
            until: Seconds left for the task when this has to end.
        """
        found: dict[int, TimedDemand] = {}
        begun = self._first_runs(session, asked, until)
        for place, number in enumerate(_longest_first(asked, begun)):
            if self._ports.deadline.left_s() <= until:
                break
            self._ports.progress.report(0.3 + 0.6 * place / len(asked), f"Trying query {place + 1} of {len(asked)}")
            each = asked[number]
            first = begun[number] if number in begun else self._begun(session, each, until)
            if first is None:
                continue
            left_s = self._ports.deadline.left_s()
            ends = max(until, left_s - FAIR * (left_s - until) / (len(asked) - place))
            timed = self._timed(session, each, list(self._sets(each.demand, guess, problem)), first, until, ends)
            if timed is not None:
                found[number] = timed
        return found

    def _first_runs(self, session: QuerySession, asked: Sequence[Asked], until: float) -> dict[int, _Begun | None]:
        """As they stand, all run once, as far as a part of the time goes: estimates order them badly."""
        left_s = self._ports.deadline.left_s()
        ends = left_s - FIRST_RUNS_SHARE * (left_s - until)
        begun: dict[int, _Begun | None] = {}
        for number, each in enumerate(asked):
            if self._ports.deadline.left_s() <= ends:
                break
            begun[number] = self._begun(session, each, until)
        return begun

    def _begun(self, session: QuerySession, asked: Asked, until: float) -> _Begun | None:
        """The text run once as it stands; None where it cannot be, or not any more."""
        for plain in (True, False):
            if self._ports.deadline.left_s() <= until:
                break
            try:
                return _Begun(
                    plain, session.time(asked.text.sql or "", limit_s=self._limit_s(until), repeat=1, plain=plain)
                )
            except NotCheckable:
                continue
            except (RunFailed, RunTimeout):
                break
        return None

    def _sets(self, demand: Demand, guess: Design, problem: Problem) -> Iterator[frozenset[int]]:
        """Tables to try together, the most promising first."""
        own = demand.on(self._tables)
        yield own.tables & guess.tables
        yield from (way.tables for way in ways_of(own, problem)[:MAX_SETS])
        tiny = [table for table in own.tables if problem.bytes[table] <= TINY * problem.storage]
        yield from (way.tables for way in ways_of(own.on(tiny), problem)[:TINY_SETS])
        singles = sorted(own.tables, key=lambda table: (_seconds_on(own, table), problem.bytes[table], table))
        yield from (frozenset({table}) for table in singles[:MAX_SINGLE])

    def _timed(
        self,
        session: QuerySession,
        asked: Asked,
        sets: Sequence[frozenset[int]],
        begun: _Begun,
        until: float,
        ends: float,
    ) -> TimedDemand | None:
        if not self._is_checkable(asked.text):
            sets = ()  # it is never sent, so no table is chosen for it
        before = begun.seconds
        for _ in range(RUNS):
            if before > LONG_S:
                break
            try:
                # One right after the other: a run after other texts took five times as long on some tables.
                again = session.time(asked.text.sql or "", limit_s=self._limit_s(until), repeat=1, plain=begun.plain)
            except (NotCheckable, RunFailed, RunTimeout):
                return None
            before = min(before, again)
        ways = self._ways(session, self._rewrites(asked.text, sets, ends), before, begun.plain, until)
        ways.sort(key=lambda way: (way.seconds, len(way.tables), sorted(way.tables)))
        demand = asked.demand
        return TimedDemand(demand.texts, demand.weight, before, (), tuple(ways))

    def _rewrites(
        self, text: ParsedText, sets: Sequence[frozenset[int]], ends: float
    ) -> Iterator[tuple[str, TriedWay]]:
        """The different texts on these tables, the first one in any case, the others while this text's time lasts.

        Each is written when it is asked for: writing takes time too.
        """
        written: set[str] = set()
        for tables in dict.fromkeys(sets):
            for chain, places in self._chains:
                if written and self._ports.deadline.left_s() <= ends:
                    return
                found = self._rewritten(text, tables, chain) if tables & places else None
                if found is not None and found[0] not in written:
                    written.add(found[0])
                    yield found

    def _is_checkable(self, text: ParsedText) -> bool:
        """Whether its rows can be compared here."""
        try:
            self._ports.runner.native(text.sql or "")
        except NotCheckable:
            return False
        return True

    def _rewritten(self, text: ParsedText, tables: frozenset[int], chain: Chain) -> tuple[str, TriedWay] | None:
        """The text on these tables, and what it reads; its time is still to come."""
        ways = chain.only({self._possible[place].id for place in tables}).ways(text, 1)
        if isinstance(ways, str):
            return None
        rewritten = ways[0].rewritten
        columns = {self._places[name]: read for name, read in ways[0].columns.items()}
        return rewritten.sql, TriedWay(frozenset(self._places[name] for name in rewritten.tables), 0.0, columns)

    def _ways(
        self, session: QuerySession, rewrites: Iterable[tuple[str, TriedWay]], before: float, plain: bool, until: float
    ) -> list[TriedWay]:
        found: list[TriedWay] = []
        fastest = before
        for sql, way in rewrites:
            try:
                seconds = self._seconds(session, sql, fastest, plain, until)
            except (NotCheckable, RunFailed, RunTimeout):
                continue
            fastest = min(fastest, seconds)
            found.append(replace(way, seconds=seconds))
        return found

    def _seconds(self, session: QuerySession, sql: str, fastest: float, plain: bool, until: float) -> float:
        first = session.time(sql, limit_s=self._limit_s(until), repeat=1, plain=plain)
        if first > min(LONG_S, HOPELESS * fastest):
            return first
        return min(first, session.time(sql, limit_s=self._limit_s(until), repeat=1, plain=plain))

    def _limit_s(self, until: float) -> float:
        return max(1.0, min(QUERY_LIMIT_S, self._ports.deadline.left_s() - until))


def _longest_first(asked: Sequence[Asked], begun: Mapping[int, _Begun | None]) -> list[int]:
    """Places of texts: first those that have run, the most work first, then the others as estimates order them."""

    def work(number: int) -> float:
        first = begun[number]
        return 0.0 if first is None else asked[number].demand.weight * first.seconds

    return [
        *sorted(begun, key=lambda number: (-work(number), number)),
        *(n for n in range(len(asked)) if n not in begun),
    ]


def _seconds_on(demand: Demand, table: int) -> float:
    return demand.total_s - sum(
        max(0.0, block.before_s - block.after_s[table]) for block in demand.blocks if table in block.after_s
    )
