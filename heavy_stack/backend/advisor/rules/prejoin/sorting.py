"""What a pre-joined table is sorted by: the filter that most of the work has, so that most row groups are skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import ColumnFacts, Table, TableFacts
from heavy_stack.backend.advisor.rules.prejoin.shelves import RoleColumn
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Reading, Star, Step
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import COMPARISONS, MAX_FLAG_VALUES
from heavy_stack.backend.advisor.rules.rollup.trees import own_nodes, unwrapped
from heavy_stack.backend.advisor.sql.catalog import Catalog

MAX_COLUMNS = 2
"""Beyond, a row group holds few values of the first columns and nearly all of the others."""
_FILTERS = (*COMPARISONS, exp.Between, exp.In)


def sort_of(
    uses: Iterable[tuple[Reading, Star, int]], catalog: Catalog, facts: Mapping[str, TableFacts]
) -> tuple[RoleColumn, ...]:
    """The columns to sort by; none where no filter could skip rows.

    A joined table counts as a whole: its columns (year, month, day) go together, so one of them orders all.
    """
    uses = list(uses)
    columns: Counter[RoleColumn] = Counter()
    tables: dict[str, Table] = {}
    for reading, star, runs in uses:
        tables[FACT] = star.fact
        for member in star.members:
            tables[member.step.role] = reading.base[member.alias]
        for place in filtered(reading, star):
            if _prunes(_facts_of(place, tables, facts)):
                columns[place] += runs
    groups: Counter[tuple[str, str]] = Counter()
    for (role, name), runs in columns.items():
        groups[_group((role, name))] += runs
    if not groups:
        return ()
    # Of filters that are asked equally often, the one with more values skips more.
    spread = {
        group: max(_spread(place, tables, facts) for place in columns if _group(place) == group) for group in groups
    }
    role, name = max(groups, key=lambda group: (groups[group], spread[group], group))
    if role == FACT:
        return ((role, name),)
    return _ordering_columns(role, tables[role], columns, facts)


def ties_of(fact: Table, steps: Iterable[Step], facts: Mapping[str, TableFacts]) -> list[str]:
    """The fact's columns that order rows which the sort leaves level: its keys, those with the most values first.

    What a key determines lies in runs then (a customer's address in the rows of a day), and runs take next to no room.
    """
    keys = {own.lower() for step in steps if step.parent == FACT for own, _ in step.pairs}
    known = facts.get(str(fact.name))
    values = {name.lower(): each.distinct or 0 for name, each in known.columns.items()} if known is not None else {}
    return sorted(keys, key=lambda name: (-values.get(name, 0), name))


def _group(place: RoleColumn) -> tuple[str, str]:
    return place[0], place[1] if place[0] == FACT else ""


def _spread(place: RoleColumn, tables: Mapping[str, Table], facts: Mapping[str, TableFacts]) -> int:
    found = _facts_of(place, tables, facts)
    return 0 if found is None or found.distinct is None else found.distinct


def filtered(reading: Reading, star: Star) -> set[RoleColumn]:
    """The columns of a star that a SELECT compares with constants."""
    roles = star.roles
    found: set[RoleColumn] = set()
    for part in reading.pool:
        nodes = list(own_nodes(part))
        columns = [node for node in nodes if isinstance(node, exp.Column)]
        if any(isinstance(node, exp.Query) for node in nodes) or len({column.table for column in columns}) != 1:
            continue
        subjects = [subject for node in nodes if isinstance(node, _FILTERS) for subject in _subjects(node)]
        found |= {(roles[column.table], column.name.lower()) for column in subjects if column.table in roles}
    return found


def _subjects(node: exp.Expr) -> list[exp.Column]:
    """The columns that are compared as they are: of what a function makes of a column, no range is known."""
    sides = [node.this, node.expression] if isinstance(node, COMPARISONS) else [node.this]
    bare = [unwrapped(side) for side in sides]
    return [side for side in bare if isinstance(side, exp.Column)]


def _ordering_columns(
    role: str, table: Table, columns: Counter[RoleColumn], facts: Mapping[str, TableFacts]
) -> tuple[RoleColumn, ...]:
    """A date that tells the table's rows apart orders all that goes with it; else what is filtered, coarse first."""
    known = facts.get(str(table.name))
    dates = [(role, column.name.lower()) for column in table.columns if column.type == "date"]
    for place in dates:
        found = _facts_of(place, {role: table}, facts)
        if found is None or found.distinct is None:
            unique = len(dates) == 1
        else:
            unique = known is not None and known.rows is not None and found.distinct >= known.rows
        if unique:
            return (place,)
    filtered_most = sorted((place for place in columns if place[0] == role), key=lambda place: (-columns[place], place))
    kept = filtered_most[:MAX_COLUMNS]
    return tuple(sorted(kept, key=lambda place: (_values(place, table, facts), place)))


def _values(place: RoleColumn, table: Table, facts: Mapping[str, TableFacts]) -> float:
    found = _facts_of(place, {place[0]: table}, facts)
    return float("inf") if found is None or found.distinct is None else found.distinct


def _prunes(found: ColumnFacts | None) -> bool:
    return found is None or found.distinct is None or found.distinct > MAX_FLAG_VALUES


def _facts_of(place: RoleColumn, tables: Mapping[str, Table], facts: Mapping[str, TableFacts]) -> ColumnFacts | None:
    known = facts.get(str(tables[place[0]].name))
    if known is None:
        return None
    return next((each for name, each in known.columns.items() if name.lower() == place[1]), None)
