"""Runs a workload's mutants in parallel processes, batch by batch; what is done is kept and not done again."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dev_scripts.mutants.designs import opened, read_design
from dev_scripts.mutants.drawing import Maker, Mutant, drawn
from dev_scripts.mutants.making import Site
from dev_scripts.mutants.trying import Tried, Verifier
from heavy_stack.shared_models.tasks import Stage

TEXTS_AT_ONCE = 24
AGAIN = ("missed", "survived", "not compared")
TABLES_AT_ONCE = 16
"""Wrong tables that are built beside the right ones."""

_STATE: dict[str, Any] = {}


def run(folder: Path, *, most: int, seed: int, processes: int, until: float) -> None:
    """Try the mutants of the design in `folder`, at most `most`, until `until` (monotonic clock)."""
    design = read_design(folder)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_open, initargs=(str(folder),)) as pool:
        sent = _sent(folder, pool)
        made = [mutant for mutant in Maker(design).all() if mutant.text in sent]
        chosen = drawn(made, most, seed)
        counts = {"made": _by_kind(made), "drawn": _by_kind(chosen), "seed": seed, "sent": sorted(sent)}
        (folder / "drawn.json").write_text(json.dumps(counts, indent=1))
        known = _settled(folder)
        waiting = list(_batches([mutant for mutant in chosen if mutant.key not in known]))
        waiting.reverse()
        running: set[Future[list[Tried]]] = set()
        with (folder / "results.jsonl").open("a") as file:
            while running or (waiting and time.monotonic() < until):
                while waiting and len(running) < processes and time.monotonic() < until:
                    running.add(pool.submit(_try, waiting.pop()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    for tried in future.result():
                        file.write(json.dumps(asdict(tried)) + "\n")
                    file.flush()


def results(folder: Path) -> list[Tried]:
    """What has been tried so far."""
    path = folder / "results.jsonl"
    found = []
    for line in path.read_text().splitlines() if path.exists() else ():
        entry = json.loads(line)
        mutant = entry.pop("mutant")
        found.append(Tried(Mutant(mutant["text"], mutant["table"], Site(**mutant["site"])), **entry))
    return found


def _settled(folder: Path) -> set[str]:
    """The mutants that need not be tried again; the results of the others are taken out."""
    kept = [tried for tried in results(folder) if tried.how not in AGAIN]
    lines = [json.dumps(asdict(tried)) + "\n" for tried in kept]
    (folder / "results.jsonl").write_text("".join(lines))
    return {tried.mutant.key for tried in kept}


def _by_kind(mutants: Sequence[Mutant]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for mutant in mutants:
        counts[mutant.site.kind] = counts.get(mutant.site.kind, 0) + 1
    return counts


def _batches(mutants: Sequence[Mutant]) -> Iterator[list[Mutant]]:
    texts = [mutant for mutant in mutants if not mutant.table]
    tables = sorted((mutant for mutant in mutants if mutant.table), key=lambda each: (each.table, each.site, each.text))
    for group, size in ((texts, TEXTS_AT_ONCE), (tables, TABLES_AT_ONCE)):
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _sent(folder: Path, pool: ProcessPoolExecutor) -> set[int]:
    path = folder / "sent.json"
    if not path.exists():
        path.write_text(json.dumps(sorted(pool.submit(_right).result())))
    return set(json.loads(path.read_text()))


# In the child processes


def _open(folder: str) -> None:
    design = read_design(Path(folder))
    stack = ExitStack()
    ports = stack.enter_context(opened({Stage.INGEST: design.workload, Stage.PARSE: design.parsed}))
    _STATE.update(stack=stack, verifier=Verifier(design, ports))


def _right() -> set[int]:
    verifier: Verifier = _STATE["verifier"]
    return verifier.sent()


def _try(mutants: list[Mutant]) -> list[Tried]:
    verifier: Verifier = _STATE["verifier"]
    texts = [mutant for mutant in mutants if not mutant.table]
    tables = [mutant for mutant in mutants if mutant.table]
    return verifier.try_texts(texts) + (verifier.try_tables(tables) if tables else [])
