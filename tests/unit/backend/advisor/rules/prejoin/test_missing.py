"""What a query that arrives later is told when the pre-joined tables lack a column."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import FrozenDesign
from tests.support.rule_cases import Case, cases_of, run_stages

JOINED = "lake.shop.sales AS s JOIN lake.shop.day AS d ON d.id = s.day_id"


@pytest.fixture(scope="module")
def case() -> Case:
    """A design of one pre-joined table."""
    return next(case for case in cases_of("read_from_prejoin") if case.name == "rewrites_inner_joins")


@pytest.fixture(scope="module")
def design(case: Case) -> FrozenDesign:
    run = run_stages(case.ddl, case.queries, case.facts)
    assert {table.rule for table in run.rewrite.tables} == {"read_from_prejoin"}
    return FrozenDesign(run.plan.chosen, run.rewrite.schema_name, run.rewrite.create_schema, run.rewrite.tables)


class TestWhatShelvesLack:
    @pytest.mark.parametrize(
        ("query", "named"),
        [
            (f"SELECT s.note, s.price FROM {JOINED} WHERE d.year = 2024", "has no column note."),
            (f"SELECT s.tax, s.channel FROM {JOINED} WHERE d.year = 2024", "has no column channel, tax."),
            (f"SELECT s.price FROM {JOINED} WHERE d.year = 2024 AND d.holiday", "has no column holiday."),
        ],
    )
    def test_names_columns_of_the_fact_and_its_partners(
        self, case: Case, design: FrozenDesign, query: str, named: str
    ) -> None:
        run = run_stages(case.ddl, [query], case.facts, frozen=design)
        assert run.rewritten() is None
        assert run.why().endswith(named)

    def test_says_nothing_of_tables_that_stand_for_others(self, case: Case, design: FrozenDesign) -> None:
        why = run_stages(case.ddl, ["SELECT name FROM lake.shop.customer"], case.facts, frozen=design).why()
        assert why
        assert "no column" not in why
