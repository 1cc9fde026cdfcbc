"""What a column of a Trino type can hold, as Python values, and the values that hurt most.

Values are those of `ports.ResultSet`: int, Decimal, float, str, bool, bytes, date, datetime, time, list.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

DAY = dt.timedelta(days=1)
_FIRST_DAY, _LAST_DAY = dt.date(1, 1, 2), dt.date(9999, 12, 30)


class Kind(StrEnum):
    """The families of types that data is made for; `OTHER` columns hold only NULL."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    BINARY = "binary"
    ARRAY = "array"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnType:
    """A Trino type, read.

    Attributes:
        bits: Of an integer.
        precision, scale: Of a decimal; `precision` also of a timestamp (fractional digits).
        length: Longest text, None when unbounded.
        zoned: A timestamp with a time zone.
        element: Of an array.
    """

    kind: Kind
    bits: int = 64
    precision: int = 3
    scale: int = 0
    length: int | None = None
    zoned: bool = False
    element: ColumnType | None = None


_BITS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}
_TEXT = {"VARCHAR", "CHAR", "TEXT", "NVARCHAR", "NCHAR"}


@lru_cache(maxsize=4096)
def read_type(name: str) -> ColumnType:
    """The type that Trino spells `name`; `OTHER` for what no data is made for (maps, rows, intervals, json …)."""
    try:
        return _from_node(exp.DataType.build(name, dialect="trino"))
    except (ParseError, TokenError, ValueError):
        return ColumnType(Kind.OTHER)


def _from_node(node: exp.DataType) -> ColumnType:
    name = node.this.value if isinstance(node.this, exp.DataType.Type) else str(node.this)
    params = [item.this for item in node.expressions if isinstance(item, exp.DataTypeParam)]
    sizes = [int(item.name) for item in params if item.is_int]
    if name in _BITS:
        return ColumnType(Kind.INTEGER, bits=_BITS[name])
    if name == "DECIMAL":
        return ColumnType(Kind.DECIMAL, precision=sizes[0] if sizes else 38, scale=sizes[1] if len(sizes) > 1 else 0)
    if name in ("DOUBLE", "FLOAT"):
        return ColumnType(Kind.FLOAT, bits=32 if name == "FLOAT" else 64)
    if name in _TEXT:
        unbounded = 1 if name == "CHAR" else None
        return ColumnType(Kind.TEXT, length=sizes[0] if sizes else unbounded)
    if name in ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ"):
        return ColumnType(Kind.TIMESTAMP, precision=sizes[0] if sizes else 3, zoned=name == "TIMESTAMPTZ")
    if name == "ARRAY" and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.DataType):
        element = _from_node(node.expressions[0])
        return ColumnType(Kind.OTHER if element.kind is Kind.OTHER else Kind.ARRAY, element=element)
    simple = {"BOOLEAN": Kind.BOOLEAN, "DATE": Kind.DATE, "TIME": Kind.TIME, "VARBINARY": Kind.BINARY}
    return ColumnType(simple.get(name, Kind.OTHER))


def fitted(kind: ColumnType, value: Any) -> Any:
    """`value` (of a literal, or of another column) as a value of the type, or None when the type cannot hold it."""
    try:
        return _FIT[kind.kind](kind, value)
    except (ValueError, TypeError, OverflowError, InvalidOperation):
        return None


def _fit_integer(kind: ColumnType, value: Any) -> int | None:
    if isinstance(value, (str, dt.date)):
        return None
    number = int(value)
    return number if number == value and -(2 ** (kind.bits - 1)) <= number < 2 ** (kind.bits - 1) else None


def _fit_decimal(kind: ColumnType, value: Any) -> Decimal | None:
    if isinstance(value, (str, bool, dt.date)):
        return None
    number = Decimal(str(value))
    rounded = number.quantize(Decimal(1).scaleb(-kind.scale))
    return rounded if abs(rounded) < Decimal(10) ** (kind.precision - kind.scale) else None


def _fit_float(kind: ColumnType, value: Any) -> float | None:
    return None if isinstance(value, (str, bool, dt.date)) else float(value)


def _fit_text(kind: ColumnType, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return value if kind.length is None or len(value) <= kind.length else None


def _fit_boolean(kind: ColumnType, value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _fit_date(kind: ColumnType, value: Any) -> dt.date | None:
    if isinstance(value, str):
        value = parse_moment(value)
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None


def _fit_timestamp(kind: ColumnType, given: Any) -> dt.datetime | None:
    value: dt.date | None = parse_moment(given) if isinstance(given, str) else given
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if not isinstance(value, dt.datetime):
        return None
    step = 10 ** max(0, 6 - kind.precision)
    zone = dt.UTC if kind.zoned else None
    return value.replace(microsecond=value.microsecond // step * step, tzinfo=zone)


def _fit_time(kind: ColumnType, value: Any) -> dt.time | None:
    if isinstance(value, str):
        value = dt.time.fromisoformat(value)
    return value if isinstance(value, dt.time) else None


def _fit_nothing(kind: ColumnType, value: Any) -> None:
    return None


_FIT = {
    Kind.INTEGER: _fit_integer,
    Kind.DECIMAL: _fit_decimal,
    Kind.FLOAT: _fit_float,
    Kind.TEXT: _fit_text,
    Kind.BOOLEAN: _fit_boolean,
    Kind.DATE: _fit_date,
    Kind.TIMESTAMP: _fit_timestamp,
    Kind.TIME: _fit_time,
    Kind.BINARY: _fit_nothing,
    Kind.ARRAY: _fit_nothing,
    Kind.OTHER: _fit_nothing,
}


def parse_moment(text: str) -> dt.datetime | dt.date | None:
    """A date or timestamp as SQL literals spell them, or None."""
    text = text.strip()
    try:
        return dt.date.fromisoformat(text) if len(text) <= 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def around(kind: ColumnType, value: Any) -> list[Any]:
    """The values next to `value`: the ones that a comparison moved by one would decide otherwise."""
    if kind.kind is Kind.INTEGER:
        steps: list[Any] = [value - 1, value + 1]
    elif kind.kind is Kind.DECIMAL:
        unit = Decimal(1).scaleb(-kind.scale)
        steps = [value - unit, value + unit, value - 1, value + 1]
    elif kind.kind is Kind.FLOAT:
        steps = [value - 1, value + 1, value - 0.25, value + 0.25, value + 0.5] if abs(value) < 1e15 else []
    elif kind.kind is Kind.DATE:
        steps = [value - DAY, value + DAY] if _FIRST_DAY < value < _LAST_DAY else []
    elif kind.kind is Kind.TIMESTAMP:
        steps = _moments_around(kind, value)
    elif kind.kind is Kind.TEXT:
        steps = [value + "x", value[:-1], value.swapcase(), value + " "]
    elif kind.kind is Kind.BOOLEAN:
        steps = [not value]
    else:
        steps = []
    fits = [fitted(kind, step) for step in steps]
    return [step for step in dict.fromkeys(fits) if step is not None and step != value]


def _moments_around(kind: ColumnType, value: dt.datetime) -> list[dt.datetime]:
    if not _FIRST_DAY < value.date() < _LAST_DAY:
        return []
    tick = dt.timedelta(microseconds=10 ** max(0, 6 - kind.precision))
    return [value - tick, value + tick, value - DAY, value + DAY]


def plain_values(kind: ColumnType) -> list[Any]:
    """A few ordinary values, some of them easily confused (zero, one, the empty string, the last of a month)."""
    days = [dt.date(2020, 1, 1), dt.date(2020, 2, 29), dt.date(2020, 12, 31), dt.date(2021, 1, 1), dt.date(2021, 7, 4)]
    values: list[Any]
    if kind.kind is Kind.INTEGER:
        values = [0, 1, 2, 3, 5, 7, 10, -1, 12, 40]
    elif kind.kind is Kind.DECIMAL:
        values = [Decimal(text) for text in ("0", "1", "2.5", "-1.25", "10.1", "0.01", "40")]
    elif kind.kind is Kind.FLOAT:
        values = [0.0, 1.0, 2.5, -1.25, 10.0, 0.5, 40.0, 3.0, -2.0]
    elif kind.kind is Kind.TEXT:
        values = ["", "a", "b", "A", "ab", "c", " ", "é→", "it's", "zz"]
    elif kind.kind is Kind.BOOLEAN:
        values = [True, False]
    elif kind.kind is Kind.DATE:
        values = list(days)
    elif kind.kind is Kind.TIMESTAMP:
        values = [dt.datetime(day.year, day.month, day.day, *clock) for day in days for clock in ((0,), (23, 59, 59))]
    elif kind.kind is Kind.TIME:
        values = [dt.time(0), dt.time(12, 30), dt.time(23, 59, 59)]
    elif kind.kind is Kind.BINARY:
        return [b"", b"a", b"\x00\xff"]
    elif kind.kind is Kind.ARRAY and kind.element is not None:
        items = plain_values(kind.element)
        return [[], items[:1], items[:3], [items[0], None, items[0]]]
    else:
        return []
    return list(dict.fromkeys(value for value in (fitted(kind, v) for v in values) if value is not None))


def extreme_values(kind: ColumnType) -> list[Any]:
    """The ends of the type, as far as a SUM over a few of them still fits its own type."""
    if kind.kind is Kind.INTEGER:
        top = 2 ** (min(kind.bits, 62) - 1) - 1
        return [top, -top] if kind.bits <= 32 else [2**53 + 1, -(2**40)]
    if kind.kind is Kind.DECIMAL:
        digits = min(kind.precision, 28)
        top = Decimal(10 ** max(0, digits - kind.scale)) - Decimal(1).scaleb(-kind.scale)
        return [value for value in (fitted(kind, top), fitted(kind, -top)) if value is not None]
    if kind.kind is Kind.FLOAT:
        return [2.0**24, -(2.0**24)] if kind.bits == 32 else [2.0**31, -(2.0**31)]
    if kind.kind is Kind.TEXT:
        return [text for text in ("z" * 200, "\U0001f6eb", "%", "_") if fitted(kind, text) is not None]
    if kind.kind is Kind.DATE:
        return [dt.date(1900, 1, 1), dt.date(2199, 12, 31)]
    if kind.kind is Kind.TIMESTAMP:
        return [fitted(kind, dt.datetime(1900, 1, 1)), fitted(kind, dt.datetime(2199, 12, 31, 23, 59, 59))]
    return []


def is_number(value: Any) -> bool:
    """A finite number, not a boolean."""
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, Decimal)) or (isinstance(value, float) and math.isfinite(value))
