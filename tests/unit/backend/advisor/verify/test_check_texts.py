"""What is run to compare two texts: nothing that SQL fixes is lost, nothing that it leaves open counts."""

from __future__ import annotations

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.sql.catalog import Catalog, resolve
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.verify.check_texts import (
    CheckTexts,
    StaticDifference,
    check_texts,
    multiset_difference,
)
from tests.unit.backend.advisor.verify.star import TABLES

CATALOG = Catalog(TABLES)
SALES = "FROM lake.shop.sales"


def tree(text: str) -> exp.Query:
    return resolve(parse_statement(text), CATALOG)


def checked(original: str, rewritten: str | None = None) -> CheckTexts:
    found = check_texts(tree(original), tree(rewritten or original))
    assert isinstance(found, CheckTexts)
    return found


def difference(original: str, rewritten: str) -> str:
    found = check_texts(tree(original), tree(rewritten))
    assert isinstance(found, StaticDifference)
    return found.detail


class TestTail:
    def test_order_and_limit_go(self) -> None:
        text = checked(f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status ORDER BY n DESC, status LIMIT 3").original
        assert "ORDER BY" not in text
        assert "LIMIT" not in text

    def test_order_keys_that_are_no_output_become_columns(self) -> None:
        found = checked(f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status ORDER BY MAX(price) DESC, n + 1 LIMIT 3")
        assert 'MAX("sales"."price") AS heavy_order_key_0' in found.original
        assert "(COUNT(*)) + 1 AS heavy_order_key_1" in found.original

    @pytest.mark.parametrize(
        ("original", "rewritten", "said"),
        [
            ("ORDER BY price LIMIT 3", "ORDER BY price LIMIT 4", "LIMIT"),
            ("ORDER BY price LIMIT 3", "ORDER BY price", "LIMIT"),
            ("ORDER BY price OFFSET 1", "ORDER BY price", "OFFSET"),
            ("ORDER BY price", "ORDER BY price DESC", "direction"),
            ("ORDER BY price", "ORDER BY price NULLS FIRST", "NULL"),
            ("ORDER BY price, status", "ORDER BY price", "2 keys and 1"),
            ("ORDER BY price", "", "1 keys and 0"),
        ],
    )
    def test_another_tail_is_a_difference(self, original: str, rewritten: str, said: str) -> None:
        assert said in difference(
            f"SELECT price, status {SALES} {original}", f"SELECT price, status {SALES} {rewritten}"
        )

    def test_other_order_keys_of_a_union_are_a_difference(self) -> None:
        union = f"SELECT price AS a, price AS b {SALES} UNION ALL SELECT price, price {SALES} ORDER BY"
        assert "ORDER BY key 1" in difference(f"{union} a", f"{union} b")

    def test_fewer_columns_are_a_difference(self) -> None:
        assert "2 columns became 1" in difference(f"SELECT price, status {SALES}", f"SELECT price {SALES}")


class TestRounding:
    def test_rounded_doubles_are_compared_before_rounding(self) -> None:
        assert "ROUND" not in checked(f"SELECT ROUND(AVG(discount), 2) AS a {SALES}").original

    def test_rounded_decimals_stay(self) -> None:
        assert "ROUND" in checked(f"SELECT ROUND(SUM(price), 1) AS a {SALES}").original

    def test_another_number_of_places_stays_to_be_seen(self) -> None:
        mine, other = (f"SELECT ROUND(AVG(discount), {places}) AS a {SALES}" for places in (2, 3))
        found = checked(mine, other)
        assert "ROUND" in found.original
        assert "ROUND" in found.rewritten


class TestTies:
    def test_an_inner_limit_gets_tie_breakers_by_name(self) -> None:
        inner = f"SELECT store_id, COUNT(*) AS n {SALES} GROUP BY store_id ORDER BY n DESC LIMIT 3"
        assert '"n" DESC, 2, 1 LIMIT 3' in checked(f"WITH top AS ({inner}) SELECT store_id FROM top").original

    def test_with_ties_needs_none(self) -> None:
        inner = f"SELECT store_id, COUNT(*) AS n {SALES} GROUP BY store_id ORDER BY n FETCH FIRST 3 ROWS WITH TIES"
        assert ", 2" not in checked(f"SELECT store_id FROM ({inner}) AS top").original


class TestMoments:
    def test_are_found_through_derived_tables(self) -> None:
        inner = f"SELECT store_id, STDDEV(discount) AS s, AVG(discount) AS a {SALES} GROUP BY store_id"
        assert checked(f"WITH i AS ({inner}) SELECT a, store_id, s * 2 AS t FROM i").moments == {2}

    def test_exact_outputs_are_known(self) -> None:
        assert checked(f"SELECT SUM(price) AS a, COUNT(*) AS n {SALES}").exact
        assert not checked(f"SELECT SUM(discount) AS a {SALES}").exact


class TestThresholds:
    def test_a_high_threshold_on_an_aggregate_is_also_tried_low(self) -> None:
        text = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status HAVING COUNT(*) > 1000"
        relaxed = checked(text).relaxed
        assert relaxed is not None
        assert "COUNT(*) > 2" in relaxed[0]
        assert "1000" in checked(text).original

    def test_one_on_an_output_of_a_cte_too(self) -> None:
        inner = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status"
        relaxed = checked(f"WITH i AS ({inner}) SELECT status FROM i WHERE n > 1000").relaxed
        assert relaxed is not None
        assert "> 2" in relaxed[1]

    @pytest.mark.parametrize(
        "text",
        [
            f"SELECT status, COUNT(*) AS n {SALES} WHERE quantity > 1000 GROUP BY status",
            f"SELECT status, COUNT(*) AS n {SALES} WHERE quantity > 1000 GROUP BY status HAVING COUNT(*) > 1000",
            f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status HAVING COUNT(*) > 3",
        ],
    )
    def test_nothing_else_is_moved(self, text: str) -> None:
        assert checked(text).relaxed is None

    def test_nothing_is_moved_that_the_rewrite_has_elsewhere(self) -> None:
        mine = f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status HAVING COUNT(*) > 1000"
        assert checked(mine, mine.replace("GROUP", "WHERE quantity < 1000 GROUP")).relaxed is None


class TestNeeded:
    @pytest.mark.parametrize(
        ("text", "rows", "probed"),
        [
            (f"SELECT status, COUNT(*) AS n {SALES} GROUP BY status", 2, None),
            (f"SELECT DISTINCT status {SALES}", 2, None),
            (f"SELECT price {SALES}", 1, None),
            (f"SELECT COUNT(*) AS n {SALES} WHERE price > 3", 1, "COUNT(*) AS seen"),
            (f"WITH i AS (SELECT status, COUNT(*) AS n {SALES} GROUP BY status) SELECT n FROM i", 1, "GROUP BY"),
            (f"SELECT 1 AS a, COUNT(*) AS n {SALES} GROUP BY status UNION ALL SELECT 2, 3", 2, None),
        ],
    )
    def test_says_what_counts_as_an_answer(self, text: str, rows: int, probed: str | None) -> None:
        found = checked(text)
        assert found.needed_rows == rows
        assert (found.probe is None) == (probed is None)
        assert probed is None or probed in str(found.probe)


def test_a_large_exact_result_is_compared_both_ways() -> None:
    first, second = multiset_difference(checked(f"SELECT price {SALES}", f"SELECT price {SALES} WHERE true"))
    assert first.index("WHERE") > second.index("WHERE")
    assert "EXCEPT ALL" in first


class TestUnrounded:
    def test_only_texts_with_rebuilt_moments_are_looked_at_without_rounding(self) -> None:
        inner = "SELECT status, ROUND(STDDEV(quantity), 2) AS s FROM lake.shop.sales GROUP BY status"
        found = checked(f"WITH i AS ({inner}) SELECT status, s FROM i").unrounded
        assert found is not None
        assert all("ROUND" not in text for text in found[0])

    def test_plain_averages_are_not(self) -> None:
        inner = "SELECT status, ROUND(AVG(quantity), 2) AS s FROM lake.shop.sales GROUP BY status"
        assert checked(f"WITH i AS ({inner}) SELECT status, s FROM i").unrounded is None
