"""Prints the texts of tpch_queries() or tpcds_queries() as JSON; run by a Python with DuckDB 1.5.5 and its extension.

    python print_standard_texts.py tpch|tpcds

Imports nothing of this project: its environment is another one.
"""

import importlib
import json
import sys
from pathlib import Path

import duckdb


def main(kind: str) -> None:
    """Print `[[number, text], …]`."""
    module = importlib.import_module(f"duckdb_extension_{kind}")
    folder = Path(str(module.__file__)).parent / "extensions" / f"v{duckdb.__version__}"
    connection = duckdb.connect(config={"allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{folder / kind}.duckdb_extension'")
    rows = connection.execute(f"SELECT query_nr, query FROM {kind}_queries() ORDER BY query_nr").fetchall()
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
