"""At which step a rollup keeps a number that queries only compare with round literals."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.rules.rollup.number_grains import (
    BOTH,
    FROM,
    form_for,
    step_for,
    step_in,
    stepped,
    steps_of,
    use_of_number,
)
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.engines.duckdb_sql import to_duckdb

NUMBERS = Table(
    TableName("lake", "log", "events"),
    (Column("i", "integer"), Column("b", "bigint"), Column("d", "double"), Column("m", "decimal(9,2)")),
)
CATALOG = Catalog([NUMBERS])
VALUES = [-21, -20, -19.5, -10.01, -10, -9.99, -5, -0.5, 0, 0.01, 4.99, 5, 9.99, 10, 10.01, 15, 19.99, 20, 31]


def condition(text: str) -> exp.Expr:
    tree = qualified(f"SELECT {text} AS x FROM lake.log.events", CATALOG)
    item = tree.selects[0]
    assert isinstance(item, exp.Alias)
    return item.this


class TestSteps:
    @pytest.mark.parametrize(
        ("literals", "step"),
        [([15], 5), ([10, 20], 2), ([100], 20), ([1000, 500], 100), ([17], None), ([0], None), ([12.5], None)],
    )
    def test_are_fine_enough_for_a_neighbouring_literal(self, literals: list[float], step: int | None) -> None:
        assert step_for(Decimal(str(literal)) for literal in literals) == step

    def test_answer_every_literal_that_is_a_multiple(self) -> None:
        assert steps_of([Decimal(20), Decimal(-50), Decimal(0)]) == [2, 5, 10]
        assert steps_of([Decimal(0)]) == []


class TestStepped:
    @pytest.mark.parametrize("column", ["i", "b", "d", "m"])
    @pytest.mark.parametrize("step", [2, 5, 10])
    @pytest.mark.parametrize("operator", [">=", "<", ">", "<=", "=", "<>"])
    @pytest.mark.parametrize("literal", [-20, -10, 10, 20])
    def test_stands_on_the_same_side_of_every_whole_step(
        self, column: str, step: int, operator: str, literal: int
    ) -> None:
        asked = condition(f"{column} {operator} {literal}")
        use = use_of_number(asked, {"events"})
        assert use is not None
        value = stepped(use[0], step, form_for(use[1])).sql(dialect="trino")
        original, kept = asked.sql(dialect="trino"), f"{value} {operator} {literal}"
        sql = f"SELECT ({original}) IS NOT DISTINCT FROM ({kept}) AS same FROM lake.log.events AS events"
        assert all(same for (same,) in self.rows(sql))

    def test_keeps_what_has_no_remainder(self) -> None:
        value = stepped(condition("d").copy(), 5, BOTH).sql(dialect="trino")  # type: ignore[arg-type]
        found = {str(kept) for (kept,) in self.rows(f"SELECT {value} AS kept FROM lake.log.events AS events")}
        assert {"inf", "-inf", "nan", "None", "1e+300"} <= found

    def test_is_known_again(self) -> None:
        column = condition("m")
        assert isinstance(column, exp.Column)
        for form in (FROM, BOTH):
            assert step_in(stepped(column, 50, form)) == (column, "50")
        assert step_in(condition("m - m % 7")) is None

    @staticmethod
    def rows(sql: str) -> list[tuple[object, ...]]:
        database = duckdb.connect()
        database.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.log")
        database.execute("CREATE TABLE lake.log.events (i INTEGER, b BIGINT, d DOUBLE, m DECIMAL(9,2))")
        database.executemany(
            "INSERT INTO lake.log.events VALUES (?, ?, ?, ?)", [(int(v), int(v), float(v), str(v)) for v in VALUES]
        )
        database.execute("INSERT INTO lake.log.events VALUES (NULL, NULL, NULL, NULL)")
        database.execute("INSERT INTO lake.log.events VALUES (0, 0, 'inf', 0), (0, 0, '-inf', 0), (0, 0, 'nan', 0)")
        database.execute("INSERT INTO lake.log.events VALUES (2147483647, 9223372036854775807, 1e300, 9999999.99)")
        database.execute("INSERT INTO lake.log.events VALUES (-2147483648, -9223372036854775808, -1e300, -9999999.99)")
        database.execute("INSERT INTO lake.log.events VALUES (19, 19, 19.999999999999996, 19.99)")
        try:
            return database.execute(to_duckdb(sql, CATALOG)).fetchall()
        finally:
            database.close()
