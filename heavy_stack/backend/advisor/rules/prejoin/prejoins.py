"""A pre-joined table to be: a fact, the tables joined to it on their keys, and the columns of both that are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Candidate, Saving, StoredColumn, Table, TableName
from heavy_stack.backend.advisor.rules.prejoin.derived import Derived, derived_of
from heavy_stack.backend.advisor.rules.prejoin.extremes import (
    base_of,
    extreme_named,
    source_named,
    table_named,
    word_for,
)
from heavy_stack.backend.advisor.rules.prejoin.keys import filled_condition, key_condition, table_of
from heavy_stack.backend.advisor.rules.prejoin.shelves import EXISTS, RoleColumn, Shelf, shelf_of, storable_type
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT, Step
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.names import NameMaker, slug
from heavy_stack.backend.advisor.rules.rollup.rollups import DIMENSION
from heavy_stack.backend.advisor.rules.rollup.trees import joined, text_of
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.printing import cast_to, trino_sql

RULE_ID = "read_from_prejoin"


@dataclass(frozen=True, eq=False)
class Prejoin:
    """A table with one row per row of the fact.

    Attributes:
        fact: The fact.
        steps: Role → its join; with each role those above it.
        columns: What is kept.
        sort: What the rows are sorted by.
        filled: Joined columns without NULL in their own table, by which a partner's existence is asked.
    """

    fact: Table
    steps: dict[str, Step]
    columns: frozenset[RoleColumn]
    sort: tuple[RoleColumn, ...]
    filled: tuple[RoleColumn, ...] = ()

    def aliases(self) -> dict[str, str]:
        """Role → alias in the SELECT; the table's own name where that tells it apart."""
        names = [self.fact.name.name, *(word_for(step.table) for step in self.ordered())]
        count, seen = Counter(names), Counter[str]()
        found: dict[str, str] = {}
        for role, name in zip([FACT, *(step.role for step in self.ordered())], names, strict=True):
            seen[name] += 1
            found[role] = name if count[name] == 1 else f"{name}_{seen[name]}"
        return found

    def ordered(self) -> list[Step]:
        """The joins, each after the one that it hangs on."""
        return sorted(self.steps.values(), key=lambda step: (step.role.count("/"), step.role))


def needed_steps(columns: Iterable[RoleColumn], steps: Mapping[str, Step]) -> dict[str, Step]:
    """The joins that these columns come from, and those above them."""
    found: dict[str, Step] = {}
    for role, _ in columns:
        while role != FACT:
            found[role] = steps[role]
            role = steps[role].parent
    return found


def stored_columns(prejoin: Prejoin, catalog: Catalog) -> dict[RoleColumn, StoredColumn]:
    """What is kept → the column that holds it: the fact's own first, in the DDL's order."""
    aliases, names = prejoin.aliases(), NameMaker()
    found: dict[RoleColumn, StoredColumn] = {}
    tables = {FACT: prejoin.fact} | {step.role: table_named(step.table, catalog) for step in prejoin.ordered()}
    for role, table in tables.items():
        if (role, EXISTS) in prejoin.columns:
            text = text_of(_has_partner(prejoin.steps[role], aliases[role]))
            found[role, EXISTS] = StoredColumn(names.fresh(slug(f"has_{aliases[role]}")), text, "boolean", DIMENSION)
        for column in table.columns if table is not None else ():
            kind = storable_type(column.type)
            place = (role, column.name.lower())
            if place in prejoin.columns and kind is not None:
                text = text_of(exp.column(place[1], table=aliases[role], quoted=True))
                found[place] = StoredColumn(names.fresh(slug(column.name)), text, kind, DIMENSION)
    return found


def shelf_to_be(prejoin: Prejoin, catalog: Catalog, name: TableName, rows: int | None) -> Shelf:
    """The table as if it were built under this name."""
    columns = stored_columns(prejoin, catalog)
    table = StoredTable(
        candidate="",
        name=name,
        core="",
        common=frozenset(),
        columns={column.sql: (column.name, column.type) for column in columns.values()},
        dimensions=frozenset(),
        rows=rows,
    )
    places = {place: column.name for place, column in columns.items()}
    sort = tuple(place for place in prejoin.sort if place in places)
    return Shelf(table, prejoin.fact.name, dict(prejoin.steps), places, sort, prejoin.filled, is_draft=True)


def candidate_of(
    prejoin: Prejoin,
    catalog: Catalog,
    number: int,
    savings: tuple[Saving, ...],
    rows: int | None,
    size: int | None,
    why: str,
) -> Candidate:
    """The artefact; its evidence says how queries are matched onto it."""
    aliases = prejoin.aliases()
    columns = stored_columns(prejoin, catalog)
    roles = [
        [aliases[step.role], aliases[step.parent], _parts(step.table), [list(pair) for pair in step.pairs]]
        for step in prejoin.ordered()
    ]
    proven = [step for step in prejoin.ordered() if extreme_named(step.table) is None]
    conditions = dict(key_condition(step.table, tuple(key for _, key in step.pairs)) for step in proven)
    conditions |= dict(filled_condition(base_of(prejoin.steps[role].table), name) for role, name in prejoin.filled)
    return Candidate(
        id=f"prejoin-{number}",
        rule=RULE_ID,
        select=trino_sql(_select(prejoin, catalog, columns, {})),
        columns=tuple(columns.values()),
        source_tables=_sources(prejoin),
        serves=tuple(sorted({saving.text for saving in savings})),
        blocks=tuple(f"{saving.text}:{saving.block}" for saving in savings),
        savings=savings,
        conditions=tuple(sorted(conditions.items())),
        rows=rows,
        bytes=size,
        why=why,
        evidence={
            "fact": _parts(prejoin.fact.name),
            "alias": aliases[FACT],
            "roles": roles,
            "stored": {column.name: [aliases[role], name] for (role, name), column in columns.items()},
            "sort": [columns[place].name for place in prejoin.sort if place in columns],
            "filled": [columns[place].name for place in prejoin.filled if place in columns],
            "source_rows": rows,
        },
    )


def narrowed(candidate: Candidate, catalog: Catalog, names: Collection[str]) -> Candidate:
    """The same table with these columns only, and those that it is sorted by; the joins that nothing needs go too."""
    sort = [str(name) for name in candidate.evidence["sort"]]
    kept = [column for column in candidate.columns if column.name in names or column.name in sort]
    shelf = shelf_of(candidate, TableName("", "", ""), kept)
    fact = catalog.table(shelf.fact)
    derived = derived_of(candidate.evidence)
    if fact is None or (len(kept) == len(candidate.columns) and not derived):
        return candidate
    by_name = {column.name: column for column in kept}
    columns = {place: by_name[name] for place, name in shelf.columns.items()}
    prejoin = Prejoin(fact, needed_steps(columns, shelf.steps), frozenset(columns), shelf.sort)
    size = candidate.bytes
    return replace(
        candidate,
        select=trino_sql(_select(prejoin, catalog, columns, derived)),
        columns=tuple(kept),
        source_tables=_sources(prejoin),
        bytes=None if size is None else size * len(kept) // len(candidate.columns),
    )


def _sources(prejoin: Prejoin) -> tuple[TableName, ...]:
    return tuple(sorted({prejoin.fact.name, *(base_of(step.table) for step in prejoin.steps.values())}))


def _parts(name: TableName) -> list[str]:
    return [name.catalog, name.schema, name.name]


def _has_partner(step: Step, alias: str) -> exp.Expr:
    key = exp.column(step.pairs[0][1], table=alias, quoted=True)
    return exp.Not(this=exp.Is(this=key, expression=exp.Null()))


def _select(
    prejoin: Prejoin,
    catalog: Catalog,
    columns: Mapping[RoleColumn, StoredColumn],
    derived: Mapping[str, Derived],
) -> exp.Select:
    aliases = prejoin.aliases()
    parts = {part: each for each in derived.values() for part in (each.rest, each.is_null)}
    select = exp.Select().from_(table_of(prejoin.fact.name, aliases[FACT]))
    for step in prejoin.ordered():
        on = [
            exp.EQ(
                this=exp.column(theirs, table=aliases[step.role], quoted=True),
                expression=exp.column(own, table=aliases[step.parent], quoted=True),
            )
            for own, theirs in step.pairs
        ]
        join = exp.Join(this=source_named(step.table, aliases[step.role]), side="LEFT", on=joined([*on]))
        select.append("joins", join)
    items: list[exp.Expr] = []
    types = {prejoin.fact.name: prejoin.fact} | {
        step.table: table_named(step.table, catalog) for step in prejoin.ordered()
    }
    owners = {FACT: prejoin.fact.name} | {step.role: step.table for step in prejoin.ordered()}
    for (role, name), column in columns.items():
        if name == EXISTS:
            mark = _has_partner(prejoin.steps[role], aliases[role])
            items.append(exp.alias_(mark, column.name, quoted=True))
            continue
        if role == FACT and name in parts:
            made = parts[name].stored(name, lambda each: exp.column(each, table=aliases[FACT], quoted=True))
            items.append(exp.alias_(made, column.name, quoted=True))
            continue
        table = types[owners[role]]
        own = next(each.type for each in table.columns if each.name.lower() == name) if table is not None else ""
        value: exp.Expr = exp.column(name, table=aliases[role], quoted=True)
        items.append(exp.alias_(value if own == column.type else cast_to(value, column.type), column.name, quoted=True))
    select.set("expressions", items)
    return select
