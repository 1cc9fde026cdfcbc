"""What is tried: the first guess, then small tables, then other designs, within bytes and time."""

from __future__ import annotations

from heavy_stack.backend.advisor.select.choosing import choose
from heavy_stack.backend.advisor.select.model import Block, Demand, Limits, Problem
from heavy_stack.backend.advisor.trial.shortlist import MAX_BYTES, MAX_TRIED, shortlist

STORAGE = 1_000_000.0


def problem(sizes: list[float], offers: list[dict[int, float]], limits: Limits) -> Problem:
    """Texts of a second, answered by these tables in so many seconds."""
    demands = tuple(Demand((text,), 10.0, 1.0, (Block(0.99, after),)) for text, after in enumerate(offers))
    return Problem(tuple(sizes), tuple(0.5 for _ in sizes), demands, 0.0, 0.0, STORAGE, limits)


def tried(of: Problem) -> list[int]:
    """The shortlist of the guess by estimates."""
    return shortlist(of, choose(of).design, {})


class TestShortlist:
    def test_begins_with_the_guess(self) -> None:
        of = problem([1_000.0, 900.0, 2_000.0], [{0: 0.01, 1: 0.5}, {0: 0.01, 2: 0.4}], Limits(10, 100_000.0))
        guess = choose(of).design.tables
        assert set(tried(of)[: len(guess)]) == guess

    def test_tries_a_small_table_that_loses_by_estimates(self) -> None:
        of = problem([1_000.0, 900.0], [{0: 0.01, 1: 0.02}], Limits(10, 100_000.0))
        assert choose(of).design.tables == {0}
        assert tried(of) == [0, 1]

    def test_tries_what_would_stand_in_for_the_largest_table(self) -> None:
        sizes = [200_000.0, 190_000.0]
        of = problem(sizes, [{0: 0.01, 1: 0.03}, {0: 0.01, 1: 0.03}], Limits(10, 250_000.0))
        assert choose(of).design.tables == {0}
        assert tried(of) == [0, 1]

    def test_tries_the_widest_table_in_the_stead_of_others_of_its_kind(self) -> None:
        of = problem([50_000.0, 60_000.0, 90_000.0], [{0: 0.01, 2: 0.02}, {1: 0.01, 2: 0.02}], Limits(10, 120_000.0))
        assert shortlist(of, choose(of).design, {0: 2, 1: 2}) == [2]

    def test_tries_a_table_that_only_just_does_not_fit(self) -> None:
        of = problem([80_000.0, 90_000.0], [{0: 0.01}, {1: 0.01}], Limits(10, 120_000.0))
        assert sorted(tried(of)) == [0, 1]

    def test_tries_small_tables_that_could_save_most_for_their_bytes_first(self) -> None:
        sizes = [300_000.0, 20_000.0, 5_000.0]
        of = problem(sizes, [{0: 0.01, 1: 0.02}, {0: 0.01, 2: 0.05}], Limits(10, 310_000.0))
        found = tried(of)
        assert found.index(2) < found.index(1)

    def test_keeps_within_bytes_time_and_number(self) -> None:
        many = 2 * MAX_TRIED
        small = problem([1_000.0] * many, [{text: 0.01} for text in range(many)], Limits(many, 10_000.0))
        assert len(tried(small)) <= int(MAX_BYTES * 10)
        hurried = problem([1.0] * many, [{text: 0.01} for text in range(many)], Limits(many, 10_000.0, 20.0))
        assert len(tried(hurried)) == 40
        free = problem([1.0] * many, [{text: 0.01} for text in range(many)], Limits(many))
        assert len(tried(free)) == MAX_TRIED
