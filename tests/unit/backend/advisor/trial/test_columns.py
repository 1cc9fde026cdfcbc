"""A wide table's columns are chosen like tables; it keeps those, and only ways that need no more stay possible."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heavy_stack.backend.advisor.artefacts import Candidate, TableName
from heavy_stack.backend.advisor.ports import BuiltTable
from heavy_stack.backend.advisor.rules.prejoin.derived import Derived, names_of
from heavy_stack.backend.advisor.select.choosing import best_design
from heavy_stack.backend.advisor.select.model import Block, Demand, Limits, Problem, TimedDemand, Way
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.trial.columns import TriedWay, by_column, lean, narrower, widest_of, without_columns
from heavy_stack.backend.advisor.trial.formulas import Found
from tests.support.rule_cases import Run, cases_of, run_stages

SIZE = 40_000_000.0


@pytest.fixture(scope="module")
def run() -> Run:
    """One query that a pre-join answers."""
    case = next(case for case in cases_of("read_from_prejoin") if case.name == "rewrites_inner_joins")
    return run_stages(case.ddl, case.queries, case.facts)


@pytest.fixture
def wide(run: Run) -> Candidate:
    """The pre-join."""
    return next(each for each in run.proposals.candidates if each.rule == "read_from_prejoin")


def tried(text: int, columns: set[str], after_s: float = 0.01) -> TimedDemand:
    """A text that reads these columns of the table at place 0, or takes a second as it stands."""
    return TimedDemand((text,), 1.0, 1.0, (), (TriedWay(frozenset({0}), after_s, {0: frozenset(columns)}),))


def problem(*demands: Demand) -> Problem:
    """With one wide table and a small one."""
    return Problem((SIZE, 1_000.0), (1.0, 1.0), demands, 0.0, 0.0, 400_000_000.0, Limits(10))


def built(size: int, columns: dict[str, int] | None = None) -> BuiltTable:
    """A table of so many bytes."""
    return BuiltTable(TableName("lake", "new", "wide"), 1_000, size, 1.0, columns or {})


def narrowed(run: Run, wide: Candidate, of: Problem) -> dict[int, list[str]]:
    """The columns that the wide table is left with."""
    small = replace(wide, id="small")
    found = narrower(of, of.design({0}), [wide, small], Catalog(run.parsed.tables), {})
    return {place: [column.name for column in each.columns] for place, each in found.items()}


class TestWidestOf:
    def test_names_the_table_that_holds_all_others_in_the_same_order(self, wide: Candidate) -> None:
        less, least = replace(wide, columns=wide.columns[:2]), replace(wide, columns=wide.columns[:1])
        assert widest_of([less, wide, least], [2.0, 3.0, 1.0]) == {0: 1, 1: 1, 2: 1}

    def test_a_table_with_other_columns_stays(self, wide: Candidate) -> None:
        other = replace(wide, columns=tuple(replace(each, name=f"{each.name}_2") for each in wide.columns))
        assert widest_of([other, wide], [2.0, 3.0]) == {1: 1}

    def test_another_order_is_another_table(self, wide: Candidate) -> None:
        less = replace(wide, columns=wide.columns[:2], evidence={**wide.evidence, "sort": ["elsewhere"]})
        assert widest_of([less, wide], [2.0, 3.0]) == {0: 0, 1: 1}


class TestByColumn:
    def test_a_column_that_gains_too_little_for_its_bytes_is_not_chosen(self, run: Run, wide: Candidate) -> None:
        sort = {str(name) for name in wide.evidence["sort"]}
        cheap, dear = [column.name for column in wide.columns if column.name not in sort][:2]
        of = problem(tried(0, {cheap}), tried(1, {cheap, dear}, after_s=0.8))
        of = replace(of, limits=Limits(1, SIZE / 2))
        sizes = {cheap: 10_000_000, dear: 29_000_000}
        found = by_column(of, [wide, wide], {0: built(int(SIZE), sizes)}, {})
        design = best_design(found)
        assert found.count(design.tables) == 1
        assert found.size(design.tables) == SIZE - 29_000_000
        assert [demand.seconds(design.tables) for demand in found.demands] == [0.01, 1.0]
        less = narrower(found, design, [wide, wide], Catalog(run.parsed.tables), {})
        assert {column.name for column in less[0].columns} == {cheap} | sort

    def test_a_text_that_was_not_tried_needs_all_columns(self, wide: Candidate) -> None:
        waiting = Demand((0,), 1.0, 1.0, (Block(0.9, {0: 0.1}),))
        names = [column.name for column in wide.columns]
        found = by_column(problem(waiting), [wide, wide], {0: built(int(SIZE), dict.fromkeys(names, 1_000))}, {})
        assert found.demands[0].seconds({0}) == 1.0
        assert found.demands[0].seconds(found.with_columns(0)) < 1.0
        assert found.size(found.with_columns(0)) == SIZE

    def test_small_tables_are_taken_whole(self, wide: Candidate) -> None:
        of = problem(tried(0, {wide.columns[0].name}))
        assert not by_column(of, [wide, wide], {0: built(1_000, {wide.columns[0].name: 900})}, {}).columns


class TestFormulas:
    def test_a_column_that_others_give_is_read_from_them_where_it_is_too_dear(self, run: Run, wide: Candidate) -> None:
        sort, alias = {str(name) for name in wide.evidence["sort"]}, wide.evidence["alias"]
        own = [
            name for name in wide.evidence["stored"] if wide.evidence["stored"][name][0] == alias and name not in sort
        ]
        cheap, dear = own[:2]
        kind = next(column.type for column in wide.columns if column.name == dear)
        derived = Derived(wide.evidence["stored"][dear][1], wide.evidence["stored"][cheap][1], kind)
        formulas = {0: {dear: Found(derived, frozenset({cheap}), 1_000.0, 100.0)}}
        of = replace(problem(tried(0, {dear})), limits=Limits(1, SIZE / 2))
        found = by_column(of, [wide, wide], {0: built(int(SIZE), {cheap: 10_000_000, dear: 29_000_000})}, formulas)
        design = best_design(found)
        assert found.demands[0].seconds(design.tables) == pytest.approx(0.01, rel=0.1)
        assert found.size(design.tables) == SIZE - 29_000_000 + 1_100
        less = narrower(found, design, [wide, wide], Catalog(run.parsed.tables), formulas)[0]
        assert {column.name for column in less.columns} == {cheap, *names_of(dear)} | sort
        after = without_columns(found, {0: (less, built(12_000_000))})
        assert after.demands[0].seconds(design.tables) == pytest.approx(0.01, rel=0.1)

    def test_it_is_read_itself_where_it_is_stored(self, wide: Candidate) -> None:
        cheap, dear = [column.name for column in wide.columns if column.name not in wide.evidence["sort"]][:2]
        formulas = {0: {dear: Found(Derived(dear, cheap, "bigint"), frozenset({cheap}), 1_000.0, 100.0)}}
        of = problem(tried(0, {dear}))
        found = by_column(of, [wide, wide], {0: built(int(SIZE), {cheap: 1_000_000, dear: 2_900})}, formulas)
        assert found.demands[0].seconds(found.with_columns(0)) == 0.01


class TestNarrower:
    def test_leaves_what_is_read_and_what_it_is_sorted_by(self, run: Run, wide: Candidate) -> None:
        names = [column.name for column in wide.columns]
        sort = {str(name) for name in wide.evidence["sort"]}
        read = next(name for name in names if name not in sort)
        found = narrowed(run, wide, problem(tried(0, {read})))
        assert set(found[0]) == {read} | sort
        assert len(found[0]) < len(names)

    def test_leaves_what_any_query_reads(self, run: Run, wide: Candidate) -> None:
        names = [column.name for column in wide.columns]
        halves = problem(tried(0, set(names[:3])), tried(1, set(names[3:])))
        assert narrowed(run, wide, halves) == {}

    def test_queries_that_gain_nothing_ask_for_no_column(self, run: Run, wide: Candidate) -> None:
        names = [column.name for column in wide.columns]
        of = problem(tried(0, set(names[:1])), tried(1, set(names), after_s=0.99))
        assert len(narrowed(run, wide, of)[0]) < len(names)

    def test_a_query_that_was_not_tried_could_read_any(self, run: Run, wide: Candidate) -> None:
        waiting = Demand((1,), 1.0, 1.0, (Block(0.9, {0: 0.1}),))
        assert narrowed(run, wide, problem(tried(0, {wide.columns[0].name}), waiting)) == {}


class TestWithoutColumns:
    def test_takes_the_new_bytes_and_forgets_ways_that_need_more(self, wide: Candidate) -> None:
        kept = {wide.columns[0].name}
        less = replace(wide, columns=wide.columns[:1])
        found = without_columns(problem(tried(0, kept), tried(1, {"more", *kept})), {0: (less, built(12_345))})
        assert found.bytes == (12_345.0, 1_000.0)
        assert [demand.seconds({0}) for demand in found.demands] == [0.01, 1.0]

    def test_ways_that_read_none_of_it_stay(self, wide: Candidate) -> None:
        other = TimedDemand((0,), 1.0, 1.0, (), (Way(frozenset({1}), 0.02),))
        found = without_columns(problem(other), {0: (replace(wide, columns=wide.columns[:1]), built(1))})
        assert found.demands[0].seconds({1}) == 0.02


class TestLean:
    def test_leaves_out_dear_columns_of_small_joined_tables(self, run: Run, wide: Candidate) -> None:
        fact, sort = wide.evidence["alias"], {str(name) for name in wide.evidence["sort"]}
        stored = {each.name: wide.evidence["stored"][each.name][0] for each in wide.columns}
        joined = next(name for name, alias in stored.items() if alias != fact and name not in sort)
        sizes = {each.name: 10 for each in wide.columns} | {joined: 500}
        catalog = Catalog(run.parsed.tables)
        found = lean([wide], {0: built(1_000, sizes)}, catalog, lambda _: 100.0)
        assert {column.name for column in found[0].columns} == stored.keys() - {joined}
        assert lean([wide], {0: built(1_000, sizes)}, catalog, lambda _: 1e6) == {}

    def test_columns_that_take_next_to_nothing_stay(self, run: Run, wide: Candidate) -> None:
        sizes = {each.name: 10 for each in wide.columns}
        assert lean([wide], {0: built(1_000, sizes)}, Catalog(run.parsed.tables), lambda _: 100.0) == {}
