"""Which columns a query asks for that no pre-joined table holds, in words for whoever sent it after the design."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Reading, reading_of
from heavy_stack.backend.advisor.sql.catalog import Catalog

MAX_LISTED = 5
MAX_CHARS = 80


def what_shelves_lack(tree: exp.Query, catalog: Catalog, shelves: Iterable[Shelf]) -> str | None:
    """What the closest table lacks, as a sentence; None where none stands for a fact of the query, or nothing lacks.

    Args:
        tree: The resolved query.
        catalog: The client's tables.
        shelves: The pre-joined tables of the design.
    """
    found: list[tuple[list[str], str]] = []
    listed = list(shelves)
    for select in tree.find_all(exp.Select):
        reading = reading_of(select, catalog)
        for alias, table in reading.base.items() if reading is not None else ():
            for shelf in listed:
                if shelf.fact == table.name and reading is not None:
                    lacking = _lacking(reading, alias, shelf)
                    if lacking:
                        found.append((lacking, shelf.table.name.name))
    if not found:
        return None
    lacking, name = min(found, key=lambda each: (len(each[0]), each[1]))
    shown = [column if len(column) <= MAX_CHARS else f"{column[:MAX_CHARS]}…" for column in lacking[:MAX_LISTED]]
    more = f" and {len(lacking) - MAX_LISTED} more" if len(lacking) > MAX_LISTED else ""
    return f"{name} has no column {', '.join(shown)}{more}."


def _lacking(reading: Reading, fact: str, shelf: Shelf) -> list[str]:
    """Columns of the fact, and of tables that were joined to it, that are not stored."""
    roles: dict[str, set[str]] = {fact: {FACT}}
    for alias, table in reading.base.items():
        joined = {role for role, step in shelf.steps.items() if step.table == table.name}
        if alias != fact and joined:
            roles[alias] = joined
    # What the joins compare need not be stored.
    keys = {(FACT, own) for step in shelf.steps.values() if step.parent == FACT for own, _ in step.pairs}
    keys |= {(role, theirs) for role, step in shelf.steps.items() for _, theirs in step.pairs}
    held = keys | set(shelf.columns) | {(FACT, name) for name in shelf.derived}
    return sorted(
        {
            column.name.lower()
            for column in reading.select.find_all(exp.Column)
            if column.table in roles and not any((role, column.name.lower()) in held for role in roles[column.table])
        }
    )
