"""What a sorted copy saves a SELECT."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from tests.support.rule_cases import run_stages

DDL = [
    "CREATE TABLE lake.web.clicks (day date, visitor bigint, page varchar, seconds integer, note varchar, kind varchar)"
]
QUERY = (
    "SELECT page, APPROX_DISTINCT(visitor) AS v, MAX_BY(seconds, visitor) AS s FROM lake.web.clicks"
    " WHERE day >= DATE '2024-01-05' GROUP BY page"
)


def facts(in_order: bool | None) -> dict[str, TableFacts]:
    columns = {
        "day": ColumnFacts(distinct=700, nulls=0, in_order=in_order),
        "visitor": ColumnFacts(distinct=300_000, nulls=0),
        "page": ColumnFacts(distinct=5_000, nulls=0),
    }
    return {"lake.web.clicks": TableFacts(rows=5_000_000, bytes=200_000_000, columns=columns)}


class TestRowsInOrder:
    def test_sorts_a_copy_by_a_date_that_rows_do_not_follow(self) -> None:
        assert run_stages(DDL, [QUERY], facts(None)).rewrite.tables

    def test_makes_no_copy_of_rows_that_follow_it_anyway(self) -> None:
        assert not run_stages(DDL, [QUERY], facts(True)).rewrite.tables
