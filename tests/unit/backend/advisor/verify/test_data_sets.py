"""Data sets hold what breaks wrong rewrites, and are the same for the same task."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.verify.check_texts import CheckTexts, check_texts
from heavy_stack.backend.advisor.verify.column_types import fitted, read_type
from heavy_stack.backend.advisor.verify.comparison import Outcome, run_both
from heavy_stack.backend.advisor.verify.data_sets import CROWDED, FLAVOURS, DataSet, DataSetMaker, KeyRules
from heavy_stack.backend.advisor.verify.surveys import Studied, study
from tests.unit.backend.advisor.verify.star import QUERIES, TABLES

CATALOG = Catalog(TABLES)
SALES, CUSTOMERS, PRODUCTS, STORES = (table.name for table in TABLES)


def studied(*texts: str, catalog: Catalog = CATALOG) -> list[Studied]:
    draw = random.Random(1)
    return [study(qualified(text, catalog), catalog, draw, shape=text) for text in texts]


def column(data: DataSet, table: TableName, name: str) -> list[Any]:
    known = next(item for item in TABLES if item.name == table)
    place = [item.name for item in known.columns].index(name)
    return [row[place] for row in data.rows[table]]


@pytest.fixture(scope="module")
def maker() -> DataSetMaker:
    return DataSetMaker(CATALOG, studied(*QUERIES.values()), "task-1")


@pytest.fixture(scope="module", params=range(CROWDED), ids=[flavour.name for flavour in FLAVOURS[:CROWDED]])
def crowded(maker: DataSetMaker, request: pytest.FixtureRequest) -> DataSet:
    return maker.make(FLAVOURS[request.param])


class TestContents:
    def test_every_value_fits_its_column(self, crowded: DataSet) -> None:
        for table in TABLES:
            for row in crowded.rows[table.name]:
                for known, value in zip(table.columns, row, strict=True):
                    assert known.nullable or value is not None
                    assert value is None or fitted(read_type(known.type), value) == value

    def test_some_hundred_to_a_few_thousand_rows(self, crowded: DataSet) -> None:
        for table in TABLES:
            assert 100 <= len(crowded.rows[table.name]) <= 4_000

    def test_nulls_everywhere_they_may_be(self, crowded: DataSet) -> None:
        for table in TABLES:
            for known in table.columns:
                if known.nullable and known.name not in ("sold_at", "name"):  # no query reads these two
                    assert None in column(crowded, table.name, known.name), known.name

    def test_orphans_on_both_sides(self, crowded: DataSet) -> None:
        sold, known = set(column(crowded, SALES, "product_id")), set(column(crowded, PRODUCTS, "product_id"))
        assert sold & known - {None}
        assert sold - known - {None}
        assert known - sold - {None}

    def test_exact_duplicates(self, crowded: DataSet) -> None:
        assert max(Counter(crowded.rows[SALES]).values()) > 1

    def test_repeated_keys_where_one_would_expect_none(self, crowded: DataSet) -> None:
        keys = Counter(key for key in column(crowded, STORES, "store_id") if key is not None)
        assert max(keys.values()) > 1

    def test_the_queries_constants_and_their_neighbours(self, maker: DataSetMaker) -> None:
        data = [maker.make(flavour) for flavour in FLAVOURS[:CROWDED]]
        days = {str(day) for item in data for day in column(item, SALES, "day")}
        brands = {brand for item in data for brand in column(item, PRODUCTS, "brand") if brand}
        assert {"2022-12-31", "2023-01-01", "2023-12-31", "2024-01-01"} <= days
        assert {0, 1, 2, 3} <= {count for item in data for count in column(item, SALES, "quantity")}
        assert any(brand.startswith("Nor") for brand in brands)
        assert any(brand.lower().startswith("no") and not brand.startswith("Nor") for brand in brands)
        assert all("unknown" in column(item, CUSTOMERS, "segment") for item in data)

    def test_empty_strings(self, maker: DataSetMaker) -> None:
        data = [maker.make(flavour) for flavour in FLAVOURS[:CROWDED]]
        assert any("" in column(item, CUSTOMERS, "country") for item in data)


class TestMaking:
    def test_is_the_same_for_the_same_task(self) -> None:
        texts = studied(*QUERIES.values())
        first, second = (DataSetMaker(CATALOG, texts, "task-1").make(FLAVOURS[0]) for _ in range(2))
        assert first == second

    def test_differs_by_task_and_round(self, maker: DataSetMaker) -> None:
        other = DataSetMaker(CATALOG, studied(*QUERIES.values()), "task-2").make(FLAVOURS[0])
        assert other.rows != maker.make(FLAVOURS[0]).rows
        assert maker.make(FLAVOURS[0], 1).rows != maker.make(FLAVOURS[0]).rows

    def test_keeps_what_conditions_promise(self, maker: DataSetMaker) -> None:
        rules = KeyRules(unique={STORES: (("store_id",),)}, not_null={SALES: frozenset({"price"})})
        data = maker.make(FLAVOURS[1], 0, rules)
        assert max(Counter(column(data, STORES, "store_id")).values()) == 1
        assert None not in column(data, SALES, "price")

    def test_keeps_what_a_column_determines(self, maker: DataSetMaker) -> None:
        rules = KeyRules(determined={SALES: (("status", ("quantity",)),)})
        data = maker.make(FLAVOURS[0], 0, rules)
        pairs = set(zip(column(data, SALES, "status"), column(data, SALES, "quantity"), strict=True))
        filled = [status for status, _ in pairs if status is not None]
        assert len(filled) == len(set(filled)) > 1

    def test_plants_groups_beside_a_threshold(self) -> None:
        text = (
            "SELECT status, COUNT(*) AS n FROM lake.shop.sales WHERE quantity > 3 GROUP BY status HAVING COUNT(*) > 300"
        )
        data = DataSetMaker(CATALOG, studied(text), "task-1").make(FLAVOURS[0])
        pairs = zip(column(data, SALES, "status"), column(data, SALES, "quantity"), strict=True)
        sizes = Counter(status for status, quantity in pairs if quantity is not None and quantity > 3).values()
        assert {300, 301} <= set(sizes)
        assert any(size > 301 for size in sizes)

    def test_does_not_plant_millions(self) -> None:
        text = "SELECT status, COUNT(*) AS n FROM lake.shop.sales GROUP BY status HAVING COUNT(*) > 1000000"
        assert DataSetMaker(CATALOG, studied(text), "task-1").make(FLAVOURS[0]).size < 1_000

    def test_many_queries_share_one_data_set(self) -> None:
        texts = [
            f"SELECT status, COUNT(*) AS n FROM lake.shop.sales WHERE quantity > {n} GROUP BY status"
            for n in range(500)
        ]
        assert DataSetMaker(CATALOG, studied(*texts), "task-1").make(FLAVOURS[0]).size < 12_000

    def test_ctes_that_multiply_end(self) -> None:
        ctes = ["c0 AS (SELECT status, quantity FROM lake.shop.sales)"]
        ctes += [
            f"c{n} AS (SELECT a.status, a.quantity FROM c{n - 1} a JOIN c{n - 1} b ON a.status = b.status)"
            for n in range(1, 14)
        ]
        text = f"WITH {', '.join(ctes)} SELECT status FROM c13"
        assert DataSetMaker(CATALOG, studied(text), "task-1").make(FLAVOURS[0]).size < 5_000

    def test_types_that_no_data_is_made_for_are_null(self) -> None:
        odd = Table(TableName("lake", "shop", "odd"), (Column("a", "bigint"), Column("m", "map(varchar, bigint)")))
        catalog = Catalog([odd])
        texts = studied("SELECT a, COUNT(m) AS n FROM lake.shop.odd GROUP BY a", catalog=catalog)
        data = DataSetMaker(catalog, texts, "task-1").make(FLAVOURS[0])
        assert {row[1] for row in data.rows[odd.name]} == {None}


class TestFurtherTexts:
    def test_constants_of_rewrites_and_tables_occur_too(self) -> None:
        query = studied("SELECT status, COUNT(*) AS n FROM lake.shop.sales GROUP BY status")
        also = studied("SELECT status, price FROM lake.shop.sales WHERE price >= 777.25")
        data = DataSetMaker(CATALOG, query, "task-1", also).make(FLAVOURS[0])
        assert {Decimal("777.24"), Decimal("777.25")} <= set(column(data, SALES, "price"))


class TestWitnesses:
    def test_every_query_returns_rows_on_three_data_sets(
        self, maker: DataSetMaker, open_ports: Callable[..., Ports]
    ) -> None:
        runner = open_ports(TABLES).runner
        returned: Counter[str] = Counter()
        for flavour in FLAVOURS[:CROWDED]:
            session = runner.open_test_data(TABLES, maker.make(flavour).rows, [])
            for name, text in QUERIES.items():
                tree = qualified(text, CATALOG)
                texts = check_texts(tree.copy(), tree.copy())
                assert isinstance(texts, CheckTexts)
                compared = run_both(session, texts, limit_s=20, twice=False, rows_count=True)
                assert compared.outcome in (Outcome.EQUAL, Outcome.EMPTY), (name, compared.detail)
                returned[name] += compared.outcome is Outcome.EQUAL
            session.close()
        assert {name: count for name, count in returned.items() if count < CROWDED} == {}


class TestListsAndDistinctKeys:
    def test_repeats_have_no_null_in_what_a_not_in_lists(self) -> None:
        text = "SELECT sale_id FROM lake.shop.sales WHERE store_id NOT IN (SELECT store_id FROM lake.shop.stores)"
        making = DataSetMaker(CATALOG, studied(text), "task-1")
        assert None in column(making.make(FLAVOURS[0]), STORES, "store_id")
        assert None not in column(making.make(FLAVOURS[0], 1), STORES, "store_id")

    def test_distinct_keys_that_a_threshold_asks_for_have_partners(self) -> None:
        text = (
            "SELECT s.status, COUNT(DISTINCT s.product_id) AS n FROM lake.shop.sales AS s JOIN lake.shop.products AS p "
            "ON p.product_id = s.product_id GROUP BY s.status HAVING COUNT(DISTINCT s.product_id) > 20"
        )
        data = DataSetMaker(CATALOG, studied(text), "task-1").make(FLAVOURS[0])
        known = set(column(data, PRODUCTS, "product_id"))
        pairs = zip(column(data, SALES, "status"), column(data, SALES, "product_id"), strict=True)
        counts = Counter(status for status, product in set(pairs) if product in known)
        assert max(counts.values()) > 20
