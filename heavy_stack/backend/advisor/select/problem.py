"""From proposals to numbers: which tables may be chosen at all, and what each text would gain from them."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.backend.advisor.artefacts import Candidate, ParsedWorkload, Proposals, Workload, WorkloadProfile
from heavy_stack.backend.advisor.rules.costs import FLOOR_S, MAX_STORAGE_SHARE, storage_allowed
from heavy_stack.backend.advisor.select.model import Block, Demand, Limits, Problem

MAX_TABLES = 100
"""Where the task names no limit: a design that nobody can survey is not kept up to date."""
MAX_PARTITIONS = 100
"""Trino writes at most so many partitions in one INSERT."""
BUILD_SHARE = 0.3
"""Of the task's time, for building where the design is built to be checked."""
BUILD_FACTOR = 3.0
"""Filling a table takes so many times the reading that it saves: it groups all rows, writes and sorts."""
UNKNOWN_SHARE = 0.001
"""Of the storage, for a table of unknown size: enough to prefer fewer tables."""
UNRUN_WEIGHT = 0.001
"""Runs of a text that is never run: it may be answered, but nothing is paid for that."""


def storage_of(parsed: ParsedWorkload, profile: WorkloadProfile) -> int | None:
    """S: bytes of all tables of the DDL; None when one is unknown."""
    total = 0
    for table in parsed.tables:
        facts = profile.facts.get(str(table.name))
        if facts is None or facts.bytes is None:
            return None
        total += facts.bytes
    return total or None


def limits_of(workload: Workload, storage: int | None) -> Limits:
    """What the task allows, and where it says nothing, what a design may take anyway."""
    tables = min(len(workload.queries), MAX_TABLES if workload.max_tables is None else workload.max_tables)
    allowed = workload.max_storage_bytes
    if allowed is None and storage is not None:
        allowed = storage_allowed(None, storage)
    build_s = workload.budget_s * BUILD_SHARE if workload.verify == "engine" and storage is not None else None
    return Limits(tables, None if allowed is None else float(allowed), build_s)


def why_impossible(candidate: Candidate, workload: Workload, limits: Limits) -> str | None:
    """Why a table cannot be chosen whatever else is; None where it can."""
    if workload.max_storage_bytes is not None and candidate.bytes is None:
        return "Its size is not known, and the task limits the storage."
    if limits.bytes is not None and candidate.bytes is not None and candidate.bytes > limits.bytes:
        return f"It alone would take about {candidate.bytes:,} of the {int(limits.bytes):,} bytes allowed."
    partitions = candidate.evidence.get("partitions")
    if isinstance(partitions, int) and partitions > MAX_PARTITIONS:
        return f"It would have {partitions:,} partitions, more than one INSERT may write."
    if not any(saving.after_s < saving.before_s for saving in candidate.savings):
        return "Reading it would take no less than reading the tables that it stands for."
    return None


def problem_of(
    candidates: Sequence[Candidate], proposals: Proposals, profile: WorkloadProfile, storage: int | None, limits: Limits
) -> Problem:
    """The choice among these candidates, known by their place."""
    blocks: dict[int, dict[int, dict[int, tuple[float, float]]]] = {}
    for place, candidate in enumerate(candidates):
        for saving in candidate.savings:
            if saving.after_s < saving.before_s:
                of_text = blocks.setdefault(saving.text, {})
                of_text.setdefault(saving.block, {})[place] = (saving.before_s, saving.after_s)
    texts = sorted({*profile.runs, *blocks, *proposals.text_s})
    runs = {text: weight_of(profile.runs.get(text, 0)) for text in texts}
    seconds = {text: _total_s(text, blocks.get(text, {}), proposals) for text in texts}
    # Without the storage, tables only count: each takes a little of a nominal one, or of what the task allows.
    size = float(storage) if storage is not None else (limits.bytes or 0.0) / MAX_STORAGE_SHARE or 1.0
    sized = storage is not None or limits.bytes is not None
    return Problem(
        bytes=tuple(
            float(each.bytes) if sized and each.bytes is not None else UNKNOWN_SHARE * size for each in candidates
        ),
        build_s=tuple(_build_s(each) for each in candidates),
        demands=tuple(_demands(blocks, runs, seconds)),
        rest_weight=sum(runs[text] for text in texts if text not in blocks),
        rest_s=sum(runs[text] * seconds[text] for text in texts if text not in blocks),
        storage=size,
        limits=limits,
    )


def weight_of(runs: int) -> float:
    """What a text with so many runs counts."""
    return max(float(runs), UNRUN_WEIGHT)


def _total_s(text: int, blocks: dict[int, dict[int, tuple[float, float]]], proposals: Proposals) -> float:
    """A text's seconds as it stands: never less than what its blocks alone take."""
    own = sum(max(before for before, _ in offers.values()) for offers in blocks.values())
    return max(proposals.text_s.get(text, FLOOR_S), FLOOR_S + own)


def _build_s(candidate: Candidate) -> float:
    told = candidate.evidence.get("build_s")
    if isinstance(told, (int, float)):
        return float(told)
    return BUILD_FACTOR * max((saving.before_s for saving in candidate.savings), default=0.0)


def _demands(
    blocks: dict[int, dict[int, dict[int, tuple[float, float]]]], runs: dict[int, float], seconds: dict[int, float]
) -> list[Demand]:
    """Texts that differ in nothing that decides are one demand, so that a month's log stays a small problem."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for text in sorted(blocks):
        shape = sorted(
            tuple((table, _rough(before), _rough(after)) for table, (before, after) in sorted(offers.items()))
            for offers in blocks[text].values()
        )
        groups.setdefault((_rough(seconds[text]), *shape), []).append(text)
    found: list[Demand] = []
    for texts in groups.values():
        own = [
            Block(
                max(before for before, _ in offers.values()),
                {table: after for table, (_, after) in sorted(offers.items())},
            )
            for _, offers in sorted(blocks[texts[0]].items())
        ]
        found.append(Demand(tuple(texts), sum(runs[text] for text in texts), seconds[texts[0]], tuple(own)))
    return found


def _rough(seconds: float) -> str:
    return f"{seconds:.2g}"
