"""What columns hold: taken once from the data, so that a moved literal is a value that may well be asked for."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from dev_scripts.bench import fresh
from dev_scripts.bench.sides import Side
from heavy_stack.backend.advisor.artefacts import Table
from heavy_stack.backend.engines.duckdb_lake import full_name, quoted

FREQUENT = 400


@dataclass(frozen=True)
class Domain:
    """A column's type, extent and most frequent values with their counts; dates and times as ISO text."""

    type: str
    distinct: int | None = None
    low: Any = None
    high: Any = None
    values: tuple[tuple[Any, int], ...] = ()


def types_of(tables: Iterable[Table]) -> dict[str, Domain]:
    """Domains that know the types only."""
    return {
        f"{table.name.name.lower()}.{column.name.lower()}": Domain(column.type)
        for table in tables
        for column in table.columns
    }


def look(columns: Iterable[str], tables: Iterable[Table], base: Side) -> dict[str, Domain]:
    """The domains of these columns, `table.column`; a column of no table has none."""
    known = types_of(tables)
    by_name = {table.name.name.lower(): table for table in tables if table.name in base.views}
    for column in sorted(set(columns)):
        table, _, name = column.partition(".")
        if column in known and table in by_name:
            known[column] = _look(full_name(by_name[table].name), name, known[column].type, base)
    return known


def _look(table: str, name: str, kind: str, base: Side) -> Domain:
    column = quoted(name)
    try:
        with fresh.connect(base.setup_for(table)) as connection:
            extent = f"SELECT COUNT(DISTINCT {column}), MIN({column}), MAX({column}) FROM {table}"
            row = connection.execute(extent).fetchone() or (0, None, None)
            often = (
                f"SELECT {column}, COUNT(*) AS n FROM {table} WHERE {column} IS NOT NULL "
                f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {FREQUENT}"
            )
            values = tuple((_plain(value), int(count)) for value, count in connection.execute(often).fetchall())
    except duckdb.Error:
        return Domain(kind)
    return Domain(kind, int(row[0]), _plain(row[1]), _plain(row[2]), values)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime.date | datetime.datetime | datetime.time):
        return str(value)
    return float(value)


def to_json(domains: Mapping[str, Domain]) -> dict[str, Any]:
    """For a file."""
    return {name: asdict(domain) for name, domain in domains.items()}


def from_json(stored: Mapping[str, Any]) -> dict[str, Domain]:
    """What `to_json` wrote."""
    return {
        name: Domain(**{**domain, "values": tuple((value, count) for value, count in domain["values"])})
        for name, domain in stored.items()
    }
