"""Expressions and queries with what a real Trino 476 answered: tests/fixtures/trino.

`tables.json` holds small tables of NULLs, negatives, ties and extremes; `cases/*.toml` the SQL; `recorded.json` Trino's
column names, types and rows, or its error. dev_scripts/record_trino_cases.py records them again.
"""

from __future__ import annotations

import datetime
import json
import math
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName

FOLDER = Path(__file__).parents[1] / "fixtures" / "trino"
CATALOG, SCHEMA = "lake", "t"


@dataclass(frozen=True)
class Case:
    """One SELECT. `not_checkable`: the embedded engine must refuse it; its types are compared all the same."""

    sql: str
    topic: str
    not_checkable: bool = False


@dataclass(frozen=True)
class Recording:
    """What Trino answered: `error` is its error's name, else names, types and rows."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str | None = None


@cache
def cases() -> tuple[Case, ...]:
    """All cases, in the order of the files."""
    found: list[Case] = []
    for path in sorted((FOLDER / "cases").glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        for group in content.get("group", []):
            source = f"{CATALOG}.{SCHEMA}.{group['table']}"
            refused = bool(group.get("not_checkable"))
            found.extend(
                Case(f"SELECT id, {expression} AS x FROM {source}", path.stem, refused)
                for expression in group["expressions"]
            )
        found.extend(
            Case(query["sql"], path.stem, bool(query.get("not_checkable"))) for query in content.get("query", [])
        )
    return tuple(found)


@cache
def tables() -> tuple[tuple[Table, tuple[tuple[Any, ...], ...]], ...]:
    """The tables with their rows, as Python values."""
    content = json.loads((FOLDER / "tables.json").read_text("utf-8"))
    return tuple(
        (
            Table(TableName(CATALOG, SCHEMA, name), tuple(Column(column, kind) for column, kind in table["columns"])),
            tuple(
                tuple(decode(value, kind) for value, (_, kind) in zip(row, table["columns"], strict=True))
                for row in table["rows"]
            ),
        )
        for name, table in content.items()
    )


@cache
def recordings() -> dict[str, Recording]:
    """Recorded answers by SQL."""
    content = json.loads((FOLDER / "recorded.json").read_text("utf-8"))
    found: dict[str, Recording] = {}
    for sql, answer in content.items():
        if "error" in answer:
            found[sql] = Recording(error=answer["error"])
            continue
        types = tuple(answer["types"])
        rows = tuple(
            tuple(decode(value, kind) for value, kind in zip(row, types, strict=True)) for row in answer["rows"]
        )
        found[sql] = Recording(tuple(answer["names"]), types, rows)
    return found


def decode(value: Any, kind: str) -> Any:
    """A JSON value as the Python value that a client sees for a Trino type."""
    if value is None:
        return None
    if kind.startswith("decimal"):
        return Decimal(value)
    if kind in ("double", "real"):
        return float(value)
    if kind == "date":
        return datetime.date.fromisoformat(value)
    if kind.startswith("timestamp") and "zone" not in kind:
        return datetime.datetime.fromisoformat(value)
    return value


def encode(value: Any) -> Any:
    """The reverse, for values that Trino's client returns."""
    if isinstance(value, float):
        return str(value) if math.isnan(value) or math.isinf(value) else value
    if isinstance(value, (Decimal, datetime.date, datetime.time)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
