"""The field's score and what stands beside it, from measured times; pure arithmetic.

    x = Σ w·A/T / Σ w      z = x · ∛y      y = S/(S+C) (total: the client's tables stay) or S/C (new: they go)

under three weightings w: the run counts, 1 for each query, and load: the run count times A, so the share of the
machine's time that a query takes (`executiontime` in place of A where the workload says it).
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

HIT = 0.7
"""A query counts as hit by the design only if it takes at most this share of its original time."""
LOST = 0.9
"""No rewritten query may be slower than this ratio."""


@dataclass(frozen=True)
class Measured:
    """One query: seconds before and after; `equal` is None where the rows could not be compared.

    Attributes:
        stated_s: The workload's own `executiontime`.
        measured: False for a query that another one of its shape stands for.
        before_cpu_s, after_cpu_s: CPU seconds of all threads; a busy machine disturbs them less.
    """

    queryid: str
    runs: int
    before_s: float
    after_s: float
    verdict: str
    reason: str | None = None
    equal: bool | None = True
    detail: str = ""
    stated_s: float | None = None
    measured: bool = True
    before_cpu_s: float = 0.0
    after_cpu_s: float = 0.0

    @property
    def rewritten(self) -> bool:
        """Whether the design answers it."""
        return self.verdict != "UNCHANGED"

    @property
    def ratio(self) -> float:
        """A/T."""
        return self.before_s / max(self.after_s, 1e-6)

    @property
    def is_hit(self) -> bool:
        """Whether the design makes it clearly faster."""
        return self.rewritten and self.after_s <= HIT * self.before_s


Weight = Callable[[Measured], float]
WEIGHTINGS: dict[str, Weight] = {
    "runs": lambda q: q.runs,
    "equal": lambda q: 1.0,
    "load": lambda q: q.runs * (q.stated_s or q.before_s),
}


def score(queries: Sequence[Measured], source_bytes: int, design_bytes: int) -> dict[str, dict[str, float | None]]:
    """x, ΣQA/ΣQT and z in both readings, for each weighting."""
    total, new = y_total(source_bytes, design_bytes), y_new(source_bytes, design_bytes)
    table: dict[str, dict[str, float | None]] = {}
    for name, weight in WEIGHTINGS.items():
        weights = [weight(q) for q in queries]
        x = sum(w * q.ratio for w, q in zip(weights, queries, strict=True)) / sum(weights)
        before = sum(w * q.before_s for w, q in zip(weights, queries, strict=True))
        after = sum(w * q.after_s for w, q in zip(weights, queries, strict=True))
        table[name] = {
            "x": x,
            "time_ratio": before / max(after, 1e-9),
            "z_total": x * total ** (1 / 3),
            "z_new": x * new ** (1 / 3) if new is not None else None,
        }
    return table


def by_cpu(queries: Sequence[Measured]) -> list[Measured]:
    """The same with CPU seconds of all threads in place of wall seconds; a busy machine disturbs them less."""
    return [replace(q, before_s=q.before_cpu_s, after_s=q.after_cpu_s) for q in queries]


def y_total(source_bytes: int, design_bytes: int) -> float:
    """S/(S+C): the reading that goals are set on."""
    return source_bytes / (source_bytes + design_bytes)


def y_new(source_bytes: int, design_bytes: int) -> float | None:
    """S/C, None for a design of nothing."""
    return source_bytes / design_bytes if design_bytes else None


def hit_share(queries: Sequence[Measured]) -> float:
    """The share of the run weight that the design makes clearly faster."""
    return _share(queries, [q for q in queries if q.is_hit])


def rewritten_share(queries: Sequence[Measured]) -> float:
    """The share of the run weight that is answered from the design."""
    return _share(queries, [q for q in queries if q.rewritten])


def verdict_counts(queries: Sequence[Measured]) -> dict[str, int]:
    """How many queries got which verdict, reasons beside UNCHANGED."""
    return dict(Counter(f"{q.verdict} {q.reason or ''}".strip() for q in queries).most_common())


def slowest(queries: Sequence[Measured]) -> Measured | None:
    """The rewritten query with the worst ratio."""
    return min((q for q in queries if q.rewritten and q.measured), key=lambda q: q.ratio, default=None)


def wrong(queries: Sequence[Measured]) -> list[Measured]:
    """Rewritten queries whose rows differ."""
    return [q for q in queries if q.rewritten and q.equal is False]


def shifted_figures(
    before: Sequence[Measured], after: Sequence[Measured], moved: set[str], row_moved: set[str]
) -> dict[str, Any]:
    """What is left of the hits when the literals have moved and the design has not.

    Args:
        before, after: The same queries, with their own literals and with the moved ones.
        moved: Queries in which any literal moved.
        row_moved: Queries in which a row filter moved.
    """
    later = {q.queryid: q for q in after}
    hard = [q for q in before if q.is_hit and q.queryid in row_moved]
    kept = [q for q in hard if later[q.queryid].is_hit]
    return {
        "moved_weight": _share(before, [q for q in before if q.queryid in moved]),
        "row_moved_weight": _share(before, [q for q in before if q.queryid in row_moved]),
        "hit_before": hit_share(before),
        "hit_after": hit_share(after),
        "hard_weight": _share(before, hard),
        "hard_kept": _share(hard, kept) if hard else None,
        "lost": sorted(q.queryid for q in hard if not later[q.queryid].is_hit),
        "wrong": [q.queryid for q in wrong(after)],
    }


def _share(all_: Sequence[Measured], some: Sequence[Measured]) -> float:
    return sum(q.runs for q in some) / max(1, sum(q.runs for q in all_))


def median(values: Sequence[float]) -> float:
    """The median; of none it is 0."""
    return statistics.median(values) if values else 0.0
