"""`python -m dev_scripts.mutants.guard_runs WORKLOAD…`: each guard off in turn; does anything notice?

First a run with all guards notes which of them hold where. Then each is tried in a process of its own, on the fixtures
and workloads where it held: the fixtures first, then the workloads' rewrites; those that come out otherwise than with
the guard go through the verification.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dev_scripts.mutants.designs import BUDGET_S, Clock, opened, started
from dev_scripts.mutants.guards import Guard, guards, switch_off, watch
from heavy_stack.backend.advisor import pipeline
from heavy_stack.backend.advisor.artefacts import Rewrite
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.shared_models.tasks import Stage
from heavy_stack.shared_models.verdicts import Verdict
from tests.support.rule_cases import FIXTURES, Case, cases_of, run_stages, written_after

LIMIT_S = 240.0
"""Seconds for one guard."""
_DESIGNING = (Stage.PROFILE, Stage.PROPOSE, Stage.SELECT, Stage.REWRITE)


@dataclass(frozen=True)
class Outcome:
    """What became of the rules without a guard.

    `how`: fixture (a recorded fixture comes out otherwise), crash (another exception), verification (a rewrite that it
    let through is refused), equal (it lets rewrites through, and they are equal), silent (nothing changes), unseen
    (nothing at hand ever meets it).
    """

    guard: str
    text: str
    how: str
    detail: str = ""


def main() -> None:
    """Try every guard, print what noticed it, write guards.md."""
    parser = argparse.ArgumentParser(description="Each guard of the rules switched off in turn.")
    parser.add_argument("workloads", nargs="*", help="JSON files; designed without an engine")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", default="", help="guards whose name holds this")
    parser.add_argument("--out", type=Path, default=Path("var/mutants"), help="kept there: run again to go on")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "guards.jsonl"
    known = [Outcome(**json.loads(line)) for line in kept.read_text().splitlines()] if kept.exists() else []
    until = time.monotonic() + options.minutes * 60
    cases = [case for folder in sorted(FIXTURES.iterdir()) for case in cases_of(folder.name)]
    cases.sort(key=lambda case: case.after is not None)  # what a guard keeps shows soonest
    right = [each for each in cases if _as_recorded(each)]
    workloads = {Path(path).stem: started(Path(path)) for path in options.workloads}
    baselines = {name: _rewrite(found) for name, found in workloads.items()}
    done = {(outcome.guard, outcome.text) for outcome in known}
    met = _met(right, workloads)
    for guard in sorted(guards(), key=lambda guard: "raise" not in guard.text):
        if (guard.name, guard.text) in done or options.only not in guard.name or time.monotonic() > until:
            continue
        there = met.get(guard.name, frozenset())
        mine = [case for case in right if f"{case.rule}/{case.name}" in there]
        asked = {name: found for name, found in workloads.items() if name in there}
        if there:
            outcome = _in_child(guard, mine, asked, baselines)
        else:
            outcome = Outcome(guard.name, guard.text, "unseen")
        known.append(outcome)
        with kept.open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")
        print(f"{outcome.how:13} {outcome.guard}  {outcome.detail[:100]}", flush=True)
    (options.out / "guards.md").write_text(report(known))
    print(f"{len(guards())} guards: {dict(Counter(outcome.how for outcome in known))}")


def _met(cases: Sequence[Case], workloads: dict[str, dict[Stage, Any]]) -> dict[str, frozenset[str]]:
    """By guard, the fixtures and workloads in which it holds at least once."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_watch, args=(theirs, cases, workloads))
    child.start()
    theirs.close()
    met: dict[str, frozenset[str]] = ours.recv()
    child.join()
    return met


def _watch(channel: Connection, cases: Sequence[Case], workloads: dict[str, dict[Stage, Any]]) -> None:
    met: dict[str, set[str]] = {}
    where = ""
    watch(guards(), lambda name: met.setdefault(name, set()).add(where))
    for case in cases:
        where = f"{case.rule}/{case.name}"
        run_stages(case.ddl, case.queries, case.facts)
    for name, found in workloads.items():
        where = name
        _rewrite(found)
    channel.send({name: frozenset(places) for name, places in met.items()})
    channel.close()


def report(outcomes: Sequence[Outcome]) -> str:
    """The guards by what noticed them."""
    lines = []
    for how in ("fixture", "crash", "verification", "equal", "silent", "unseen"):
        mine = [outcome for outcome in outcomes if outcome.how == how]
        lines += [f"## {how}: {len(mine)}", ""]
        lines += [f"- {outcome.guard}: `{outcome.text}` {outcome.detail}" for outcome in mine]
        lines.append("")
    return "\n".join(lines)


def _in_child(
    guard: Guard, cases: Sequence[Case], workloads: dict[str, dict[Stage, Any]], baselines: dict[str, Rewrite]
) -> Outcome:
    """A forked process has all that was imported and read; what it changes is gone with it."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, guard, cases, workloads, baselines))
    child.start()
    theirs.close()
    try:
        answered = ours.poll(LIMIT_S)
        outcome = ours.recv() if answered else Outcome(guard.name, guard.text, "crash", f"more than {LIMIT_S:g} s")
    except EOFError:
        outcome = Outcome(guard.name, guard.text, "crash", "the process ended")
    child.kill()
    child.join()
    return outcome if isinstance(outcome, Outcome) else Outcome(guard.name, guard.text, "crash")


def _child(
    channel: Connection,
    guard: Guard,
    cases: Sequence[Case],
    workloads: dict[str, dict[Stage, Any]],
    baselines: dict[str, Rewrite],
) -> None:
    sys.setrecursionlimit(3000)
    try:
        switch_off(guard)
        how, detail = _noticed(cases, workloads, baselines)
    except Exception as error:
        how, detail = "crash", f"{type(error).__name__}: {error}"
    channel.send(Outcome(guard.name, guard.text, how, detail))
    channel.close()


def _noticed(
    cases: Sequence[Case], workloads: dict[str, dict[Stage, Any]], baselines: dict[str, Rewrite]
) -> tuple[str, str]:
    for case in cases:
        if not _as_recorded(case):
            return "fixture", f"{case.rule}/{case.name}{_verified(case)}"
    equal = 0
    for name, found in workloads.items():
        other = _rewrite(found)
        changed = _changed(baselines[name], other)
        if not changed.texts:
            continue
        artefacts = {**found, Stage.REWRITE: changed}
        with opened(found) as ports:
            verdicts = pipeline.run_stage(Stage.VERIFY, _designed(artefacts), ports)
        refused = [each for each in verdicts.texts if each.verdict is Verdict.UNCHANGED]
        if refused:
            return "verification", f"{name}: {refused[0].reason}: {refused[0].detail}"
        equal += len(verdicts.texts)
    return ("equal", f"{equal} other rewrites") if equal else ("silent", "")


def _as_recorded(case: Case) -> bool:
    run = run_stages(case.ddl, case.queries, case.facts)
    return not run.rewrite.texts if case.after is None else written_after(run) == case.after.read_text()


def _verified(case: Case) -> str:
    """What the verification says about what a fixture keeps: whether it would have been caught without the fixture."""
    run = run_stages(case.ddl, case.queries, case.facts)
    if case.after is not None or not run.rewrite.texts:
        return ""
    found = {Stage.INGEST: run.workload, Stage.PARSE: run.parsed, Stage.PROFILE: run.profile}
    found |= {Stage.PROPOSE: run.proposals, Stage.SELECT: run.plan, Stage.REWRITE: run.rewrite}
    with opened(found) as ports:
        verdict = pipeline.run_stage(Stage.VERIFY, found, ports).texts[0]
    return f"; the verification: {verdict.reason or verdict.verdict} {verdict.detail or ''}"


_LAST: dict[str, dict[Stage, Any]] = {}


def _rewrite(found: dict[Stage, Any]) -> Rewrite:
    """The rewrites of a workload, with the rules as they are in this process."""
    clock = Clock(BUDGET_S)
    artefacts = dict(found)
    for stage in _DESIGNING:
        artefacts[stage] = pipeline.run_stage(stage, artefacts, Ports(None, clock, clock))  # type: ignore[arg-type]
    _LAST["artefacts"] = artefacts
    rewrite: Rewrite = artefacts[Stage.REWRITE]
    return rewrite


def _designed(artefacts: dict[Stage, Any]) -> dict[Stage, Any]:
    return {**_LAST["artefacts"], Stage.REWRITE: artefacts[Stage.REWRITE]}


def _changed(right: Rewrite, other: Rewrite) -> Rewrite:
    """The rewrites that are none of the right ones, over the same or other tables."""
    known = {(text.text, text.sql) for text in right.texts}
    inserts = {table.insert for table in right.tables}
    fresh = {table.name for table in other.tables if table.insert not in inserts}
    texts = tuple(
        text for text in other.texts if (text.text, text.sql) not in known or any(name in fresh for name in text.tables)
    )
    return replace(other, texts=texts)


if __name__ == "__main__":
    main()
