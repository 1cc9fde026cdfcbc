"""Which sites may move, and what kind of value they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from dev_scripts.bench.literals.domains import Domain
from dev_scripts.bench.literals.sites import Site

FLAG, ENUM = 3, 16
SENTINEL_YEAR = 9000
"""Dates from here on mean "no end": a data vault's 9999-12-31 is no date that anybody moves."""
SPANS = {"year", "yr", "month", "moy", "mon", "quarter", "qoy", "qtr", "week"}
"""Last parts of the names of number columns that count time: `d_year`, `month`, `d_month_seq`."""
CALENDAR = {"day", "dom", "dow", "dayofmonth", "dayofweek", "weekday", "hour", "hr", "minute"}
"""Last parts of the names of columns that hold a place inside a month, week or day; such literals stay."""
TIMES = ("date", "timestamp")
SPAN_CALLS = (exp.Year, exp.Month, exp.Quarter, exp.TimestampTrunc, exp.DateTrunc, exp.TimeToStr)
CALENDAR_CALLS = (exp.Hour, exp.Minute, exp.Day, exp.DayOfWeek, exp.DayOfMonth, exp.DayOfYear, exp.DayOfWeekIso)


@dataclass(frozen=True)
class Kind:
    """`name` is one of limit, rank, having, date, number, member (equality and IN), or why it stays."""

    name: str
    moves: bool


def kind_of(site: Site, domains: Mapping[str, Domain]) -> Kind:
    """What a site is."""
    subject, value = site.subject, site.value
    if subject is None:
        return Kind("limit", True)
    if site.operator in ("like", "not in"):
        return Kind("pattern" if site.operator == "like" else "guard", False)
    if subject.find(exp.Window) is not None:
        return Kind("rank", isinstance(value, int) and value > 1)
    if _is_calendar(site, domains):
        return Kind("calendar", False)
    if isinstance(value, str) and starts_with_year(value):
        if not _holds_dates(site, domains):
            return _text_kind(site, domains)
        return Kind("date", int(value[:4]) < SENTINEL_YEAR)
    if not isinstance(value, str) and _counts_time(site):
        return Kind("date", True)
    if subject.find(exp.AggFunc) is not None:
        if isinstance(value, str):
            return Kind("text", False)
        return Kind("guard", False) if value in (0, 1) and site.operator in (">", ">=", "<>") else Kind("having", True)
    if not site.columns:
        return Kind("derived", False)
    if value in (0, ""):
        return Kind("guard", False)
    if site.operator in ("=", "<>", "in"):
        return _text_kind(site, domains)
    return Kind("text", False) if isinstance(value, str) else Kind("number", True)


def _text_kind(site: Site, domains: Mapping[str, Domain]) -> Kind:
    domain = domains.get(site.columns[0]) if len(site.columns) == 1 else None
    distinct = domain.distinct if domain is not None else None
    if distinct is not None and distinct <= FLAG:
        return Kind("flag", False)
    if site.operator not in ("=", "in", "<>") or not isinstance(site.subject, exp.Column) or domain is None:
        return Kind("expression", False)
    if site.operator == "<>" and site.is_string:
        return Kind("guard", False)
    if site.operator == "=" and distinct is not None and distinct <= ENUM:
        return Kind("enum", False)
    return Kind("member", True)


def starts_with_year(text: str) -> bool:
    """`2024-…`, `2024Q1` or `2024`."""
    return text[:4].isdigit() and len(text) >= 4 and text[4:5] in ("", "-", "Q")


def is_lone_guard(site: Site) -> bool:
    """`>= 1`, which only keeps out zeros unless something else bounds the same subject."""
    return site.operator == ">=" and site.value == 1


def _is_calendar(site: Site, domains: Mapping[str, Domain]) -> bool:
    if site.subject is None or site.subject.find(exp.AggFunc) is not None:
        return False
    if site.subject.find(*CALENDAR_CALLS) is not None:
        return True
    if len(site.columns) != 1 or _last_word(site.columns[0]) not in CALENDAR:
        return False
    domain = domains.get(site.columns[0])
    return domain is None or not domain.type.lower().startswith(TIMES)  # a date may well be called `day`


def _counts_time(site: Site) -> bool:
    """A number that is a year, month or quarter."""
    root = _unwrapped(site.subject)
    if isinstance(root, exp.Year | exp.Month | exp.Quarter):
        return True
    if isinstance(root, exp.Extract):
        return str(root.name).lower() in SPANS
    return isinstance(root, exp.Column) and _last_word(site.columns[0]) in SPANS


def _holds_dates(site: Site, domains: Mapping[str, Domain]) -> bool:
    if site.subject is not None and site.subject.find(*SPAN_CALLS) is not None:
        return True
    kinds = [domains[column].type for column in site.columns if column in domains]
    if any(kind.lower().startswith(TIMES) for kind in kinds):
        return True
    return (
        len(site.columns) == 1
        and ({"quarter", "month", "date"} & set(site.columns[0].split(".")[1].split("_"))) != set()
    )


def _last_word(column: str) -> str:
    words = column.split(".")[-1].lower().split("_")
    return words[-2] if words[-1] in ("seq", "name") and len(words) > 1 else words[-1]


def _unwrapped(node: exp.Expr | None) -> exp.Expr | None:
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return node
