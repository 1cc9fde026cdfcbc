"""Tables in which every row stands several times."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from tests.support.rule_cases import differences, run_stages

CLICKS = "CREATE TABLE lake.web.clicks (page varchar, visitor bigint, seconds integer)"
BY_VISITOR = "SELECT visitor, SUM(seconds) AS spent, COUNT(*) AS n FROM lake.web.clicks GROUP BY visitor"
VALUES = {"page": ColumnFacts(distinct=40), "visitor": ColumnFacts(distinct=350), "seconds": ColumnFacts(distinct=60)}


def facts(visitors: int = 350) -> dict[str, TableFacts]:
    columns = {**VALUES, "visitor": ColumnFacts(distinct=visitors)}
    return {"lake.web.clicks": TableFacts(rows=1000, columns=columns)}


class TestRepeatedRows:
    def test_may_stand_once_each_with_their_number(self) -> None:
        run = run_stages([CLICKS], [BY_VISITOR], facts(), {"visitor": 350, "page,seconds,visitor": 400})
        assert run.rewritten() is not None
        assert [line for seed in range(6) for line in differences(run, seed)] == []

    def test_are_looked_for_by_a_count_of_distinct_rows(self) -> None:
        run = run_stages([CLICKS], [BY_VISITOR], facts(), {"visitor": 350, "page,seconds,visitor": 990})
        assert run.rewritten() is None
        assert "more than 30% of the 1,000" in run.why()

    def test_need_no_count_where_a_column_is_nearly_a_key(self) -> None:
        run = run_stages([CLICKS], [BY_VISITOR], facts(900), {"visitor": 350, "page,seconds,visitor": 400})
        assert run.rewritten() is None
