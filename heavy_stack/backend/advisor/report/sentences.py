"""The report's sentences for people: headline, as-of line, warnings."""

from __future__ import annotations

from collections.abc import Sequence

from heavy_stack.backend.advisor.artefacts import Workload, WorkloadProfile
from heavy_stack.backend.advisor.report.decisions import Decision
from heavy_stack.backend.advisor.report.score import Gaps
from heavy_stack.shared_models.reports import AsOf, ScoreReport


def headline(workload: Workload, decisions: Sequence[Decision], tables: int, figures: ScoreReport) -> str:
    """How many queries are rewritten, onto how many tables, and what it gains; only measured figures."""
    total = len(workload.queries)
    sent = [query for query in workload.queries if decisions[query.text].rewritten is not None]
    if not sent:
        return f"No rewrite is offered: {_count(total, 'query', 'queries')} answered as sent."
    runs = sum(query.runquantity for query in workload.queries)
    share = ""
    if runs:
        share = f" ({_percent(sum(query.runquantity for query in sent) / runs)} of all runs)"
    text = (
        f"{len(sent)} of {_count(total, 'query', 'queries')} rewritten{share} onto {_count(tables, 'table', 'tables')}"
    )
    if figures.x_equal_weights is None:
        return f"{text}; times were not measured."
    if figures.x is None or figures.sum_ratio is None:  # no query runs at all: there is nothing to weigh
        return f"{text}."
    gain = f"x = {figures.x:.1f} (mean of the ratios), total time {figures.sum_ratio:.1f} times smaller"
    return f"{text}: {gain}{f', z = {figures.z_total:.1f}' if figures.z_total is not None else ''}."


def as_of(profile: WorkloadProfile) -> AsOf:
    """As of when the answer holds: the first line of the report."""
    if profile.reachable and profile.snapshot is not None:
        sentence = (
            f"Equal as of snapshot {profile.snapshot}{f' ({profile.at})' if profile.at else ''}; "
            "stale after the next write: run the refresh statements then."
        )
        return AsOf(kind="snapshot", snapshot=profile.snapshot, at=profile.at, sentence=sentence)
    sentence = (
        "Made from the DDL and the queries alone: no data was read. The new tables hold what the migrations find, and "
        "are stale after the next write: run the refresh statements then."
    )
    return AsOf(kind="no_engine", sentence=sentence)


def gap_warnings(gaps: Gaps) -> list[str]:
    """What the score does not cover."""
    lines: list[str] = []
    if gaps.rewritten:
        lines.append(f"{_count(gaps.rewritten, 'rewritten query', 'rewritten queries')} not measured: in no figure.")
    if gaps.unchanged:
        count = _count(gaps.unchanged, "unchanged query", "unchanged queries")
        lines.append(f"{count} not measured: ratio 1 in x (T = A), left out of ΣQA/ΣQT.")
    if gaps.alike:
        count = _count(gaps.alike, "query", "queries")
        lines.append(f"{count} not timed: counted with the median of texts that differ from them in literals only.")
    return lines


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else "under 1 %"
