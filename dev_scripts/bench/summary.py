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
    cpu_ratios,
    hit_share,
    rewritten_share,
    score,
    slowest,
    verdict_counts,
    wrong,
)

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
        for weighting, row in score(queries, run["source_bytes"], run["design_bytes"]).items():
            cells = " | ".join("-" if value is None else f"{value:.2f}" for value in row.values())
            yield f"| {run['workload']} | {weighting} | {cells} |"
        x, ratio = cpu_ratios(queries)
        yield f"| {run['workload']} | runs, CPU seconds | {x:.2f} | {ratio:.2f} | | |"


def _baselines(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| workload | baseline | storage | x | ΣQA/ΣQT | z_total | z_new |"
    yield "|---|---|---|---|---|---|---|"
    for run in runs:
        for name, baseline in run.get("baselines", {}).items():
            row = score(_queries(baseline["queries"]), run["source_bytes"], baseline["bytes"])["runs"]
            cells = " | ".join("-" if value is None else f"{value:.2f}" for value in row.values())
            yield f"| {run['workload']} | {name} | {baseline['bytes'] / run['source_bytes']:.0%} | {cells} |"


def _shifted(runs: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| workload | seed | row filter moved | hard kept | z_shifted | of z_total | hits before → after | wrong |"
    yield "|---|---|---|---|---|---|---|---|"
    for run in runs:
        z_total = score(_queries(run["queries"]), run["source_bytes"], run["design_bytes"])["runs"]["z_total"] or 1.0
        for seed, row in run.get("shifted", {}).items():
            kept = "-" if row["hard_kept"] is None else f"{row['hard_kept']:.0%}"
            yield (
                f"| {run['workload']} | {seed} | {row['row_moved_weight']:.0%} of the runs "
                f"| {kept} of {row['hard_weight']:.0%} | {row['z_shifted']:.2f} | {row['z_shifted'] / z_total:.2f} "
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
