"""The fixtures of `read_from_prejoin`: same text, same rows, input untouched, and a second pass finds nothing."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.rules import READ_FROM_PREJOIN
from heavy_stack.backend.advisor.rules.prejoin.gains import Gains
from heavy_stack.backend.advisor.rules.prejoin.shelves import Shelf, shelf_of
from heavy_stack.backend.advisor.rules.rollup.trees import NotAnswerable
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from tests.support.rule_cases import Case, Run, cases_of, differences, run_stages, written_after

CASES = cases_of("read_from_prejoin")
REWRITES = [case for case in CASES if case.after is not None]
KEEPS = [case for case in CASES if case.after is None]


def shelves(run: Run) -> list[Shelf]:
    built = {table.candidate: table for table in run.rewrite.tables}
    chosen = [each for each in run.plan.chosen if each.id in built]
    return [shelf_of(each, built[each.id].name, built[each.id].columns) for each in chosen]


@pytest.mark.parametrize("case", REWRITES, ids=lambda case: case.name)
class TestRewrites:
    def test_writes_the_recorded_script(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert case.after is not None
        assert written_after(run) == case.after.read_text()

    def test_is_of_this_rule_and_exact_under_its_conditions(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert [text.rules for text in run.rewrite.texts] == [("read_from_prejoin",)]
        assert all(text.by_rule for text in run.rewrite.texts)

    def test_returns_the_same_rows_on_small_tables_of_nulls_orphans_and_duplicates(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        found = [line for seed in range(8) for line in differences(run, seed)]
        found += list(differences(run, 99, rows=0))
        assert found == []

    def test_finds_nothing_in_a_second_pass(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        catalog = Catalog(run.parsed.tables)
        gains = Gains(run.profile.facts, catalog)
        sql = run.parsed.texts[0].sql or ""
        once = READ_FROM_PREJOIN.apply(qualified(sql, catalog), catalog, shelves(run), gains)
        with pytest.raises(NotAnswerable):
            READ_FROM_PREJOIN.apply(once.tree, catalog, shelves(run), gains)

    def test_leaves_its_input_untouched(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        catalog = Catalog(run.parsed.tables)
        tree = qualified(run.parsed.texts[0].sql or "", catalog)
        before = tree.sql("trino")
        READ_FROM_PREJOIN.apply(tree, catalog, shelves(run), Gains(run.profile.facts, catalog))
        assert tree.sql("trino") == before


@pytest.mark.parametrize("case", KEEPS, ids=lambda case: case.name)
class TestKeeps:
    def test_stays_silent_and_says_why(self, case: Case) -> None:
        run = run_stages(case.ddl, case.queries, case.facts)
        assert run.rewrite.texts == ()
        assert run.rewrite.tables == ()
        assert all(run.why(text.text) for text in run.parsed.texts)
