"""Rows of ours on their way into DuckDB: exactly the values that were asked for, in the DDL's types.

Values travel as text and are cast by DuckDB: Python's decimals and floats print exactly, while a list of Python
decimals would take one common type from its first values. All texts of a table go as one: taking a text apart costs
DuckDB a fourth of what a list of Python's values costs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.engines.duckdb_lake import full_name
from heavy_stack.backend.engines.duckdb_types import duckdb_type, shown_columns

_ROW, _VALUE, _NULL = "\x1d", "\x1f", "\x1e"
"""What stands between rows, between values, and for NULL."""


def load_table(table: Table, rows: Sequence[tuple[Any, ...]]) -> tuple[str, str, list[Any]]:
    """(label, INSERT, its parameters), one statement for all rows.

    Raises:
        NotCheckable: No column's type has an equal in DuckDB.
    """
    shown = set(shown_columns(table))
    columns = [
        (duckdb_type(column.type), values)
        for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
        if column in shown
    ]
    selected, values = _as_one_text(columns) or _as_lists(columns)
    return str(table.name), f"INSERT INTO {full_name(table.name)} {selected}", values


_Columns = Sequence[tuple[str, Sequence[Any]]]


def _as_one_text(columns: _Columns) -> tuple[str, list[Any]] | None:
    """One text of all values; None where a type has no text, or a text holds one of the signs between them."""
    if any(kind == "BLOB" or kind.endswith("[]") for kind, _ in columns):
        return None
    texts = [_texts(kind, values) for kind, values in columns]
    rows = map(_VALUE.join, zip(*texts, strict=True))
    whole = _ROW.join(rows)
    count = len(columns[0][1])
    nulls = sum(values.count(None) for _, values in columns)
    signs = ((_ROW, count - 1), (_VALUE, count * (len(columns) - 1)), (_NULL, nulls))
    if any(whole.count(sign) != expected for sign, expected in signs):
        return None
    casts = ", ".join(
        f"CAST(NULLIF(row_[{place}], chr({ord(_NULL)})) AS {kind})" for place, (kind, _) in enumerate(columns, 1)
    )
    lines = f"SELECT unnest(string_split(?, chr({ord(_ROW)}))) AS line"
    return f"SELECT {casts} FROM (SELECT string_split(line, chr({ord(_VALUE)})) AS row_ FROM ({lines}))", [whole]


def _as_lists(columns: _Columns) -> tuple[str, list[Any]]:
    """A list of values for each column."""
    selected: list[str] = []
    lists: list[list[Any]] = []
    for kind, values in columns:
        sent, convert = _transport(kind)
        selected.append(f"CAST(unnest(CAST(? AS {sent}[])) AS {kind})")
        lists.append([None if value is None else convert(value) for value in values])
    return f"SELECT {', '.join(selected)}", lists


def _transport(kind: str) -> tuple[str, Callable[[Any], Any]]:
    if kind in ("BOOLEAN", "BLOB") or kind.endswith("[]"):
        return kind, lambda value: value
    return "VARCHAR", _text


def _texts(kind: str, values: Sequence[Any]) -> Iterable[str]:
    """The values of one column as texts; the same few come again and again, so each is printed once."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str}:
        return [_NULL if value is None else value for value in values]
    if len(kinds) > 1 or not all(_prints_alike(each, kind) for each in kinds):
        return [_NULL if value is None else _text(value) for value in values]
    printed = {value: _NULL if value is None else _text(value) for value in set(values)}
    if kinds == {float} and 0 in printed:
        return [_text(value) if value == 0 else printed[value] for value in values]  # -0.0 equals 0.0
    return [printed[value] for value in values]


def _prints_alike(python: type, kind: str) -> bool:
    """Whether equal values of a type of Python's, zeros of floats aside, are the same in a column."""
    return python in (int, bool, float, date) or (python is Decimal and kind.startswith("DECIMAL"))


def _text(value: Any) -> str:
    """The value as text; equal texts are one object."""
    if isinstance(value, Decimal):
        return sys.intern(format(value, "f"))
    if isinstance(value, date | time):
        return sys.intern(value.isoformat())
    return sys.intern(repr(value) if isinstance(value, float) else str(value))
