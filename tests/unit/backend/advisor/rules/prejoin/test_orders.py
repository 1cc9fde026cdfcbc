"""Copies of one fact in different orders, for SELECTs that filter on different things."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from tests.support.rule_cases import Run, run_stages

SALES = "CREATE TABLE lake.shop.sales (id bigint, day_id integer, quantity integer, price decimal(10, 2), tax bigint)"


def run(*conditions: str) -> Run:
    """Copies for texts with these filters."""
    columns = {
        "id": ColumnFacts(distinct=1_000_000, nulls=0),
        "day_id": ColumnFacts(distinct=1000, nulls=0, low="1", high="1000"),
        "quantity": ColumnFacts(distinct=100, nulls=0, low="1", high="100"),
    }
    facts = {"lake.shop.sales": TableFacts(rows=3_000_000, bytes=240_000_000, columns=columns)}
    queries = [f"SELECT s.price FROM lake.shop.sales AS s WHERE {each}" for each in conditions]
    return run_stages([SALES], queries, facts, {})


def orders(found: Run) -> set[str]:
    """What the proposed copies are sorted by."""
    return {str(each.evidence["sort"]) for each in found.proposals.candidates if each.rule == "read_from_prejoin"}


class TestOtherOrders:
    def test_proposes_a_copy_for_the_selects_that_the_main_order_does_not_help(self) -> None:
        found = run(
            "s.day_id BETWEEN 3 AND 5", "s.day_id BETWEEN 30 AND 35", "s.quantity BETWEEN 7 AND 9 AND s.tax > 3"
        )
        assert orders(found) == {"['day_id']", "['quantity']"}
        assert len(found.plan.chosen) == 2
        assert len({text.tables for text in found.rewrite.texts}) == 2

    def test_proposes_none_where_all_filter_on_the_same(self) -> None:
        found = run("s.day_id BETWEEN 3 AND 5", "s.day_id BETWEEN 3 AND 5 AND s.quantity BETWEEN 7 AND 9")
        assert orders(found) == {"['day_id']"}

    def test_weighs_a_range_of_the_facts_own_numbers(self) -> None:
        found = run("s.quantity BETWEEN 7 AND 9", "s.quantity BETWEEN 7 AND 90")
        savings = [saving for each in found.proposals.candidates for saving in each.savings]
        after = {saving.text: saving.after_s for saving in savings}
        narrow, wide = after[0], after.get(1, 1.0)
        assert narrow < 0.5 * wide
