"""A window that numbers rows is dropped where key and date tell rows apart; what looks alike is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, ColumnFacts, Table, TableFacts, TableName
from heavy_stack.backend.advisor.rules.prejoin.extremes import Extreme, extreme_named
from heavy_stack.backend.advisor.rules.prejoin.newest_rows import Spelled, spelled_by_extremes
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from tests.support.rule_cases import differences, run_stages

NAME = TableName("lake", "vault", "state")
TABLE = Table(
    NAME, (Column("k", "bigint"), Column("t", "timestamp(6)"), Column("v", "integer"), Column("w", "integer"))
)
CATALOG = Catalog([TABLE])
DDL = ["CREATE TABLE lake.vault.state (k bigint, t timestamp(6), v integer, w integer)"]
FACTS = {
    str(NAME): TableFacts(
        1_000_000,
        20_000_000,
        {
            "k": ColumnFacts(distinct=300_000, nulls=0),
            "t": ColumnFacts(distinct=900_000, nulls=0),
            "v": ColumnFacts(distinct=9, nulls=5),
            "w": ColumnFacts(distinct=50, nulls=0),
        },
    )
}
STATE = "lake.vault.state"
BOTH = [*DDL, "CREATE TABLE lake.vault.sale (k bigint, amount bigint, place varchar)"]
WITH_FACT = FACTS | {
    "lake.vault.sale": TableFacts(
        5_000_000,
        300_000_000,
        {"k": ColumnFacts(distinct=300_000, nulls=0), "place": ColumnFacts(distinct=40, nulls=0)},
    )
}
BY_STATE = "SELECT s.v, f.place, SUM(f.amount) AS a FROM lake.vault.sale AS f {join} GROUP BY s.v, f.place"
FIRST = f"SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY t DESC) AS n FROM {STATE}"


def spelled(sql: str, *, unique: bool = True) -> Spelled | None:
    return spelled_by_extremes(qualified(sql, CATALOG), CATALOG, lambda each, _: replace(each, unique=unique))


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT s.v, COUNT(*) AS c FROM ({FIRST}) AS s WHERE s.n = 1 GROUP BY s.v",
        f"WITH s AS ({FIRST}) SELECT v, COUNT(*) AS c FROM s WHERE 1 = n AND v > 2 GROUP BY v",
        f"SELECT v, COUNT(*) AS c FROM (SELECT * FROM ({FIRST}) AS x WHERE x.n < 2) AS y GROUP BY v",
        f"SELECT s.v, COUNT(*) AS c FROM (SELECT v, RANK() OVER (PARTITION BY k ORDER BY t) AS n FROM {STATE}) AS s"
        " WHERE s.n <= 1 GROUP BY s.v",
        f"SELECT s.v, COUNT(*) AS c FROM (SELECT k, MAX_BY(v, t) AS v, MAX(t) AS t FROM {STATE} GROUP BY k) AS s"
        " GROUP BY s.v",
    ],
)
class TestKeyAndDateTellRowsApart:
    def test_reads_the_mark_and_no_window(self, sql: str) -> None:
        run = run_stages(DDL, [sql], FACTS, {"k,t differ": 0})
        found = run.rewritten() or ""
        assert "is_" in found
        assert "OVER" not in found
        assert "MAX" not in found

    def test_returns_the_same_rows(self, sql: str) -> None:
        run = run_stages(DDL, [sql], FACTS, {"k,t differ": 0})
        assert [line for seed in range(10) for line in differences(run, seed)] == []


@pytest.mark.parametrize(
    "join",
    [
        f"JOIN ({FIRST}) AS s ON s.k = f.k AND s.n = 1",
        f"LEFT JOIN ({FIRST}) AS s ON s.k = f.k AND s.n = 1",
        f"JOIN (SELECT k, MIN_BY(v, t) AS v FROM {STATE} GROUP BY k) AS s ON s.k = f.k",
        f"JOIN {STATE} AS s ON s.k = f.k JOIN (SELECT k, MAX(t) AS at FROM {STATE} GROUP BY k) AS m"
        " ON m.k = s.k AND m.at = s.t",
    ],
)
class TestBesideALargerTable:
    def test_no_join_is_left(self, join: str) -> None:
        run = run_stages(BOTH, [BY_STATE.format(join=join)], WITH_FACT, {"k,t differ": 0})
        found = run.rewritten() or ""
        assert "JOIN" not in found or "m.at" in join
        assert run.rewrite.texts

    def test_returns_the_same_rows(self, join: str) -> None:
        run = run_stages(BOTH, [BY_STATE.format(join=join)], WITH_FACT, {"k,t differ": 0})
        assert [line for seed in range(10) for line in differences(run, seed)] == []

    def test_the_table_rests_on_one_newest_row_per_key(self, join: str) -> None:
        run = run_stages(BOTH, [BY_STATE.format(join=join)], WITH_FACT, {"k,t differ": 0})
        named = {name for text in run.rewrite.texts for name, _ in text.conditions}
        assert "state has one row per k, t" in named or "m.at" in join


class TestWindow:
    def test_stays_where_rows_may_tie_but_sees_marked_rows_only(self) -> None:
        found = spelled(f"SELECT s.v FROM ({FIRST}) AS s WHERE s.n = 1", unique=False)
        assert found is not None
        assert found.tree.find(exp.Window) is not None
        assert [name for name in found.conditions if "one row" in name] == []
        assert len(found.conditions) == 2

    def test_needs_that_key_and_date_are_unique_and_have_values(self) -> None:
        found = spelled(f"SELECT s.v FROM ({FIRST}) AS s WHERE s.n = 1")
        assert found is not None
        assert sorted(found.conditions) == [
            "state has k in every row",
            "state has one row per k, t",
            "state has t in every row",
        ]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT s.v FROM ({FIRST}) AS s WHERE s.n = 2",
        f"SELECT s.v FROM ({FIRST}) AS s WHERE s.n = 1 OR s.v = 3",
        f"SELECT s.v FROM ({FIRST} WHERE t < TIMESTAMP '2024-01-01 00:00:00') AS s WHERE s.n = 1",
        f"SELECT s.v FROM ({FIRST.replace('PARTITION BY k ', '')}) AS s WHERE s.n = 1",
        f"SELECT o.w FROM {STATE} AS o LEFT JOIN ({FIRST}) AS s ON s.k = o.k WHERE s.n = 1",
        f"SELECT o.w FROM {STATE} AS o FULL JOIN ({FIRST}) AS s ON s.k = o.k AND s.n = 1",
        f"SELECT o.w FROM {STATE} AS o WHERE o.t = (SELECT MAX(z.t) FROM {STATE} AS z WHERE z.k = o.k AND z.v = 1)",
        f"SELECT o.w FROM {STATE} AS o WHERE NOT (o.k, o.t) IN (SELECT k, MAX(t) FROM {STATE} GROUP BY k)",
        f"SELECT o.w FROM {STATE} AS o WHERE o.t < (SELECT MAX(z.t) FROM {STATE} AS z WHERE z.k = o.k)",
        f"SELECT k, MAX_BY(v, t) AS v, COUNT(*) AS c FROM {STATE} GROUP BY k",
        f"SELECT k, MAX_BY(v, t) AS v, MAX_BY(v, w) AS u FROM {STATE} GROUP BY k",
    ],
)
def test_another_question_is_left_alone(sql: str) -> None:
    assert spelled(sql) is None


def test_an_extreme_is_known_by_its_name() -> None:
    extreme = Extreme(NAME, ("k", 'a "b", [c]'), "t", "MIN", unique=True)
    assert extreme_named(extreme.name) == extreme
    assert extreme_named(NAME) is None


def test_a_column_of_the_name_of_the_mark_forbids_it() -> None:
    table = Table(NAME, (Column("is_newest", "bigint"), Column("t", "date")))
    assert Extreme(NAME, ("is_newest",), "t").as_table(Catalog([table])) is None


def test_a_float_may_be_a_value_that_equals_nothing() -> None:
    table = Table(NAME, (Column("k", "bigint"), Column("t", "double")))
    assert Extreme(NAME, ("k",), "t").as_table(Catalog([table])) is None
