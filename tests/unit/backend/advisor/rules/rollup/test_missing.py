"""What a query that arrives later is told when no table of the design answers it."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import FrozenDesign
from tests.support.rule_cases import run_stages

DDL = [
    "CREATE TABLE lake.shop.sales (day date, region varchar, returned boolean, channel varchar, amount decimal(12,2))",
    "CREATE TABLE lake.shop.stores (id bigint, city varchar)",
]
DESIGNED = "SELECT region, SUM(amount) FROM lake.shop.sales WHERE NOT returned GROUP BY region"


@pytest.fixture(scope="module")
def design() -> FrozenDesign:
    """One table: sums of what was not returned, by region."""
    run = run_stages(DDL, [DESIGNED])
    return FrozenDesign(run.plan.chosen, run.rewrite.schema_name, run.rewrite.create_schema, run.rewrite.tables)


class TestWhatIsMissing:
    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("SELECT channel, SUM(amount) FROM {} WHERE NOT returned GROUP BY channel", ["no dimension", "channel"]),
            ("SELECT region, MAX(amount) FROM {} WHERE NOT returned GROUP BY region", ["no measure MAX(", "amount"]),
            ("SELECT region, SUM(amount) FROM {} GROUP BY region", ["only rows where", "NOT", "returned"]),
            (
                "SELECT channel, MIN(day) FROM {} WHERE NOT returned GROUP BY channel",
                ["no dimension", "channel", " and no measure MIN(", "day"],
            ),
        ],
    )
    def test_names_columns_measures_and_filters(self, design: FrozenDesign, query: str, named: list[str]) -> None:
        why = run_stages(DDL, [query.format("lake.shop.sales")], frozen=design).why()
        assert why.startswith("sales_by_region has ")
        assert [word for word in named if word not in why] == []

    def test_names_the_tables_that_no_table_stands_for(self, design: FrozenDesign) -> None:
        why = run_stages(DDL, ["SELECT city, COUNT(*) FROM lake.shop.stores GROUP BY city"], frozen=design).why()
        assert "lake.shop.stores" in why

    def test_a_long_list_is_cut(self, design: FrozenDesign) -> None:
        sums = ", ".join(f"SUM(amount + {number})" for number in range(9))
        query = f"SELECT region, {sums} FROM lake.shop.sales WHERE NOT returned GROUP BY region"
        assert "and 4 more" in run_stages(DDL, [query], frozen=design).why()
