"""Queries that arrive after the design: matched by what the table holds, not by the text it was made for."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import FrozenDesign
from tests.support.rule_cases import Run, cases_of, differences, run_stages

CASE = next(case for case in cases_of("read_from_prejoin") if case.name == "rewrites_inner_joins")
SALES = "lake.shop.sales AS s"
DAY = "lake.shop.day AS d ON d.id = s.day_id"
CUSTOMER = "lake.shop.customer AS c ON c.id = s.customer_id"


def later(query: str) -> Run:
    run = run_stages(CASE.ddl, CASE.queries, CASE.facts)
    made = run.rewrite
    frozen = FrozenDesign(run.plan.chosen, made.schema_name, made.create_schema, made.tables)
    return run_stages(CASE.ddl, [query], CASE.facts, frozen=frozen)


class TestLaterQueries:
    def test_other_literals_and_another_shape_are_answered(self) -> None:
        query = f"SELECT COUNT(*), MAX(s.price) FROM {SALES} JOIN {DAY} WHERE d.year = 2023 AND d.month BETWEEN 4 AND 6"
        run = later(query)
        assert "JOIN" not in (run.rewritten() or "JOIN")
        assert [line for seed in range(4) for line in differences(run, seed)] == []

    def test_a_table_that_is_not_stored_stays_joined(self) -> None:
        query = (
            f"SELECT c.name, SUM(s.price) FROM {SALES} JOIN {DAY} JOIN {CUSTOMER}"
            " WHERE d.year = 2023 AND d.month = 1 AND c.segment = 'a' GROUP BY c.name"
        )
        run = later(query)
        assert (run.rewritten() or "").count("JOIN") == 1
        assert [line for seed in range(4) for line in differences(run, seed)] == []

    def test_a_column_that_the_table_lacks_is_no_match(self) -> None:
        run = later(f"SELECT s.note FROM {SALES} JOIN {DAY} WHERE d.year = 2023 AND d.month = 1")
        assert run.rewritten() is None

    def test_all_keys_of_the_table_are_conditions(self) -> None:
        run = later(f"SELECT SUM(s.price) FROM {SALES} JOIN {DAY} WHERE d.year = 2023 AND d.month = 1")
        names = [name for text in run.rewrite.texts for name, _ in text.conditions]
        assert names == ["customer has one row per id", "day has one row per id"]
