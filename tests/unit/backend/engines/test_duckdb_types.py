"""Types: only the same values under another name."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.engines.duckdb_types import can_show_as, duckdb_type


class TestDuckdbType:
    @pytest.mark.parametrize(
        ("trino", "duckdb"),
        [
            ("boolean", "BOOLEAN"),
            ("integer", "INTEGER"),
            ("int", "INTEGER"),
            ("real", "FLOAT"),
            ("decimal(12, 2)", "DECIMAL(12,2)"),
            ("decimal", "DECIMAL(38,0)"),
            ("varchar(20)", "VARCHAR"),
            ("varbinary", "BLOB"),
            ("timestamp(6)", "TIMESTAMP"),
            ("timestamp", "TIMESTAMP"),
            ("timestamp(3) with time zone", "TIMESTAMP WITH TIME ZONE"),
            ("time(6)", "TIME"),
            ("array(bigint)", "BIGINT[]"),
        ],
    )
    def test_equal_types(self, trino: str, duckdb: str) -> None:
        assert duckdb_type(trino) == duckdb

    @pytest.mark.parametrize("trino", ["timestamp(9)", "char(3)", "json", "map(varchar, bigint)", "hyperloglog", "nix"])
    def test_what_is_not_known_to_be_equal_is_not_guessed(self, trino: str) -> None:
        with pytest.raises(NotCheckable):
            duckdb_type(trino)


class TestCanShowAs:
    @pytest.mark.parametrize(
        ("stored", "wanted"),
        [
            ("INTEGER", "BIGINT"),
            ("BIGINT", "INTEGER"),
            ("FLOAT", "DOUBLE"),
            ("INTEGER", "DOUBLE"),
            ("DECIMAL(9,2)", "DECIMAL(12,4)"),
            ("INTEGER", "DECIMAL(12,2)"),
            ("TIMESTAMP_MS", "TIMESTAMP"),
            ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
            ("ENUM('a', 'b')", "VARCHAR"),
        ],
    )
    def test_every_value_stays(self, stored: str, wanted: str) -> None:
        assert can_show_as(stored, wanted)

    @pytest.mark.parametrize(
        ("stored", "wanted"),
        [
            ("DOUBLE", "DECIMAL(12,2)"),
            ("DECIMAL(12,4)", "DECIMAL(12,2)"),
            ("DECIMAL(12,2)", "DECIMAL(12,4)"),
            ("INTEGER", "DECIMAL(9,0)"),
            ("BIGINT", "DOUBLE"),
            ("DOUBLE", "FLOAT"),
            ("TIMESTAMP_NS", "TIMESTAMP"),
            ("TIMESTAMP", "DATE"),
            ("VARCHAR", "BIGINT"),
            ("BLOB", "VARCHAR"),
            ("BIGINT", "VARCHAR"),
        ],
    )
    def test_a_value_could_change(self, stored: str, wanted: str) -> None:
        assert not can_show_as(stored, wanted)
