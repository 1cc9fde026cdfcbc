"""What the makers of sample tables share: values drawn from a hash of a row's number, and files of a size."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

ROWS_PER_FILE = 1_000_000
MARKER = "_made.json"


def unit(seed: int, number: str = "i") -> str:
    """SQL for a number in [0, 1) that depends on the row number and the seed only."""
    return f"((hash({number} * 1000003 + {seed}) % 9007199254740992) / 9007199254740992.0)"


def pick(seed: int, values: list[str], number: str = "i", power: float = 1.0) -> str:
    """SQL for one of the values; the greater the power, the likelier the first ones."""
    items = ", ".join(f"'{v}'" for v in values)
    return f"([{items}])[1 + CAST(floor({len(values)} * pow({unit(seed, number)}, {power})) AS INTEGER)]"


def some(seed: int, share: float, value: str, number: str = "i") -> str:
    """SQL for the value in `share` of the rows, else NULL."""
    return f"CASE WHEN {unit(seed, number)} < {share} THEN {value} END"


class TableWriter:
    """Writes `<folder>/<schema>/<table>/part-*.parquet` once for a number of rows.

    Args:
        folder: The lake folder.
        schema: The tables' schema.
        rows: Rows of the largest table; a folder of another number is written anew.
    """

    def __init__(self, folder: Path, schema: str, rows: int) -> None:
        self._marker, self._schema, self._rows = folder / MARKER, folder / schema, rows
        self._connection = duckdb.connect()
        self._connection.execute("SET preserve_insertion_order = true")

    def is_done(self) -> bool:
        """Whether the tables are there."""
        return self._marker.is_file() and json.loads(self._marker.read_text()).get("rows") == self._rows

    def write(self, table: str, rows: int, query: Callable[[int, int], str]) -> None:
        """Write a table's files; `query` gives the SELECT of the rows from one number up to another."""
        target = self._schema / table
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("part-*.parquet"):
            old.unlink()
        for part, low in enumerate(range(0, rows, ROWS_PER_FILE)):
            file = str(target / f"part-{part:03d}.parquet").replace("'", "''")
            sql = query(low, min(rows, low + ROWS_PER_FILE))
            self._connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")

    def finish(self) -> None:
        """Note that all tables are there."""
        self._marker.write_text(json.dumps({"rows": self._rows}))


def command_line(doc: str | None, make: Callable[[Path, int], bool], rows: int) -> int:
    """`make_x.py <folder> [--rows N]`."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=rows)
    arguments = parser.parse_args()
    made = make(arguments.folder, arguments.rows)
    sys.stdout.write(f"{'made' if made else 'already there'}: {arguments.folder}\n")
    return 0
