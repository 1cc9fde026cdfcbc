"""The ways in which one text is read from the tables of a design."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from tests.support.rule_cases import run_stages

DDL = [
    "CREATE TABLE lake.shop.sales (day_id integer, store_id integer, price decimal(10, 2))",
    "CREATE TABLE lake.shop.returns (day_id integer, store_id integer, price decimal(10, 2))",
]
COLUMNS = {"store_id": ColumnFacts(distinct=40, nulls=0), "day_id": ColumnFacts(distinct=1000, nulls=0)}
FACTS = {
    f"lake.shop.{name}": TableFacts(rows=3_000_000, bytes=240_000_000, columns=COLUMNS) for name in ("sales", "returns")
}
SUMS = """SELECT s.store_id, s.price, r.price AS back
    FROM (SELECT store_id, SUM(price) AS price FROM lake.shop.sales GROUP BY store_id) AS s
    JOIN (SELECT store_id, SUM(price) AS price FROM lake.shop.returns GROUP BY store_id) AS r
    ON s.store_id = r.store_id"""


class TestWays:
    def test_are_the_text_with_all_tables_and_without_each(self) -> None:
        returns = "SELECT store_id, MAX(price) AS price FROM lake.shop.returns GROUP BY store_id"
        found = run_stages(DDL, [SUMS, returns], FACTS, {"store_id": 40}).rewrite
        names = {table.name for table in found.tables}
        assert len(names) == 2
        assert set(found.texts[0].tables) == names
        assert {way.tables for way in found.others[0]} == {(name,) for name in names}
        assert all("lake" in way.sql and "GROUP BY" in way.sql for way in found.others[0])

    def test_are_one_where_there_is_one_table(self) -> None:
        query = "SELECT store_id, SUM(price) AS price FROM lake.shop.sales GROUP BY store_id"
        found = run_stages(DDL, [query], FACTS, {"store_id": 40}).rewrite
        assert len(found.texts) == 1
        assert found.others == {}
