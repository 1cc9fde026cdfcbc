"""Which workloads the bench knows: names of our own and the standard ones, or a JSON file's path."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev_scripts.bench import standard

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
DUCKDB_URL = "jdbc:duckdb:"
DEFAULT_ROWS = {"retail": 10_000_000, "vault": 3_000_000, "dashboards": 20_000_000}
"""Our own workloads, with the rows of their largest table."""


@dataclass(frozen=True)
class BenchWorkload:
    """A request body whose tables lie in `lake`.

    Attributes:
        name: For file names and headings.
        body: The body of POST /new.
        lake: The folder that its url names.
    """

    name: str
    body: dict[str, Any]
    lake: Path


def load(name: str, rows: str | None, lake: Path | None, root: Path) -> BenchWorkload:
    """The workload, its data made if they are not there yet.

    Args:
        name: One of ours (sample, vault, dashboards), tpch, tpcds, or the path of a workload's JSON.
        rows: Rows of the largest table; for the standard ones the scale factor. None for the default.
        lake: For a path: the folder that holds the tables, if not the file's own url.
        root: Where data and texts are kept.

    Raises:
        SystemExit: Nobody knows that name, or the tables are nowhere.
    """
    if name in standard.KINDS:
        scale = rows or "1"
        body, folder = standard.prepare(name, scale, root.resolve())
        return BenchWorkload(f"{name}-sf{scale}", body, folder)
    own = "retail" if name == "sample" else name
    if own in DEFAULT_ROWS:
        count = int(rows) if rows else DEFAULT_ROWS[own]
        folder = (root / "lake" / f"{own}-{count}").resolve()
        _run(SAMPLES / f"make_{own}.py", str(folder), "--rows", str(count))
        return BenchWorkload(f"{own}-{count}", {**_own_body(own, root), "url": f"{DUCKDB_URL}{folder}"}, folder)
    file = Path(name)
    if not file.is_file():
        raise SystemExit(f"{name}: no file of that name, and none of {', '.join([*DEFAULT_ROWS, *standard.KINDS])}")
    body = json.loads(file.read_bytes())
    if lake is None:
        url = str(body.get("url", ""))
        if not url.startswith(DUCKDB_URL) or not Path(url.removeprefix(DUCKDB_URL)).is_dir():
            raise SystemExit(f"{name}: its url names no folder; say where its tables are: LAKE=…")
        lake = Path(url.removeprefix(DUCKDB_URL))
    lake = lake.resolve()
    return BenchWorkload(f"{file.stem}-{lake.parent.name}-{lake.name}", {**body, "url": f"{DUCKDB_URL}{lake}"}, lake)


def _own_body(own: str, root: Path) -> dict[str, Any]:
    file = SAMPLES / f"{own}.json"
    if own == "dashboards":
        file = root / file.name
        _run(SAMPLES / "dashboard_log.py", str(file))
    body: dict[str, Any] = json.loads(file.read_bytes())
    return body


def _run(script: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, str(script), *arguments], check=True, stdout=subprocess.DEVNULL)
