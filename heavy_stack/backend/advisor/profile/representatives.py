"""Which texts the design is made for: a few of each shape, with the runs of all of it.

What tables a text needs is decided by its shape, apart from literals that a table may hold (a side of a flag): so every
value of a literal that has few values in the log has a representative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from heavy_stack.backend.advisor.artefacts import ParsedText
from heavy_stack.backend.advisor.sql.literal_sites import shape_of
from heavy_stack.backend.advisor.sql.parsing import tokens_of

FEW_TEXTS = 2
"""A shape of so few texts is represented by all of them."""
FEW_VALUES = 3
"""A column of at most so many values is a flag; a literal of more values in the log belongs to none."""
MAX_PER_SHAPE = 6
MANY = 150
"""Above so many representatives, the design is made for the heavy ones only."""
HEAVY_SHARE = 0.95
"""Of all runs."""


def design_runs(texts: Iterable[ParsedText], runs: Mapping[int, int]) -> dict[int, int]:
    """Runs by representative text: those of all texts that it stands for. The heavy 95 % where there are many."""
    shapes: dict[str, list[ParsedText]] = {}
    for text in sorted(texts, key=lambda each: (-runs.get(each.text, 0), each.text)):
        if text.sql is not None:
            shapes.setdefault(text.shape or f"text {text.text}", []).append(text)
    found = Counter[int]()
    for group in shapes.values():
        for number, stands_for in _represented(group).items():
            found[number] += sum(runs.get(each, 0) for each in stands_for)
    heaviest = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    if len(heaviest) <= MANY:
        return dict(heaviest)
    kept: dict[int, int] = {}
    left = sum(found.values()) * HEAVY_SHARE
    for number, weight in heaviest:
        if left <= 0 and len(kept) >= MANY:
            break
        kept[number] = weight
        left -= weight
    return kept


def _represented(group: list[ParsedText]) -> dict[int, list[int]]:
    """Texts of one shape, the often run ones first, by the one that stands for them."""
    if len(group) <= FEW_TEXTS:
        return {text.text: [text.text] for text in group}
    values = [[site.values for site in shape_of(tokens_of(text.sql or "")).sites] for text in group]
    if len({len(each) for each in values}) != 1:
        return {text.text: [text.text] for text in group}
    deciding = [place for place in range(len(values[0])) if 1 < len({each[place] for each in values}) <= FEW_VALUES]
    by_values: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for text, each in zip(group, values, strict=True):
        by_values.setdefault(tuple(each[place] for place in deciding), []).append(text.text)
    chosen: dict[int, list[int]] = {}
    seen: set[tuple[int, tuple[str, ...]]] = set()
    rest: list[int] = []
    for key, numbers in by_values.items():
        new = set(enumerate(key)) - seen
        if not chosen or (new and len(chosen) < MAX_PER_SHAPE):
            chosen[numbers[0]] = numbers
            seen |= new
        else:
            rest += numbers
    heaviest = next(iter(chosen))
    chosen[heaviest] = chosen[heaviest] + rest
    return chosen
