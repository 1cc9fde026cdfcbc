"""Values fit their types, and the types are read as Trino spells them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from heavy_stack.backend.advisor.verify.column_types import (
    Kind,
    around,
    extreme_values,
    fitted,
    plain_values,
    read_type,
)

TYPES = [
    "tinyint", "smallint", "integer", "bigint", "decimal(5,2)", "decimal(38,10)", "double", "real", "varchar",
    "varchar(1)", "char(3)", "boolean", "date", "timestamp(3)", "timestamp(6) with time zone", "time(3)", "varbinary",
    "array(bigint)", "map(varchar, bigint)", "row(a bigint)", "json", "uuid",
]  # fmt: skip


class TestReadType:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("integer", Kind.INTEGER),
            ("decimal(12,2)", Kind.DECIMAL),
            ("real", Kind.FLOAT),
            ("varchar(5)", Kind.TEXT),
            ("timestamp(6) with time zone", Kind.TIMESTAMP),
            ("array(varchar)", Kind.ARRAY),
            ("array(map(varchar, bigint))", Kind.OTHER),
            ("map(varchar, bigint)", Kind.OTHER),
            ("no such type!", Kind.OTHER),
        ],
    )
    def test_finds_the_family(self, name: str, kind: Kind) -> None:
        assert read_type(name).kind is kind

    def test_keeps_sizes(self) -> None:
        assert read_type("decimal(12,2)").scale == 2
        assert read_type("varchar(5)").length == 5
        assert read_type("char").length == 1
        assert read_type("timestamp(6) with time zone").zoned


class TestValues:
    @pytest.mark.parametrize("name", TYPES)
    def test_every_value_fits_its_type(self, name: str) -> None:
        kind = read_type(name)
        for value in [*plain_values(kind), *extreme_values(kind)]:
            if kind.kind not in (Kind.BINARY, Kind.ARRAY):
                assert fitted(kind, value) == value
                assert all(fitted(kind, step) == step and step != value for step in around(kind, value))

    @pytest.mark.parametrize(
        ("name", "value", "fits"),
        [
            ("tinyint", 200, None),
            ("tinyint", Decimal("1.5"), None),
            ("integer", Decimal("3.0"), 3),
            ("decimal(3,1)", 100, None),
            ("decimal(3,1)", Decimal("1.26"), Decimal("1.3")),
            ("double", Decimal("0.5"), 0.5),
            ("varchar(2)", "abc", None),
            ("date", "2020-02-30", None),
            ("date", "2020-02-29", dt.date(2020, 2, 29)),
            ("timestamp(3)", "2020-02-29", dt.datetime(2020, 2, 29)),
            ("timestamp(0)", dt.datetime(2020, 1, 1, 0, 0, 0, 999_999), dt.datetime(2020, 1, 1)),
            ("boolean", 1, None),
            ("varchar", 1, None),
        ],
    )
    def test_refuses_what_does_not_fit(self, name: str, value: Any, fits: Any) -> None:
        assert fitted(read_type(name), value) == fits

    def test_stands_next_to_a_bound(self) -> None:
        assert set(around(read_type("integer"), 10)) == {9, 11}
        assert set(around(read_type("date"), dt.date(2020, 1, 1))) == {dt.date(2019, 12, 31), dt.date(2020, 1, 2)}
        assert Decimal("9.99") in around(read_type("decimal(5,2)"), Decimal("10.00"))
        assert around(read_type("tinyint"), 127) == [126]

    def test_a_few_extremes_do_not_overflow_a_sum(self) -> None:
        for name, top in (("bigint", 2**63), ("decimal(38,0)", 10**38)):
            assert all(abs(value) * 1000 < top for value in extreme_values(read_type(name)))
