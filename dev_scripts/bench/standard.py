"""TPC-H and TPC-DS: data from the package tpcgen-cli, texts from DuckDB 1.5.5's extensions, printed as Trino SQL.

Both come from a virtual environment of their own below the bench's folder, made once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from dev_scripts.bench.proofread import trino_text

KINDS = ("tpch", "tpcds")
PACKAGES = ("duckdb==1.5.5", "duckdb-extension-tpch==1.5.5", "duckdb-extension-tpcds==1.5.5", "tpcgen-cli==4.0.0")
PRINTER = Path(__file__).with_name("print_standard_texts.py")
RUNS = 10
TRINO_TYPES = {"TIMESTAMP": "timestamp(6)"}


def prepare(kind: str, scale: str, root: Path) -> tuple[dict[str, Any], Path]:
    """The workload and its lake folder: made on the first call, taken from `root` afterwards.

    Args:
        kind: tpch or tpcds.
        scale: The scale factor: 1, 10, 0.1 …
        root: Where the environment, the data and the texts stay.
    """
    schema = "sf" + scale.replace(".", "_")
    lake = (root / "lake" / kind).resolve()
    if not (lake / schema).is_dir():
        _generate(kind, scale, lake / schema, _environment(root))
    texts = root / f"{kind}-texts.json"
    if not texts.is_file():
        command = [str(_environment(root) / "bin" / "python"), str(PRINTER), kind]
        texts.write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return _workload(kind, schema, lake, json.loads(texts.read_text())), lake


def _environment(root: Path) -> Path:
    folder = root / "standard-env"
    if not (folder / "bin" / "tpcgen-cli").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
    return folder


def _generate(kind: str, scale: str, target: Path, environment: Path) -> None:
    raw = target.with_name(target.name + ".raw")
    raw.mkdir(parents=True, exist_ok=True)
    command = [str(environment / "bin" / "tpcgen-cli"), kind, "parquet", "-s", scale, f"--output-dir={raw}"]
    subprocess.run([*command, "--compression=ZSTD(1)"], check=True, stdout=subprocess.DEVNULL)
    for file in sorted(raw.glob("*.parquet")):
        (raw / file.stem).mkdir()
        file.rename(raw / file.stem / "part-000.parquet")
    raw.rename(target)  # last: a folder of that name is complete


def _workload(kind: str, schema: str, lake: Path, texts: list[tuple[int, str]]) -> dict[str, Any]:
    types: dict[str, str] = {}
    ddl = []
    with duckdb.connect() as connection:
        for folder in sorted((lake / schema).iterdir()):
            files = str(folder / "*.parquet")
            rows = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()
            columns = {str(row[0]): TRINO_TYPES.get(str(row[1]), str(row[1]).lower()) for row in rows}
            types |= columns
            lines = ",\n  ".join(f"{name} {kind_}" for name, kind_ in columns.items())
            ddl.append({"statement": f"CREATE TABLE {kind}.{schema}.{folder.name} (\n  {lines}\n)"})
    queries = [
        {"queryid": f"q{number:02d}", "query": trino_text(text, types), "runquantity": RUNS} for number, text in texts
    ]
    return {"url": f"jdbc:duckdb:{lake}", "ddl": ddl, "queries": queries}
