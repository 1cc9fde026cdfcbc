"""At which grain a date or timestamp column is asked for: by month, by day, by hour, or by its own value.

A predicate `d >= L` is answered from `date_trunc('month', d)` exactly when L is the first instant of a month; one
that is not aligned needs a finer grain. A rollup holds the coarsest grain (month at most) that all uses align to.
"""

from __future__ import annotations

import datetime
from collections.abc import Set as AbstractSet

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.literal_kinds import COMPARISONS
from heavy_stack.backend.advisor.rules.rollup.measures import type_at
from heavy_stack.backend.advisor.rules.rollup.trees import columns_of, is_constant, unwrapped

MONTH, DAY, HOUR, MINUTE, RAW = "month", "day", "hour", "minute", "raw"
GRAINS = (MONTH, DAY, HOUR, MINUTE)
"""The grains that a rollup may hold a date at, beside its own values; from the coarsest."""
_FINENESS = {MONTH: 0, DAY: 1, HOUR: 2, MINUTE: 3, RAW: 4}

_BY_MONTH = (exp.Year, exp.Quarter, exp.Month, exp.LastDay)
_BY_DAY = (
    exp.Day,
    exp.DayOfMonth,
    exp.DayOfWeek,
    exp.DayOfWeekIso,
    exp.DayOfYear,
    exp.Week,
    exp.WeekOfYear,
    exp.YearOfWeek,
    exp.YearOfWeekIso,
    exp.Date,
    exp.TsOrDsToDate,
)
_UNIT_GRAINS = {
    "YEAR": MONTH,
    "QUARTER": MONTH,
    "MONTH": MONTH,
    "WEEK": DAY,
    "DAY": DAY,
    "DOW": DAY,
    "DOY": DAY,
    "DAY_OF_WEEK": DAY,
    "DAY_OF_MONTH": DAY,
    "DAY_OF_YEAR": DAY,
    "YOW": DAY,
    "YEAR_OF_WEEK": DAY,
    "HOUR": HOUR,
    "MINUTE": MINUTE,
}
MILLISECONDS = 3
"""Digits of a second that date_format keeps."""

# sqlglot keeps formats in strftime's letters, where M is the minute.
_FORMAT_GRAINS = {
    **dict.fromkeys("YymbB", MONTH),
    **dict.fromkeys("djaAuwUWVG", DAY),
    **dict.fromkeys("HIp", HOUR),
    "M": MINUTE,
}


def finest(grains: list[str]) -> str:
    """The finest of some grains."""
    return max(grains, key=_FINENESS.__getitem__)


def covers(stored: str, asked: str) -> bool:
    """Whether values at the `stored` grain answer a use at the `asked` grain."""
    return _FINENESS[stored] >= _FINENESS[asked]


def is_date(kind: exp.DataType | None) -> bool:
    """Whether the type is DATE."""
    return kind is not None and kind.this == exp.DType.DATE


def is_timestamp(kind: exp.DataType | None) -> bool:
    """Whether the type is TIMESTAMP without time zone (with one, days depend on the zone)."""
    return kind is not None and kind.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)


def truncated(column: exp.Expr, grain: str) -> exp.Expr:
    """`date_trunc(grain, column)`; the column itself at its own grain."""
    if grain == RAW or (grain in (DAY, HOUR, MINUTE) and is_date(column.type)):
        return column.copy()
    node = exp.TimestampTrunc(this=column.copy(), unit=exp.var(grain.upper()))
    node.type = column.type
    return node


def use_of_date(
    node: exp.Expr, aliases: AbstractSet[str], *, designing: bool = False
) -> tuple[exp.Column, str, bool] | None:
    """(column, grain, compared) when `node` asks a date or timestamp column for a part, or compares it with a constant.

    The node's value is the same for the column and for the column truncated to that grain. `designing`: the grain that
    next month's constant is likely to need too: the end of a month of less than 31 days counts as a day.
    """
    compared = compared_with(node)
    if compared is not None:
        subject, values = compared
        day_only = False
        inner = _date_of(subject)
        if inner is not None:
            subject, day_only = inner, True
        column = _own_date_column(subject, aliases)
        if column is None:
            return None
        by_day = day_only or is_date(column.type)
        tick = _tick(column)
        grain = finest([_alignment(value, operator, by_day, designing, tick) for operator, value in values])
        return column, grain, True
    grain_of_part = _part_grain(node)
    if grain_of_part is None:
        return None
    inner_node, grain = grain_of_part
    column = _own_date_column(inner_node, aliases)
    return None if column is None else (column, grain, False)


def _own_date_column(node: exp.Expr, aliases: AbstractSet[str]) -> exp.Column | None:
    bare = unwrapped(node)
    if not isinstance(bare, exp.Column) or not (is_date(bare.type) or is_timestamp(bare.type)):
        return None
    return bare if any(True for _ in columns_of(bare, aliases)) else None


def _date_of(node: exp.Expr) -> exp.Expr | None:
    """x of CAST(x AS DATE) or date(x)."""
    bare = unwrapped(node)
    if isinstance(bare, exp.Cast) and is_date(bare.to):
        return unwrapped(bare.this)
    if isinstance(bare, (exp.Date, exp.TsOrDsToDate)) and not bare.expressions:
        return unwrapped(bare.this)
    return None


def coarser_forms(node: exp.Expr, aliases: AbstractSet[str]) -> list[exp.Expr]:
    """What of a date or timestamp follows from a value of `node`: months from its day, days from its date."""
    inner = _date_of(node)
    column = _own_date_column(inner if inner is not None else node, aliases)
    if column is None:
        return []
    return [truncated(column, grain) for grain in (GRAINS if inner is None else (MONTH, DAY))]


def compared_with(node: exp.Expr) -> tuple[exp.Expr, list[tuple[str, exp.Expr]]] | None:
    """(subject, [(operator, constant)]) of a comparison with constants."""
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        if is_constant(low) and is_constant(high) and not node.args.get("symmetric"):
            return unwrapped(node.this), [(">=", low), ("<=", high)]
        return None
    if isinstance(node, exp.In):
        if node.expressions and all(is_constant(value) for value in node.expressions):
            return unwrapped(node.this), [("=", value) for value in node.expressions]
        return None
    if not isinstance(node, COMPARISONS):
        return None
    operators = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
    flipped = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
    operator = operators.get(type(node), "=")
    if is_constant(node.expression) and not is_constant(node.this):
        return unwrapped(node.this), [(operator, node.expression)]
    if is_constant(node.this) and not is_constant(node.expression):
        return unwrapped(node.expression), [(flipped.get(operator, "="), node.this)]
    return None


def _part_grain(node: exp.Expr) -> tuple[exp.Expr, str] | None:
    if isinstance(node, _BY_MONTH):
        return (node.this, MONTH) if not node.args.get("unit") else None
    if isinstance(node, _BY_DAY):
        return node.this, DAY
    if isinstance(node, exp.Hour):
        return node.this, HOUR
    if isinstance(node, exp.Minute):
        return node.this, MINUTE
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        grain = _UNIT_GRAINS.get(_unit(node))
        return None if grain is None or node.args.get("zone") is not None else (node.this, grain)
    if isinstance(node, exp.Extract):
        grain = _UNIT_GRAINS.get(str(node.this.name).upper())
        return None if grain is None else (node.expression, grain)
    if isinstance(node, exp.Cast) and is_date(node.to) and not isinstance(node, exp.TryCast):
        return node.this, DAY
    if isinstance(node, exp.TimeToStr):
        grain = None if _is_rounded(node.this) else _format_grain(node.args.get("format"))
        return None if grain is None else (node.this, grain)
    return None


def _is_rounded(node: exp.Expr) -> bool:
    """Whether Trino's date_format rounds the value to milliseconds first: 30 June 23:59:59.9996 is written as July.

    What it writes is then of no grain of the value, and can only be stored as it is.
    """
    if is_date(node.type):
        return False
    kind = type_at(node)
    return kind is None or kind.base != "timestamp" or not kind.args or kind.args[0] > MILLISECONDS


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    return str(unit.name).upper() if isinstance(unit, exp.Expr) else ""


def _format_grain(pattern: object) -> str | None:
    if not isinstance(pattern, exp.Literal):
        return None
    grains, letters = [MONTH], iter(str(pattern.this))
    for letter in letters:
        if letter == "%":
            following = next(letters, "")
            grain = _FORMAT_GRAINS.get(next(letters, "") if following == "-" else following)
            if grain is None:
                return None
            grains.append(grain)
    return finest(grains)


def _tick(column: exp.Column) -> datetime.timedelta | None:
    """The smallest step between two values of a timestamp column; None where it is finer than can be reckoned here."""
    kind = type_at(column)
    if kind is None or kind.base != "timestamp" or not kind.args or kind.args[0] > 6:
        return None
    return datetime.timedelta(microseconds=10 ** (6 - kind.args[0]))


def _alignment(
    value: exp.Expr, operator: str, by_day: bool, designing: bool, tick: datetime.timedelta | None = None
) -> str:
    """The grain at which `column operator value` is answered. `by_day`: the compared values are whole days."""
    if operator == "=":
        return DAY if by_day else RAW
    grain = _constant_grain(value)
    if operator in (">=", "<"):
        return DAY if by_day and grain in (HOUR, MINUTE, RAW) else grain
    if not by_day:
        return _last_instant(value, designing, tick)
    # d <= 31 March is d < 1 April. 30 June may become 30 July, though, which ends no month.
    moment = _moment(value)
    if moment is None or moment.time() != datetime.time():
        return DAY
    ends_month = (moment + datetime.timedelta(days=1)).day == 1
    return MONTH if ends_month and (moment.day == 31 or not designing) else DAY


def _last_instant(value: exp.Expr, designing: bool, tick: datetime.timedelta | None) -> str:
    """The grain of ts <= 23:59:59.999, the last instant of a day; ts <= midnight takes one of the next day too."""
    moment = _moment(value)
    if moment is None or tick is None:
        return RAW
    try:
        following = moment + tick
    except OverflowError:
        return RAW
    grain = _grain_of(following)
    if grain == MONTH and designing and (following - datetime.timedelta(days=1)).day != 31:
        return DAY
    return grain


def _grain_of(moment: datetime.datetime) -> str:
    if moment.time() == datetime.time():
        return MONTH if moment.day == 1 else DAY
    if (moment.second, moment.microsecond) != (0, 0):
        return RAW
    return MINUTE if moment.minute else HOUR


def _constant_grain(value: exp.Expr) -> str:
    """The coarsest grain whose first instant a constant is, whatever the day of the run."""
    moment = _moment(value)
    if moment is not None:
        return _grain_of(moment)
    bare = unwrapped(value)
    if isinstance(bare, exp.CurrentDate):
        return DAY
    if isinstance(bare, (exp.TimestampTrunc, exp.DateTrunc)):
        return _UNIT_GRAINS.get(_unit(bare), RAW)
    if isinstance(bare, exp.Cast) and is_date(bare.to):
        return DAY
    if isinstance(bare, exp.Cast) and is_timestamp(bare.to):
        return _constant_grain(bare.this)
    step, base = _shift(bare)
    return finest([_constant_grain(base), step]) if base is not None else RAW


def _shift(node: exp.Expr) -> tuple[str, exp.Expr | None]:
    """(grain of the step, base) of base ± INTERVAL or date_add(unit, n, base)."""
    if isinstance(node, (exp.Add, exp.Sub)):
        interval = unwrapped(node.expression)
        if isinstance(interval, exp.Interval):
            return _UNIT_GRAINS.get(_unit(interval), RAW), node.this
    if isinstance(node, (exp.DateAdd, exp.DateSub)):
        return _UNIT_GRAINS.get(_unit(node), RAW), node.this
    return RAW, None


def _moment(value: exp.Expr) -> datetime.datetime | None:
    """The value of a date or timestamp literal; None where it is not a plain literal."""
    bare = unwrapped(value)
    if isinstance(bare, exp.Cast) and (is_date(bare.to) or is_timestamp(bare.to)):
        inner = unwrapped(bare.this)
        if isinstance(inner, exp.Literal) and inner.is_string:
            return _parsed(str(inner.this), is_date(bare.to))
        if is_timestamp(bare.to):
            return _moment(inner)
    if isinstance(bare, (exp.Date, exp.TsOrDsToDate)) and isinstance(bare.this, exp.Literal):
        return _parsed(str(bare.this.this), True)
    return None


def _parsed(text: str, date_only: bool) -> datetime.datetime | None:
    if len(text.strip().partition(".")[2]) > 6:
        return None  # finer than what is reckoned with here
    try:
        if date_only:
            return datetime.datetime.combine(datetime.date.fromisoformat(text.strip()), datetime.time())
        parsed = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return parsed if parsed.tzinfo is None else None
