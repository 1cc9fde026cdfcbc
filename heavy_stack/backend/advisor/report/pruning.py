"""Tables that lower the measured worth of the design are given up; texts that read them are sent another way or stay.

The selection went by estimates. Once everything is measured, a table whose bytes cost more than it saves is left out:
worth is the same as there, ∛(x · g · ΣQA/ΣQT) · ∛(S/(S+C)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from heavy_stack.backend.advisor.artefacts import DesignTable, Rewrite, Verdicts, Workload
from heavy_stack.backend.advisor.report.decisions import Decision, tables_read
from heavy_stack.backend.advisor.rules.costs import storage_allowed

MARGIN = 1.005
"""A table is given up only where the design is worth clearly more without it: times are measured, not exact, and a
query that is answered is worth something to those who wait for it."""


@dataclass(frozen=True)
class Pruned:
    """What is left.

    Attributes:
        decisions: By text index.
        dropped: Tables given up, and why.
    """

    decisions: list[Decision]
    dropped: tuple[tuple[DesignTable, str], ...] = ()


def prune(
    workload: Workload, rewrite: Rewrite, verdicts: Verdicts, decisions: list[Decision], storage: int | None
) -> Pruned:
    """Drop tables one by one while the design gets better, and on until it keeps within the storage allowed.

    Nothing is dropped where times or sizes are not known.

    Args:
        workload: For the run quantities; a frozen design is not touched.
        rewrite: The tables.
        verdicts: Their sizes as built.
        decisions: One for each text.
        storage: S, bytes of the client's tables.
    """
    sizes = {measure.name: measure.bytes for measure in verdicts.tables}
    runs = [0] * len(decisions)
    for query in workload.queries:
        runs[query.text] += query.runquantity
    if workload.frozen is not None or storage is None or storage <= 0 or not any(runs):
        return Pruned(decisions)
    allowed = storage_allowed(workload.max_storage_bytes, storage)
    dropped: list[tuple[DesignTable, str]] = []
    while True:
        tables = tables_read(decisions, rewrite)
        if any(sizes.get(table.name) is None for table in tables):
            return Pruned(decisions, tuple(dropped))
        known = {table.name: sizes[table.name] or 0 for table in tables}
        size = sum(known.values())
        now = _worth(decisions, runs, size, storage)
        paying: tuple[float, DesignTable, list[Decision]] | None = None
        least: tuple[float, DesignTable, list[Decision]] | None = None
        for table in tables:
            without = [decision.without(table.name) for decision in decisions]
            left = {each.name for each in tables_read(without, rewrite)}
            worth = _worth(without, runs, sum(sizes.get(name) or 0 for name in left), storage)
            if worth > now * MARGIN and (paying is None or worth > paying[0]):
                paying = worth, table, without
            # For the bytes that have to go; what is more than these counts for nothing.
            lost = math.log(now / worth) / max(1, min(known[table.name], size - allowed))
            if least is None or lost < least[0]:
                least = lost, table, without
        if paying is not None:
            _, table, decisions = paying
            share = 100 * known[table.name] / storage
            why = f"Measured, its {share:.1f} % of the storage cost more than the queries on it save."
        elif least is not None and size > allowed:
            _, table, decisions = least
            why = f"As built, the tables take more than the {allowed:,} bytes allowed; this one saves least for its."
        else:
            return Pruned(decisions, tuple(dropped))
        dropped.append((table, why))


def _worth(decisions: Sequence[Decision], runs: Sequence[int], new_bytes: int, storage: int) -> float:
    weight = ratios = logs = before = after = 0.0
    for decision, times in zip(decisions, runs, strict=True):
        before_s, after_s = decision.weighed_s
        if decision.rewritten is not None and (before_s is None or not after_s):
            continue  # sent without a measured time: in no figure
        ratio = before_s / after_s if before_s and after_s else 1.0
        weight += times
        ratios += times * ratio
        logs += times * math.log(ratio)
        if before_s is not None and after_s is not None:
            before += times * before_s
            after += times * after_s
    x = ratios / weight if weight else 1.0
    sum_ratio = before / after if after > 0 else 1.0
    geometric = math.exp(logs / weight) if weight else 1.0
    return math.cbrt(x * geometric * sum_ratio) * math.cbrt(storage / (storage + new_bytes))
