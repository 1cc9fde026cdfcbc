"""Trino's types in DuckDB, and which stored types may be shown as which of the DDL's."""

from __future__ import annotations

from functools import cache

from heavy_stack.backend.advisor.artefacts import Column, Table
from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.trino_types import read_type

_INTEGERS = {
    "TINYINT": (-(2**7), 2**7 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
    "UTINYINT": (0, 2**8 - 1),
    "USMALLINT": (0, 2**16 - 1),
    "UINTEGER": (0, 2**32 - 1),
    "UBIGINT": (0, 2**64 - 1),
}
# Digits of the second's fraction.
_TIMESTAMPS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP": 6, "TIMESTAMP WITH TIME ZONE": 6, "TIMESTAMP_NS": 9}


def can_show_as(stored: str, wanted: str) -> bool:
    """True when each value of DuckDB's type `stored` is the same value in `wanted`.

    A narrower integer is accepted: DuckDB raises an error for a value that does not fit, so nothing changes silently.
    A timestamp with a zone (an instant in UTC, as some writers mark every timestamp) may stand for a plain one.
    """
    stored, wanted = stored.upper(), wanted.upper()
    if stored == wanted or (stored in _INTEGERS and wanted in _INTEGERS):
        return True
    if stored in _TIMESTAMPS and wanted in _TIMESTAMPS:
        return _TIMESTAMPS[stored] <= _TIMESTAMPS[wanted]
    if wanted == "DOUBLE":
        return stored == "FLOAT" or _fits(_INTEGERS.get(stored), 2**53)
    if wanted.startswith("DECIMAL("):
        precision, scale = _decimal(wanted)
        if stored.startswith("DECIMAL("):
            other_precision, other_scale = _decimal(stored)
            return other_scale <= scale and other_precision - other_scale <= precision - scale
        return _fits(_INTEGERS.get(stored), 10 ** (precision - scale))
    return wanted == "VARCHAR" and stored.startswith("ENUM(")


def _fits(bounds: tuple[int, int] | None, limit: int) -> bool:
    return bounds is not None and -limit <= bounds[0] and bounds[1] <= limit


def _decimal(text: str) -> tuple[int, int]:
    precision, _, scale = text.removeprefix("DECIMAL(").removesuffix(")").partition(",")
    return int(precision), int(scale or 0)


_SAME = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "uuid": "UUID",
}
_MICROSECONDS = 6  # DuckDB's TIMESTAMP and TIME, and Python's


def shown_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a client's table that have an equal type here: a query that reads another one fails by its name.

    Raises:
        NotCheckable: There is none.
    """
    shown = tuple(column for column in table.columns if _is_known(column.type))
    if not shown:
        raise NotCheckable(f"no column of {table.name} has a type that is the same in the embedded engine")
    return shown


def _is_known(spelled: str) -> bool:
    try:
        duckdb_type(spelled)
    except NotCheckable:
        return False
    return True


@cache
def duckdb_type(spelled: str) -> str:
    """DuckDB's type that holds exactly the values of a Trino type.

    Raises:
        NotCheckable: There is none here, or it is not known to be the same.
    """
    kind = read_type(spelled)
    if kind is None:
        raise NotCheckable(f"the type {spelled} is not known to the embedded engine")
    if kind.base == "decimal":
        return f"DECIMAL({kind.args[0]},{kind.args[1]})"
    if kind.base in ("timestamp", "time") and kind.args[0] <= _MICROSECONDS and not (kind.base == "time" and kind.zone):
        return kind.base.upper() + (" WITH TIME ZONE" if kind.zone else "")
    if kind.base.startswith("array(") and kind.base.endswith(")"):
        return duckdb_type(kind.base[len("array(") : -1]) + "[]"
    if kind.base in _SAME and not kind.zone:
        return _SAME[kind.base]
    raise NotCheckable(f"the type {spelled} is not known to be the same in the embedded engine")
