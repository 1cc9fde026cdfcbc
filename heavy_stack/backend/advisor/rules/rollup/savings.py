"""What a rollup saves each block that it answers, in the cost model's seconds."""

from __future__ import annotations

import math
from collections import Counter

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Saving
from heavy_stack.backend.advisor.rules.costs import CostModel, stored_s
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.measures import stored_type, type_at
from heavy_stack.backend.advisor.rules.rollup.merging import MAX_SHARE
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, width_of
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import canonical, text_of

PACKED = 0.6
"""Of the bits that tell a key's values apart: sorted keys repeat, and what repeats is packed."""
_MEASURE_BYTES = {"COUNT": 0.7, "COUNT_DISTINCT": 1.5, "BOOL_AND": 0.2, "BOOL_OR": 0.2}
OTHER_MEASURE_BYTES = 3.5
"""A sum or an extreme, after compression."""
ROW_GROUP = 120_000
"""Rows that are read or passed over together."""
SPARSE = 0.25
"""Of that for a measure of one value of a column: most groups have no row of it, and what repeats is packed."""
EMPTY_BYTES = 400
"""A file without rows."""


class Weigher:
    """Weighs rollups against the work that they stand for.

    Args:
        costs: The cost model.
        sizes: Row counts.
    """

    def __init__(self, costs: CostModel, sizes: Sizes) -> None:
        self._costs = costs
        self._sizes = sizes
        self._before: dict[str, float] = {}

    def savings(self, rollup: Rollup) -> tuple[Saving, ...]:
        """One saving for each block, in the order of texts and blocks."""
        rows = self.rows(rollup)
        found: dict[tuple[int, int], Saving] = {}
        for each in rollup.asked:
            read = max(rows * self._share_read(rollup, each.needs), min(rows, ROW_GROUP))
            after = stored_s(read, _kinds(each.needs)) + self._beside(each.needs, rows)
            found[each.text, each.block] = Saving(each.text, each.block, self._before_s(each), after)
        return tuple(found[key] for key in sorted(found))

    def _share_read(self, rollup: Rollup, needs: Needs) -> float:
        """Which share of the rows a block's filter on the leading column of the table's order leaves to be read."""
        share = 1.0
        if (self._sizes.rows(rollup) or 0) <= ROW_GROUP:
            return share
        leading = leading_column(rollup)
        core = needs.block.core
        for part in needs.residual:
            columns = list(part.find_all(exp.Column))
            if leading is not None and {text_of(canonical(column, core.names)) for column in columns} == {leading}:
                table = core.tables.get(core.names.get(columns[0].table, ""))
                share *= self._costs.share_left(part, table) if table is not None else 1.0
        return share

    def rows(self, rollup: Rollup) -> float:
        """The table's rows; without statistics a guess, and never more than a rollup may have."""
        rows = self._sizes.guess(rollup)
        if self._sizes.core_rows(rollup.core) is not None:
            return rows
        return min(rows, MAX_SHARE * self._source_rows(rollup.core))

    def bytes(self, rollup: Rollup) -> int | None:
        """The table's size: dictionaries of its keys, and a few bytes for each measure; None without statistics."""
        rows = self._sizes.rows(rollup)
        if rows is None:
            return None
        size = 0.0
        for node in rollup.dimensions.values():
            values = min(float(rows), max(1.0, self._sizes.order_of(rollup.core, node)))
            kind = stored_type(type_at(node))
            width = self._sizes.text_width(rollup.core, node) if kind == "varchar" else float(width_of(kind))
            # Every row group has a dictionary of its own.
            groups, whole = math.ceil(rows / ROW_GROUP), min(values, float(ROW_GROUP))
            dictionary = max(values, (groups - 1) * whole) * width
            # The one key of a table is in order, so what is stored are steps.
            alone = len(rollup.dimensions) == 1 and kind != "varchar"
            bits = math.log2(values + 1) / 8
            # Of numbers that hardly repeat there is no dictionary: in order of the other keys they pack well.
            plain = rows * min(width, bits) if kind != "varchar" else math.inf
            size += float(rows) if alone else min(rows * PACKED * bits + dictionary, plain)
        spread = {test.text for each in rollup.asked if each.needs.spread for test in each.needs.spread.tests}
        for measure in rollup.measures.values():
            size_here = rows * _MEASURE_BYTES.get(measure.function, OTHER_MEASURE_BYTES)
            size += size_here * (SPARSE if spread & {test.text for test in measure.conditions} else 1.0)
        return int(size) + EMPTY_BYTES

    def _before_s(self, asked: Asked) -> float:
        known = self._before.get(asked.key)
        if known is None:
            known = self._costs.block_cost(asked.needs.block.select)
            self._before[asked.key] = known
        return known

    def _source_rows(self, core: Core) -> float:
        return max(self._costs.table_rows(table) for table in core.tables.values())

    def _beside(self, needs: Needs, rows: float) -> float:
        """The block's other base tables, which are read and joined as before."""
        block = needs.block
        if not block.others and block.shape == "whole":
            return 0.0
        return self._costs.block_cost(block.select, without=block.aliases, stored_rows=rows)


def leading_column(rollup: Rollup) -> str | None:
    """By its text, the column of a dimension that most blocks filter by; a large table is sorted by it first."""
    asked: Counter[str] = Counter()
    held = {text_of(column) for node in rollup.dimensions.values() for column in node.find_all(exp.Column)}
    for each in rollup.asked:
        names = each.needs.block.core.names
        columns = [column for part in each.needs.residual for column in part.find_all(exp.Column)]
        asked.update(sorted({text_of(canonical(column, names)) for column in columns} & held))
    return max(asked, key=lambda text: (asked[text], text)) if asked else None


def _kinds(needs: Needs) -> list[str]:
    """Trino types of the columns that the block reads from a rollup."""
    dimensions = [stored_type(type_at(node)) for node in needs.dimensions.values()]
    return dimensions + [measure.type for measure in needs.read_measures]
