"""Which SELECTs want a table in another order: a copy is sorted by one filter, and theirs is another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from heavy_stack.backend.advisor.artefacts import TableFacts
from heavy_stack.backend.advisor.rules.prejoin.shelves import RoleColumn
from heavy_stack.backend.advisor.rules.prejoin.sorting import filtered, sort_of
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Reading, Star
from heavy_stack.backend.advisor.sql.catalog import Catalog

MAX_ORDERS = 2
"""Further orders of one fact: each is a table of its own."""

Key = TypeVar("Key")


def other_orders(
    uses: Mapping[Key, tuple[Reading, Star, int]], catalog: Catalog, facts: Mapping[str, TableFacts]
) -> Iterator[list[Key]]:
    """Groups of uses that filter on nothing of what most of the others filter on, but on one thing among themselves.

    Args:
        uses: SELECTs that read the fact, with their runs.
        catalog: The DDL's tables.
        facts: Statistics by full table name.
    """
    sort = sort_of(uses.values(), catalog, facts)
    waiting = dict(uses)
    for _ in range(MAX_ORDERS):
        if not sort:
            return
        waiting = {key: use for key, use in waiting.items() if not _is_asked(use, sort)}
        sort = sort_of(waiting.values(), catalog, facts)
        served = [key for key, use in waiting.items() if _is_asked(use, sort)]
        if served:
            yield served


def _is_asked(use: tuple[Reading, Star, int], sort: Sequence[RoleColumn]) -> bool:
    """Whether a use filters on what is sorted; the columns of a joined table go together."""
    return any(place in sort or (place[0] != FACT and place[0] == sort[0][0]) for place in filtered(*use[:2]) if sort)
