"""Rows of ours on their way into DuckDB: exactly the values that were asked for, in the DDL's types."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.engines.duckdb_lake import full_name
from heavy_stack.backend.engines.duckdb_types import duckdb_type, shown_columns


def load_table(table: Table, rows: Sequence[tuple[Any, ...]]) -> tuple[str, str, list[list[Any]]]:
    """(label, INSERT, a list of values for each column), one statement for all rows.

    Values travel as text and are cast by DuckDB: Python's decimals and floats print exactly, while a list of Python
    decimals would take one common type from its first values.

    Raises:
        NotCheckable: No column's type has an equal in DuckDB.
    """
    shown = shown_columns(table)
    columns: list[str] = []
    values: list[list[Any]] = []
    for position, column in enumerate(table.columns):
        if column not in shown:
            continue
        kind = duckdb_type(column.type)
        sent, convert = _transport(kind)
        columns.append(f"CAST(unnest(CAST(? AS {sent}[])) AS {kind})")
        values.append([None if row[position] is None else convert(row[position]) for row in rows])
    return str(table.name), f"INSERT INTO {full_name(table.name)} SELECT {', '.join(columns)}", values


def _transport(kind: str) -> tuple[str, Callable[[Any], Any]]:
    if kind in ("BOOLEAN", "BLOB") or kind.endswith("[]"):
        return kind, lambda value: value
    return "VARCHAR", _text


def _text(value: Any) -> str:
    """The value as text; equal texts are one object, since the same few values come again and again."""
    if isinstance(value, Decimal):
        return sys.intern(format(value, "f"))
    if isinstance(value, date | time):
        return sys.intern(value.isoformat())
    return sys.intern(repr(value) if isinstance(value, float) else str(value))
