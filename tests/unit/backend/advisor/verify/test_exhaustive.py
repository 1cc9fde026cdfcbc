"""The bounded search: right rewrites pass thousands of tiny databases; wrong ones are shown one where they differ."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from heavy_stack.backend.advisor.artefacts import Column, RewrittenText, Table
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts, check_texts
from heavy_stack.backend.advisor.verify.exhaustive import NAME, BoundedSearch, Searched
from heavy_stack.backend.advisor.verify.small_databases import SmallDatabases, rows_of
from heavy_stack.backend.advisor.verify.surveys import study
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.unit.backend.advisor.verify.rollups import PAIRS, daily
from tests.unit.backend.advisor.verify.star import QUERIES, TABLES
from tests.unit.backend.advisor.verify.workloads import verdict

CATALOG = Catalog(TABLES)
DESIGNED = CATALOG.with_tables([Table(daily().name, tuple(Column(c.name, c.type) for c in daily().columns))])
OpenPorts = Callable[..., Ports]


def searched(
    ports: Ports, original: str, other: str, *, conditions: tuple[tuple[str, str], ...] = (), most: int = 400
) -> Searched:
    """What the search shows about a pair of texts."""
    read = (daily().name,) if daily().name.name in other else ()
    tree = qualified(original, CATALOG)
    texts = check_texts(tree.copy(), qualified(other, DESIGNED).copy())
    assert isinstance(texts, CheckTexts)
    query = study(tree, CATALOG, random.Random(1))
    rewritten = RewrittenText(0, other, read, (), conditions)
    return BoundedSearch(ports.runner, CATALOG, [daily()]).search(texts, rewritten, query, most=most, limit_s=30)


class TestSmallDatabases:
    def test_are_small_and_none_stands_twice(self) -> None:
        query = study(qualified(next(iter(QUERIES.values())), CATALOG), CATALOG, random.Random(1))
        made = SmallDatabases(CATALOG, query, [], random.Random(1)).make(300)
        assert len(made) > 100
        assert rows_of(made) <= 20
        assert len(
            {repr(sorted((name, sorted(map(repr, rows))) for name, rows in each.items())) for each in made}
        ) == len(made)

    def test_are_the_same_for_the_same_seed(self) -> None:
        query = study(qualified(next(iter(QUERIES.values())), CATALOG), CATALOG, random.Random(1))
        first, second = (SmallDatabases(CATALOG, query, [], random.Random(3)).make(200) for _ in range(2))
        assert first == second

    def test_hold_the_constants_their_neighbours_and_null(self) -> None:
        text = "SELECT status, COUNT(*) AS n FROM lake.shop.sales WHERE quantity < 7 GROUP BY status"
        query = study(qualified(text, CATALOG), CATALOG, random.Random(1))
        making = SmallDatabases(CATALOG, query, [], random.Random(1))
        table = next(table for table in TABLES if table.name.name == "sales")
        column = next(column for column in table.columns if column.name == "quantity")
        assert {6, 7, 8, None} <= set(making.values(table, column))

    def test_hold_a_second_witness_in_the_same_group(self) -> None:
        text = "SELECT status, SUM(quantity) AS n FROM lake.shop.sales WHERE store_id IN (1, 2) GROUP BY status"
        query = study(qualified(text, CATALOG), CATALOG, random.Random(1))
        sales = next(table for table in TABLES if table.name.name == "sales")
        places = {column.name: place for place, column in enumerate(sales.columns)}
        made = SmallDatabases(CATALOG, query, [], random.Random(1)).make(200)
        groups = [
            {row[places["store_id"]] for row in rows}
            for rows in (each.get(sales.name, []) for each in made)
            if len({row[places["status"]] for row in rows}) == 1
        ]
        assert {1, 2} in groups

    def test_hold_columns_exactly_a_bound_apart(self) -> None:
        text = "SELECT SUM(CASE WHEN quantity - store_id > 60 THEN 1 ELSE 0 END) AS n FROM lake.shop.sales"
        query = study(qualified(text, CATALOG), CATALOG, random.Random(1))
        sales = next(table for table in TABLES if table.name.name == "sales")
        places = {column.name: place for place, column in enumerate(sales.columns)}
        made = SmallDatabases(CATALOG, query, [], random.Random(1)).make(400)
        rows = [row for each in made for row in each.get(sales.name, [])]
        apart = {row[places["quantity"]] - row[places["store_id"]] for row in rows if None not in row[:]}
        assert {60, 61} <= apart


class TestSearch:
    @pytest.mark.parametrize("name", sorted(QUERIES))
    def test_a_query_equals_itself_on_every_database(self, name: str, open_ports: OpenPorts) -> None:
        found = searched(open_ports(TABLES), QUERIES[name], QUERIES[name], most=150)
        assert found.difference is None
        assert found.databases > 20

    @pytest.mark.parametrize("name", sorted(PAIRS))
    def test_right_rewrites_pass(self, name: str, open_ports: OpenPorts) -> None:
        original, right = PAIRS[name]
        found = searched(open_ports(TABLES), original, right)
        assert found.difference is None, found
        assert found.answered > 0

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("COUNT(*)", "COUNT(store_id)"),
            ("quantity < 7", "quantity <= 7"),
            ("quantity < 7", "quantity < 8"),
            ("SUM(price)", "SUM(DISTINCT price)"),
            ("SUM(price)", "COALESCE(SUM(price), 0)"),
            ("GROUP BY status", "AND status IS NOT NULL GROUP BY status"),
        ],
    )
    def test_wrong_ones_are_shown_a_database(self, right: str, wrong: str, open_ports: OpenPorts) -> None:
        text = "SELECT status, COUNT(*) AS n, SUM(price) AS s FROM lake.shop.sales WHERE quantity < 7 GROUP BY status"
        assert right in text
        found = searched(open_ports(TABLES), text, text.replace(right, wrong))
        assert found.difference is not None
        assert found.data is not None
        assert sum(len(rows) for rows in found.data.values()) <= 12

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            (
                "SELECT CAST(SUM(price) AS DOUBLE) AS s FROM lake.shop.sales",
                "SELECT SUM(CAST(price AS DOUBLE)) AS s FROM lake.shop.sales",
            ),
            (
                "SELECT COUNT(*) AS n FROM lake.shop.stores a JOIN lake.shop.stores b ON a.city = b.city",
                "SELECT COUNT(*) AS n FROM lake.shop.stores a JOIN lake.shop.stores b ON trim(a.city) = b.city",
            ),
            (
                "SELECT COUNT(*) AS n FROM lake.shop.sales s JOIN lake.shop.stores t ON s.store_id = t.store_id",
                "SELECT COUNT(*) AS n FROM lake.shop.sales s JOIN lake.shop.stores t "
                "ON s.store_id IS NOT DISTINCT FROM t.store_id",
            ),
            (
                "SELECT store_id, SUM(price) AS s FROM lake.shop.sales GROUP BY store_id HAVING COUNT(*) > 2",
                "SELECT store_id, COALESCE(SUM(price), 0) AS s FROM lake.shop.sales "
                "GROUP BY store_id HAVING COUNT(*) > 2",
            ),
            (
                "SELECT store_id FROM lake.shop.sales GROUP BY store_id "
                "HAVING SUM(quantity) * 1.0 / SUM(customer_id) < 0.9",
                "SELECT store_id FROM lake.shop.sales GROUP BY store_id "
                "HAVING SUM(quantity) * 1.0 / SUM(customer_id) <= 0.9",
            ),
            (
                "SELECT store_id FROM lake.shop.sales GROUP BY store_id HAVING SUM(discount) > "
                "(SELECT 0.1 * AVG(s) FROM (SELECT SUM(discount) AS s FROM lake.shop.sales GROUP BY store_id) AS t)",
                "SELECT store_id FROM lake.shop.sales GROUP BY store_id HAVING SUM(discount) > (SELECT 0.1 * SUM(s) / "
                "COUNT(*) FROM (SELECT SUM(discount) AS s FROM lake.shop.sales GROUP BY store_id) AS t)",
            ),
            (
                "SELECT CASE WHEN SUM(CASE WHEN quantity < 6 THEN 1 ELSE 0 END) > 1 AND "
                "SUM(CASE WHEN quantity > 7 THEN 1 ELSE 0 END) > 2 AND status IN ('a', 'b', 'c') THEN 1 ELSE 0 "
                "END AS c FROM lake.shop.sales GROUP BY status",
                "SELECT CASE WHEN SUM(CASE WHEN quantity < 6 THEN 1 ELSE 0 END) > 1 AND "
                "SUM(CASE WHEN quantity > 7 THEN 1 ELSE 0 END) > 2 AND trim(status) IN ('a', 'b', 'c') "
                "THEN 1 ELSE 0 END AS c FROM lake.shop.sales GROUP BY status",
            ),
            (
                "SELECT store_id, COUNT(DISTINCT status) AS n FROM lake.shop.sales GROUP BY store_id "
                "HAVING COUNT(DISTINCT status) > 20",
                "SELECT store_id, COUNT(DISTINCT lower(status)) AS n FROM lake.shop.sales GROUP BY store_id "
                "HAVING COUNT(DISTINCT status) > 20",
            ),
            (
                "SELECT CAST(SUM(CASE WHEN returned THEN price END) AS decimal(38,2)) AS s FROM lake.shop.sales",
                "SELECT CAST(SUM(CAST(CASE WHEN returned THEN price END AS DOUBLE)) AS decimal(38,2)) AS s "
                "FROM lake.shop.sales",
            ),
        ],
    )
    def test_wrong_sums_keys_and_shares_are_too(self, right: str, wrong: str, open_ports: OpenPorts) -> None:
        assert searched(open_ports(TABLES), right, wrong, most=1_500).difference is not None

    def test_a_sum_over_no_arm_is_shown(self, open_ports: OpenPorts) -> None:
        original, right = PAIRS["one_number"]
        wrong = right.replace(" ELSE 0 END", " END")
        assert wrong != right
        assert searched(open_ports(TABLES), original, wrong).difference is not None

    def test_sums_of_doubles_may_come_in_any_order(self, open_ports: OpenPorts) -> None:
        text = "SELECT {} AS s FROM lake.shop.sales"
        right = text.format("SUM(CAST(price AS DOUBLE))")
        wrong = text.format("SUM(CASE WHEN price > 5 THEN CAST(price AS DOUBLE) ELSE CAST(price AS DOUBLE) END)")
        assert searched(open_ports(TABLES), right, wrong).difference is None

    def test_what_fails_with_the_original_too_is_no_difference(self, open_ports: OpenPorts) -> None:
        text = "SELECT status, SUM(CAST(status AS bigint)) AS s FROM lake.shop.sales WHERE quantity = 7 GROUP BY status"
        found = searched(open_ports(TABLES), text, text)
        assert found.difference is None
        assert found.failed > 0
        assert found.databases + found.failed > 300

    def test_what_is_divided_by_zero_hides_nothing_else(self, open_ports: OpenPorts) -> None:
        text = "SELECT status, SUM(price / quantity) AS s FROM lake.shop.sales {} GROUP BY status"
        known = "WHERE status IS NOT NULL"
        assert searched(open_ports(TABLES), text.format(""), text.format("")).difference is None
        assert searched(open_ports(TABLES), text.format(""), text.format(known)).difference is not None

    def test_a_division_that_only_the_rewrite_makes_is_a_difference(self, open_ports: OpenPorts) -> None:
        text = "SELECT status, SUM(price / {}) AS s FROM lake.shop.sales GROUP BY status"
        found = searched(open_ports(TABLES), text.format("NULLIF(quantity, 0)"), text.format("quantity"))
        assert found.difference is not None

    def test_rows_that_tie_are_no_difference(self, open_ports: OpenPorts) -> None:
        text = (
            "SELECT quantity, SUM(quantity) OVER (PARTITION BY status ORDER BY day {} ROWS BETWEEN UNBOUNDED PRECEDING "
            "AND CURRENT ROW) AS s FROM lake.shop.sales"
        )
        assert searched(open_ports(TABLES), text.format(""), text.format(", quantity")).difference is None

    def test_databases_that_break_a_condition_do_not_count(self, open_ports: OpenPorts) -> None:
        text = "SELECT status, COUNT(*) AS n FROM lake.shop.sales GROUP BY status"
        wrong = "SELECT status, COUNT(quantity) AS n FROM lake.shop.sales GROUP BY status"
        condition = ("no NULL", "SELECT 1 AS found FROM lake.shop.sales WHERE quantity IS NULL")
        ports = open_ports(TABLES)
        assert searched(ports, text, wrong).difference is not None
        assert searched(ports, text, wrong, conditions=(condition,)).difference is None


class TestStage:
    def test_the_search_is_part_of_the_evidence(self, open_ports: OpenPorts) -> None:
        original, right = next(iter(PAIRS.values()))
        rewrite = RewrittenText(0, right, (daily().name,), ("rule",))
        found = verdict(open_ports(TABLES), original, rewrite)
        assert found.verdict is Verdict.EQUAL_ON_TESTS
        assert any(
            evidence.name == NAME and "databases of up to" in (evidence.detail or "") for evidence in found.evidence
        )

    def test_a_lost_group_of_nulls_is_refused(self, open_ports: OpenPorts) -> None:
        original = "SELECT status, MAX(price) AS p FROM lake.shop.sales GROUP BY status"
        wrong = "SELECT status, MAX(price) AS p FROM lake.shop.sales WHERE price IS NOT NULL GROUP BY status"
        found = verdict(open_ports(TABLES), original, RewrittenText(0, wrong, (), ("rule",)), design=[daily()])
        assert (found.verdict, found.reason) == (Verdict.UNCHANGED, Reason.DIFFERENT)
