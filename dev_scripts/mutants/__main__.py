"""`python -m dev_scripts.mutants WORKLOAD…`: how many wrong rewrites the verification catches."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from dev_scripts.mutants.designs import designed
from dev_scripts.mutants.making import KINDS
from dev_scripts.mutants.reporting import summary
from dev_scripts.mutants.running import run


def main() -> None:
    """Make the designs, try their mutants, write report.md."""
    parser = argparse.ArgumentParser(description=f"{len(KINDS)} kinds of wrong rewrite against the verification.")
    parser.add_argument("workloads", nargs="+", help="JSON; `file.json=jdbc:duckdb:/lake` names its engine")
    parser.add_argument("--most", type=int, default=600, help="mutants drawn per workload (default 600)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=30.0, help="for all workloads together")
    parser.add_argument("--out", type=Path, default=Path("var/mutants"), help="kept there: run again to go on")
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    folders = []
    for number, named in enumerate(options.workloads):
        path, _, url = named.partition("=")
        folder = options.out / Path(path).stem
        started = time.monotonic()
        designed(Path(path), url or None, folder)
        share = (until - started) / (len(options.workloads) - number)
        run(folder, most=options.most, seed=options.seed, processes=options.processes, until=started + share)
        folders.append(folder)
        print(f"{folder.name}: {time.monotonic() - started:.0f} s", flush=True)
        (options.out / "report.md").write_text(summary(folders))
    print(summary(folders).split("\n## ")[0])
    print(f"The survivors stand in {options.out / 'report.md'}.")


if __name__ == "__main__":
    main()
