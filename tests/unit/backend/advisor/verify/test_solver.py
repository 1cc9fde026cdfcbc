"""From a query to rows that it would return: what is asked of which base column."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sqlglot.optimizer.scope import build_scope

from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.verify.constraints import Constraint
from heavy_stack.backend.advisor.verify.sketch import Sketch
from heavy_stack.backend.advisor.verify.solver import Solver
from heavy_stack.backend.advisor.verify.surveys import study, survey
from tests.unit.backend.advisor.verify.star import TABLES

CATALOG = Catalog(TABLES)
SALES, CUSTOMERS, PRODUCTS, STORES = (table.name for table in TABLES)
FROM = "FROM lake.shop.sales s"


def sketch(text: str, seed: int = 1) -> Sketch:
    scope = build_scope(qualified(text, CATALOG))
    assert scope is not None
    return Solver(CATALOG, random.Random(seed)).walk(scope)


def asked(text: str, seed: int = 1) -> dict[str, list[Constraint]]:
    """Constraints by column, whatever the row."""
    found: dict[str, list[Constraint]] = {}
    for slot, constraints in sketch(text, seed).constraints.items():
        found.setdefault(slot.column, []).extend(constraints)
    return found


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "column", "constraint"),
        [
            ("quantity > 3", "quantity", Constraint("compare", ">", 3)),
            ("3 > quantity", "quantity", Constraint("compare", "<", 3)),
            ("NOT quantity > 3", "quantity", Constraint("compare", "<=", 3)),
            ("quantity + 2 >= 5", "quantity", Constraint("compare", ">=", 3)),
            ("10 - quantity > 4", "quantity", Constraint("compare", "<", 6)),
            ("quantity * 2 < 10", "quantity", Constraint("compare", "<", 5)),
            ("-quantity < 3", "quantity", Constraint("compare", ">", -3)),
            ("NOT returned", "returned", Constraint("compare", "=", False)),
            ("returned IS NULL", "returned", Constraint("is_null")),
            ("price IS NOT NULL", "price", Constraint("not_null")),
            ("status IN ('a', 'b')", "status", Constraint("in", value=("a", "b"))),
            ("status NOT IN ('a', 'b')", "status", Constraint("not_in", value=("a", "b"))),
            ("status LIKE 'a!%' ESCAPE '!'", "status", Constraint("like", value="a!%", part="!")),
            ("lower(status) = 'x'", "status", Constraint("compare", "=", "x")),
            ("substr(status, 1, 2) = 'ab'", "status", Constraint("prefix", value="ab")),
            ("regexp_like(status, '^N')", "status", Constraint("regexp", value="^N")),
            ("length(status) > 4", "status", Constraint("length", ">", 4)),
            ("year(day) = 2023", "day", Constraint("part", "=", 2023, "year")),
            ("EXTRACT(month FROM day) IN (1, 2)", "day", Constraint("part", "=", (1, 2), "month")),
            ("day < DATE '2023-01-31' + INTERVAL '1' MONTH", "day", Constraint("compare", "<", dt.date(2023, 2, 28))),
            ("CASE WHEN quantity > 3 THEN 'many' ELSE 'few' END = 'many'", "quantity", Constraint("compare", ">", 3)),
            ("CASE WHEN quantity > 3 THEN 'many' ELSE 'few' END = 'few'", "quantity", Constraint("compare", "<=", 3)),
            ("COALESCE(quantity, 0) = 7", "quantity", Constraint("compare", "=", 7)),
        ],
    )
    def test_become_constraints_on_base_columns(self, condition: str, column: str, constraint: Constraint) -> None:
        assert constraint in asked(f"SELECT sale_id {FROM} WHERE {condition}")[column]

    def test_one_side_of_an_or_is_chosen_and_in_time_each(self) -> None:
        text = f"SELECT sale_id {FROM} WHERE quantity = 1 OR price = 2"
        chosen = {tuple(asked(text, seed)) for seed in range(20)}
        assert chosen == {("quantity",), ("price",)}

    def test_pass_through_ctes_and_aliases(self) -> None:
        text = f"WITH i AS (SELECT quantity AS q, status {FROM}) SELECT status FROM i WHERE q BETWEEN 2 AND 5"
        assert asked(text)["quantity"] == [Constraint("compare", ">=", 2), Constraint("compare", "<=", 5)]

    def test_what_is_not_understood_is_skipped(self) -> None:
        assert "status" not in asked(f"SELECT sale_id {FROM} WHERE reverse(status) = 'x' AND quantity > 1")


class TestWhatIsShown:
    def test_subqueries_get_rows_too(self) -> None:
        text = (
            "SELECT (SELECT COUNT(*) FROM lake.shop.sales WHERE quantity BETWEEN 61 AND 80) AS n FROM lake.shop.stores"
        )
        assert asked(text)["quantity"] == [Constraint("compare", ">=", 61), Constraint("compare", "<=", 80)]

    def test_one_arm_gets_a_row_at_times(self) -> None:
        case = "CASE WHEN status = 'open' AND quantity > 60 THEN 1 ELSE 0 END"
        tree = qualified(f"SELECT SUM({case}) AS n FROM lake.shop.sales", CATALOG)
        found = [each for seed in range(1, 6) for each in study(tree, CATALOG, random.Random(seed)).sketches]
        asked_of = [{slot.column for slot in each.constraints} for each in found]
        assert {"status", "quantity"} in asked_of
        assert set() in asked_of


class TestShares:
    def test_two_of_them_that_are_compared_are_far_apart(self) -> None:
        text = "SELECT store_id FROM lake.shop.sales GROUP BY store_id HAVING {}"
        having = "SUM(quantity) / SUM(customer_id) > SUM(product_id) / SUM(sale_id)"
        found = [asked(text.format(having), seed) for seed in range(1, 9)]
        far = {"quantity": "high", "customer_id": "low", "product_id": "low", "sale_id": "high"}
        assert any({name: each[name][0].kind for name in far if each.get(name)} == far for each in found)

    def test_one_beside_a_bound_is_made_of_two_numbers(self) -> None:
        text = "SELECT store_id FROM lake.shop.sales GROUP BY store_id HAVING SUM(quantity) / SUM(customer_id) {} 0.75"
        for op, upper, lower in ((">=", 3, 4), (">", 4, 5), ("<", 2, 3)):
            found = [asked(text.format(op), seed) for seed in range(1, 9)]
            wanted = [Constraint("compare", "=", upper), Constraint("compare", "=", lower)]
            assert wanted in [[*each.get("quantity", ()), *each.get("customer_id", ())] for each in found]


class TestSiblings:
    TEXT = (
        "SELECT store_id FROM lake.shop.sales WHERE returned GROUP BY store_id HAVING "
        "SUM(CASE WHEN quantity < 6 THEN 1 ELSE 0 END) > 1 AND SUM(CASE WHEN quantity {} THEN 1 ELSE 0 END) > 2"
    )

    def test_counts_of_other_rows_get_a_row_of_their_own_in_the_group(self) -> None:
        found = sketch(self.TEXT.format("> 7"))
        assert [row.copies for row in found.rows] == [2, 3]
        asked_of = [
            {(slot.column, item) for slot, each in found.constraints.items() for item in each if slot.row == place}
            for place in (0, 1)
        ]
        for place, quantity in enumerate((Constraint("compare", "<", 6), Constraint("compare", ">", 7))):
            assert asked_of[place] == {("quantity", quantity), ("returned", Constraint("compare", "=", True))}
        groups = [slots for slots, _ in found.classes() if slots[0].column == "store_id"]
        assert [{slot.row for slot in slots} for slots in groups] == [{0, 1}]

    def test_the_same_count_asks_the_same_row(self) -> None:
        assert len(sketch(self.TEXT.format("< 6")).rows) == 1


class TestJoins:
    def test_equated_columns_share_a_class(self) -> None:
        found = sketch(f"SELECT 1 AS a {FROM} JOIN lake.shop.stores t ON s.store_id = t.store_id")
        classes = [{slot.row for slot in slots} for slots, _ in found.classes()]
        assert {0, 1} in classes

    def test_the_outer_side_is_optional(self) -> None:
        found = sketch(f"SELECT 1 AS a {FROM} LEFT JOIN lake.shop.stores t ON s.store_id = t.store_id")
        assert [row.optional for row in found.rows] == [False, True]

    def test_unequal_columns_are_linked(self) -> None:
        found = sketch(f"SELECT 1 AS a {FROM} JOIN lake.shop.products p ON p.list_price >= s.price + 2")
        assert [(link.op, link.offset) for link in found.links] == [(">=", 2.0)]

    def test_a_subquery_gets_rows_of_its_own(self) -> None:
        text = "SELECT c.name FROM lake.shop.customers c WHERE c.customer_id IN (SELECT s.customer_id " + FROM + ")"
        assert [row.table.name for row in sketch(text).rows] == [CUSTOMERS, SALES]

    def test_rows_that_must_not_be_found_are_marked(self) -> None:
        inner = f"SELECT 1 AS a {FROM} WHERE s.customer_id = c.customer_id AND s.quantity > 2"
        found = sketch(f"SELECT c.name FROM lake.shop.customers c WHERE NOT EXISTS ({inner})")
        assert found.missing == {1}


class TestThresholds:
    @pytest.mark.parametrize(
        ("having", "copies", "most"),
        [
            ("COUNT(*) > 100", 101, None),
            ("COUNT(*) >= 100", 100, None),
            ("COUNT(*) = 7", 7, 7),
            ("COUNT(*) < 5", 0, 4),
            ("SUM(CASE WHEN returned THEN 1 ELSE 0 END) > 9", 10, None),
            ("COUNT_IF(returned) > 9", 10, None),
        ],
    )
    def test_on_counts_ask_for_copies(self, having: str, copies: int, most: int | None) -> None:
        (row,) = sketch(f"SELECT status {FROM} GROUP BY status HAVING {having}").rows
        assert (row.copies, row.most) == (copies, most)

    def test_on_distinct_counts_spread_the_column(self) -> None:
        (row,) = sketch(f"SELECT status {FROM} GROUP BY status HAVING COUNT(DISTINCT customer_id) > 4").rows
        assert (row.copies, row.spread) == (5, {"customer_id"})

    def test_reach_through_a_cte(self) -> None:
        inner = f"SELECT status, COUNT(*) AS n {FROM} GROUP BY status"
        (row,) = sketch(f"WITH i AS ({inner}) SELECT status FROM i WHERE n > 50").rows
        assert row.copies == 51

    def test_on_sums_are_noted(self) -> None:
        found = sketch(f"SELECT status {FROM} GROUP BY status HAVING SUM(quantity) > 10")
        assert [(slot.column, limit.value) for slot, limit in found.thresholds.items()] == [("quantity", 10)]


class TestStudy:
    def test_sees_constants_that_no_row_needs(self) -> None:
        text = (
            f"SELECT SUM(CASE WHEN quantity > 12 THEN price END) AS a, COALESCE(status, 'none') AS b {FROM} GROUP BY 2"
        )
        found = study(qualified(text, CATALOG), CATALOG, random.Random(1))
        assert Constraint("compare", ">", 12) in found.constraints[SALES, "quantity"]
        assert Constraint("compare", "=", "none") in found.constraints[SALES, "status"]

    def test_knows_which_columns_decide_the_result(self) -> None:
        text = f"WITH i AS (SELECT s.* {FROM}) SELECT status, CORR(quantity, discount) AS c FROM i GROUP BY status"
        found = study(qualified(text, CATALOG), CATALOG, random.Random(1))
        assert {name for _, name in found.used} == {"status", "quantity", "discount"}
        assert {name for _, name in found.moments} == {"quantity", "discount"}

    def test_joins_of_all_queries_make_key_classes(self) -> None:
        texts = [
            f"SELECT 1 AS a {FROM} JOIN lake.shop.stores t ON s.store_id = t.store_id",
            "SELECT 1 AS a FROM lake.shop.stores t JOIN lake.shop.products p ON t.store_id = p.product_id",
        ]
        found = survey(study(qualified(text, CATALOG), CATALOG, random.Random(1)) for text in texts)
        assert found.key_of((SALES, "store_id")) == found.key_of((PRODUCTS, "product_id")) is not None
        assert found.key_of((SALES, "quantity")) is None

    def test_a_list_of_many_thousands_stays_small(self) -> None:
        numbers = ", ".join(map(str, range(20_000)))
        found = study(
            qualified(f"SELECT status {FROM} WHERE quantity IN ({numbers})", CATALOG), CATALOG, random.Random(1)
        )
        (constraint,) = found.constraints[SALES, "quantity"]
        assert len(constraint.value) < 200
