"""The fixtures of `answer_from_rollup`: same text, same rows, input untouched, and a second pass finds nothing."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import Column, Table
from heavy_stack.backend.advisor.rules import ANSWER_FROM_ROLLUP
from heavy_stack.backend.advisor.rules.rollup.analysis import Analyst
from heavy_stack.backend.advisor.rules.rollup.matching import stored_table
from heavy_stack.backend.advisor.rules.rollup.sizes import Sizes
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from tests.support.rule_cases import Case, Unhurried, cases_of, differences, run_stages, written_after

CASES = cases_of("answer_from_rollup")
REWRITES = [case for case in CASES if case.after is not None]
KEEPS = [case for case in CASES if case.after is None]


@pytest.mark.parametrize("case", REWRITES, ids=lambda case: case.name)
class TestRewrites:
    def test_writes_the_recorded_script(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert case.after is not None
        assert written_after(run) == case.after.read_text()

    def test_returns_the_same_rows_on_small_tables_of_nulls_and_duplicates(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert run.rewrite.texts
        found = [line for seed in range(6) for line in differences(run, seed)]
        found += list(differences(run, 99, rows=0))
        assert found == []

    def test_finds_nothing_in_a_second_pass(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        names = {table.candidate: table.name for table in run.rewrite.tables}
        tables = [stored_table(each, names[each.id]) for each in run.plan.chosen if each.id in names]
        made = [
            Table(table.name, tuple(Column(column.name, column.type) for column in table.columns))
            for table in run.rewrite.tables
        ]
        analyst = Analyst(Catalog(run.parsed.tables).with_tables(made))
        for text in run.rewrite.texts:
            with pytest.raises(NotAnswerable):
                ANSWER_FROM_ROLLUP.apply(text.sql, analyst, tables, Sizes({}, None, Unhurried()))

    def test_leaves_its_input_untouched(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        names = {table.candidate: table.name for table in run.rewrite.tables}
        tables = [stored_table(each, names[each.id]) for each in run.plan.chosen if each.id in names]
        catalog = Catalog(run.parsed.tables)
        for text in run.rewrite.texts:
            sql = run.parsed.texts[text.text].sql or ""
            before = qualified(sql, catalog).sql("trino")
            ANSWER_FROM_ROLLUP.apply(
                sql, Analyst(catalog), tables, Sizes({}, None, Unhurried())
            ) if not case.facts else None
            assert qualified(sql, catalog).sql("trino") == before


@pytest.mark.parametrize("case", KEEPS, ids=lambda case: case.name)
class TestKeeps:
    def test_stays_silent_and_says_why(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert run.rewrite.texts == ()
        assert run.rewrite.tables == ()
        assert all(run.why(text.text) for text in run.parsed.texts)
