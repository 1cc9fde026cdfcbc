"""Search, filter, sorting and pages of the table of queries."""

from __future__ import annotations

import time

import pytest

from heavy_stack.frontend.components.query_rows import (
    OUTCOMES,
    SORTS,
    View,
    choose_rows,
    count_outcomes,
    list_rows,
    page_of,
)
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.support.reports import full_report

ROWS = list_rows(full_report())


class TestView:
    def test_it_survives_the_way_through_the_address(self) -> None:
        view = View(search="a&b=ü %", outcome="NO_GAIN", sort="-ratio", page=3)
        assert View.from_query(view.to_query()) == view

    def test_the_plain_view_leaves_the_address_alone(self) -> None:
        assert View().to_query() == ""

    @pytest.mark.parametrize(
        "query",
        [
            "page=0",
            "page=-1",
            "page=x",
            "page=²",
            "page=99999999999",
            "sort=owner",
            "sort=--runs",
            "outcome=GOOD",
            "x=1",
        ],
    )
    def test_what_it_does_not_know_is_left_out(self, query: str) -> None:
        assert View.from_query(query) == View()

    def test_a_long_search_is_cut(self) -> None:
        assert len(View.from_query("q=" + "a" * 1000).search) == 200

    def test_sorting_twice_turns_round_and_starts_on_the_first_page(self) -> None:
        once = View(page=4).sorted_by("runs")
        assert (once.sort, once.page) == ("runs", 1)
        assert once.sorted_by("runs").sort == "-runs"
        assert once.sorted_by("runs").sorted_by("runs").sort == "runs"


class TestChooseRows:
    def test_the_plain_view_has_all_rows_in_the_workloads_order(self) -> None:
        assert choose_rows(ROWS, View()) == list(ROWS)

    def test_search_looks_into_ids_and_both_texts_in_any_case(self) -> None:
        assert [row.position for row in choose_rows(ROWS, View(search="REVENUE-00001"))] == [1]
        assert choose_rows(ROWS, View(search="date_TRUNC"))
        assert choose_rows(ROWS, View(search="orders_by_region_month"))
        assert choose_rows(ROWS, View(search="nowhere to be found")) == []

    def test_a_verdict_or_a_reason_filters(self) -> None:
        equal = choose_rows(ROWS, View(outcome="EQUAL_BY_RULE"))
        assert {row.text.verdict for row in equal} == {Verdict.EQUAL_BY_RULE}
        no_gain = choose_rows(ROWS, View(outcome="NO_GAIN"))
        assert {row.text.reason for row in no_gain} == {Reason.NO_GAIN}

    @pytest.mark.parametrize("key", list(SORTS))
    def test_each_column_sorts_both_ways_and_takes_missing_figures(self, key: str) -> None:
        up, down = choose_rows(ROWS, View(sort=key)), choose_rows(ROWS, View(sort=f"-{key}"))
        assert sorted(row.position for row in up) == sorted(row.position for row in down) == [r.position for r in ROWS]
        values = [SORTS[key](row) for row in up]
        assert values == sorted(values)
        assert [SORTS[key](row) for row in down] == sorted(values, reverse=True)

    def test_twenty_thousand_rows_are_searched_and_sorted_at_once(self) -> None:
        rows = list_rows(full_report(20_000))
        begun = time.process_time()
        found = choose_rows(rows, View(search="revenue", sort="-ratio"))
        assert time.process_time() - begun < 1.0
        assert len(found) > 10_000


class TestCountOutcomes:
    def test_it_counts_verdicts_and_reasons_that_occur(self) -> None:
        counts = count_outcomes(ROWS)
        assert counts["UNCHANGED"] == len(Reason)
        assert counts["NO_GAIN"] == 1
        assert set(counts) <= set(OUTCOMES)


class TestPageOf:
    def test_pages_of_fifty(self) -> None:
        rows = list_rows(full_report(120))
        assert [len(page_of(rows, number)[0]) for number in (1, 2, 3)] == [50, 50, 20]

    def test_a_page_that_does_not_exist_becomes_the_nearest(self) -> None:
        assert page_of(ROWS, 99)[1:] == (1, 1)
        assert page_of([], 1) == ([], 1, 1)
