"""What a rollup saves each block that it answers, in the cost model's seconds."""

from __future__ import annotations

from collections.abc import Iterable

from heavy_stack.backend.advisor.artefacts import Saving
from heavy_stack.backend.advisor.rules.costs import CostModel, stored_s
from heavy_stack.backend.advisor.rules.rollup.cores import Core
from heavy_stack.backend.advisor.rules.rollup.measures import stored_type, type_at
from heavy_stack.backend.advisor.rules.rollup.merging import MAX_SHARE
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes


class Weigher:
    """Weighs rollups against the work that they stand for.

    Args:
        costs: The cost model.
        sizes: Row counts.
        narrow: The narrowest rollup of each block, which says how many groups the block itself makes.
    """

    def __init__(self, costs: CostModel, sizes: Sizes, narrow: Iterable[Rollup]) -> None:
        self._costs = costs
        self._sizes = sizes
        self._groups: dict[str, float] = {}
        for rollup in narrow:
            for each in rollup.asked:
                groups = self.rows(rollup)
                self._groups[each.key] = min(groups, self._groups.get(each.key, groups))
        self._before: dict[str, float] = {}

    def savings(self, rollup: Rollup) -> tuple[Saving, ...]:
        """One saving for each block, in the order of texts and blocks."""
        rows = self.rows(rollup)
        found: dict[tuple[int, int], Saving] = {}
        for each in rollup.asked:
            after = stored_s(rows, _kinds(each.needs)) + self._beside(each.needs, rows)
            found[each.text, each.block] = Saving(each.text, each.block, self._before_s(each), after)
        return tuple(found[key] for key in sorted(found))

    def rows(self, rollup: Rollup) -> float:
        """The table's rows; without statistics a guess, and never more than a rollup may have."""
        rows = self._sizes.guess(rollup)
        if self._sizes.core_rows(rollup.core) is not None:
            return rows
        return min(rows, MAX_SHARE * self._source_rows(rollup.core))

    def _before_s(self, asked: Asked) -> float:
        known = self._before.get(asked.key)
        if known is None:
            known = self._costs.block_cost(asked.needs.block.select, self._groups.get(asked.key))
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


def _kinds(needs: Needs) -> list[str]:
    """Trino types of the columns that the block reads from a rollup."""
    dimensions = [stored_type(type_at(node)) for node in needs.dimensions.values()]
    return dimensions + [measure.type for measure in needs.measures]
