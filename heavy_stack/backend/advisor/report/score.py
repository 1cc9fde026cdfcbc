"""The field's score (contract, "The score the field uses") in all readings, from measured figures only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heavy_stack.backend.advisor.artefacts import DesignTable, ParsedWorkload, Verdicts, Workload, WorkloadProfile
from heavy_stack.backend.advisor.report.decisions import Decision
from heavy_stack.shared_models.reports import ScoreReport

NOT_MEASURED = ScoreReport()


@dataclass(frozen=True)
class Gaps:
    """What the score leaves out.

    Attributes:
        rewritten: Queryids answered by a rewrite whose time was not measured; they are in no figure.
        unchanged: Queryids answered unchanged whose time was not measured; they count as ratio 1 in x (T = A by
            definition), and are left out of ΣQA/ΣQT.
        alike: Queryids whose times are medians of other texts that differ in literals only.
    """

    rewritten: int = 0
    unchanged: int = 0
    alike: int = 0


@dataclass(frozen=True)
class _Line:
    weight: float
    ratio: float
    before_s: float | None
    after_s: float | None


def score(
    workload: Workload, decisions: Sequence[Decision], storage_before: int | None, storage_new: int | None
) -> tuple[ScoreReport, Gaps]:
    """x, ΣQA/ΣQT, y and z weighted by runs, and again with every queryid weighing the same.

    Args:
        workload: For the queryids and their run quantities.
        decisions: By text index.
        storage_before: S, bytes of all tables of the DDL; None when unknown.
        storage_new: C, bytes of the tables that are sent; None when one was not measured.
    """
    rewritten = unchanged = 0
    lines: list[_Line] = []
    equal: list[_Line] = []
    for query in workload.queries:
        decision = decisions[query.text]
        ratio = decision.ratio
        if ratio is None and decision.rewritten is not None:
            rewritten += 1
            continue
        unchanged += ratio is None
        known = 1.0 if ratio is None else ratio
        lines.append(_Line(query.runquantity, known, decision.before_s, decision.after_s))
        equal.append(_Line(1.0, known, decision.before_s, decision.after_s))
    alike = sum(decisions[query.text].measured_texts is not None for query in workload.queries)
    gaps = Gaps(rewritten, unchanged, alike)
    if all(decision.before_s is None for decision in decisions) or all(line.before_s is None for line in lines):
        return NOT_MEASURED, gaps
    x, x_equal = _mean_ratio(lines), _mean_ratio(equal)
    y_total, y_new = _storage_ratios(storage_before, storage_new)
    return (
        ScoreReport(
            x=x,
            sum_ratio=_sum_ratio(lines),
            y_total=y_total,
            y_new=y_new,
            z_total=_z(x, y_total),
            z_new=_z(x, y_new),
            x_equal_weights=x_equal,
            sum_ratio_equal_weights=_sum_ratio(equal),
            z_total_equal_weights=_z(x_equal, y_total),
            z_new_equal_weights=_z(x_equal, y_new),
        ),
        gaps,
    )


def storage_before(parsed: ParsedWorkload, profile: WorkloadProfile, verdicts: Verdicts) -> int | None:
    """S: bytes of all tables of the DDL, as verify measured them, else from the engine's facts if it has them all."""
    if verdicts.storage_before_bytes is not None:
        return verdicts.storage_before_bytes
    sizes = [profile.facts[str(t.name)].bytes if str(t.name) in profile.facts else None for t in parsed.tables]
    return _total(sizes) if sizes else None


def storage_new(tables: Sequence[DesignTable], verdicts: Verdicts) -> int | None:
    """C: bytes of these tables as built; None when one of them was not."""
    built = {measure.name: measure.bytes for measure in verdicts.tables}
    return _total([built.get(table.name) for table in tables])


def _total(sizes: Iterable[int | None]) -> int | None:
    known = 0
    for size in sizes:
        if size is None:
            return None
        known += size
    return known


def _mean_ratio(lines: Sequence[_Line]) -> float | None:
    weight = sum(line.weight for line in lines)
    return sum(line.weight * line.ratio for line in lines) / weight if weight > 0 else None


def _sum_ratio(lines: Sequence[_Line]) -> float | None:
    before = after = 0.0
    for line in lines:
        if line.before_s is not None and line.after_s is not None:
            before += line.weight * line.before_s
            after += line.weight * line.after_s
    return before / after if after > 0 else None


def _storage_ratios(before: int | None, new: int | None) -> tuple[float | None, float | None]:
    if before is None or new is None or before <= 0:
        return None, None
    return before / (before + new), before / new if new > 0 else None


def _z(x: float | None, y: float | None) -> float | None:
    return x * y ** (1 / 3) if x is not None and y is not None else None
