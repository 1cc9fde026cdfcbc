"""Moves all dates of a query by one step in time."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dev_scripts.bench.literals.domains import Domain
from dev_scripts.bench.literals.values import Draw, Literal

MONTHS = (1, 2, 3, 6)
FIRST_YEAR, LAST_YEAR = 1900, 2100


@dataclass(frozen=True)
class DateGroup:
    """Literals of one query that are compared with one subject.

    Attributes:
        key: The subject.
        literals: Their value by text.
        domain: Of the one column in the subject, if there is one.
        span: The largest offset that the query adds to one of them (`4 + 3`).
    """

    key: str
    literals: Mapping[str, Literal]
    domain: Domain | None
    span: int = 0


def move_dates(groups: Sequence[DateGroup], pick: Draw) -> list[dict[str, str]] | None:
    """New texts for each group, all by the same step; None when no step stays inside the data."""
    for months in _steps(groups, pick()):
        moved = [_move(group, months) for group in groups]
        if all(part is not None for part in moved):
            return [{raw: text for raw, text in (part or {}).items() if raw != text} for part in moved]
    return None


def _steps(groups: Sequence[DateGroup], chance: int) -> Iterator[int]:
    """Months to try, the drawn one first; aligned to the coarsest unit that the query truncates to."""
    months = MONTHS[chance % len(MONTHS)]
    keys = " ".join(group.key for group in groups)
    values = [value for group in groups for value in group.literals.values()]
    texts = any(isinstance(value, str) for value in values)
    years = any(_is_year(value) for value in values)
    if "'year'" in keys or "year(" in keys or (years and texts):
        months = 12
    elif "quarter" in keys:
        months = 3 * max(1, months // 3)
    sign = 1 if (chance >> 8) % 2 else -1
    yield sign * months
    yield -sign * months
    if months not in (3, 12):
        yield sign
        yield -sign


def _move(group: DateGroup, months: int) -> dict[str, str] | None:
    """None when a literal would leave the data."""
    numbers = [value for value in group.literals.values() if isinstance(value, int)]
    moved: dict[str, str] = {}
    for raw, value in group.literals.items():
        if isinstance(value, str):
            text = _moved_text(value, months)
            if text is None or not _is_inside(value, text, group.domain):
                return None
            moved[raw] = f"'{text}'"
        elif _is_year(value):
            year = int(value) + (1 if months > 0 else -1)
            if not _holds_year(group, year):
                return None
            moved[raw] = str(year)
        else:
            moved[raw] = str(_moved_number(int(value), numbers, group, months))
    return moved


def _moved_text(text: str, months: int) -> str | None:
    """`2024-01-31 …`, `2024-01`, `2024Q1` or `2024`, some months on."""
    if len(text) == 6 and text[4] == "Q" and text[5].isdigit():
        quarters = int(text[:4]) * 4 + int(text[5]) - 1
        quarters += months // 3 if months % 3 == 0 else (1 if months > 0 else -1)
        return f"{quarters // 4:04d}Q{quarters % 4 + 1}"
    if len(text) == 4:
        return f"{int(text) + (1 if months > 0 else -1):04d}"
    parts = text[:10].split("-")
    if not all(part.isdigit() for part in parts) or len(parts) not in (2, 3):
        return None
    place = int(parts[0]) * 12 + int(parts[1]) - 1 + months
    year, month = place // 12, place % 12 + 1
    moved = f"{year:04d}-{month:0{len(parts[1])}d}"
    if len(parts) == 3:
        day = min(int(parts[2]), calendar.monthrange(year, month)[1])
        moved += f"-{day:0{len(parts[2])}d}"
    return moved + text[len("-".join(parts)) :]


def _is_inside(old: str, new: str, domain: Domain | None) -> bool:
    if domain is None or not isinstance(domain.low, str) or not isinstance(domain.high, str):
        return True
    if len(new) == 6:
        return not domain.values or new in {str(value) for value, _ in domain.values}
    if len(new) < 10:
        return domain.low[:4] <= new[:4] <= domain.high[:4]
    if not domain.low[:10] <= old[:10] <= domain.high[:10]:
        return True  # an open end was outside already
    return domain.low[:10] <= new[:10] <= domain.high[:10]


def _moved_number(value: int, numbers: Sequence[int], group: DateGroup, months: int) -> int:
    """A month or quarter of the year turns round inside the year; a running number of months goes on."""
    is_quarter = group.key.endswith(("quarter", "qoy", "qtr")) or group.key.startswith("quarter(")
    most = 4 if is_quarter and value <= 4 else 12 if value <= 12 else None
    if most is None:
        return value + months
    low, width = min(numbers), max(numbers) - min(numbers)
    room = most - width - group.span
    if room <= 1:
        return value
    step = months if most == 12 else (1 if months > 0 else -1)
    return (low - 1 + step) % room + 1 + (value - low)


def _is_year(value: Literal) -> bool:
    return isinstance(value, int) and FIRST_YEAR <= value <= LAST_YEAR


def _holds_year(group: DateGroup, year: int) -> bool:
    domain = group.domain
    if domain is None or domain.low is None:
        return True
    if isinstance(domain.low, str) and domain.low[:4].isdigit():
        return int(domain.low[:4]) <= year <= int(domain.high[:4])
    if isinstance(domain.low, int) and FIRST_YEAR <= domain.low <= LAST_YEAR:
        return bool(domain.low <= year <= domain.high)
    return True
