"""Tables that the tests of advisor/sql speak of."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog


def table(full_name: str, **columns: str) -> Table:
    return Table(TableName(*full_name.split(".")), tuple(Column(column, kind) for column, kind in columns.items()))


TABLES = (
    table(
        "c.s.t", a="integer", b="bigint", d="date", n="decimal(12,2)", f="double", name="varchar(20)", month="integer"
    ),
    table("c.s.u", a="integer", x="bigint", y="varchar"),
    table("c.s.Flights", Origin="varchar", FlightDate="date"),
    table("c.other.only_there", x="bigint"),
    table("c.s.twice", x="bigint"),
    table("c.other.twice", x="bigint"),
    table("c.my schema.odd", x="bigint"),
)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog(TABLES)
