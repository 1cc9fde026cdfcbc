"""Seconds of texts that stay as they are: they are part of the workload's total time as well."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from heavy_stack.backend.advisor.artefacts import ParsedText
from heavy_stack.backend.advisor.ports import QuerySession
from heavy_stack.backend.advisor.verify.kin import NEEDED_LITERALS
from heavy_stack.backend.advisor.verify.real_data import time_original


@dataclass
class Baseline:
    """Seconds by text.

    Attributes:
        seconds: As measured, or the median of texts of the same shape.
        stands_on: Of how many texts it is the median, for texts that were not measured themselves.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    stands_on: dict[int, int] = field(default_factory=dict)


def time_unchanged(session: QuerySession, texts: Iterable[ParsedText], time_left: Callable[[], float]) -> Baseline:
    """Time these texts in their order; of many texts of one shape only the first few."""
    found = Baseline()
    by_shape: dict[str, list[float]] = {}
    for text in texts:
        known = by_shape.setdefault(text.shape or f"text {text.text}", [])
        if len(known) >= NEEDED_LITERALS:
            found.seconds[text.text] = statistics.median(known)
            found.stands_on[text.text] = len(known)
        elif time_left() > 0:
            seconds = time_original(session, text.sql or text.answer, time_left())
            if seconds is not None:
                found.seconds[text.text] = seconds
                known.append(seconds)
    return found
