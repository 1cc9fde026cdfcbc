"""Prints the figures of all runs below var/bench as the tables of docs/benchmarks.md.

python -m dev_scripts.bench.summary [ROOT]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
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
)
from dev_scripts.bench.tables_of_figures import shifted_by_cpu

ROOT = Path("var/bench")


def tables(runs: list[Mapping[str, Any]]) -> str:
    """Markdown: headline, score by weighting, baselines, moved literals, verdicts."""
    parts = [_headline(runs), _scores(runs), _baselines(runs), _shifted(runs), _verdicts(runs)]
    return "\n\n".join("\n".join(part) for part in parts)


def _queries(rows: list[dict[str, Any]]) -> list[Measured]:
    return [Measured(**row) for row in rows]


def _headline(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "| workload | rewritten | of the runs | hits (T ≤ 0.7 A) | wrong | tables | storage | build | answer after "
        f"| slowest | below {LOST}× |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for run in runs:
        queries = _queries(run["queries"])
        worst = slowest(queries)
        below = sum(q.rewritten and q.measured and q.ratio < LOST for q in queries)
        rewritten = f"{sum(q.rewritten for q in queries)} of {len(queries)} | {rewritten_share(queries):.0%}"
        yield (
            f"| {run['workload']} | {rewritten} "
            f"| {hit_share(queries):.0%} | {len(wrong(queries))} | {run['tables']} "
            f"| {run['design_bytes'] / run['source_bytes']:.1%} of {run['source_bytes'] / 1e6:.0f} MB "
            f"| {run['build_s']:.0f} s | {run['answer_s']:.0f} s "
            f"| {f'{worst.ratio:.2f}× ({worst.queryid})' if worst else '-'} | {below} |"
        )


def _scores(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| workload | weighted by | x | ΣQA/ΣQT | z_total, y = S/(S+C) | z_new, y = S/C |"
    yield "|---|---|---|---|---|---|"
    for run in runs:
        queries = _queries(run["queries"])
        sizes = run["source_bytes"], run["design_bytes"]
        table = {**score(queries, *sizes), "runs, CPU seconds": score(by_cpu(queries), *sizes)["runs"]}
        for weighting, row in table.items():
            cells = " | ".join("-" if value is None else f"{value:.2f}" for value in row.values())
            yield f"| {run['workload']} | {weighting} | {cells} |"


def _baselines(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| workload | baseline | storage | x | ΣQA/ΣQT | z_total | z_new |"
    yield "|---|---|---|---|---|---|---|"
    for run in runs:
        for name, baseline in run.get("baselines", {}).items():
            row = score(_queries(baseline["queries"]), run["source_bytes"], baseline["bytes"])["runs"]
            cells = " | ".join("-" if value is None else f"{value:.2f}" for value in row.values())
            yield f"| {run['workload']} | {name} | {baseline['bytes'] / run['source_bytes']:.0%} | {cells} |"


def _shifted(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| workload | seed | row filter moved | hard kept | z_shifted | of z_total (by CPU) | hits | wrong |"
    yield "|---|---|---|---|---|---|---|---|"
    for run in runs:
        sizes = run["source_bytes"], run["design_bytes"]
        queries = _queries(run["queries"])
        z_total, z_cpu = (score(timed, *sizes)["runs"]["z_total"] or 1.0 for timed in (queries, by_cpu(queries)))
        for seed, row in run.get("shifted", {}).items():
            kept = "-" if row["hard_kept"] is None else f"{row['hard_kept']:.0%}"
            yield (
                f"| {run['workload']} | {seed} | {row['row_moved_weight']:.0%} of the runs "
                f"| {kept} of {row['hard_weight']:.0%} | {row['z_shifted']:.2f} | {row['z_shifted'] / z_total:.2f} "
                f"({shifted_by_cpu(row, sizes) / z_cpu:.2f}) "
                f"| {row['hit_before']:.0%} → {row['hit_after']:.0%} | {len(row['wrong'])} |"
            )


def _verdicts(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| workload | measured | verdicts |"
    yield "|---|---|---|"
    for run in runs:
        counts = ", ".join(f"{count} {name}" for name, count in verdict_counts(_queries(run["queries"])).items())
        yield f"| {run['workload']} | {run['at']} | {counts} |"


def main() -> int:
    """Command line: the bench's folder."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    files = sorted((root / "runs").glob("*/figures.json"))
    runs = [json.loads(file.read_text()) for file in files]
    print(tables([run for run in runs if "queries" in run]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
