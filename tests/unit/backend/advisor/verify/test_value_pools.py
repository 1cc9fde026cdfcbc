"""Every column type of a DDL gets values, or none; no type stops the data sets."""

from __future__ import annotations

import random

import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.verify.data_sets import FLAVOURS
from heavy_stack.backend.advisor.verify.surveys import Survey
from heavy_stack.backend.advisor.verify.value_pools import Pools

TYPES = (
    "array(bigint)",
    "array(array(varchar))",
    "array(timestamp(3) with time zone)",
    "map(varchar, bigint)",
    "row(a bigint, b varchar)",
    "char(5)",
    "varchar(1)",
    "varbinary",
    "uuid",
    "json",
    "time(3)",
    "real",
    "decimal(38,38)",
    "hyperloglog",
)


class TestRandomValue:
    @pytest.mark.parametrize("kind", TYPES)
    @pytest.mark.parametrize("nullable", [True, False])
    def test_any_type_of_a_ddl_gives_a_value_or_none(self, kind: str, nullable: bool) -> None:
        column = Column("c", kind, nullable)
        table = Table(TableName("lake", "s", "t"), (column,))
        for flavour in FLAVOURS:
            pools = Pools(Survey(), flavour, random.Random(1))
            for _ in range(5):
                pools.random_value(table, column)
            if kind == "array(bigint)":
                assert all(isinstance(value, list) for value in pools.values(table, column))
