"""Distinct counts as sums of the stored groups' own."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from heavy_stack.backend.advisor.parse.ddl import read_tables
from heavy_stack.backend.advisor.rules.rollup.disjoint_counts import same_in_all
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from tests.support.rule_cases import Run, run_stages

DDL = [
    "CREATE TABLE lake.web.clicks (day date, at timestamp(6), session varchar, visitor bigint, device varchar,"
    " kind varchar, spent decimal(10, 2), bot boolean)"
]
FACTS = {
    "lake.web.clicks": TableFacts(
        rows=1_000_000,
        bytes=30_000_000,
        columns={
            "day": ColumnFacts(distinct=400, nulls=0),
            "device": ColumnFacts(distinct=4, nulls=0, values=("a", "b", "c", "d")),
            "kind": ColumnFacts(distinct=5, nulls=0, values=("buy", "scroll", "see", "sign", "x")),
            "session": ColumnFacts(distinct=500_000, nulls=0),
            "visitor": ColumnFacts(distinct=300_000, nulls=0),
        },
    )
}
GROUPS = {
    # A session is of one day, a visitor of several; and sessions see several kinds of page.
    "session": 500_000,
    "day,session": 500_000,
    "at,session": 500_000,
    "kind,session": 900_000,
    "visitor": 300_000,
    "day,visitor": 800_000,
    "day,device,session": 500_000,
    "day,device,visitor": 850_000,
    "day,device,kind,session": 900_000,
    "day,device": 1_600,
    "at,device": 1_600,
    "at,device,session": 500_000,
    "day,device,kind": 8_000,
    "session differ": 0,
}


def run(*queries: str, groups: dict[str, int] | None = None) -> Run:
    return run_stages(DDL, queries, FACTS, GROUPS if groups is None else groups)


BY_DEVICE = (
    "SELECT device, COUNT(*) AS n, COUNT(DISTINCT session) AS sessions FROM lake.web.clicks"
    " WHERE NOT bot AND day >= DATE '2024-01-05' GROUP BY device"
)


class TestSums:
    def test_adds_up_sessions_of_several_days(self) -> None:
        found = run(BY_DEVICE)
        assert ["day", "device"] in found.dimensions()
        assert 'SUM("r"."count_distinct_session")' in (found.rewritten() or "")

    def test_asks_the_data_whether_a_session_is_of_one_day(self) -> None:
        found = run(BY_DEVICE)
        (text,) = found.rewrite.texts
        ((name, sql),) = text.conditions
        assert name == "each clicks.session has one clicks.day"
        assert 'HAVING MIN("clicks"."day") <> MAX("clicks"."day")' in sql

    @pytest.mark.parametrize(
        "groups",
        [
            {**GROUPS, "session differ": 3},
            {**GROUPS, "day,session": 800_000},
            {key: count for key, count in GROUPS.items() if key != "session differ"},
        ],
    )
    def test_keeps_pairs_where_a_session_may_be_of_two_days(self, groups: dict[str, int]) -> None:
        assert "count_distinct" not in (run(BY_DEVICE, groups=groups).rewritten() or "")

    def test_decides_a_condition_of_the_count_by_group(self) -> None:
        found = run(
            "SELECT device, COUNT(DISTINCT CASE WHEN kind = 'buy' THEN session END) AS buyers FROM lake.web.clicks"
            " WHERE day >= DATE '2024-01-05' GROUP BY device"
        )
        assert ["day", "device", "kind"] in found.dimensions()
        assert 'CASE WHEN "r"."kind" = \'buy\' THEN' in (found.rewritten() or "")

    def test_does_not_add_up_kinds(self) -> None:
        found = run(
            "SELECT device, COUNT(DISTINCT session) AS sessions FROM lake.web.clicks"
            " WHERE day >= DATE '2024-01-05' AND kind IN ('buy', 'see') GROUP BY device"
        )
        assert "count_distinct" not in (found.rewritten() or "")

    def test_does_not_add_up_cases(self) -> None:
        found = run(
            "SELECT device, COUNT(DISTINCT CASE WHEN kind = 'buy' THEN session WHEN kind = 'see' THEN device END) AS n"
            " FROM lake.web.clicks WHERE day >= DATE '2024-01-05' GROUP BY device"
        )
        assert "count_distinct" not in (found.rewritten() or "")

    def test_does_not_add_up_groups_that_are_joined(self) -> None:
        found = run(
            "SELECT c.device, COUNT(DISTINCT c.session) AS sessions FROM lake.web.clicks c"
            " JOIN (SELECT device, day FROM lake.web.clicks LIMIT 5) AS o ON o.device = c.device"
            " WHERE c.day >= DATE '2024-01-05' GROUP BY c.device"
        )
        assert "count_distinct" not in (found.rewritten() or "")

    def test_takes_a_kind_that_the_query_names_for_the_same_in_all_groups(self) -> None:
        found = run(BY_DEVICE.replace("GROUP BY device", "AND kind = 'buy' GROUP BY device"))
        assert ["day", "device", "kind"] in found.dimensions()
        assert 'SUM("r"."count_distinct_session")' in (found.rewritten() or "")


class TestNamedValues:
    @pytest.mark.parametrize(
        ("condition", "pinned"),
        [
            ("day = DATE '2024-01-05'", {'"clicks"."day"', 'DATE_TRUNC(\'MONTH\', "clicks"."day")'}),
            ("visitor IN (7)", {'"clicks"."visitor"'}),
            ("visitor = 7.5", {'"clicks"."visitor"'}),
            ("visitor = 1e17", set()),
            ("visitor IN (7, 8)", set()),
            ("visitor >= 7", set()),
            ("CAST(at AS date) = DATE '2024-01-05'", {'DATE_TRUNC(\'DAY\', "clicks"."at")'}),
        ],
    )
    def test_are_the_same_in_all_rows(self, condition: str, pinned: set[str]) -> None:
        tree = qualified(f"SELECT 1 AS x FROM lake.web.clicks WHERE {condition}", Catalog(read_tables(DDL)))
        where = tree.args["where"].this
        found = same_in_all([], [where], {"clicks": "clicks"}, {"clicks"})
        assert pinned <= found
        assert bool(pinned) == bool(found)


class TestPairs:
    def test_still_tells_values_apart_over_several_days(self) -> None:
        groups = {**GROUPS, "day,visitor": 90_000, "day,device,visitor": 90_000}
        found = run(BY_DEVICE.replace("session", "visitor"), groups=groups)
        assert 'COUNT(DISTINCT "r"."visitor")' in (found.rewritten() or "")
