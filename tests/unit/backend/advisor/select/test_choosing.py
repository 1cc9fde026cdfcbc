"""The search finds what trying every design finds, keeps within the limits, and takes no more tables than it needs."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest

from heavy_stack.backend.advisor.rules.costs import FLOOR_S
from heavy_stack.backend.advisor.select.choosing import NEAR_Z, choose
from heavy_stack.backend.advisor.select.exact import Program
from heavy_stack.backend.advisor.select.local_search import LocalSearch
from heavy_stack.backend.advisor.select.model import Block, Demand, Design, Limits, Problem, TimedDemand, Way
from heavy_stack.backend.advisor.select.state import State
from heavy_stack.backend.advisor.select.ways import ways_of

STORAGE = 1_000_000.0
NEAR_WORTH = NEAR_Z * 0.9
"""Total time may cost a little more of the worth than z does."""


def random_problem(seed: int, *, tables: int = 7, texts: int = 6, limits: Limits | None = None) -> Problem:
    """Texts of one to three blocks, each answered by some of the tables."""
    chance = random.Random(seed)
    demands = []
    for text in range(texts):
        blocks = []
        for _ in range(chance.randint(1, 3)):
            before = chance.uniform(0.01, 0.5)
            offers = chance.sample(range(tables), chance.randint(1, 4))
            blocks.append(Block(before, {table: chance.uniform(0.0, 0.3) * before for table in sorted(offers)}))
        total = FLOOR_S + sum(block.before_s for block in blocks) + chance.uniform(0.0, 0.05)
        demands.append(Demand((text,), chance.randint(1, 50), total, tuple(blocks)))
    return Problem(
        bytes=tuple(chance.uniform(100, 150_000) for _ in range(tables)),
        build_s=tuple(chance.uniform(0.1, 5.0) for _ in range(tables)),
        demands=tuple(demands),
        rest_weight=10.0,
        rest_s=0.5,
        storage=STORAGE,
        limits=limits or Limits(tables),
    )


def best_of_all(problem: Problem) -> Design:
    """The best design within the limits, by trying every one."""
    places = range(len(problem.bytes))
    every = (frozenset(tables) for count in range(len(places) + 1) for tables in combinations(places, count))
    return max((problem.design(tables) for tables in every if problem.fits(tables)), key=lambda each: each.worth)


class TestChoose:
    @pytest.mark.parametrize("seed", range(12))
    def test_is_as_good_as_trying_every_design(self, seed: int) -> None:
        problem = random_problem(seed)
        assert choose(problem).design.worth >= NEAR_WORTH * best_of_all(problem).worth

    @pytest.mark.parametrize("seed", range(6))
    def test_keeps_within_every_limit(self, seed: int) -> None:
        problem = random_problem(seed, limits=Limits(3, 200_000.0, 8.0))
        found = choose(problem).design
        assert problem.fits(found.tables)
        assert found.worth >= NEAR_WORTH * best_of_all(problem).worth

    def test_takes_one_table_for_many_where_that_costs_next_to_nothing(self) -> None:
        demands = tuple(Demand((text,), 10, 0.104, (Block(0.1, {text: 0.00001, 3: 0.00002}),)) for text in range(3))
        problem = Problem((900.0, 900.0, 900.0, 2800.0), (1.0,) * 4, demands, 0.0, 0.0, STORAGE, Limits(3))
        assert choose(problem).design.tables == {3}

    def test_chooses_nothing_where_every_table_costs_more_than_it_saves(self) -> None:
        demands = (Demand((0,), 1, 0.104, (Block(0.1, {0: 0.09}),)),)
        problem = Problem((50 * STORAGE,), (1.0,), demands, 100.0, 10.0, STORAGE, Limits(1))
        choice = choose(problem)
        assert choice.design.tables == frozenset()
        assert [point.chosen for point in choice.front] == [True]

    @pytest.mark.parametrize(("texts", "tables"), [(10, 5), (4, 4)])
    def test_takes_fewer_tables_only_where_they_are_many_for_the_texts(self, texts: int, tables: int) -> None:
        # Each table but the first saves one text a little.
        own = [{1 + text: 0.0155} if text < 4 else {} for text in range(texts)]
        demands = tuple(Demand((text,), 10, 0.104, (Block(0.1, {0: 0.02, **own[text]}),)) for text in range(texts))
        problem = Problem((900.0,) * 5, (1.0,) * 5, demands, 0.0, 0.0, STORAGE, Limits(10))
        assert len(choose(problem).design.tables) == tables

    def test_gives_the_same_design_every_time(self) -> None:
        problem = random_problem(3, tables=12, texts=15)
        assert choose(problem) == choose(problem)

    def test_still_chooses_where_no_time_is_left_for_the_solver(self) -> None:
        problem = random_problem(5)
        ticks = iter(range(0, 10_000_000, 1000))
        found = choose(problem, clock=lambda: float(next(ticks))).design
        assert found.worth >= 0.9 * best_of_all(problem).worth

    def test_draws_the_front_from_few_bytes_to_many_with_one_design_chosen(self) -> None:
        front = choose(random_problem(7, tables=10, texts=12)).front
        assert [point.bytes for point in front] == sorted(point.bytes for point in front)
        assert sum(point.chosen for point in front) == 1
        speeds = [point.x for point in front if not point.chosen]
        assert speeds == sorted(speeds)


class TestProgram:
    @pytest.mark.parametrize("seed", range(12))
    def test_solves_small_cases_exactly(self, seed: int) -> None:
        """Asked at the best design itself, no other can be better by the slope there by more than the curvature."""
        problem = random_problem(seed, tables=6, texts=5)
        ways = [ways_of(demand, problem) for demand in problem.demands]
        best = best_of_all(problem)
        found = Program(problem, ways).best(best, None, 10.0)
        assert found is not None
        assert found.worth >= 0.97 * best.worth

    def test_answers_what_it_must_answer(self) -> None:
        problem = random_problem(2, tables=6, texts=5)
        ways = [ways_of(demand, problem) for demand in problem.demands]
        everything = problem.design(range(6))
        keep = problem.answered(everything.tables)
        found = Program(problem, ways).best(everything, None, 10.0, keep=dict.fromkeys(keep, 1.0))
        assert found is not None and keep <= problem.answered(found.tables)


class TestLocalSearch:
    @pytest.mark.parametrize("seed", range(12))
    def test_comes_near_the_best_alone(self, seed: int) -> None:
        problem = random_problem(seed)
        search = LocalSearch(problem, [ways_of(demand, problem) for demand in problem.demands])
        found = search.polish(search.grow(()).tables)
        assert found.worth >= 0.95 * best_of_all(problem).worth

    def test_leaves_no_text_without_its_answer_when_it_saves_tables(self) -> None:
        problem = random_problem(4, tables=9, texts=9)
        search = LocalSearch(problem, [ways_of(demand, problem) for demand in problem.demands])
        grown = search.grow(())
        fewer = search.fewer(grown, lambda design: design.worth >= 0.5 * grown.worth)
        assert len(fewer.tables) <= len(grown.tables)
        assert problem.answered(grown.tables) <= problem.answered(fewer.tables)


class TestState:
    @pytest.mark.parametrize("seed", range(8))
    def test_foresees_what_a_change_is_worth(self, seed: int) -> None:
        problem = random_problem(seed)
        chance = random.Random(seed)
        state = State(problem, chance.sample(range(7), 3))
        tables = frozenset(chance.sample(range(7), 4))
        foreseen = state.peek(tables)
        state.move(tables)
        assert foreseen is not None
        assert foreseen.worth == pytest.approx(problem.design(tables).worth)
        assert state.worth == pytest.approx(foreseen.worth)


class TestWaysOf:
    def test_holds_none_that_another_beats_with_fewer_tables(self) -> None:
        problem = random_problem(1, tables=8, texts=8)
        for demand in problem.demands:
            ways = ways_of(demand, problem)
            for way in ways:
                assert way.seconds == pytest.approx(demand.seconds(way.tables))
                assert not any(other.tables < way.tables and other.seconds <= way.seconds for other in ways)


def timed(*ways: tuple[set[int], float]) -> TimedDemand:
    """A text of a second that was tried in these ways."""
    found = tuple(Way(frozenset(tables), seconds) for tables, seconds in sorted(ways, key=lambda way: way[1]))
    return TimedDemand((0,), 10.0, 1.0, (), found)


def measured(sizes: list[float], *demands: TimedDemand) -> frozenset[int]:
    """The tables chosen by measured seconds."""
    numbered = tuple(replace(demand, texts=(text,)) for text, demand in enumerate(demands))
    problem = Problem(tuple(sizes), tuple(1.0 for _ in sizes), numbered, 0.0, 0.0, STORAGE, Limits(10))
    return choose(problem, measured=True).design.tables


class TestChooseByMeasuredSeconds:
    def test_takes_half_as_many_tables_as_texts_where_they_answer_as_much(self) -> None:
        own = [timed(({text}, 0.01), ({4 + text // 2}, 0.015)) for text in range(4)]
        assert measured([1_000.0] * 6, *own) == {4, 5}

    def test_takes_more_where_fewer_would_lose_an_answer(self) -> None:
        own = [timed(({text}, 0.01)) for text in range(4)]
        assert measured([1_000.0] * 4, *own) == {0, 1, 2, 3}

    def test_takes_more_where_much_is_left_and_fewer_would_save_less(self) -> None:
        own = [timed(({text}, 0.3), ({4 + text // 2}, 0.33)) for text in range(4)]
        assert measured([1_000.0] * 6, *own) == {0, 1, 2, 3}

    def test_takes_fewer_where_hardly_anything_is_left(self) -> None:
        own = [timed(({text}, 0.05), ({4 + text // 2}, 0.09)) for text in range(4)]
        assert measured([1_000.0] * 6, *own) == {4, 5}

    def test_takes_still_fewer_where_one_table_is_as_good(self) -> None:
        own = [timed(({text}, 0.05), ({4 + text // 2}, 0.0502), ({6}, 0.0504)) for text in range(4)]
        assert measured([1_000.0] * 7, *own) == {6}

    def test_takes_no_fewer_where_one_table_is_clearly_worth_less(self) -> None:
        own = [timed(({text}, 0.05), ({4 + text // 2}, 0.0502), ({6}, 0.06)) for text in range(4)]
        assert measured([1_000.0] * 7, *own) == {4, 5}

    def test_takes_more_where_fewer_would_be_worth_less_than_half(self) -> None:
        own = [timed(({text}, 0.01), ({4}, 0.4)) for text in range(4)]
        assert measured([1_000.0] * 5, *own) == {0, 1, 2, 3}

    def test_takes_fewer_bytes_where_they_cost_little_speed(self) -> None:
        assert measured([30_000.0, 15_000.0], timed(({0}, 0.01), ({1}, 0.0101))) == {1}
        assert measured([30_000.0, 15_000.0], timed(({0}, 0.01), ({1}, 0.02))) == {0}

    def test_a_way_needs_all_its_tables(self) -> None:
        both = timed(({0, 1}, 0.01), ({0}, 0.9))
        assert measured([1_000.0, 1_000.0], both, timed(({0}, 0.02)), timed(({1}, 0.02)), timed(({0}, 0.02))) == {0, 1}
        assert both.seconds({0}) == 1.0
