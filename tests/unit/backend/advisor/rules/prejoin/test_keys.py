"""Which columns tell a table's rows apart."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableFacts, TableName
from heavy_stack.backend.advisor.rules.prejoin.keys import Keys, key_condition

NAME = TableName("lake", "shop", "lines")
TABLE = Table(NAME, tuple(Column(name, "bigint") for name in ("sale", "line", "item")))


def keys(rows: int, repeats: int | None, **distinct: int) -> Keys:
    columns = {name: ColumnFacts(distinct=count, nulls=0) for name, count in distinct.items()}
    return Keys({str(NAME): TableFacts(rows, None, columns)}, lambda condition: repeats)


class TestKeys:
    def test_as_many_values_as_rows_are_a_key_where_they_are_counted_exactly(self) -> None:
        assert keys(1000, None, sale=1000).key_among(TABLE, frozenset({"sale"})) == ("sale",)
        assert keys(1000, None, sale=999).key_among(TABLE, frozenset({"sale"})) is None

    def test_a_sketch_is_proven_by_the_condition_itself(self) -> None:
        assert keys(1_000_000, 0, sale=970_000).key_among(TABLE, frozenset({"sale"})) == ("sale",)
        assert keys(1_000_000, 3, sale=1_010_000).key_among(TABLE, frozenset({"sale"})) is None

    def test_several_columns_are_a_key_only_where_that_is_counted(self) -> None:
        both = frozenset({"sale", "line"})
        assert keys(5000, 0, sale=1000, line=9).key_among(TABLE, both) == ("line", "sale")
        assert keys(5000, 2, sale=1000, line=9).key_among(TABLE, both) is None
        assert keys(5000, None, sale=1000, line=9).key_among(TABLE, both) is None

    def test_too_few_values_are_no_key_and_nothing_is_counted(self) -> None:
        assert keys(50_000, 0, sale=1000, line=9).key_among(TABLE, frozenset({"sale", "line"})) is None

    def test_the_condition_finds_keys_in_several_rows(self) -> None:
        _, sql = key_condition(NAME, ("line", "sale"))
        assert sql.endswith('GROUP BY "line", "sale" HAVING COUNT(*) > 1')
        assert 'NOT "line" IS NULL AND NOT "sale" IS NULL' in sql
