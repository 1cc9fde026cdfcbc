"""Constants in resolved trees, as Python values: literals, casts of them, sums, dates plus intervals."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from heavy_stack.backend.advisor.verify.column_types import is_number, parse_moment, read_type

_DATE_TYPES = (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ)
_UNIT_DAYS = {"DAY": 1, "WEEK": 7}
_UNIT_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_UNIT_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}


def constant(node: exp.Expr | None) -> Any:
    """The value of a constant expression, or None when it is not constant (or is NULL)."""
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else _number(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        return -value if is_number(value) else None
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return _cast(node, constant(node.this))
    if isinstance(node, (exp.Date, exp.Timestamp, exp.TsOrDsToDate)):
        value = constant(node.this)
        return parse_moment(value) if isinstance(value, str) else value
    if isinstance(node, (exp.Add, exp.Sub)):
        return _sum(node)
    if isinstance(node, exp.DateAdd):
        return _date_add(node)
    return None


def plus(value: Any, amount: Any) -> Any:
    """`value` moved by a number (days for a date), or None."""
    try:
        if isinstance(value, dt.date):
            return value + dt.timedelta(days=float(amount))
        if isinstance(value, float) or isinstance(amount, float):
            return float(value) + float(amount)
        return value + amount
    except (TypeError, OverflowError, ValueError):
        return None


def _number(text: str) -> int | Decimal | None:
    try:
        return int(text) if text.isdigit() else Decimal(text)
    except InvalidOperation:
        return None


def _cast(node: exp.Cast | exp.TryCast, value: Any) -> Any:
    if isinstance(value, str):
        if node.to.this in _DATE_TYPES:
            return parse_moment(value)
        kind = read_type(node.to.sql(dialect="trino")).kind
        if kind in ("integer", "decimal", "float"):
            try:
                return Decimal(value)
            except InvalidOperation:
                return None
    return value


def _sum(node: exp.Add | exp.Sub) -> Any:
    left, right = constant(node.left), node.right.unnest()
    sign = 1 if isinstance(node, exp.Add) else -1
    if isinstance(right, exp.Interval):
        return _shifted(left, right.this, right.text("unit"), sign)
    value = constant(right)
    if is_number(left) and is_number(value):
        return plus(left, sign * value)
    return None


def _date_add(node: exp.DateAdd) -> Any:
    return _shifted(constant(node.this), node.expression, node.text("unit"), 1)


def _shifted(moment: Any, amount: exp.Expr | None, unit: str, sign: int) -> Any:
    """`moment` plus so many units, as Trino adds them (a month's end stays inside the month)."""
    number = constant(amount)
    if isinstance(number, str):
        number = _number(number)
    if isinstance(amount, exp.Interval):
        return _shifted(moment, amount.this, amount.text("unit"), sign)
    if not isinstance(moment, dt.date) or not is_number(number):
        return None
    count = sign * int(number)
    name = unit.upper().rstrip("S")
    try:
        if name in _UNIT_DAYS:
            return moment + dt.timedelta(days=count * _UNIT_DAYS[name])
        if name in _UNIT_MONTHS:
            return _add_months(moment, count * _UNIT_MONTHS[name])
        if name in _UNIT_SECONDS and isinstance(moment, dt.datetime):
            return moment + dt.timedelta(seconds=count * _UNIT_SECONDS[name])
    except (OverflowError, ValueError):
        return None
    return None


def _add_months(moment: dt.date, months: int) -> dt.date:
    place = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(place, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
