"""Record what a real Trino answers to the cases in tests/fixtures/trino (see tests/support/trino_cases.py).

    python dev_scripts/record_trino_cases.py FOLDER [--port 18480]

FOLDER is where dev_scripts/trino_server.py keeps its server. With --only-new, cases that have an answer keep it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from trino.dbapi import Connection
from trino.exceptions import TrinoQueryError

from dev_scripts.trino_server import Server
from tests.support.trino_cases import CATALOG, FOLDER, SCHEMA, cases, encode, tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the server, load the tables, run every case, write recorded.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=18480)
    parser.add_argument("--java")
    parser.add_argument("--only-new", action="store_true")
    options = parser.parse_args(arguments)
    path = FOLDER / "recorded.json"
    known: dict[str, Any] = json.loads(path.read_text("utf-8")) if options.only_new and path.exists() else {}
    server = Server(options.folder, options.port, [CATALOG], options.java)
    try:
        server.wait()
        with server.connect("recorder") as connection:
            _load(connection)
            recorded = {case.sql: known.get(case.sql) or _answer(connection, case.sql) for case in cases()}
    finally:
        server.close()
    lines = (f"{json.dumps(sql)}: {json.dumps(answer, ensure_ascii=False)}" for sql, answer in recorded.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    print(f"{len(recorded)} cases, {sum('error' in answer for answer in recorded.values())} of them errors")
    return 0


def _load(connection: Connection) -> None:
    run = connection.cursor().execute
    run(f"DROP SCHEMA IF EXISTS {CATALOG}.{SCHEMA} CASCADE")
    run(f"CREATE SCHEMA {CATALOG}.{SCHEMA}")
    for table, rows in tables():
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        run(f"CREATE TABLE {table.name} ({columns})")
        if rows:
            kinds = [column.type for column in table.columns]
            values = ", ".join(
                f"({', '.join(_literal(value, kind) for value, kind in zip(row, kinds, strict=True))})" for row in rows
            )
            run(f"INSERT INTO {table.name} VALUES {values}")  # noqa: S608


def _literal(value: Any, kind: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"CAST('{ {'inf': 'Infinity', '-inf': '-Infinity', 'nan': 'NaN'}.get(str(value), value) }' AS double)"
    if isinstance(value, (int, Decimal)):
        return f"CAST('{value}' AS {kind})"
    text = str(value).replace("'", "''")
    if kind == "date":
        return f"DATE '{text}'"
    if kind.startswith("timestamp"):
        return f"TIMESTAMP '{text}'"
    return f"'{text}'"


def _answer(connection: Connection, sql: str) -> dict[str, Any]:
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        rows = cursor.fetchall()
    except TrinoQueryError as error:
        return {"error": error.error_name}
    columns = cursor.description or []
    return {
        "names": [column[0] for column in columns],
        "types": [str(column[1]).lower().replace(", ", ",") for column in columns],
        "rows": [[encode(value) for value in row] for row in rows],
    }


if __name__ == "__main__":
    raise SystemExit(main())
