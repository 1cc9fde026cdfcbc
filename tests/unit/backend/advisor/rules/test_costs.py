"""More work never costs less, and what is not known is guessed so that facts are large and dimensions are not."""

from __future__ import annotations

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableFacts, TableName
from heavy_stack.backend.advisor.rules.costs import CostModel, group_s, join_s, scan_s, stored_s
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

FACT = Table(TableName("lake", "shop", "sale"), tuple(Column(f"c{i}", "bigint") for i in range(12)))
SHOP = Table(TableName("lake", "shop", "shop"), (Column("id", "bigint"), Column("city", "varchar")))
CATALOG = Catalog((FACT, SHOP))
FACTS = {
    str(FACT.name): TableFacts(rows=6_000_000, bytes=10**8, columns={"c1": ColumnFacts(distinct=100)}),
    str(SHOP.name): TableFacts(rows=1000, bytes=10**4, columns={"city": ColumnFacts(distinct=50)}),
}
JOINED = "SELECT city, SUM(c1) AS s FROM lake.shop.sale JOIN lake.shop.shop ON c0 = id GROUP BY city"


def block(sql: str) -> exp.Select:
    """The outermost SELECT with its columns resolved."""
    tree = qualified(sql, CATALOG)
    assert isinstance(tree, exp.Select)
    return tree


class TestFunctions:
    def test_grow_with_rows_columns_and_groups(self) -> None:
        assert scan_s(10, 2) < scan_s(10, 3) < scan_s(20, 3)
        assert join_s(10, 10) < join_s(20, 10) < join_s(20, 30)
        assert group_s(100, 1) < group_s(100, 50) < group_s(200, 50)
        assert stored_s(100, ["bigint"], regroups=False) < stored_s(100, ["bigint"]) < stored_s(100, ["varchar"])


class TestCostModel:
    def test_more_columns_cost_more(self) -> None:
        costs = CostModel(FACTS, CATALOG)
        one = costs.block_cost(block("SELECT SUM(c1) AS s FROM lake.shop.sale"))
        two = costs.block_cost(block("SELECT SUM(c1) AS s, SUM(c2) AS t FROM lake.shop.sale"))
        assert 0 < one < two

    def test_a_join_costs_more_than_reading_its_larger_table(self) -> None:
        costs = CostModel(FACTS, CATALOG)
        assert costs.block_cost(block(JOINED)) > costs.block_cost(block("SELECT SUM(c1) AS s FROM lake.shop.sale"))

    def test_a_filter_that_leaves_little_makes_what_follows_cheaper(self) -> None:
        costs = CostModel(FACTS, CATALOG)
        filtered = costs.block_cost(block(JOINED.replace("GROUP", "WHERE c1 = 3 GROUP")))
        assert filtered < costs.block_cost(block(JOINED))

    def test_a_table_that_is_stood_for_is_not_read(self) -> None:
        costs = CostModel(FACTS, CATALOG)
        left = costs.block_cost(block(JOINED), without={"sale"}, stored_rows=1000.0)
        assert 0 < left < costs.block_cost(block(JOINED)) / 100

    def test_derived_sources_have_a_cost_of_their_own(self) -> None:
        costs = CostModel(FACTS, CATALOG)
        tree = block("SELECT AVG(s) AS a FROM (SELECT c2, SUM(c1) AS s FROM lake.shop.sale GROUP BY c2) AS t")
        assert costs.block_cost(tree) == 0.0
        assert costs.query_cost(tree) > 0.02

    def test_without_statistics_a_wide_table_is_larger(self) -> None:
        costs = CostModel({}, CATALOG)
        assert costs.table_rows(FACT) > 10 * costs.table_rows(SHOP)

    @pytest.mark.parametrize(
        ("condition", "share"), [("c1 = 3", 0.01), ("c1 IN (1, 2)", 0.02), ("c1 = 1 OR c1 = 2", 0.02)]
    )
    def test_statistics_say_how_much_an_equality_leaves(self, condition: str, share: float) -> None:
        where = block(f"SELECT COUNT(*) AS n FROM lake.shop.sale WHERE {condition}").args["where"].this
        assert CostModel(FACTS, CATALOG).share_left(where, FACT) == pytest.approx(share)
