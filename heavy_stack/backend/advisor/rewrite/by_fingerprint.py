"""Rewriting once per shape: the texts that share one differ in literals, and so do their rewrites.

A few texts of a shape are rewritten in full. Where their rewrites are alike but for literals, and each literal that
differs is one of the text's own, the others are made from them by putting their literals in. On any doubt a text is
rewritten in full:

- a literal that no text rewritten so far had otherwise, or that could come from two places;
- a literal of the rewrite that is none of the text's own (a date that was computed): the whole shape;
- a number that is a multiple of fewer round steps than those before it, or of one that none of them was;
- characters that are not printed as they are.

And every so often one is rewritten in full all the same: where that shows something else, none of the shape is derived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import ParsedText, RewrittenText
from heavy_stack.backend.advisor.sql.literal_sites import Site, round_steps, shape_of
from heavy_stack.backend.advisor.sql.parsing import tokens_of
from heavy_stack.backend.advisor.sql.printed_literals import PrintedText, Value, printed_text, spelled

NEEDED_SAMPLES = 3
"""Texts rewritten in full before another one is derived from them."""
AUDIT_EVERY = 50
FEW_VALUES = 16
"""A literal of so few values in all texts may be one that a table has a column for: then it is held fixed."""
MAX_HELD = 6

Outcome = RewrittenText | str
_CONSTANT = -1


def by_shape(texts: Iterable[ParsedText], runs: Mapping[int, int]) -> list[list[ParsedText]]:
    """Texts of one shape together, the most often run shape first, and within it the most often run text."""
    groups: dict[str, list[ParsedText]] = {}
    weights = Counter[str]()
    for text in sorted(texts, key=lambda each: (-runs.get(each.text, 0), each.text)):
        key = text.shape or f"text {text.text}"
        groups.setdefault(key, []).append(text)
        weights[key] += runs.get(text.text, 0)
    return sorted(groups.values(), key=lambda group: -weights[group[0].shape or f"text {group[0].text}"])


def rewrite_alike(
    group: Sequence[ParsedText], rewrite_one: Callable[[ParsedText], Outcome]
) -> Iterator[tuple[ParsedText, Outcome]]:
    """The outcome of each text of one shape, as `rewrite_one` would give it."""
    done: dict[int, Outcome] = {}

    def in_full(text: ParsedText) -> Outcome:
        if text.text not in done:
            done[text.text] = rewrite_one(text)
        return done[text.text]

    if len(group) <= NEEDED_SAMPLES:
        yield from ((text, in_full(text)) for text in group)
        return
    texts = [(text, shape_of(tokens_of(text.sql or "")).sites) for text in group]
    for held in _held(texts):
        found = _derived(texts, held, in_full)
        if found is not None:
            yield from found
            return
    yield from ((text, in_full(text)) for text in group)


_Texts = Sequence[tuple[ParsedText, tuple[Site, ...]]]


def _held(texts: _Texts) -> Iterator[tuple[int, ...]]:
    """Which sites to hold fixed, in the order in which to try: none, each of few values alone, these together."""
    yield ()
    if len({len(sites) for _, sites in texts}) != 1:
        return
    counts = [(len({sites[place].values for _, sites in texts}), place) for place in range(len(texts[0][1]))]
    few = [place for count, place in sorted(counts) if 1 < count <= FEW_VALUES][:MAX_HELD]
    yield from ((place,) for place in few)
    if len(few) > 1:
        yield tuple(few)


def _derived(
    texts: _Texts, held: tuple[int, ...], in_full: Callable[[ParsedText], Outcome]
) -> list[tuple[ParsedText, Outcome]] | None:
    """All outcomes; None where the texts rewritten in full are not alike while these sites are held."""
    patterns: dict[tuple[tuple[str, ...], ...], _Pattern] = {}
    found: list[tuple[ParsedText, Outcome]] = []
    for number, (text, sites) in enumerate(texts):
        key = tuple(sites[place].values for place in held)
        pattern = patterns.get(key)
        outcome = None
        if pattern is not None and pattern.samples >= NEEDED_SAMPLES and number % AUDIT_EVERY:
            outcome = pattern.filled(text, sites)
        if outcome is None:
            outcome = in_full(text)
            if pattern is None:
                patterns[key] = _Pattern(sites, outcome)
            elif not pattern.learn(sites, outcome):
                return None
        found.append((text, outcome))
    return found


class _Pattern:
    """What the rewrites of a shape's texts have in common."""

    def __init__(self, sites: Sequence[Site], outcome: Outcome) -> None:
        self.outcome = outcome
        self.kinds = [site.kind for site in sites]
        self.printed = _printed(outcome)
        self.samples = 1
        self.seen = [{site.values} for site in sites]
        self.steps_of_all = [round_steps(site) for site in sites]
        self.steps_of_any = list(self.steps_of_all)
        values = _values(sites)
        # Each literal's possible origins: the sites that have had its value in every sample so far.
        self.origins = [
            {_CONSTANT, *(place for place, value in enumerate(values) if value == literal.value)}
            for literal in self.printed.literals
        ]

    def learn(self, sites: Sequence[Site], outcome: Outcome) -> bool:
        """Take another rewrite into account; False where it is not alike."""
        if [site.kind for site in sites] != self.kinds or not _agree(self.outcome, outcome):
            return False
        printed = _printed(outcome)
        if printed.rest != self.printed.rest or not printed.plain:
            return False
        values = _values(sites)
        for number, (first, literal) in enumerate(zip(self.printed.literals, printed.literals, strict=True)):
            self.origins[number] = {
                place
                for place in self.origins[number]
                if (literal.value == first.value if place == _CONSTANT else literal.value == values[place])
            }
            if not self.origins[number]:
                return False
        self.samples += 1
        for place, site in enumerate(sites):
            steps = round_steps(site)
            self.seen[place].add(site.values)
            self.steps_of_all[place] &= steps
            self.steps_of_any[place] |= steps
        return True

    def filled(self, text: ParsedText, sites: Sequence[Site]) -> Outcome | None:
        """The text's rewrite; None where there is any doubt about it."""
        if [site.kind for site in sites] != self.kinds or not self.printed.plain:
            return None
        if not all(self._is_ordinary(place, site) for place, site in enumerate(sites)):
            return None
        if isinstance(self.outcome, str):
            return self.outcome
        values = _values(sites)
        sql, at, parts = self.outcome.sql, 0, []
        for literal, origins in zip(self.printed.literals, self.origins, strict=True):
            meant = {literal.value if place == _CONSTANT else values[place] for place in origins}
            if len(meant) != 1:
                return None
            parts += [sql[at : literal.start], spelled(meant.pop())]
            at = literal.end
        return replace(self.outcome, text=text.text, sql="".join([*parts, sql[at:]]))

    def _is_ordinary(self, place: int, site: Site) -> bool:
        """Whether the samples say what a rewrite does with this literal."""
        if site.values in self.seen[place]:
            return True
        if len(self.seen[place]) == 1 or not all(value.isprintable() and "\\" not in value for value in site.values):
            return False
        return self.steps_of_all[place] <= round_steps(site) <= self.steps_of_any[place]


def _printed(outcome: Outcome) -> PrintedText:
    return PrintedText((), (), True) if isinstance(outcome, str) else printed_text(outcome.sql)


def _values(sites: Sequence[Site]) -> list[Value]:
    return [(site.quoted, site.values) for site in sites]


def _agree(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are the same but for the text and its SQL."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return replace(one, text=0, sql="") == replace(other, text=0, sql="")
