"""Command line: `python -m dev_scripts.bench sample|vault|dashboards|tpch|tpcds|FILE.json [--rows N] …`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dev_scripts.bench import shifted_runs, tables_of_figures
from dev_scripts.bench.figures import Measured
from dev_scripts.bench.measure import Bench, Plan
from dev_scripts.bench.service import Answer, ask, unpack
from dev_scripts.bench.sides import Side, build_design, write_base, write_projection
from dev_scripts.bench.texts import Texts
from dev_scripts.bench.workloads import BenchWorkload, load
from dev_scripts.measure_task import server
from heavy_stack.cli.task_client import TaskClient

ROOT = Path("var/bench")
MANY = 300
"""More queries than this are measured by samples of their shapes."""
PER_SHAPE = 2


class Kept:
    """Figures of one run, written after each step; `--resume` takes what is there."""

    def __init__(self, file: Path, resume: bool) -> None:
        self._file = file
        self.figures: dict[str, Any] = json.loads(file.read_text()) if resume and file.is_file() else {}

    def put(self, **figures: Any) -> None:
        """Add figures and write the file."""
        self.figures |= figures
        self._file.write_text(json.dumps(self.figures, indent=1, ensure_ascii=False))


def run(options: argparse.Namespace) -> int:
    """Measure one workload; returns 1 when a rewrite returned wrong rows."""
    root: Path = options.root.resolve()
    root.mkdir(parents=True, exist_ok=True)
    workload = load(options.workload, options.rows, options.lake, root)
    if options.budget:
        workload.body["options"] = {**workload.body.get("options", {}), "budget_s": options.budget}
    folder = root / "runs" / workload.name
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.json or folder / "figures.json", options.resume)
    (folder / "server").mkdir(exist_ok=True)
    with server(folder / "server", workload.lake) as (_, client):
        answer = _answer(client, workload, folder, options.resume)
        bench, source = _bench(workload, answer, folder, root)
        many = len(bench.texts.queries) > MANY
        plan = Plan(options.rounds, options.per_shape or (PER_SHAPE if many else len(bench.texts.queries)))
        if "queries" not in kept.figures:
            kept.put(
                workload=workload.name,
                answer_s=round(answer.seconds, 1),
                build_s=round(bench.design.build_s, 1),
                tables=bench.design.tables,
                source_bytes=bench.base.bytes,
                design_bytes=bench.design.bytes,
                at=time.strftime("%Y-%m-%d %H:%M"),
            )
            kept.put(queries=[asdict(q) for q in bench.measure(bench.texts.queries, answer, plan)])
        measured = [Measured(**row) for row in kept.figures["queries"]]
        print(tables_of_figures.main_table(kept.figures, measured), flush=True)
        if options.baselines and "baselines" not in kept.figures:
            kept.put(baselines=_baselines(bench, measured, source))
        if "baselines" in kept.figures:
            print(tables_of_figures.baseline_table(kept.figures["baselines"], bench.base.bytes), flush=True)
        for seed in filter(None, options.seeds.split(",")):
            shifted = kept.figures.setdefault("shifted", {})
            if seed not in shifted:
                shifted[seed] = shifted_runs.run(bench, client, workload, answer, measured, seed, plan, folder)
                kept.put(shifted=shifted)
        if kept.figures.get("shifted"):
            print(tables_of_figures.shifted_table(kept.figures, measured), flush=True)
    wrong = tables_of_figures.all_wrong(kept.figures, measured)
    return int(bool(wrong))


def _answer(client: TaskClient, workload: BenchWorkload, folder: Path, resume: bool) -> Answer:
    """The service's answer; kept beside its download, so that a resumed run asks only once."""
    stored, download = folder / "answer.json", folder / "answer.zip"
    if resume and stored.is_file():
        known = json.loads(stored.read_text())
        return Answer(known["task_id"], known["seconds"], known["body"], unpack(download.read_bytes()))
    print(f"{workload.name}: {len(workload.body['queries'])} queries sent", flush=True)
    answer = ask(client, workload.body)
    download.write_bytes(client.download(answer.task_id))
    stored.write_text(json.dumps({"task_id": answer.task_id, "seconds": answer.seconds, "body": answer.body}))
    return answer


def _bench(workload: BenchWorkload, answer: Answer, folder: Path, root: Path) -> tuple[Bench, Path]:
    texts = Texts(workload.body)
    written = root / "written" / workload.name
    base = write_base(texts.tables, workload.lake, written)
    creates = [s["statement"] for s in answer.body["ddl"] if s["statement"].split(None, 2)[1].upper() == "TABLE"]
    design, design_tables = build_design(answer.duckdb, creates, base, folder / "design")
    print(f"design: {design.tables} tables, {design.bytes:,} bytes, {design.build_s:.1f} s", flush=True)
    return Bench(texts, base, design, design_tables, lambda line: print(line, flush=True)), written


def _baselines(bench: Bench, measured: list[Measured], written: Path) -> dict[str, Any]:
    """What no design, a plain copy and a projection give: their bytes, and the originals' times on them."""
    projection = write_projection(bench.texts.tables, bench.texts.columns_read(), bench.base, written)
    # Doing nothing and copying everything leave each time as it is; only the projection has to run.
    same = [asdict(replace(q, after_s=q.before_s, verdict="BASELINE")) for q in measured if q.measured]
    cut = [asdict(q) for q in bench.again(measured, _over(bench.base, projection))]
    return {
        "identity": {"bytes": 0, "queries": same},
        "plain copy": {"bytes": bench.base.bytes, "queries": same},
        "projection": {"bytes": projection.bytes, "queries": cut},
    }


def _over(base: Side, copy: Side) -> Side:
    """The copy's tables in place of the client's; tables of which no column is read stay."""
    return Side({**base.views, **copy.views}, copy.bytes)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="dev_scripts.bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workload")
    parser.add_argument("--rows", help="rows of the largest table; the scale factor of tpch and tpcds")
    parser.add_argument("--lake", type=Path, help="folder of a workload file's tables, if its url names none")
    parser.add_argument("--root", type=Path, default=ROOT, help="where data, texts and figures stay")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--per-shape", type=int, help=f"texts run of each shape; default: all, or {PER_SHAPE} of many")
    parser.add_argument("--seeds", default="1,2,3", help="of moved literals; '' for none")
    parser.add_argument("--no-baselines", dest="baselines", action="store_false")
    parser.add_argument("--budget", type=float, help="seconds that the service may take; default: its own")
    parser.add_argument("--resume", action="store_true", help="go on with the last run's answer and figures")
    parser.add_argument("--json", type=Path, help="where the figures go; default: below the root")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
