"""Rows come out of DuckDB as they were put in, whichever way they travel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.engines.duckdb_lake import create_schemas
from heavy_stack.backend.engines.duckdb_rows import load_table
from heavy_stack.backend.engines.translation import create_statement


def loaded(kinds: tuple[str, ...], rows: list[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], list[Any]]:
    """The rows after loading, and the parameters that they travelled as."""
    table = Table(TableName("lake", "s", "t"), tuple(Column(f"c{i}", kind) for i, kind in enumerate(kinds)))
    with duckdb.connect(":memory:") as db:
        db.execute("SET TimeZone = 'UTC'")
        for _, statement in create_schemas([table.name]):
            db.execute(statement)
        db.execute(create_statement(table))
        _, insert, values = load_table(table, rows)
        db.execute(insert, values)
        return db.execute("SELECT * FROM lake.s.t ORDER BY rowid").fetchall(), values


class TestLoadTable:
    @pytest.mark.parametrize(
        ("kind", "column"),
        [
            ("double", [0.0, -0.0, 1.5, 1e300, None, float("inf"), 0.1, -0.0]),
            ("real", [1.5, None, -0.0]),
            ("bigint", [0, -1, 2**63 - 1, None, 0]),
            ("boolean", [True, False, None]),
            ("varchar", ["", " ", "NULL", "it's", "\n", "ü→", None, "\\", ","]),
            ("date", [date(1, 1, 1), None, date(9999, 12, 31)]),
            ("timestamp(6)", [datetime(2020, 2, 29, 23, 59, 59, 999999), None, datetime(1, 1, 1)]),
            ("timestamp(6) with time zone", [datetime(2020, 2, 29, 1, tzinfo=UTC), None]),
            ("decimal(12,2)", [Decimal("1.5"), Decimal("1.50"), Decimal("-0.01"), None, Decimal(0)]),
            ("array(bigint)", [[1, None], [], None]),
            ("varbinary", [b"\x00\xff", b"", None]),
        ],
    )
    def test_every_value_comes_back(self, kind: str, column: list[Any]) -> None:
        rows = [(number, value) for number, value in enumerate(column)]
        found, _ = loaded(("integer", kind), rows)
        assert found == rows
        assert [str(value) for _, value in found if kind == "double"] == [str(v) for v in column if kind == "double"]

    def test_a_single_empty_text_is_a_row(self) -> None:
        assert loaded(("varchar",), [("",)])[0] == [("",)]

    def test_rows_travel_as_one_text(self) -> None:
        rows = [(1, "a"), (2, None)]
        found, values = loaded(("integer", "varchar"), rows)
        assert found == rows
        assert len(values) == 1

    @pytest.mark.parametrize("sign", ["\x1d", "\x1e", "\x1f"])
    def test_texts_with_the_signs_between_values_travel_by_themselves(self, sign: str) -> None:
        rows = [(1, f"a{sign}b"), (2, None), (3, sign)]
        found, values = loaded(("integer", "varchar"), rows)
        assert found == rows
        assert len(values) == 2
