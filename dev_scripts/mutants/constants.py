"""Constants and expressions over them that are a little off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from sqlglot import exp

from dev_scripts.mutants.kinds import Change, Kind, child, number, setting, without, wrapped
from heavy_stack.backend.advisor.sql.types import type_name

_UNITS = {"DAY": "MONTH", "WEEK": "MONTH", "MONTH": "QUARTER", "QUARTER": "YEAR", "YEAR": "QUARTER", "HOUR": "DAY"}
_PARTS: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Year: exp.Month,
    exp.Month: exp.Quarter,
    exp.Quarter: exp.Month,
    exp.Day: exp.Month,
    exp.DayOfWeek: exp.Day,
}
_CLAUSES_OF_NUMBERS = (
    exp.Limit,
    exp.Offset,
    exp.Fetch,
    exp.DataTypeParam,
    exp.Ordered,
    exp.Group,
    exp.Order,
    exp.Interval,
)


def _moves(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Literal) or node.is_string or isinstance(node.parent, _CLAUSES_OF_NUMBERS):
        return False
    if (
        node.find_ancestor(exp.Interval, exp.WindowSpec, exp.Exists) is not None
        and node.find_ancestor(exp.Where) is None
    ):
        return False
    return not (isinstance(node.parent, exp.Round) and node.arg_key == "decimals")


def _moved_by(step: int) -> Kind:
    def changed(node: exp.Expr) -> exp.Expr:
        value = Decimal(node.this) + step
        literal = exp.Literal.number(str(abs(value)))
        return exp.paren(exp.Neg(this=literal)) if value < 0 else literal

    def changes(node: exp.Expr) -> Iterator[Change]:
        if _moves(node):
            yield changed

    return Kind("number one higher" if step > 0 else "number one lower", changes)


def _day_of(node: exp.Expr) -> dt.date | None:
    if not isinstance(node, exp.Literal) or not node.is_string or len(node.this) < 10:
        return None
    try:
        day = dt.date.fromisoformat(node.this[:10])
    except ValueError:
        return None
    return day if dt.date.min < day < dt.date.max else None


def _day_off(step: int) -> Kind:
    def changes(node: exp.Expr) -> Iterator[Change]:
        day = _day_of(node)
        if day is not None:
            text = (day + dt.timedelta(days=step)).isoformat() + node.this[10:]
            yield lambda node: exp.Literal.string(text)

    return Kind("date a day late" if step > 0 else "date a day early", changes)


def _text_changed(node: exp.Expr) -> Iterator[Change]:
    if not isinstance(node, exp.Literal) or not node.is_string or _day_of(node) is not None:
        return
    if isinstance(node.parent, (exp.EQ, exp.NEQ, exp.In)):
        yield lambda node: exp.Literal.string(node.this + " ")
        yield lambda node: exp.Literal.string(
            node.this.swapcase() if node.this.swapcase() != node.this else node.this + "x"
        )


def _interval_off(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal) and node.this.this.isdigit():
        text = str(int(node.this.this) + 1)
        yield setting("this", exp.Literal.string(text) if node.this.is_string else exp.Literal.number(text))


def _grain(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)):
        unit = node.text("unit").upper()
        if unit in _UNITS:
            part = exp.Literal.string(_UNITS[unit]) if isinstance(node, exp.DateTrunc) else exp.Var(this=_UNITS[unit])
            yield setting("unit", part)


def _date_part(node: exp.Expr) -> Iterator[Change]:
    if type(node) in _PARTS:
        yield lambda node: _PARTS[type(node)](this=node.this.copy())


def _round_scale(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Round):
        places = node.args.get("decimals")
        if places is None:
            yield setting("decimals", number(1))
        elif isinstance(places, exp.Literal) and places.this.isdigit():
            yield setting("decimals", number(int(places.this) + 1))
            if int(places.this) > 0:
                yield setting("decimals", number(int(places.this) - 1))


def _round_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Round):
        yield child("this")


def _integer_division(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Div) and (type_name(node) or "").startswith(("decimal", "double", "real")):

        def change(node: exp.Expr) -> exp.Expr:
            for part in ("this", "expression"):
                node.set(part, exp.cast(wrapped(node.args[part].copy()), "BIGINT"))
            return node

        yield change


def _true_division(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Div) and type_name(node) in ("bigint", "integer"):
        yield lambda node: setting("this", exp.cast(wrapped(node.this.copy()), "DOUBLE"))(node)


def _decimal_to_double(node: exp.Expr) -> Iterator[Change]:
    inside = isinstance(node.parent, (exp.AggFunc, exp.Alias, exp.Select))
    if inside and (type_name(node) or "").startswith("decimal") and not isinstance(node, exp.Literal):
        yield lambda node: exp.cast(node.copy(), "DOUBLE")


def _trimmed(node: exp.Expr) -> Iterator[Change]:
    if _is_text_key(node):
        yield lambda node: exp.Trim(this=node.copy())


def _lower_case(node: exp.Expr) -> Iterator[Change]:
    if _is_text_key(node):
        yield lambda node: exp.Lower(this=node.copy())


def _is_text_key(node: exp.Expr) -> bool:
    """A text column that is compared or counted; as a group key it would have to change in two places."""
    if not isinstance(node, exp.Column) or not (type_name(node) or "").startswith(("varchar", "char")):
        return False
    return isinstance(node.parent, (exp.EQ, exp.NEQ, exp.In, exp.Distinct, exp.Like))


def _case_order(node: exp.Expr) -> Iterator[Change]:
    branches = node.args.get("ifs") or [] if isinstance(node, exp.Case) else []
    if len(branches) > 1:
        yield lambda node: setting("ifs", [branch.copy() for branch in reversed(node.args["ifs"])])(node)


def _case_branch(node: exp.Expr) -> Iterator[Change]:
    branches = node.args.get("ifs") or [] if isinstance(node, exp.Case) else []
    if len(branches) > 1:
        for place in (0, len(branches) - 1):
            yield without("ifs", place)


def _else_dropped(node: exp.Expr) -> Iterator[Change]:
    default = node.args.get("default") if isinstance(node, exp.Case) else None
    if default is not None and not isinstance(default, exp.Null):
        yield setting("default", None)


def _else_zero(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Case) and node.args.get("default") is None and _is_number(node):
        yield setting("default", number(0))


def _is_number(node: exp.Expr) -> bool:
    return (type_name(node) or "").startswith(("bigint", "integer", "decimal", "double", "real", "smallint", "tinyint"))


def _coalesce_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Coalesce):
        yield child("this")


def _coalesce_added(node: exp.Expr) -> Iterator[Change]:
    bare = not isinstance(node.parent, (exp.Coalesce, exp.Filter, exp.Window))
    if bare and isinstance(node, (exp.Sum, exp.Min, exp.Max, exp.Avg)) and _is_number(node):
        yield lambda node: exp.Coalesce(this=node.copy(), expressions=[number(0)])


def _nullif_dropped(node: exp.Expr) -> Iterator[Change]:
    if isinstance(node, exp.Nullif):
        yield child("this")


KINDS = (
    _moved_by(1),
    _moved_by(-1),
    _day_off(1),
    _day_off(-1),
    Kind("text changed", _text_changed),
    Kind("interval one longer", _interval_off),
    Kind("date truncated to another grain", _grain),
    Kind("another part of a date", _date_part),
    Kind("ROUND to another scale", _round_scale),
    Kind("ROUND dropped", _round_dropped),
    Kind("integer division", _integer_division),
    Kind("no integer division", _true_division),
    Kind("decimal became double", _decimal_to_double),
    Kind("text trimmed", _trimmed),
    Kind("case of text ignored", _lower_case),
    Kind("CASE branches in another order", _case_order),
    Kind("CASE branch dropped", _case_branch),
    Kind("ELSE dropped", _else_dropped),
    Kind("ELSE 0 added", _else_zero),
    Kind("COALESCE dropped", _coalesce_dropped),
    Kind("COALESCE added", _coalesce_added),
    Kind("NULLIF dropped", _nullif_dropped),
)
