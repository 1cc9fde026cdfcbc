"""Moves everything that is no date: LIMITs, thresholds, numbers, and members of equalities and lists."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence

from dev_scripts.bench.literals.domains import Domain

Literal = str | int | float
STEPS = (3, 5, 10, 20, 25, 50, 100, 200, 500)
HAVING_FACTORS = (0.5, 0.8, 1.25, 2.0)
OFFSETS = (-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)
RARER = 4
"""A member is replaced by one that is at least a quarter as frequent."""


def draw(*parts: object) -> int:
    """A number that depends on the parts only."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:8], "big")


class Draw:
    """Numbers for one group under one seed."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __call__(self, *more: object) -> int:
        return draw(*self._parts, *more)


def move_values(kind: str, literals: Mapping[str, Literal], domain: Domain | None, pick: Draw) -> dict[str, str]:
    """New texts of those literals that move.

    Args:
        kind: limit, rank, having, number or member.
        literals: The group's literals: their value by text, in the order of the query.
        domain: Of the one column that they are compared with, if there is one.
        pick: The group's chance.
    """
    move = _MOVES[kind]
    moved = move(literals, domain, pick)
    return {raw: text for raw, text in moved.items() if raw != text}


def written(raw: str, value: Literal) -> str:
    """The value as text, in the literal's kind and scale."""
    if raw.startswith("'"):
        return "'" + str(value).replace("'", "''") + "'"
    whole, dot, fraction = raw.partition(".")
    return f"{value:.{len(fraction)}f}" if dot else str(round(float(value)))


def _step(literals: Mapping[str, Literal], _: Domain | None, pick: Draw) -> dict[str, str]:
    """One step along 3, 5, 10, 20 …; beyond the last, half or double."""
    moved = {}
    for raw, value in literals.items():
        number = int(value)
        if number >= STEPS[-1]:
            moved[raw] = str(number // 2 if pick(raw) % 2 else number * 2)
            continue
        near = min(range(len(STEPS)), key=lambda place: abs(STEPS[place] - number))
        steps = {STEPS[max(0, near - 1)], STEPS[min(len(STEPS) - 1, near + 1)]} - {number}
        moved[raw] = str(sorted(steps)[pick(raw) % len(steps)])
    return moved


def _having(literals: Mapping[str, Literal], _: Domain | None, pick: Draw) -> dict[str, str]:
    factor = HAVING_FACTORS[pick() % len(HAVING_FACTORS)]
    moved = {}
    for raw, value in literals.items():
        number = float(value) * factor
        if isinstance(value, int):
            number = round(number) if round(number) != value else value + 1
        moved[raw] = written(raw, number)
    return moved


def _number(literals: Mapping[str, Literal], domain: Domain | None, pick: Draw) -> dict[str, str]:
    """One offset for the whole group, so that a range keeps its width."""
    values = [float(value) for value in literals.values()]
    factor = OFFSETS[pick() % len(OFFSETS)]
    offset = sum(values) / len(values) * factor
    if all(isinstance(value, int) for value in literals.values()):
        offset = float(round(offset) or (1 if factor > 0 else -1))
    if domain is not None and isinstance(domain.low, int | float) and isinstance(domain.high, int | float):
        low, high = domain.low, domain.high
        inside = [value for value in values if low <= value <= high] or values
        fitting = [o for o in (offset, -offset) if low <= min(inside) + o and max(inside) + o <= high]
        if not fitting:
            return {}
        offset = fitting[0]
    if any(value >= 0 > value + offset for value in values):
        return {}
    return {raw: written(raw, float(value) + offset) for raw, value in literals.items()}


def _member(literals: Mapping[str, Literal], domain: Domain | None, pick: Draw) -> dict[str, str]:
    """One member, of more than three a third, becomes a value that the column holds about as often."""
    count = 1 if len(literals) <= 3 else math.ceil(len(literals) / 3)
    chosen = sorted(literals, key=lambda raw: pick("which", raw))[:count]
    if domain is None or not domain.values:
        return {}
    often: Sequence[tuple[Literal, int]] = domain.values
    frequency = {str(value): times for value, times in often}
    taken = {str(value) for value in literals.values()}
    moved = {}
    for raw in chosen:
        least = frequency.get(str(literals[raw]), 0) / RARER
        fresh = [value for value, _ in often if str(value) not in taken]
        candidates = [value for value in fresh if frequency[str(value)] >= least] or fresh
        if candidates:
            value = min(candidates, key=lambda value: pick("new", raw, value))
            taken.add(str(value))
            moved[raw] = written(raw, value)
    return moved


_MOVES: dict[str, Callable[[Mapping[str, Literal], Domain | None, Draw], dict[str, str]]] = {
    "limit": _step,
    "rank": _step,
    "having": _having,
    "number": _number,
    "member": _member,
}
