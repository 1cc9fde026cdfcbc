"""Read a query from a pre-joined table: a fact's rows with columns of the tables that its queries join to it.

Before:
    SELECT c.region, SUM(s.amount) FROM sales AS s JOIN customer AS c ON c.id = s.customer_id
    WHERE c.segment = 'home' GROUP BY c.region
After:
    a table `sales_with_customer` with amount, region, segment and id of `sales LEFT JOIN customer ON id = customer_id`,
    sorted by the filter that most queries have, and
    SELECT p.region, SUM(p.amount) FROM sales_with_customer AS p WHERE p.segment = 'home' GROUP BY p.region
    A table without joined columns (a narrow, sorted copy of the fact) is the same with no join. Whether a partner
    exists, and whether a row is the newest of its key, stand in the table as a mark, a boolean: a query for each key's
    newest row (ROW_NUMBER() = 1, a comparison with MAX per key, MAX_BY) reads the mark.
Safe when:
    each partner was found on a unique key, which a condition proves: then every row of the fact stands exactly once
    with its partner's values, or NULLs where it has none. A LEFT JOIN of the query on that key is what is stored; an
    INNER JOIN asks in addition for the partner's existence, by a condition that is not true for NULL or by
    `key IS NOT NULL` or the mark. Of a window's rows those with the greatest value are enough where neither key nor
    value is NULL, and they are its rows where key and value tell rows apart; conditions prove both.
Never when:
    the key is not unique; the query joins by RIGHT or FULL JOIN, USING, from a sample or laterally; a LEFT JOIN has
    more conditions than the key; the table lacks a column of the fact that the query reads.
Source:
    Valduriez, "Join Indices" (TODS 1987); Blakeley, Larson and Tompa, "Efficiently Updating Materialized Views"
    (SIGMOD 1986); Galindo-Legaria, "Outerjoins as Disjunctions" (SIGMOD 1994).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from heavy_stack.backend.advisor.rules.prejoin.gains import Gains
from heavy_stack.backend.advisor.rules.prejoin.prejoins import RULE_ID
from heavy_stack.backend.advisor.rules.prejoin.proposing import propose_prejoins
from heavy_stack.backend.advisor.rules.prejoin.reading import PrejoinedTree, read_from_shelves
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf
from heavy_stack.backend.advisor.rules.protocol import ProposeContext, Proposed
from heavy_stack.backend.advisor.sql.catalog import Catalog


class ReadFromPrejoin:
    """Proposes pre-joined tables for a workload, and rewrites a text onto those that exist."""

    id = RULE_ID
    family = "schema"
    needs = ("statistics, to know keys; an engine, to prove them",)

    def match(self, context: ProposeContext) -> Proposed:
        """Candidates for all texts together."""
        return propose_prejoins(context)

    def apply(self, tree: exp.Query, catalog: Catalog, shelves: Sequence[Shelf], gains: Gains) -> PrejoinedTree:
        """The tree with its SELECTs read from tables that exist; a copy, the input stays as it is.

        Raises:
            NotAnswerable: No SELECT is answered so that it saves work.
        """
        return read_from_shelves(tree, catalog, shelves, gains)
