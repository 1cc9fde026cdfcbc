"""Which mutants are tried: all where there are few, else a sample with a fixed seed, of every kind."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from dev_scripts.mutants.designs import Design
from dev_scripts.mutants.making import Site, mutated, sites
from heavy_stack.backend.advisor.artefacts import Candidate, Column, DesignTable, Table
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified, resolve
from heavy_stack.backend.advisor.sql.guards import SqlProblem, TooLarge
from heavy_stack.backend.advisor.sql.printing import Unprintable, trino_sql

MOST_READERS = 3
"""Texts through which a wrong table is looked at."""


@dataclass(frozen=True, order=True)
class Mutant:
    """One wrong rewrite.

    Attributes:
        text: Index of the query text whose rewrite it is.
        table: The candidate whose SELECT is wrong; "" where the text is.
        site: What is wrong.
    """

    text: int
    table: str
    site: Site

    @property
    def key(self) -> str:
        """A name that stays the same from run to run."""
        return f"{self.text}|{self.table}|{self.site.kind}|{self.site.place}|{self.site.number}"


class Maker:
    """Makes the mutants of one design."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.base = Catalog(design.parsed.tables)
        self.catalog = self.base.with_tables(_as_table(table) for table in design.rewrite.tables)
        self.texts = {text.text: text for text in design.rewrite.texts}
        self.tables = {table.candidate: table for table in design.rewrite.tables}
        self.candidates = {each.id: each for each in design.plan.chosen if each.id in self.tables}

    def all(self) -> Iterator[Mutant]:
        """Every mutant, of texts and of tables."""
        for text in sorted(self.texts):
            for site in sites(qualified(self.texts[text].sql, self.catalog)):
                yield Mutant(text, "", site)
        for name, candidate in sorted(self.candidates.items()):
            readers = [text for text in sorted(self.texts) if self.tables[name].name in self.texts[text].tables]
            for site in sites(qualified(candidate.select, self.base)):
                for text in random.Random(f"{name}|{site}").sample(readers, min(MOST_READERS, len(readers))):
                    yield Mutant(text, name, site)

    def wrong_text(self, mutant: Mutant) -> str | None:
        """The rewrite with the mistake; None where it makes no other text, or none that Trino would take."""
        return _changed(qualified(self.texts[mutant.text].sql, self.catalog), mutant.site, self.catalog)

    def wrong_table(self, mutant: Mutant) -> Candidate | None:
        """The candidate with the mistake; None also where the text does not read what is wrong."""
        candidate = self.candidates[mutant.table]
        tree = qualified(candidate.select, self.base)
        sql = _changed(tree, mutant.site, self.base)
        if sql is None or not self._is_read(mutant, candidate, tree, qualified(sql, self.base)):
            return None
        return Candidate(
            id=mutant.key,
            rule=candidate.rule,
            select=sql,
            columns=candidate.columns,
            source_tables=candidate.source_tables,
            serves=candidate.serves,
            evidence=candidate.evidence,
        )

    def readings(self, text: int, table: str) -> list[exp.Table]:
        """Where a rewritten text reads a table of the design, in one tree."""
        name = self.tables[table].name
        wanted = [name.catalog, name.schema, name.name]
        tree = qualified(self.texts[text].sql, self.catalog)
        return [node for node in tree.find_all(exp.Table) if [part.name for part in node.parts] == wanted]

    def _is_read(self, mutant: Mutant, candidate: Candidate, right: exp.Query, wrong: exp.Query) -> bool:
        """Whether the mistake is in rows, or in a column that the text reads."""
        others = [{key: value for key, value in tree.args.items() if key != "expressions"} for tree in (right, wrong)]
        if others[0] != others[1] or len(right.selects) != len(wrong.selects):
            return True
        changed = {
            column.name.lower()
            for column, mine, other in zip(candidate.columns, right.selects, wrong.selects, strict=True)
            if mine != other
        }
        read = {
            column.name.lower() for place in self.readings(mutant.text, mutant.table) for column in columns_read(place)
        }
        return bool(changed & read)


def columns_read(place: exp.Table) -> list[exp.Column]:
    """The columns that are read from a table in a FROM."""
    select = place.find_ancestor(exp.Select)
    alias = place.alias_or_name.lower()
    found = select.find_all(exp.Column) if select is not None else ()
    return [column for column in found if column.table.lower() == alias]


def drawn(made: Sequence[Mutant], most: int, seed: int) -> list[Mutant]:
    """At most so many mutants, of every kind and side as evenly as there are, the same for the same seed."""
    if len(made) <= most:
        return list(made)
    groups: dict[tuple[str, bool], list[Mutant]] = defaultdict(list)
    for mutant in made:
        groups[mutant.site.kind, bool(mutant.table)].append(mutant)
    draw = random.Random(seed)
    for group in groups.values():
        draw.shuffle(group)
    found: list[Mutant] = []
    waiting = [groups[key] for key in sorted(groups)]
    while waiting and len(found) < most:
        waiting = [group for group in waiting if group]
        for group in waiting[: most - len(found)]:
            found.append(group.pop())
    return sorted(found)


def _changed(tree: exp.Query, site: Site, catalog: Catalog) -> str | None:
    """The text of a tree with a mistake; once more at every equal place where one place alone makes no query."""
    right = trino_sql(tree)
    for everywhere in (False, True):
        wrong = mutated(tree, site, everywhere=everywhere)
        try:
            sql = trino_sql(resolve(wrong, catalog)) if isinstance(wrong, exp.Query) else None
            if sql is not None:
                qualified(sql, catalog)
        except (SqlProblem, TooLarge, Unprintable):
            continue
        return None if sql == right else sql
    return None


def _as_table(table: DesignTable) -> Table:
    return Table(table.name, tuple(Column(column.name, column.type) for column in table.columns))
