"""Side conditions: what the DDL implies, and what their form promises about keys."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import RewrittenText
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.verify.conditions import implied_by_ddl, promised_keys
from tests.unit.backend.advisor.verify.star import TABLES

CATALOG = Catalog(TABLES)
SALES, CUSTOMERS = TABLES[0].name, TABLES[1].name


class TestImpliedByDdl:
    @pytest.mark.parametrize(
        ("condition", "implied"),
        [
            ("SELECT sale_id FROM lake.shop.sales WHERE sale_id IS NULL", True),
            ("SELECT 1 AS one FROM lake.shop.sales WHERE sale_id IS NULL AND price > 3", True),
            ("SELECT sale_id FROM lake.shop.sales WHERE sale_id IS NULL OR price IS NULL", False),
            ("SELECT sale_id FROM lake.shop.sales WHERE price IS NULL", False),
            ("SELECT sale_id FROM lake.shop.sales WHERE NOT sale_id IS NULL", False),
            ("SELECT sale_id FROM lake.shop.sales GROUP BY sale_id HAVING COUNT(*) > 1", False),
            ("SELECT s.sale_id FROM lake.shop.sales s LEFT JOIN lake.shop.sales t ON s.price = t.price "
             "WHERE t.sale_id IS NULL", False),
            ("this is no SQL", False),
        ],
    )  # fmt: skip
    def test_only_not_null_columns_imply_anything(self, condition: str, implied: bool) -> None:
        assert implied_by_ddl(condition, CATALOG) is implied


class TestPromisedKeys:
    def test_reads_keys_and_nulls_off_the_form(self) -> None:
        text = RewrittenText(
            0,
            "SELECT 1",
            (),
            (),
            (
                ("unique", "SELECT customer_id FROM lake.shop.customers GROUP BY customer_id HAVING COUNT(*) > 1"),
                ("full", "SELECT 1 AS one FROM lake.shop.sales WHERE price IS NULL OR quantity IS NULL"),
            ),
        )
        rules = promised_keys([text], CATALOG)
        assert rules.unique == {CUSTOMERS: (("customer_id",),)}
        assert rules.not_null == {SALES: frozenset({"price", "quantity"})}

    def test_promises_nothing_of_what_it_cannot_read(self) -> None:
        text = RewrittenText(0, "SELECT 1", (), (), (("odd", "SELECT price FROM lake.shop.sales WHERE price < 0"),))
        assert promised_keys([text], CATALOG).unique == {}

    def test_reads_what_a_column_determines(self) -> None:
        sql = (
            "SELECT sale_id FROM lake.shop.sales WHERE NOT sale_id IS NULL GROUP BY sale_id"
            " HAVING MIN(price) <> MAX(price) OR (COUNT(price) > 0 AND COUNT(price) < COUNT(*))"
        )
        text = RewrittenText(0, "SELECT 1", (), (), (("each sale has one price", sql),))
        rules = promised_keys([text], CATALOG)
        assert rules.determined == {SALES: (("sale_id", ("price",)),)}
        assert rules.unique == {}
