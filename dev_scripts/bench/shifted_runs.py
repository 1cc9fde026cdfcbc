"""The queries with moved literals on the frozen design: submitted as a new task, then measured like the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb

from dev_scripts.bench import fresh
from dev_scripts.bench.figures import Measured, score, shifted_figures
from dev_scripts.bench.literals.domains import Domain, from_json, look, to_json
from dev_scripts.bench.literals.shift import Census, Shifted, shift
from dev_scripts.bench.measure import Bench, Plan
from dev_scripts.bench.service import Answer, ask
from dev_scripts.bench.sides import Side
from dev_scripts.bench.texts import Texts
from dev_scripts.bench.workloads import BenchWorkload
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.cli.task_client import TaskClient


def run(
    bench: Bench,
    client: TaskClient,
    workload: BenchWorkload,
    answer: Answer,
    measured: Sequence[Measured],
    seed: str,
    plan: Plan,
    folder: Path,
) -> dict[str, Any]:
    """The figures of one seed."""
    shifted = moved_workload(bench, workload, seed, folder)
    queries = [{**query, "query": shifted.texts[query["queryid"]]} for query in workload.body["queries"]]
    (folder / f"shifted-{seed}.json").write_text(json.dumps({**workload.body, "queries": queries}, indent=1))
    print(
        f"\nseed {seed}: {shifted.groups_moved} of {shifted.groups} groups in {len(shifted.moved)} queries", flush=True
    )
    options = {**workload.body.get("options", {}), "design": answer.task_id}
    later = ask(client, {**workload.body, "queries": queries, "options": options})
    texts = Texts({**workload.body, "queries": queries})
    after = _measure(replace(bench, texts=texts), later, answer, measured, plan)
    figures = shifted_figures(measured, after, set(shifted.moved), set(shifted.row_moved))
    scores = score(after, bench.base.bytes, bench.design.bytes)
    return {
        **figures,
        "groups": shifted.groups,
        "groups_moved": shifted.groups_moved,
        "restored": len(shifted.restored),
        "answer_s": round(later.seconds, 1),
        "z_shifted": scores["runs"]["z_total"],
        "score": scores,
        "queries": [asdict(q) for q in after],
    }


def moved_workload(bench: Bench, workload: BenchWorkload, seed: str, folder: Path) -> Shifted:
    """The workload's texts with half of their groups of literals moved."""
    census = Census({q["queryid"]: q["query"] for q in workload.body["queries"]}, Catalog(bench.texts.tables))
    domains = _domains(census, bench, folder)
    rows = Rows(bench.texts, bench.base, folder / "rows.json")
    try:
        return shift(
            census, domains, seed, lambda queryid, text: rows.any(census.texts[queryid]) and not rows.any(text)
        )
    finally:
        rows.close()


def _domains(census: Census, bench: Bench, folder: Path) -> dict[str, Domain]:
    """Taken once from the data."""
    file = folder / "domains.json"
    if file.is_file():
        return from_json(json.loads(file.read_text()))
    domains = look(census.columns(), bench.texts.tables, bench.base)
    file.write_text(json.dumps(to_json(domains), ensure_ascii=False))
    return domains


class Rows:
    """Whether texts return rows; nothing is timed, so one database serves them all, and what is known is kept."""

    def __init__(self, texts: Texts, base: Side, file: Path) -> None:
        self._texts = texts
        self._file = file
        self._known: dict[str, bool] = json.loads(file.read_text()) if file.is_file() else {}
        every_name = " ".join(name.name for name in base.views)
        self._connection = fresh.connect(base.setup_for(every_name))

    def any(self, text: str) -> bool:
        """True also for a text that does not run here: it says nothing then."""
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
        if key not in self._known:
            form = self._texts.form(text)
            sql = form.plain or form.exact
            self._known[key] = sql is None or self._runs(sql)
        return self._known[key]

    def close(self) -> None:
        """Keep what was found for the next seed."""
        self._connection.close()
        self._file.write_text(json.dumps(self._known))

    def _runs(self, sql: str) -> bool:
        try:
            return self._connection.execute(sql).fetchone() is not None
        except duckdb.Error:
            return True


def _measure(bench: Bench, later: Answer, answer: Answer, measured: Sequence[Measured], plan: Plan) -> list[Measured]:
    """One round each, more where it is close; what neither moved nor is answered otherwise keeps its figures."""
    before = {one.queryid: one for one in measured}
    then, now = answer.queries, later.queries
    same = {queryid for queryid, text in now.items() if text == then[queryid]}
    rest = [query for query in bench.texts.queries if query.queryid not in same]
    found = {one.queryid: one for one in bench.measure(rest, later, Plan(1, plan.per_shape))}
    verdicts = later.verdicts
    results = []
    for query in bench.texts.queries:
        if query.queryid in found:
            results.append(found[query.queryid])
        else:
            verdict, reason = verdicts[query.queryid]
            results.append(replace(before[query.queryid], verdict=verdict, reason=reason))
    return results
