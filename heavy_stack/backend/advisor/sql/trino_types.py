"""Trino's types as values: spelled, read, and combined as Trino combines them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlglot import exp
from sqlglot.errors import SqlglotError

_PARAMETERIZED = frozenset({"decimal", "varchar", "char", "timestamp", "time"})
_UNBOUNDED = 2_147_483_647
"""Trino's length of a varchar without a length."""


@dataclass(frozen=True)
class TrinoType:
    """A type: `base` is Trino's name without parameters, `args` its numbers, `zone` for `… with time zone`.

    Arrays, rows, maps and other types that no rule here computes with keep their whole spelling in `base`.
    """

    base: str
    args: tuple[int, ...] = ()
    zone: bool = False

    def __str__(self) -> str:
        spelled = f"{self.base}({','.join(map(str, self.args))})" if self.args else self.base
        return f"{spelled} with time zone" if self.zone else spelled

    @property
    def is_integer(self) -> bool:
        """Whether this is one of the four integer types."""
        return self.base in INTEGER_DIGITS

    @property
    def is_decimal(self) -> bool:
        """Whether this is decimal(p,s)."""
        return self.base == "decimal"

    @property
    def is_float(self) -> bool:
        """Whether this is double or real."""
        return self.base in ("double", "real")

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic is defined on it."""
        return self.is_integer or self.is_decimal or self.is_float

    @property
    def is_text(self) -> bool:
        """Whether this is varchar or char."""
        return self.base in ("varchar", "char")

    @property
    def is_datetime(self) -> bool:
        """Whether this is date or timestamp, with or without a zone."""
        return self.base in ("date", "timestamp")

    @property
    def length(self) -> int:
        """The length of a varchar or char."""
        return self.args[0] if self.args else _UNBOUNDED

    @property
    def as_decimal(self) -> tuple[int, int] | None:
        """(precision, scale) as Trino coerces an exact number; None for others."""
        if self.base == "decimal":
            return self.args[0], self.args[1]
        digits = INTEGER_DIGITS.get(self.base)
        return None if digits is None else (digits, 0)


INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}

BOOLEAN = TrinoType("boolean")
INTEGER = TrinoType("integer")
BIGINT = TrinoType("bigint")
DOUBLE = TrinoType("double")
REAL = TrinoType("real")
VARCHAR = TrinoType("varchar")
DATE = TrinoType("date")
UNKNOWN_LITERAL = TrinoType("unknown")
"""The type of a bare NULL, which every type takes in."""
DAY_INTERVAL = TrinoType("interval day to second")
YEAR_INTERVAL = TrinoType("interval year to month")


def decimal(precision: int, scale: int) -> TrinoType | None:
    """decimal(p,s), precision capped at 38 as Trino does; None where Trino has no such type."""
    if scale > 38 or scale < 0:
        return None
    return TrinoType("decimal", (max(1, min(38, precision)), scale))


def varchar(length: int) -> TrinoType:
    """varchar(n), or varchar when n is Trino's largest length."""
    return VARCHAR if length >= _UNBOUNDED else TrinoType("varchar", (length,))


@cache
def read_type(spelled: str) -> TrinoType | None:
    """The type that a DDL or CAST spells; None when it is no type that Trino has here."""
    try:
        node = exp.DataType.build(spelled, dialect="trino")
    except SqlglotError:
        return None
    return from_node(node)


_NAMES = {
    exp.DType.BOOLEAN: "boolean",
    exp.DType.TINYINT: "tinyint",
    exp.DType.SMALLINT: "smallint",
    exp.DType.INT: "integer",
    exp.DType.BIGINT: "bigint",
    exp.DType.DOUBLE: "double",
    exp.DType.FLOAT: "real",
    exp.DType.DECIMAL: "decimal",
    exp.DType.VARCHAR: "varchar",
    exp.DType.TEXT: "varchar",
    exp.DType.CHAR: "char",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamp",
    exp.DType.TIME: "time",
    exp.DType.TIMETZ: "time",
    exp.DType.VARBINARY: "varbinary",
    exp.DType.UUID: "uuid",
    exp.DType.JSON: "json",
    exp.DType.NULL: "unknown",
}
_DEFAULT_ARGS = {"decimal": (38, 0), "char": (1,), "timestamp": (3,), "time": (3,)}
_ZONED = frozenset({exp.DType.TIMESTAMPTZ, exp.DType.TIMETZ})


def from_node(node: exp.Expr | None) -> TrinoType | None:
    """The type that a DataType node spells, defaults filled in as Trino does; None when unknown."""
    if not isinstance(node, exp.DataType):
        return None
    kind = node.this
    if isinstance(kind, exp.Interval):
        unit = kind.args.get("unit")
        spelled = unit.sql(dialect="trino").lower() if unit is not None else ""
        return {"day to second": DAY_INTERVAL, "year to month": YEAR_INTERVAL}.get(spelled)
    base = _NAMES.get(kind)
    if base is None:
        if kind in (exp.DType.ARRAY, exp.DType.MAP, exp.DType.STRUCT):
            return TrinoType(node.sql(dialect="trino").lower())
        return None
    args: list[int] = []
    for parameter in node.expressions:
        number = parameter.name
        if not number.isdigit():
            return None
        args.append(int(number))
    if base == "decimal" and len(args) == 1:
        args.append(0)
    if base not in _PARAMETERIZED:
        args = []
    return TrinoType(base, tuple(args) or _DEFAULT_ARGS.get(base, ()), kind in _ZONED)


@cache
def to_node(kind: TrinoType | None) -> exp.DataType:
    """The type as a node to store in a tree; UNKNOWN for None. Shared: never changed."""
    if kind is None:
        return exp.DataType(this=exp.DType.UNKNOWN)
    if kind is UNKNOWN_LITERAL or kind.base == "unknown":
        return exp.DataType(this=exp.DType.NULL)
    if kind in (DAY_INTERVAL, YEAR_INTERVAL):
        unit = exp.IntervalSpan(
            this=exp.var("DAY" if kind == DAY_INTERVAL else "YEAR"),
            expression=exp.var("SECOND" if kind == DAY_INTERVAL else "MONTH"),
        )
        return exp.DataType(this=exp.Interval(unit=unit))
    return exp.DataType.build(str(kind), dialect="trino")


def common_super_type(left: TrinoType | None, right: TrinoType | None) -> TrinoType | None:
    """The type that Trino brings both to (CASE, COALESCE, UNION, comparisons); None when unknown or there is none."""
    if left is None or right is None:
        return None
    if left == right or right.base == "unknown":
        return left
    if left.base == "unknown":
        return right
    if left.is_numeric and right.is_numeric:
        return _common_number(left, right)
    if left.base == right.base == "varchar":
        return varchar(max(left.length, right.length))
    if left.base == right.base == "char":
        return TrinoType("char", (max(left.length, right.length),))
    if {left.base, right.base} == {"char", "varchar"}:
        fixed, free = (left, right) if left.base == "char" else (right, left)
        return TrinoType("char", (max(fixed.length, free.length),))
    if left.is_datetime and right.is_datetime:
        return _common_datetime(left, right)
    return None


def _common_number(left: TrinoType, right: TrinoType) -> TrinoType | None:
    if left.is_float or right.is_float:
        return REAL if "double" not in (left.base, right.base) else DOUBLE
    if left.is_integer and right.is_integer:
        return left if INTEGER_DIGITS[left.base] >= INTEGER_DIGITS[right.base] else right
    first, second = left.as_decimal, right.as_decimal
    if first is None or second is None:
        return None
    scale = max(first[1], second[1])
    return decimal(max(first[0] - first[1], second[0] - second[1]) + scale, scale)


def _common_datetime(left: TrinoType, right: TrinoType) -> TrinoType | None:
    zone = left.zone or right.zone
    precision = max((kind.args[0] for kind in (left, right) if kind.base == "timestamp"), default=0)
    return TrinoType("timestamp", (precision,), zone)


def arithmetic(operator: str, left: TrinoType | None, right: TrinoType | None) -> TrinoType | None:
    """Type of `left operator right` for + - * / %, Trino's precision and scale; None when unknown.

    Dates, timestamps and intervals combine with + and - (an interval also with * and / by a number).
    """
    if left is None or right is None:
        return None
    if left.base == "unknown" or right.base == "unknown":
        return None
    if not (left.is_numeric and right.is_numeric):
        return _calendar_arithmetic(operator, left, right)
    if left.is_float or right.is_float or (left.is_integer and right.is_integer):
        return _common_number(left, right)
    first, second = left.as_decimal, right.as_decimal
    if first is None or second is None:
        return None
    (p1, s1), (p2, s2) = first, second
    if operator in ("+", "-"):
        scale = max(s1, s2)
        return decimal(max(p1 - s1, p2 - s2) + scale + 1, scale)
    if operator == "*":
        return decimal(p1 + p2, s1 + s2)
    if operator == "/":
        return decimal(p1 + s2 + max(0, s2 - s1), max(s1, s2))
    if operator == "%":
        scale = max(s1, s2)
        return decimal(min(p1 - s1, p2 - s2) + scale, scale)
    return None


def _shifted(moment: TrinoType, interval: TrinoType) -> TrinoType:
    """A day-to-second interval has milliseconds, and so has the result."""
    if moment.base == "timestamp" and interval == DAY_INTERVAL:
        return TrinoType("timestamp", (max(3, moment.args[0]),), moment.zone)
    return moment


def _calendar_arithmetic(operator: str, left: TrinoType, right: TrinoType) -> TrinoType | None:
    intervals = (DAY_INTERVAL, YEAR_INTERVAL)
    if operator in ("+", "-"):
        if left.is_datetime and right in intervals:
            return _shifted(left, right)
        if operator == "+" and left in intervals and right.is_datetime:
            return _shifted(right, left)
        if left == right and left in intervals:
            return left
        if operator == "-" and left.is_datetime and right.is_datetime:
            return DAY_INTERVAL
    if operator == "*" and (left in intervals) != (right in intervals):
        return left if left in intervals else right
    if operator == "/" and left in intervals and right.is_numeric:
        return left
    return None


def stored_type(kind: TrinoType) -> TrinoType:
    """The type that a column of an Iceberg table has when its DDL says `kind`: lengths go, times have microseconds."""
    if kind.is_text:
        return VARCHAR
    if kind.base in ("timestamp", "time"):
        return TrinoType(kind.base, (6,), kind.zone)
    return kind
