"""CREATE TABLE statements as clients write them."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import Column
from heavy_stack.backend.advisor.parse.ddl import read_tables


class TestReadTables:
    def test_column_properties_comments_and_constraints_are_no_obstacle(self) -> None:
        ddl = (
            "CREATE TABLE lake.s.t (a bigint WITH (x = 1), b varchar NOT NULL COMMENT 'it''s', c date PRIMARY KEY)"
            " COMMENT 'c' WITH (partitioning = ARRAY['month(c)', 'bucket(a, 4)'], format_version = 2)"
        )
        (table,) = read_tables([ddl])
        assert table.columns == (Column("a", "bigint"), Column("b", "varchar", nullable=False), Column("c", "date"))
        assert table.properties["format_version"] == "2"
