"""The texts of one shape in all ways: first the first way of every text, then the others that ask for nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText, TableName
from heavy_stack.backend.advisor.ports import Deadline
from heavy_stack.backend.advisor.rewrite.by_fingerprint import rewrite_alike
from heavy_stack.backend.advisor.rewrite.chain import MAX_WAYS, Chain, Way

TIME_SHARE = 0.3
"""Of the time left, for rewriting; verification needs the rest. The often run texts come first."""
OTHERS_SHARE = 0.1
"""Of the time left, for the other ways: they matter where the first one fails."""
_NO_TIME = "The time for rewriting ended before this text."
_SLOWER = "When it was tried, it was no faster, or too little, on the tables of the design."
_NO_WAY = "There is no other way."


class AllWays:
    """Rewrites groups of texts that share a shape.

    Args:
        chain: Rewrites one text.
        deadline: The task's.
        fastest: By text, the candidates on which it was fastest when they were tried: the way on these comes first.
            Where there are none, it was on no table fast enough.

    Attributes:
        first: The text's first way, by text.
        others: The other ways, in their order, by text.
        failed: Why there is none, by text.
        columns: Pre-joined table → the columns of it that first ways read.
    """

    def __init__(self, chain: Chain, deadline: Deadline, fastest: Mapping[int, Collection[str]]) -> None:
        self._chain, self._deadline, self._fastest = chain, deadline, fastest
        self._until = deadline.left_s() * (1 - TIME_SHARE)
        self._done: dict[int, tuple[Way, ...] | str] = {}
        self.first: dict[int, RewrittenText] = {}
        self.others: dict[int, tuple[RewrittenText, ...]] = {}
        self.failed: dict[int, str] = {}
        self.columns: dict[TableName, set[str]] = {}

    def rewrite(self, group: Sequence[ParsedText]) -> None:
        """The first way of each text of one shape."""
        for text, outcome in rewrite_alike(group, self._first):
            if isinstance(outcome, str):
                self.failed[text.text] = outcome
            else:
                self.first[text.text] = outcome

    def add_others(self, groups: Iterable[Sequence[ParsedText]]) -> None:
        """The other ways, once the first ones of all texts are known; only where a shape has any.

        No table gets a column for a way that is taken when another one fails: most never are.
        """
        self._until = self._deadline.left_s() * (1 - OTHERS_SHARE)
        read = {name for text in self.first.values() for name in text.tables}
        for group in groups:
            most = max(len(self._spare(text, read)) for text in group)
            for place in range(min(most, MAX_WAYS - 1)):

                def nth(text: ParsedText, place: int = place) -> RewrittenText | str:
                    self._ways(text)
                    spare = self._spare(text, read)
                    return spare[place] if place < len(spare) else _NO_WAY

                for text, outcome in rewrite_alike([text for text in group if text.text in self.first], nth):
                    if not isinstance(outcome, str):
                        self.others[text.text] = (*self.others.get(text.text, ()), outcome)

    def _first(self, text: ParsedText) -> RewrittenText | str:
        ways = self._ways(text)
        if isinstance(ways, str):
            return ways
        for name, columns in ways[0].columns.items():
            self.columns.setdefault(name, set()).update(columns)
        return ways[0].rewritten

    def _ways(self, text: ParsedText) -> tuple[Way, ...] | str:
        if text.text not in self._done:
            in_time = self._deadline.left_s() >= self._until
            self._done[text.text] = self._all(text) if in_time else _NO_TIME
        return self._done[text.text]

    def _all(self, text: ParsedText) -> tuple[Way, ...] | str:
        fastest = self._fastest.get(text.text)
        if fastest is not None and not fastest:
            return _SLOWER
        ways = self._chain.ways(text)
        if fastest is None:
            return ways
        first = self._chain.only(fastest).ways(text)
        if isinstance(first, str):
            return ways
        rest = () if isinstance(ways, str) else ways
        both = {way.rewritten.sql: way for way in (first[0], *rest, *first[1:])}
        return tuple(both.values())[:MAX_WAYS]

    def _spare(self, text: ParsedText, read: set[TableName]) -> list[RewrittenText]:
        """The other ways of a text that has been rewritten in full."""
        ways = self._done.get(text.text, ())
        if isinstance(ways, str):
            return []
        return [way.rewritten for way in ways[1:] if self._is_held(way.columns, read)]

    def _is_held(self, columns: Mapping[TableName, frozenset[str]], read: set[TableName]) -> bool:
        return all(columns[name] <= self.columns.get(name, set()) for name in columns if name in read)
