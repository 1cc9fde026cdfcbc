"""A second chance: which other way of a text is verified where the first one is not sent, or may yet be given up.

A way that was refused says little about the next one: it may have read a table that could not be built, needed a key
that is none, or read more than it saved. Each is verified by itself like the first. On the client's data they are timed
once before, so that only those that pay cost a verification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText, TableName
from heavy_stack.backend.advisor.ports import NotCheckable, QuerySession, RunFailed, RunTimeout
from heavy_stack.backend.advisor.rules.costs import is_faster
from heavy_stack.backend.advisor.verify.cases import Case
from heavy_stack.backend.advisor.verify.real_data import QUERY_LIMIT_S, DesignOnData
from heavy_stack.shared_models.verdicts import Reason

MAX_PASSES = 2
"""How often refused texts are verified anew."""
NEEDED_SHARE = 0.2
"""Of the task's budget: with less time left no further way is begun."""
SPARE_SHARE = 0.005
"""Of the client's bytes. A table that takes more may be given up in the end: then its queries need another way."""
BUILD_SHARE = 0.3
"""Of the time left, for building tables that only further ways read."""
_RETRIED = (Reason.NO_GAIN, Reason.NOT_CHECKABLE, Reason.OUT_OF_TIME)
_RACED = 2
"""Runs of each text when ways are compared; the faster one counts."""


class OtherWays:
    """Chooses what is verified next.

    Args:
        others: The other ways of each text.
        texts: By index.
        built: The design on the client's data; None where that is not compared with.
        storage: The client's bytes.
        open_design: Opens what is built.
        time_left: Seconds left for further ways.
    """

    def __init__(
        self,
        others: Mapping[int, tuple[RewrittenText, ...]],
        texts: Mapping[int, ParsedText],
        built: DesignOnData | None,
        storage: int | None,
        open_design: Callable[[], QuerySession | None],
        time_left: Callable[[], float],
    ) -> None:
        self._others, self._texts, self._built, self._storage = others, texts, built, storage
        self._open_design, self._time_left = open_design, time_left
        self._done: set[tuple[int, int]] = set()

    def next(self, cases: Iterable[Case], *, with_spare: bool) -> list[tuple[RewrittenText, int]]:
        """One further way (and its number) of each text that deserves one.

        Args:
            cases: What is known of each text.
            with_spare: Also of texts that are sent, where their tables may be given up in the end.
        """
        sizes = {each.name: each.bytes for each in self._built.measures} if self._built is not None else {}
        waiting: list[tuple[Case, dict[int, RewrittenText]]] = []
        for case in sorted(cases, key=lambda each: (-each.runs, each.text)):
            ways = {
                number: way
                for number, way in enumerate(self._others.get(case.text, ()), 1)
                if (case.text, number) not in self._done
                and (_may_have_another(case, way) or (with_spare and _may_be_spare(case, way, sizes, self._storage)))
            }
            if ways and self._time_left() > 0:
                waiting.append((case, ways))
        if not waiting:
            return []
        chosen = self._first(waiting) if self._built is None else self._fastest(waiting, self._built)
        self._done |= {(way.text, number) for way, number in chosen}
        return chosen

    def _first(self, waiting: _Waiting) -> list[tuple[RewrittenText, int]]:
        return [(ways[number], number) for _, ways in waiting for number in [min(ways)]]

    def _fastest(self, waiting: _Waiting, built: DesignOnData) -> list[tuple[RewrittenText, int]]:
        """The fastest way of each shape's most often run text, for all of that shape."""
        shapes: dict[str, list[tuple[Case, dict[int, RewrittenText]]]] = {}
        for case, ways in waiting:
            shapes.setdefault(self._texts[case.text].shape or f"text {case.text}", []).append((case, ways))
        models = [group[0] for group in shapes.values()]
        names = {name for _, ways in models for way in ways.values() for name in way.tables}
        built.build(names, max(1.0, self._time_left() * BUILD_SHARE))
        session = self._open_design()
        if session is None:
            return []
        chosen: list[tuple[RewrittenText, int]] = []
        try:
            for group in shapes.values():
                case, ways = group[0]
                possible = {number: way for number, way in ways.items() if built.has_all(way.tables)}
                order = _race(session, case, possible, self._time_left)
                for other, theirs in group:
                    self._done |= {(other.text, number) for number in theirs if number not in order}
                    best = next((number for number in order if number in theirs), None)
                    if best is not None:
                        chosen.append((theirs[best], best))
        finally:
            session.close()
        return chosen


_Waiting = Sequence[tuple[Case, dict[int, RewrittenText]]]


def _may_have_another(case: Case, way: RewrittenText) -> bool:
    """Where rows differed only through other tables: what made them differ is not known."""
    verdict = case.verdict
    if verdict is None:
        return True
    if verdict.reason is Reason.DIFFERENT:
        return not set(way.tables) & set(case.rewritten.tables)
    return not case.is_sent and verdict.reason in _RETRIED


def _may_be_spare(case: Case, way: RewrittenText, sizes: Mapping[TableName, int | None], storage: int | None) -> bool:
    """Whether a way does without a table that the one that is sent reads and that takes much room."""
    saved = set(case.rewritten.tables) - set(way.tables)
    return case.is_sent and any((sizes.get(name) or 0) > SPARE_SHARE * (storage or 0) for name in saved)


def _race(
    session: QuerySession, case: Case, ways: Mapping[int, RewrittenText], time_left: Callable[[], float]
) -> list[int]:
    """Which of these ways (by number) pay on the client's data, the fastest first."""
    before: float | None = None
    found: list[tuple[float, int]] = []
    for number, way in ways.items():
        if time_left() <= 0:
            break
        limit_s = min(QUERY_LIMIT_S, time_left())
        try:
            if before is None:
                before = case.before_s or session.time(case.original, limit_s=limit_s, repeat=_RACED)
            after = min(session.time(way.sql, limit_s=limit_s, repeat=1) for _ in range(_RACED))
        except (NotCheckable, RunFailed, RunTimeout):
            continue
        if is_faster(before, after):
            found.append((after, number))
    return [number for _, number in sorted(found)]
