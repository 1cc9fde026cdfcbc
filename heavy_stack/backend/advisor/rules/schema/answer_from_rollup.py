"""Answer a query's aggregate block from a rollup: a table of groups with measures that merge.

Before:
    SELECT region, COUNT(*), AVG(amount) FROM sales WHERE NOT returned AND month = 3 GROUP BY region
After:
    a table `sales_by_region_month` with COUNT(*), SUM(amount) and COUNT(amount) of the rows that are NOT returned, and
    SELECT region, SUM(row_count), SUM(sum_amount) / SUM(count_amount) FROM sales_by_region_month
    WHERE month = 3 GROUP BY region
Safe when:
    every aggregate of the block merges over groups; each filter either stands in the table or is asked of its
    dimensions; the block's other sources are joined on dimensions only, so that all rows of a group meet the same
    partners. A block is also a SELECT of which only the set of rows matters (EXISTS, IN, INTERSECT, EXCEPT, UNION), and
    each branch of a UNION ALL that is aggregated.
Never when:
    a literal that moves would have to be stored (only booleans, flags, comparisons with 0 and '', NULL tests, NOT IN,
    LIKE and regular expressions are kept); the aggregate does not merge (approximations, ordered or collected
    values, sums of real); an expression that may fail would meet rows that the query filters out; the groups would be
    more than a tenth of the rows (three tenths where they are the distinct rows of a COUNT(DISTINCT); where every row
    stands n times, each may stand once). Before giving up on too many groups, numbers are kept at a round step of the
    literals that they are compared with, a column of few values as one measure for every value, and distinct counts as
    they are where no value stands in two of the groups (a condition of the data).
Source:
    Gupta, Harinarayan and Quass, "Aggregate-Query Processing in Data Warehousing Environments" (VLDB 1995); Yan and
    Larson, "Eager Aggregation and Lazy Aggregation" (VLDB 1995).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from heavy_stack.backend.advisor.rules.protocol import ProposeContext, Proposed
from heavy_stack.backend.advisor.rules.rollup.analysis import Analysis, Analyst
from heavy_stack.backend.advisor.rules.rollup.applying import Replacement, answer_block
from heavy_stack.backend.advisor.rules.rollup.matching import StoredTable
from heavy_stack.backend.advisor.rules.rollup.needs import Needs
from heavy_stack.backend.advisor.rules.rollup.proposing import propose_rollups
from heavy_stack.backend.advisor.rules.rollup.rollups import RULE_ID
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.rules.rollup.whole_text import (
    RewrittenTree,
    assembled,
    check_worth,
    fresh_alias,
    with_types,
)


class AnswerFromRollup:
    """Proposes rollups for a workload, and rewrites a text onto rollups that exist."""

    id = RULE_ID
    family = "schema"
    needs = ("EngineFacts.count_groups, where an engine is reachable",)

    def match(self, context: ProposeContext) -> Proposed:
        """Candidates for all texts together, and for each text without one the reason."""
        return propose_rollups(context)

    def apply(self, text: str, analyst: Analyst, tables: Iterable[StoredTable], sizes: Sizes) -> RewrittenTree:
        """The text with every block replaced that a table answers, ready to be sent; the input stays as it is.

        Raises:
            NotAnswerable: No block of the text is answered, or too little of its work is saved.
        """
        analysis = analyst.analyse(text)
        rewritten = self.replaced(analysis, tables)
        check_worth(analysis.tree, rewritten, sizes)
        return with_types(rewritten, text, analyst.catalog)

    def replaced(self, analysis: Analysis, tables: Iterable[StoredTable]) -> RewrittenTree:
        """The text's tree with every block replaced that a table answers; a copy, the input stays as it is.

        Output types may differ still (`whole_text.with_types`), and most of the work may be left (`check_worth`).

        Raises:
            NotAnswerable: No block of the text is answered.
        """
        answerable = analysis.answerable()
        if not answerable:
            raise NotAnswerable(next((why for _, why in analysis.blocks if isinstance(why, str)), _NO_GROUPS))
        by_core: dict[str, list[StoredTable]] = {}
        for table in tables:
            by_core.setdefault(table.core, []).append(table)
        used: list[StoredTable] = []
        conditions: list[tuple[str, str]] = []
        exact = analysis.exact
        reason = ""
        replaced: dict[int, exp.Select] = {}
        # From the inside out: a rewritten block takes the rewritten ones inside it along.
        ways: dict[int, list[Needs]] = {}
        for place, needs in answerable:
            ways.setdefault(place, []).append(needs)
        for number, several in reversed(list(enumerate(ways.values()))):
            alias = fresh_alias(analysis.tree, number)
            found: list[Replacement] = []
            for needs in several:
                try:
                    found.append(answer_block(needs, by_core.get(needs.block.core.key, []), alias, replaced))
                except NotAnswerable as why:
                    reason = str(why)
            if found:
                best = min(found, key=lambda each: each.weight)
                replaced[id(best.needs.block.select)] = best.select
                used.append(best.table)
                conditions += best.conditions
                exact = exact and best.needs.exact
        if not replaced:
            raise NotAnswerable(reason)
        return assembled(analysis.tree, replaced, used, exact, conditions)


_NO_GROUPS = "It does not group rows of a table, so no rollup answers it."
