from __future__ import annotations

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.sql.printing import Unprintable, cast_to, decimal_literal, trino_sql
from heavy_stack.backend.advisor.sql.trino_types import (
    arithmetic,
    common_super_type,
    from_node,
    read_type,
    stored_type,
    to_node,
)

SPELLINGS = [
    "bigint",
    "decimal(12,2)",
    "varchar",
    "varchar(5)",
    "char(3)",
    "timestamp(6)",
    "timestamp(3) with time zone",
    "date",
    "time(3)",
    "double",
    "real",
    "array(bigint)",
    "interval day to second",
    "interval year to month",
    "varbinary",
]


class TestReadType:
    @pytest.mark.parametrize("spelled", SPELLINGS)
    def test_spells_what_it_read(self, spelled: str) -> None:
        kind = read_type(spelled)
        assert str(kind) == spelled
        assert from_node(to_node(kind)) == kind

    @pytest.mark.parametrize(
        ("spelled", "meant"),
        [
            ("int", "integer"),
            ("decimal", "decimal(38,0)"),
            ("DECIMAL(5)", "decimal(5,0)"),
            ("timestamp", "timestamp(3)"),
            ("char", "char(1)"),
        ],
    )
    def test_fills_in_trinos_defaults(self, spelled: str, meant: str) -> None:
        assert str(read_type(spelled)) == meant

    def test_does_not_know_every_word(self) -> None:
        assert read_type("nonsense") is None


class TestArithmetic:
    @pytest.mark.parametrize(
        ("left", "operator", "right", "result"),
        [
            ("decimal(10,2)", "+", "decimal(5,4)", "decimal(13,4)"),
            ("decimal(10,2)", "*", "decimal(5,4)", "decimal(15,6)"),
            ("decimal(10,2)", "/", "decimal(5,4)", "decimal(16,4)"),
            ("decimal(10,2)", "%", "decimal(5,4)", "decimal(5,4)"),
            ("bigint", "*", "decimal(4,1)", "decimal(23,1)"),
            ("decimal(38,2)", "+", "decimal(38,2)", "decimal(38,2)"),
            ("integer", "/", "bigint", "bigint"),
            ("real", "+", "decimal(5,1)", "real"),
            ("double", "/", "bigint", "double"),
            ("date", "+", "interval day to second", "date"),
            ("timestamp(0)", "-", "interval day to second", "timestamp(3)"),
            ("date", "-", "date", "interval day to second"),
        ],
    )
    def test_has_trinos_precision_and_scale(self, left: str, operator: str, right: str, result: str) -> None:
        assert str(arithmetic(operator, read_type(left), read_type(right))) == result

    @pytest.mark.parametrize(("left", "right"), [("varchar", "bigint"), ("boolean", "integer"), ("date", "bigint")])
    def test_knows_nothing_of_other_operands(self, left: str, right: str) -> None:
        assert arithmetic("+", read_type(left), read_type(right)) is None


class TestCommonSuperType:
    @pytest.mark.parametrize(
        ("left", "right", "common"),
        [
            ("integer", "decimal(3,1)", "decimal(11,1)"),
            ("varchar(3)", "varchar(7)", "varchar(7)"),
            ("varchar(3)", "varchar", "varchar"),
            ("date", "timestamp(6)", "timestamp(6)"),
            ("integer", "double", "double"),
            ("varchar", "bigint", "None"),
            ("varchar", "date", "None"),
        ],
    )
    def test_is_what_trino_brings_both_to(self, left: str, right: str, common: str) -> None:
        assert str(common_super_type(read_type(left), read_type(right))) == common
        assert str(common_super_type(read_type(right), read_type(left))) == common


class TestStoredType:
    @pytest.mark.parametrize(
        ("spelled", "stored"),
        [("varchar(5)", "varchar"), ("char(2)", "varchar"), ("timestamp(3)", "timestamp(6)"), ("bigint", "bigint")],
    )
    def test_is_what_iceberg_keeps(self, spelled: str, stored: str) -> None:
        kind = read_type(spelled)
        assert kind is not None
        assert str(stored_type(kind)) == stored


class TestPrinting:
    def test_writes_decimal_literals_with_their_type(self) -> None:
        assert trino_sql(decimal_literal("0.06", 2, 2)) == "CAST('0.06' AS DECIMAL(2, 2))"

    def test_refuses_a_decimal_literal_whose_type_was_lost(self) -> None:
        lost = exp.Cast(this=exp.Literal.string("0.06"), to=exp.DataType(this=exp.DType.DECIMAL))
        with pytest.raises(Unprintable):
            trino_sql(exp.select(lost))

    def test_casts_to_any_type(self) -> None:
        assert trino_sql(cast_to(exp.column("x"), "timestamp(6)")) == "CAST(x AS TIMESTAMP(6))"
