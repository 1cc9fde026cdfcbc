"""Whether each row of a table is one whole group of a block, so that nothing is left to group.

`SELECT channel, SUM(row_count) FROM sales_by_channel GROUP BY channel` is `SELECT channel, row_count FROM
sales_by_channel`: a table at exactly the query's grain needs no aggregation, which saves an engine one exchange.
"""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.needs import Needs, group_keys
from heavy_stack.backend.advisor.rules.rollup.partial_values import condition_may_fail
from heavy_stack.backend.advisor.rules.rollup.trees import canonical, conjuncts, text_of

_SETS = (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple)


def rows_are_groups(needs: Needs, table: StoredTable, *, filtered: bool) -> bool:
    """Whether the table's rows are the block's groups, one to one (before HAVING).

    Args:
        needs: The block's needs.
        table: The table.
        filtered: Some of the table's rows are no group of the query's.
    """
    block = needs.block
    having = block.select.args.get("having")
    if having is not None and filtered and condition_may_fail(having.this):
        # HAVING sees only groups that pass WHERE; in one WHERE with the filter, a division could meet the others.
        return False
    group = block.select.args.get("group")
    # Another source beside the table may join a row several times, or not at all.
    if group is None or block.shape != "whole" or block.null_extended:
        return False
    # A grouping set without keys has a group even where the table has no row.
    if any(value for key, value in group.args.items() if key != "expressions"):
        return False
    if any(isinstance(key, _SETS) for key in group.expressions):
        return False
    # Every key is computed from dimensions; where every dimension is itself a key, neither is finer than the other.
    # A table without dimensions has its one row also where the query finds none.
    keys = {text_of(canonical(key, block.core.names)) for key in group_keys(block.select)}
    return bool(table.dimensions) and table.dimensions <= keys


def without_grouping(select: exp.Select) -> list[exp.Expr]:
    """Take GROUP BY and HAVING out of a rewritten SELECT; the conditions of HAVING, which now filter rows."""
    having = select.args.get("having")
    conditions = [part.copy() for part in conjuncts(having.this)] if having is not None else []
    select.set("group", None)
    select.set("having", None)
    return conditions
