"""Sizes of shared tables: from the sample where there is one, never smaller by asking again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from heavy_stack.backend.advisor.parse.ddl import read_tables
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.rollups import Asked, Rollup, rollup_of
from heavy_stack.backend.advisor.rules.rollup.sizes import SAMPLE_ROWS, Sizes
from heavy_stack.backend.advisor.sql.catalog import Catalog
from tests.support.rule_cases import CountedGroups, Unhurried

SALES = "CREATE TABLE lake.shop.sales (a varchar, b varchar, x integer)"
FACTS = {
    "lake.shop.sales": TableFacts(
        rows=10_000_000, bytes=10**9, columns={"a": ColumnFacts(distinct=3000), "b": ColumnFacts(distinct=3000)}
    )
}


class Sampled(CountedGroups):
    """Counts on a sample only."""

    def count_groups(
        self, selects: Mapping[str, str], *, limit_s: float, sample_rows: int | None = None
    ) -> Mapping[str, int | None]:
        """None for full counts."""
        if sample_rows is None:
            return dict.fromkeys(selects)
        return super().count_groups(selects, limit_s=limit_s)


def rollups() -> tuple[Rollup, Rollup, Rollup]:
    """By a, by b, and by both."""
    analyst = Analyst(Catalog(read_tables([SALES])))
    asked = [
        Asked(number, place, needs)
        for number, key in enumerate("ab")
        for place, needs in analyst.analyse(
            f"SELECT {key}, SUM(x) AS s FROM lake.shop.sales GROUP BY {key}"
        ).answerable()
    ]
    found = [rollup_of([asked[0]]), rollup_of([asked[1]]), rollup_of(asked)]
    one, two, both = found
    assert one is not None and two is not None and both is not None
    return one, two, both


class TestMergedRows:
    def test_stay_what_they_are_when_asked_again(self) -> None:
        one, two, both = rollups()
        sizes = Sizes(FACTS, None, Unhurried())
        first = sizes.merged_rows(both, one, two)
        assert [sizes.merged_rows(both, one, two) for _ in range(5)] == [first] * 5
        assert first > 100_000

    def test_grow_as_they_grow_on_the_sample(self) -> None:
        one, two, both = rollups()
        sizes = Sizes(FACTS, Sampled({"a": 3000, "b": 3000, "a,b": 4500}), Unhurried())  # type: ignore[arg-type]
        assert sizes.sample([one, two, both])
        assert sizes.merged_rows(both, one, two) == pytest.approx(4500, rel=0.05)
        assert sizes.rows(both) == pytest.approx(4500, rel=0.05)

    def test_are_taken_for_independent_where_the_sample_holds_hardly_a_group_twice(self) -> None:
        one, two, both = rollups()
        sizes = Sizes(FACTS, Sampled({"a": 3000, "b": 3000, "a,b": SAMPLE_ROWS}), Unhurried())  # type: ignore[arg-type]
        sizes.sample([one, two, both])
        assert sizes.merged_rows(both, one, two) == 9_000_000
