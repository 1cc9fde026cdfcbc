"""Which compared literals move, and which may stand in a stored table."""

from __future__ import annotations

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import literal_moves
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified

TABLE = Table(
    TableName("lake", "shop", "sales"),
    (
        Column("channel", "varchar"),
        Column("quantity", "integer"),
        Column("price", "decimal(10,2)"),
        Column("returned", "boolean"),
        Column("kind", "integer"),
        Column("sold_on", "date"),
    ),
)


def condition(text: str) -> exp.Expr:
    tree = qualified(f"SELECT 1 AS one FROM lake.shop.sales WHERE {text}", Catalog([TABLE]))
    where = tree.args["where"]
    assert isinstance(where, exp.Where)
    found: exp.Expr = where.this
    return found


def is_flag(column: exp.Column) -> bool:
    return column.name == "kind"


class TestLiteralMoves:
    @pytest.mark.parametrize(
        "text",
        [
            "returned",
            "NOT returned",
            "returned = false",
            "quantity > 0",
            "price <> 0.00",
            "channel = ''",
            "channel IS NOT NULL",
            "channel NOT IN ('a', 'b')",
            "channel LIKE 'a%'",
            "channel NOT LIKE '%x'",
            "regexp_like(channel, '^N[0-9]')",
            "kind = 7",
            "kind IN (1, 2)",
            "kind BETWEEN 1 AND 2",
            "quantity = kind",
            "NULLIF(quantity, 0) IS NULL",
            "1 = 1",
            "strpos(channel, 'x') > 0",
        ],
    )
    def test_keeps_what_no_month_changes(self, text: str) -> None:
        assert not literal_moves(condition(text), is_flag)

    @pytest.mark.parametrize(
        "text",
        [
            "channel = 'web'",
            "channel <> 'NA'",
            "channel IN ('a')",
            "quantity >= 1",
            "5 < quantity",
            "price BETWEEN 1 AND 2",
            "sold_on >= DATE '2024-01-01'",
            "sold_on >= CURRENT_DATE - INTERVAL '7' DAY",
            "year(sold_on) = 2024",
            "CASE WHEN quantity > 3 THEN true ELSE false END",
            "NULLIF(quantity, 9) IS NULL",
            "CASE quantity WHEN 1 THEN true END",
            "starts_with(channel, 'a')",
            "any_match(ARRAY[channel], each -> each = 'web')",
            "NOT (returned OR quantity = 2)",
        ],
    )
    def test_lets_everything_else_move(self, text: str) -> None:
        assert literal_moves(condition(text), is_flag)
