"""The figures as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dev_scripts.bench.figures import (
    LOST,
    Measured,
    by_cpu,
    hit_share,
    rewritten_share,
    score,
    slowest,
    verdict_counts,
    wrong,
    y_new,
    y_total,
)

THIN = 0.2
"""Below this share of the run weight with a moved row filter, z_shifted proves little."""


def main_table(figures: Mapping[str, Any], measured: Sequence[Measured]) -> str:
    """The headline figures of one workload."""
    source, design = figures["source_bytes"], figures["design_bytes"]
    worst = slowest(measured)
    below = [q for q in measured if q.rewritten and q.measured and q.ratio < LOST]
    run = sum(q.measured for q in measured)
    lines = [
        f"\n== {figures['workload']}: answered in {figures['answer_s']:.0f} s; {run} of {len(measured)} queries run",
        f"verdicts          {_counts(verdict_counts(measured))}",
        f"rewritten         {sum(q.rewritten for q in measured)} of {len(measured)}, "
        f"{rewritten_share(measured):.1%} of the runs; hits (T ≤ 0.7 A) {hit_share(measured):.1%}",
        f"wrong             {len(wrong(measured))} {', '.join(q.queryid for q in wrong(measured))}",
        f"not compared      {sum(q.rewritten and q.equal is None for q in measured)}",
        f"tables            {figures['tables']}, built in {figures['build_s']:.1f} s",
        f"storage           {design:,} of {source:,} bytes = {design / source:.2%}; "
        f"y = {y_total(source, design):.3f} (S/(S+C)), {_number(y_new(source, design))} (S/C)",
        f"slowest           {f'{worst.queryid} {worst.ratio:.2f}×' if worst else '-'}; "
        f"below {LOST}×: {len(below)} {', '.join(f'{q.queryid} {q.ratio:.2f}' for q in below[:8])}",
        _score_lines({**score(measured, source, design), "runs, CPU": score(by_cpu(measured), source, design)["runs"]}),
    ]
    return "\n".join(lines)


def baseline_table(baselines: Mapping[str, Any], source_bytes: int) -> str:
    """What doing nothing, copying and projecting would score."""
    lines = ["baselines (weighted by runs)"]
    for name, baseline in baselines.items():
        queries = [Measured(**row) for row in baseline["queries"]]
        figures = score(queries, source_bytes, baseline["bytes"])["runs"]
        lines.append(
            f"  {name:<12} x {_number(figures['x'])}  ΣQA/ΣQT {_number(figures['time_ratio'])}  "
            f"storage {baseline['bytes'] / source_bytes:.0%}  z_total {_number(figures['z_total'])}  "
            f"z_new {_number(figures['z_new'])}"
        )
    return "\n".join(lines)


def shifted_table(figures: Mapping[str, Any], measured: Sequence[Measured]) -> str:
    """One line for each seed, and what it proves."""
    sizes = figures["source_bytes"], figures["design_bytes"]
    z_total, z_cpu = (score(queries, *sizes)["runs"]["z_total"] or 1.0 for queries in (measured, by_cpu(measured)))
    lines = ["moved literals, the design frozen"]
    for seed, row in figures["shifted"].items():
        kept = "-" if row["hard_kept"] is None else f"{row['hard_kept']:.1%}"
        shares = f"{row['z_shifted'] / z_total:.2f} z_total ({shifted_by_cpu(row, sizes) / z_cpu:.2f} by CPU)"
        lines += [
            f"  seed {seed}: {row['groups_moved']} of {row['groups']} groups moved, {row['restored']} restored; "
            f"row filter moved: {row['row_moved_weight']:.1%} of the runs; wrong {len(row['wrong'])}",
            f"    hard kept {kept} (of {row['hard_weight']:.1%} of the runs); "
            f"z_shifted {row['z_shifted']:.2f} = {shares}; hit weight {row['hit_before']:.1%} → {row['hit_after']:.1%}",
        ]
        if row["lost"]:
            lines.append(f"    lost: {', '.join(row['lost'][:12])}{' …' if len(row['lost']) > 12 else ''}")
        if row["row_moved_weight"] < THIN:
            lines.append(f"    less than {THIN:.0%} of the weight had a row filter moved: z_shifted proves little here")
    return "\n".join(lines)


def shifted_by_cpu(row: Mapping[str, Any], sizes: tuple[int, int]) -> float:
    """A seed's z_shifted from CPU seconds."""
    return score(by_cpu([Measured(**query) for query in row["queries"]]), *sizes)["runs"]["z_total"] or 1.0


def all_wrong(figures: Mapping[str, Any], measured: Sequence[Measured]) -> list[str]:
    """Every query that returned wrong rows anywhere in the run."""
    found = [q.queryid for q in wrong(measured)]
    for seed, row in figures.get("shifted", {}).items():
        found += [f"{queryid} (seed {seed})" for queryid in row["wrong"]]
    return found


def _score_lines(table: Mapping[str, Mapping[str, float | None]]) -> str:
    lines = ["weighted by            x   ΣQA/ΣQT   z_total     z_new"]
    for name, row in table.items():
        lines.append(f"  {name:<12}" + "".join(f"{_number(row[key]):>10}" for key in row))
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
