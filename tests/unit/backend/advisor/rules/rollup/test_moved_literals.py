"""A design serves queries that nobody sent: the same tables answer them after their literals moved (rule 8)."""

from __future__ import annotations

import dataclasses

import pytest

from heavy_stack.backend.advisor.artefacts import FrozenDesign
from heavy_stack.backend.advisor.parse import parse
from heavy_stack.backend.advisor.ports import Ports
from heavy_stack.backend.advisor.propose import propose
from heavy_stack.backend.advisor.rewrite import rewrite
from heavy_stack.backend.advisor.rules.rollup.literal_kinds import literal_moves
from heavy_stack.backend.advisor.select import select
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from tests.support.rule_cases import Quiet, Run, Unhurried, cases_of, differences, run_stages

SALES = (
    "CREATE TABLE lake.shop.sales (sold_on date, store integer, customer bigint, quantity integer,"
    " price decimal(10, 2), returned boolean, channel varchar, promo varchar)"
)
THIS_MONTH = [
    "SELECT store, SUM(price) AS turnover FROM lake.shop.sales WHERE channel IN ('a', 'web')"
    " AND sold_on >= DATE '2024-01-01' AND sold_on < DATE '2024-04-01' GROUP BY store"
    " HAVING COUNT(*) > 3 ORDER BY turnover LIMIT 10",
    "SELECT channel, SUM(CASE WHEN quantity > 2 AND NOT returned THEN price END) AS big FROM lake.shop.sales"
    " WHERE promo LIKE 'a%' AND sold_on BETWEEN DATE '2024-01-01' AND DATE '2024-01-31' GROUP BY channel",
    "SELECT CASE WHEN quantity > 5 THEN 'much' ELSE 'little' END AS size, COUNT(DISTINCT customer) AS customers"
    " FROM lake.shop.sales WHERE store = 4 GROUP BY CASE WHEN quantity > 5 THEN 'much' ELSE 'little' END",
]
NEXT_MONTH = [
    "SELECT store, SUM(price) AS turnover FROM lake.shop.sales WHERE channel IN ('b', 'web')"
    " AND sold_on >= DATE '2024-02-01' AND sold_on < DATE '2024-05-01' GROUP BY store"
    " HAVING COUNT(*) > 2 ORDER BY turnover LIMIT 20",
    "SELECT channel, SUM(CASE WHEN quantity > 3 AND NOT returned THEN price END) AS big FROM lake.shop.sales"
    " WHERE promo LIKE 'a%' AND sold_on BETWEEN DATE '2024-02-01' AND DATE '2024-02-29' GROUP BY channel",
    "SELECT CASE WHEN quantity > 4 THEN 'much' ELSE 'little' END AS size, COUNT(DISTINCT customer) AS customers"
    " FROM lake.shop.sales WHERE store = 5 GROUP BY CASE WHEN quantity > 4 THEN 'much' ELSE 'little' END",
]


def onto(run: Run, queries: list[str]) -> Run:
    """Other queries on the tables of a finished run."""
    frozen = FrozenDesign(run.plan.chosen, run.rewrite.schema_name, run.rewrite.create_schema, run.rewrite.tables)
    workload = dataclasses.replace(run.workload, texts=tuple(queries), frozen=frozen)
    ports = Ports(runner=None, progress=Quiet(), deadline=Unhurried())  # type: ignore[arg-type]
    parsed = parse(workload, Quiet())
    proposals = propose(workload, parsed, run.profile, ports)
    plan = select(workload, parsed, run.profile, proposals, ports)
    return Run(workload, parsed, run.profile, proposals, plan, rewrite(workload, parsed, run.profile, plan, ports))


class TestFrozenDesign:
    def test_answers_the_queries_of_next_month(self) -> None:
        first = run_stages([SALES], THIS_MONTH)
        assert [text.text for text in first.rewrite.texts] == [0, 1, 2]
        later = onto(first, NEXT_MONTH)
        assert [text.text for text in later.rewrite.texts] == [0, 1, 2]
        assert later.rewrite.tables == first.rewrite.tables
        assert later.rewrite.create_schema == first.rewrite.create_schema
        assert [line for seed in range(4) for line in differences(later, seed)] == []

    def test_leaves_alone_what_its_tables_do_not_hold(self) -> None:
        later = onto(
            run_stages([SALES], THIS_MONTH),
            ["SELECT customer, MAX(price) AS top FROM lake.shop.sales GROUP BY customer"],
        )
        assert later.rewrite.texts == ()
        assert later.why()
        assert len(later.rewrite.tables) == 3

    def test_does_not_answer_a_baked_filter_that_changed(self) -> None:
        first = run_stages(
            [SALES], ["SELECT channel, COUNT(*) AS n FROM lake.shop.sales WHERE promo LIKE 'a%' GROUP BY channel"]
        )
        later = onto(
            first, ["SELECT channel, COUNT(*) AS n FROM lake.shop.sales WHERE promo LIKE 'b%' GROUP BY channel"]
        )
        assert later.rewrite.texts == ()


class TestStoredTables:
    @pytest.mark.parametrize("case", [c for c in cases_of("answer_from_rollup") if c.after], ids=lambda case: case.name)
    def test_hold_no_literal_that_moves(self, case) -> None:  # type: ignore[no-untyped-def]
        run = run_stages(case.ddl, case.queries, case.facts)
        catalog = Catalog(run.parsed.tables)
        rollups = [each for each in run.plan.chosen if each.rule == "answer_from_rollup"]
        flags = {tuple(flag)[1] for each in rollups for flag in each.evidence["flags"]}
        # A column with a measure for every value holds no list of the query's.
        spread = {text.split('"')[-2] for each in rollups for text in each.evidence["spread"]}
        for candidate in rollups:
            tree = qualified(candidate.select, catalog)
            assert not literal_moves(tree, lambda column: column.name in flags | spread)
            assert tree.args.get("having") is None
            assert tree.args.get("limit") is None

    def test_hold_a_measure_for_every_value_of_a_spread_column(self) -> None:
        case = next(case for case in cases_of("answer_from_rollup") if case.name == "rewrites_spread_values")
        run = run_stages(case.ddl, case.queries, case.facts)
        found = [each for each in run.plan.chosen if each.evidence["spread"]]
        assert found
        for candidate in found:
            counts = {column.sql for column in candidate.columns if column.sql.startswith("COUNT(*) FILTER")}
            for value in ("a", "b", "c", "d"):
                assert any(f"\"channel\" = '{value}'" in text for text in counts)
        later = onto(
            run,
            ["SELECT sold_on, COUNT(DISTINCT customer) AS n FROM lake.shop.sales WHERE channel = 'd' GROUP BY sold_on"],
        )
        assert later.rewritten() is not None
        assert [line for seed in range(4) for line in differences(later, seed)] == []
        unknown = onto(
            run,
            ["SELECT sold_on, COUNT(DISTINCT customer) AS n FROM lake.shop.sales WHERE channel = 'e' GROUP BY sold_on"],
        )
        assert unknown.rewritten() is None
