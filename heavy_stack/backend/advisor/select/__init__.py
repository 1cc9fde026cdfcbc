"""select: which of the proposed tables are built, by benefit per byte; what is not chosen says why."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import (
    Candidate,
    ParsedWorkload,
    Plan,
    Proposals,
    TableName,
    Workload,
    WorkloadProfile,
)
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.shared_models.verdicts import Reason

__all__ = ["select"]


MAX_TABLES = 100
"""Where the task names no limit: a design that nobody can survey is not kept up to date."""


def select(
    workload: Workload, parsed: ParsedWorkload, profile: WorkloadProfile, proposals: Proposals, ports: Ports
) -> Plan:
    """Choose tables: never more than queries, within the task's limits, the best benefit per byte first."""
    if workload.frozen is not None:
        return Plan(workload.frozen.candidates)
    ports.progress.report(0.0, "Weighing the proposed tables")
    limit = min(len(workload.queries), MAX_TABLES if workload.max_tables is None else workload.max_tables)
    chosen: list[Candidate] = []
    rejected: list[tuple[str, str, str]] = []
    spent = 0
    widths = {table.name: len(table.columns) for table in parsed.tables}
    ordered = sorted(proposals.candidates, key=lambda each: -_benefit_per_byte(each, profile, widths))
    for candidate in ordered:
        why = None
        if len(chosen) >= limit:
            why = f"Only {limit} table{'s' if limit != 1 else ''} may be built, and others save more per byte."
        elif workload.max_storage_bytes is not None:
            size = candidate.bytes
            if size is None:
                why = "Its size is not known, and the task limits the storage."
            elif spent + size > workload.max_storage_bytes:
                why = f"With it the new tables would take more than the {workload.max_storage_bytes:,} bytes allowed."
        if why is None:
            chosen.append(candidate)
            spent += candidate.bytes or 0
        else:
            rejected.append((candidate.id, candidate.rule, why))
    served = {text for candidate in chosen for text in candidate.serves}
    unanswered = dict(proposals.unanswered)
    reasons = dict(proposals.reasons)
    whys = {candidate: why for candidate, _, why in rejected}
    for candidate in proposals.candidates:
        for text in candidate.serves:
            if text not in served and text not in unanswered:
                unanswered[text] = whys[candidate.id]
                reasons[text] = Reason.NO_GAIN
    ports.progress.report(1.0, f"Chose {len(chosen)} tables")
    return Plan(tuple(chosen), tuple(rejected), unanswered, reasons)


def _benefit_per_byte(candidate: Candidate, profile: WorkloadProfile, widths: dict[TableName, int]) -> float:
    """Rows that the workload no longer reads, per byte stored.

    Without statistics: columns that it no longer reads, per column stored; facts are wide where dimensions are not.
    """
    runs = sum(profile.runs.get(text, 0) for text in candidate.serves)
    source = candidate.evidence.get("source_rows")
    if candidate.rows is None or candidate.bytes is None or not isinstance(source, int):
        return runs * max(widths[name] for name in candidate.source_tables) / max(1, len(candidate.columns))
    return runs * max(0, source - candidate.rows) / max(1, candidate.bytes)
