"""Candidates for all texts together, and a sentence for each text that gets none."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ColumnFacts, TableFacts
from heavy_stack.shared_models.verdicts import Reason
from tests.support.rule_cases import differences, run_stages

SALES = (
    "CREATE TABLE lake.shop.sales (day date, store integer, kind integer, quantity integer, price decimal(10, 2),"
    " channel varchar, ok boolean)"
)


class TestPropose:
    def test_gives_every_text_a_candidate_or_a_reason(self) -> None:
        queries = [
            "SELECT channel, COUNT(*) AS n FROM lake.shop.sales GROUP BY channel",
            "SELECT channel FROM lake.shop.sales",
            "SELECT approx_distinct(store) AS stores FROM lake.shop.sales",
        ]
        proposals = run_stages([SALES], queries).proposals
        assert {text for each in proposals.candidates for text in each.serves} == {0}
        assert set(proposals.unanswered) == {1, 2}
        assert set(proposals.reasons.values()) == {Reason.NO_GAIN}

    def test_bakes_a_flag_in_only_where_facts_say_that_it_is_one(self) -> None:
        query = "SELECT channel, COUNT(*) AS n FROM lake.shop.sales WHERE kind = 1 GROUP BY channel"
        facts = {"lake.shop.sales": TableFacts(rows=10**6, columns={"kind": ColumnFacts(distinct=3)})}
        assert run_stages([SALES], [query]).dimensions() == [["channel", "kind"]]
        assert run_stages([SALES], [query], facts, {"channel": 5}).dimensions() == [["channel"]]

    def test_takes_dates_at_the_coarsest_grain_that_all_uses_align_to(self) -> None:
        by_month = (
            "SELECT year(day) AS y, SUM(price) AS s FROM lake.shop.sales WHERE day >= DATE '2024-01-01' GROUP BY 1"
        )
        by_day = by_month.replace("2024-01-01", "2024-01-10")
        assert run_stages([SALES], [by_month]).dimensions() == [["day_month"]]
        assert run_stages([SALES], [by_day]).dimensions() == [["day"]]

    def test_widens_arithmetic_that_rows_outside_the_filter_could_overflow(self) -> None:
        query = "SELECT channel, SUM(quantity * store) AS s FROM lake.shop.sales WHERE kind > 3 GROUP BY channel"
        run = run_stages([SALES], [query])
        assert 'CAST("sales"."quantity" AS BIGINT) * CAST("sales"."store" AS BIGINT)' in run.rewrite.tables[0].insert
        assert [line for seed in range(3) for line in differences(run, seed)] == []

    def test_merges_plain_ctes_into_the_aggregation(self) -> None:
        query = (
            "WITH good AS (SELECT * FROM lake.shop.sales WHERE ok), cheap AS (SELECT channel AS c, price * 2 AS p,"
            " store FROM good WHERE price < 5), byst AS (SELECT store AS s, RANK() OVER (ORDER BY COUNT(*)) AS place"
            " FROM lake.shop.sales GROUP BY store)"
            " SELECT c, SUM(p) AS total FROM cheap JOIN byst ON s = store WHERE place < 3 GROUP BY c"
        )
        run = run_stages([SALES], [query, query.replace("place < 3", "place < 4")])
        assert len(run.rewrite.texts) == 2
        assert all('"lake"."shop"' not in text.sql for text in run.rewrite.texts)
        assert [line for seed in range(4) for line in differences(run, seed)] == []

    def test_keeps_nested_blocks_apart(self) -> None:
        query = (
            "SELECT channel, COUNT(*) AS n FROM lake.shop.sales o WHERE price > (SELECT AVG(i.price)"
            " FROM lake.shop.sales i WHERE i.channel = o.channel AND i.kind = 2) GROUP BY channel"
        )
        run = run_stages([SALES], [query, "SELECT 1 AS one"])
        assert [line for seed in range(4) for line in differences(run, seed)] == []
