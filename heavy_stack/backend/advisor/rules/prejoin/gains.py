"""What reading a stored table instead of the client's tables saves one SELECT, by the cost model."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableFacts
from heavy_stack.backend.advisor.rules.costs import CostModel, scan_s
from heavy_stack.backend.advisor.rules.prejoin.extremes import Extreme, catalog_with, facts_with
from heavy_stack.backend.advisor.rules.prejoin.folding import Folded
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT
from heavy_stack.backend.advisor.rules.rollup.trees import conjuncts
from heavy_stack.backend.advisor.sql.catalog import Catalog

MAX_WORTH = 0.85
"""A SELECT that keeps more than this share of its work is not helped."""
PRUNED_TO = 0.04
"""Of a sorted table at least so much is read: row groups are coarse."""
LEAST_SPAN = 0.01
"""Of a range of numbers: values may lie close together where they are asked for."""


class Gains:
    """Estimates by the statistics at hand.

    Args:
        facts: Statistics by full table name; may be empty.
        catalog: The DDL's tables.
    """

    def __init__(self, facts: Mapping[str, TableFacts], catalog: Catalog) -> None:
        self._facts, self._catalog = facts, catalog
        self._plain = CostModel(facts, catalog)
        self._models: dict[int, tuple[CostModel, Table]] = {}

    def knowing(self, extremes: Collection[Extreme]) -> Gains:
        """The same, which also knows these."""
        return Gains(facts_with(extremes, self._facts), catalog_with(extremes, self._catalog))

    def as_it_is_s(self, select: exp.Select) -> float:
        """Seconds of the cost model of a SELECT on the client's tables."""
        return self._plain.block_cost(select)

    def before_and_after(self, select: exp.Select, folded: Folded, shelf: Shelf) -> tuple[float, float]:
        """Seconds of the cost model of a SELECT as it is, and read from the shelf's table."""
        model, table = self._design(shelf)
        after = model.block_cost(folded.select) - self._skipped_s(folded, shelf, model, table)
        return self._plain.block_cost(select) - self._passed_over_s(select), after

    def _passed_over_s(self, select: exp.Select) -> float:
        """What the client's own tables save: of one whose rows follow a date, a filter on it passes over most."""
        spent = 0.0
        for alias, table in self._plain.base_tables(select).items():
            share = 1.0
            for part in conjuncts(select.args["where"].this if select.args.get("where") is not None else None):
                columns = list(part.find_all(exp.Column))
                if columns and all(each.table == alias and self._is_in_order(table, each.name) for each in columns):
                    share *= self._plain.share_left(part, table)
            if share < 1.0:
                read = {each.name for each in select.find_all(exp.Column) if each.table == alias}
                units = self._plain.column_units(table, read)
                spent += scan_s(self._plain.table_rows(table), units) * (1 - max(PRUNED_TO, share))
        return spent

    def _is_in_order(self, table: Table, column: str) -> bool:
        known = self._facts.get(str(table.name))
        found = known.columns.items() if known is not None else ()
        return any(one.in_order for name, one in found if name.lower() == column.lower())

    def rows(self, table: Table) -> float:
        """Rows of a table of the DDL, or a guess."""
        return self._plain.table_rows(table)

    def _design(self, shelf: Shelf) -> tuple[CostModel, Table]:
        found = self._models.get(id(shelf))
        if found is None:
            types = dict(shelf.table.columns.values())
            # Where a formula gives nearly all values, the rest of them weighs no more than a mark.
            types |= {shelf.columns[FACT, each.rest]: "boolean" for each in shelf.derived.values()}
            table = Table(shelf.table.name, tuple(Column(name, kind) for name, kind in types.items()))
            known = {name: one for place, name in shelf.columns.items() if (one := self._column(shelf, place))}
            fact = self._catalog.table(shelf.fact)
            rows = shelf.table.rows if fact is None else int(self._plain.table_rows(fact))
            facts = {**self._facts, str(table.name): TableFacts(rows, None, known)}
            found = self._models[id(shelf)] = CostModel(facts, self._catalog.with_tables([table])), table
        return found

    def _column(self, shelf: Shelf, place: tuple[str, str]) -> ColumnFacts | None:
        owner = shelf.fact if place[0] == FACT else shelf.steps[place[0]].table
        known = self._facts.get(str(owner))
        if known is None:
            return None
        return next((each for name, each in known.columns.items() if name.lower() == place[1]), None)

    def _skipped_s(self, folded: Folded, shelf: Shelf, model: CostModel, table: Table) -> float:
        """What sorting saves: row groups whose range of a sorted column, or of one beside it, misses the filter."""
        places = {name: place for place, name in shelf.columns.items()}
        near = {role for role, _ in shelf.sort if role != FACT}
        sorted_ = {*shelf.sort}
        where = folded.select.args.get("where")
        share = 1.0
        for part in conjuncts(where.this if where is not None else None):
            columns = list(part.find_all(exp.Column))
            read = [places.get(column.name) if column.table == folded.alias else None for column in columns]
            if columns and all(place is not None and (place[0] in near or place in sorted_) for place in read):
                span = self._span(part, shelf, [place for place in read if place is not None])
                share *= model.share_left(part, table) if span is None else span
        units = model.column_units(table, (shelf.columns[place] for place in folded.used))
        return scan_s(model.table_rows(table), units) * (1 - max(PRUNED_TO, share))

    def _span(self, part: exp.Expr, shelf: Shelf, places: list[tuple[str, str]]) -> float | None:
        """The share of a range of the fact's own numbers that a BETWEEN asks for; None where it is none.

        Of a joined table's columns only few values may occur in the fact, so their range says nothing.
        """
        node = part.unnest()
        if not isinstance(node, exp.Between) or len(places) != 1 or places[0][0] != FACT:
            return None
        found = self._column(shelf, places[0])
        low, high = node.args["low"], node.args["high"]
        if found is None or not all(isinstance(each, exp.Literal) and not each.is_string for each in (low, high)):
            return None
        try:
            least, most = float(found.low or ""), float(found.high or "")
            asked = float(high.this) - float(low.this)
        except ValueError:
            return None
        return min(1.0, max(LEAST_SPAN, asked / (most - least))) if most > least else None
