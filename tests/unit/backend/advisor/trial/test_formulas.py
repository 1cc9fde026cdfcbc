"""Formulas are found among the values of a few rows, whatever the columns are called, and say what they leave."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from heavy_stack.backend.advisor.artefacts import Candidate, TableName
from heavy_stack.backend.advisor.ports import BuiltTable, ResultSet, RunTimeout
from heavy_stack.backend.advisor.rules.prejoin.derived import operands
from heavy_stack.backend.advisor.rules.prejoin.prejoins import Prejoin, candidate_of
from heavy_stack.backend.advisor.rules.prejoin.stars import FACT
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.trial.formulas import Found, formulas_of
from tests.support.rule_cases import run_stages

NAME = TableName("lake", "made", "wide")
DDL = (
    "CREATE TABLE lake.shop.sales"
    " (a integer, b decimal(7, 2), c decimal(7, 2), d decimal(7, 2), e decimal(9, 2), f bigint)"
)
ROWS = 2_000


def wide() -> Candidate:
    """A copy of the whole table."""
    catalog = Catalog(run_stages([DDL], ["SELECT a FROM lake.shop.sales"]).parsed.tables)
    columns = frozenset((FACT, column.name) for column in catalog.tables[0].columns)
    return candidate_of(Prejoin(catalog.tables[0], {}, columns, ()), catalog, 1, (), ROWS, 1000, "")


class Session:
    """Answers with these rows, by column."""

    def __init__(self, rows: Sequence[dict[str, Any]] | None) -> None:
        self._rows = rows

    def query(self, sql: str, *, limit_s: float, max_rows: int) -> ResultSet:
        """The columns in the order asked for."""
        if self._rows is None:
            raise RunTimeout
        names = tuple(part.split('"')[3 if '"."' in part else 1] for part in sql.split(" FROM ")[0].split(", "))
        return ResultSet(names, (), [tuple(row[name] for name in names) for row in self._rows])

    def time(self, sql: str, *, limit_s: float, repeat: int, plain: bool = False) -> float:
        """Not asked."""
        raise AssertionError

    def close(self) -> None:
        """Nothing is open."""


def found(rows: Sequence[dict[str, Any]] | None, sizes: dict[str, int] | None = None) -> dict[str, Found]:
    """What the sample gives."""
    sizes = sizes or {"d": 9_000, "e": 8_000, "b": 5_000, "c": 5_000, "f": 3_000, "a": 2_000}
    return formulas_of(Session(rows), NAME, wide(), BuiltTable(NAME, ROWS, 32_000, 1.0, sizes))


def sales(*, holes: float = 0.0) -> list[dict[str, Any]]:
    """d = a · b and e = d - c, where none of them is missing."""
    random.seed(7)
    rows: list[dict[str, Any]] = []
    for _ in range(ROWS):
        a, b, c = (
            random.randint(1, 100),
            Decimal(random.randint(1, 9_999)) / 100,
            Decimal(random.randint(1, 9_999)) / 100,
        )
        row = {"a": a, "b": b, "c": c, "d": a * b, "e": a * b - c, "f": random.randint(1, 10**9)}
        rows.append({name: None if random.random() < holes else value for name, value in row.items()})
    return rows


class TestFormulas:
    def test_products_and_differences_are_found_down_to_what_is_stored(self) -> None:
        given = found(sales())
        assert given.keys() == {"d", "e"}
        assert sorted(operands(given["d"].derived.formula)) == ["a", "b"]
        assert given["e"].derived.formula == ("-", given["d"].derived.formula, "c")
        assert given["e"].reads == {"a", "b", "c"}
        assert given["e"].rest_bytes == 0

    def test_rows_without_a_value_are_left_to_store(self) -> None:
        given = found(sales(holes=0.03))
        assert 0.05 * 9_000 < given["d"].rest_bytes < 0.2 * 9_000

    def test_one_other_value_is_no_formula(self) -> None:
        rows = sales()
        rows[ROWS // 2]["d"] += 1
        assert "d" not in found(rows)

    def test_where_most_rows_are_left_it_does_not_pay(self) -> None:
        assert found(sales(holes=0.3)) == {}

    def test_small_columns_are_stored(self) -> None:
        assert found(sales(), {"d": 9, "e": 8, "b": 32_000, "c": 5, "f": 3, "a": 2}) == {}

    def test_equal_columns_do_not_give_each_other(self) -> None:
        rows = [{**row, "c": row["b"]} for row in sales()]
        given = found(rows)
        assert ("b" in given) != ("c" in given)

    @pytest.mark.parametrize("rows", [None, [], sales()[:50]])
    def test_without_enough_rows_nothing_is_found(self, rows: Sequence[dict[str, Any]] | None) -> None:
        assert found(rows) == {}
