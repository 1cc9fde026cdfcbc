"""Dates and timestamps without a zone."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.trino_types import TrinoType
from heavy_stack.backend.engines.duckdb_writer import (
    Handler,
    Writer,
    integer_literal,
    kind_of,
    string_literal,
    text_literal,
)

_DATE_UNITS = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})
_INTERVAL_UNITS = frozenset({"DAY", "MONTH", "YEAR"})
_TIME_UNITS = frozenset({"HOUR", "MINUTE", "SECOND"})
_MILLISECONDS = 3
_MICROSECONDS = 6


def moment(writer: Writer, node: exp.Expr | None) -> tuple[str, TrinoType]:
    """A date or timestamp operand without a zone, and its type."""
    kind = kind_of(node)
    if not kind.is_datetime or kind.zone or (kind.args and kind.args[0] > _MICROSECONDS):
        raise NotCheckable(f"a calendar function of {kind}")
    return writer.write(node), kind


def duckdb_name(kind: TrinoType) -> str:
    """DATE or TIMESTAMP."""
    return "DATE" if kind.base == "date" else "TIMESTAMP"


def _part(name: str) -> Handler:
    def handler(writer: Writer, node: exp.Expr) -> str:
        value, kind = moment(writer, node.this)
        if kind.base == "date" and name in ("hour", "minute", "second"):
            raise NotCheckable(f"{name}() of a date")
        return f"EXTRACT({name} FROM {value})"

    return handler


_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Day: "day",
    exp.DayOfMonth: "day",
    exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "doy",
    exp.WeekOfYear: "week",
    exp.YearOfWeek: "isoyear",
    exp.Hour: "hour",
    exp.Minute: "minute",
    exp.Second: "second",
}
_EXTRACTED = {
    "YEAR": "year",
    "QUARTER": "quarter",
    "MONTH": "month",
    "DAY": "day",
    "DAY_OF_MONTH": "day",
    "DAY_OF_WEEK": "isodow",
    "DOW": "isodow",
    "DAY_OF_YEAR": "doy",
    "DOY": "doy",
    "WEEK": "week",
    "YEAR_OF_WEEK": "isoyear",
    "YOW": "isoyear",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
}


def _extract(writer: Writer, node: exp.Expr) -> str:
    unit = node.this.name.upper()
    name = _EXTRACTED.get(unit)
    value, kind = moment(writer, node.args.get("expression"))
    if name is None or (kind.base == "date" and name in ("hour", "minute", "second")):
        raise NotCheckable(f"EXTRACT({unit} …)")
    return f"EXTRACT({name} FROM {value})"


def _unit(node: exp.Expr, kind: TrinoType) -> str:
    unit = node.args.get("unit")
    name = unit.name.upper() if unit is not None else ""
    # sqlglot writes a week that starts on Monday as WEEK(MONDAY).
    if name in _DATE_UNITS or (name in _TIME_UNITS and kind.base != "date"):
        return name.lower()
    raise NotCheckable(f"the unit {name or '?'} of a calendar function")


def _truncated(writer: Writer, node: exp.Expr) -> str:
    value, kind = moment(writer, node.this)
    return f"CAST(DATE_TRUNC('{_unit(node, kind)}', {value}) AS {duckdb_name(kind)})"


def _added(writer: Writer, node: exp.Expr) -> str:
    """date_add(unit, n, moment)."""
    value, kind = moment(writer, node.this)
    count = node.args.get("expression")
    if not kind_of(count).is_integer:
        raise NotCheckable("date_add() of other than a whole number")
    unit = _unit(node, kind)
    factor, base = {"week": (7, "DAYS"), "quarter": (3, "MONTHS")}.get(unit, (1, f"{unit.upper()}S"))
    number = writer.write(count) if factor == 1 else f"({writer.write(count)} * {factor})"
    return f"CAST({value} + TO_{base}({_whole(number, base)}) AS {duckdb_name(kind)})"


def _whole(number: str, base: str) -> str:
    return f"CAST({number} AS INTEGER)" if base in ("DAYS", "MONTHS", "YEARS") else f"CAST({number} AS BIGINT)"


def _difference(writer: Writer, node: exp.Expr) -> str:
    """date_diff(unit, from, to): whole units that have passed."""
    end, end_kind = moment(writer, node.this)
    start, start_kind = moment(writer, node.args.get("expression"))
    if end_kind.base != start_kind.base:
        raise NotCheckable("date_diff() between a date and a timestamp")
    unit = _unit(node, end_kind)
    return f"DATE_SUB('{unit}', {start}, {end})"


def _interval(writer: Writer, node: exp.Expr) -> str:
    raise NotCheckable("an interval by itself")


def shifted(writer: Writer, value: exp.Expr, interval: exp.Expr, sign: str) -> str:
    """`value ± INTERVAL 'n' unit`, for an interval literal of one unit."""
    text, kind = moment(writer, value)
    if isinstance(interval, exp.Paren):
        interval = interval.this
    if isinstance(interval, exp.Neg):
        interval, sign = interval.this, "-" if sign == "+" else "+"
    if not isinstance(interval, exp.Interval) or not isinstance(interval.args.get("unit"), exp.Var):
        raise NotCheckable("arithmetic with a computed or compound interval")
    amount = interval.this
    number = int(amount.name) if isinstance(amount, exp.Literal) and amount.name.lstrip("-").isdigit() else None
    number = integer_literal(amount) if number is None else number
    unit = interval.args["unit"].name.upper().rstrip("S")
    if number is None or not (unit in _INTERVAL_UNITS or (unit in _TIME_UNITS and kind.base != "date")):
        raise NotCheckable("arithmetic with this interval")
    return f"CAST({text} {sign} INTERVAL ({number}) {unit} AS {duckdb_name(kind)})"


def _to_date(writer: Writer, node: exp.Expr) -> str:
    if node.expressions or node.args.get("zone") is not None:
        raise NotCheckable("date() of several arguments")
    value, _ = moment(writer, node.this)
    return f"CAST({value} AS DATE)"


_FORMATS = frozenset("YmdHMSyj")


def _formatted(writer: Writer, node: exp.Expr) -> str:
    """date_format: its format is sqlglot's, in strftime's letters; those for names and unpadded numbers are refused."""
    value, kind = moment(writer, node.this)
    text = string_literal(node.args.get("format"))
    letters = [] if text is None else text.split("%")[1:]
    if text is None or any(part[:1] not in _FORMATS for part in letters):
        raise NotCheckable("date_format() with this format")
    if kind.base == "date":
        value = f"CAST({value} AS TIMESTAMP)"
    elif kind.args[0] > _MILLISECONDS:
        # Trino rounds to milliseconds first: 23:59:59.9996 is the next day.
        value = f"DATE_TRUNC('milliseconds', {value} + INTERVAL 500 MICROSECONDS)"
    return f"STRFTIME({value}, {text_literal(text)})"


def _last_day(writer: Writer, node: exp.Expr) -> str:
    if node.args.get("unit") is not None:
        raise NotCheckable("last_day() of a unit")
    value, _ = moment(writer, node.this)
    return f"LAST_DAY({value})"


CALENDAR: dict[type[exp.Expr], Handler] = {
    **{kind: _part(name) for kind, name in _PARTS.items()},
    exp.Extract: _extract,
    exp.TimestampTrunc: _truncated,
    exp.DateTrunc: _truncated,
    exp.DateAdd: _added,
    exp.DateDiff: _difference,
    exp.Interval: _interval,
    exp.Date: _to_date,
    exp.LastDay: _last_day,
    exp.TimeToStr: _formatted,
    # Original and rewrite see the same day; determinism.py says that the answer depends on it.
    exp.CurrentDate: lambda writer, node: "CURRENT_DATE",
}
