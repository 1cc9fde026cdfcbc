"""Two calls at a time, results in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from heavy_stack.backend.advisor.verify.side_by_side import side_by_side


def slow(value: int, seconds: float) -> Callable[[], int]:
    def call() -> int:
        time.sleep(seconds)
        return value

    return call


class TestSideBySide:
    def test_results_come_in_the_order_of_the_calls(self) -> None:
        assert list(side_by_side(slow(n, 0.02 * (n % 2 == 0)) for n in range(7))) == list(range(7))

    def test_two_run_at_once(self) -> None:
        both = threading.Barrier(2, timeout=20)
        assert len(list(side_by_side([both.wait, both.wait, both.wait, both.wait]))) == 4

    def test_calls_are_asked_for_late(self) -> None:
        seen: list[int] = []

        def calls() -> Iterator[Callable[[], int]]:
            for number in range(20):
                if 3 in seen:
                    return
                yield slow(number, 0.0)

        for result in side_by_side(calls(), ahead=2):
            seen.append(result)
        assert seen == [0, 1, 2, 3, 4]

    def test_an_error_ends_it_and_nothing_new_begins(self) -> None:
        begun: list[int] = []

        def call(number: int) -> Callable[[], int]:
            def run() -> int:
                begun.append(number)
                return 1 // (1 - number)

            return run

        with pytest.raises(ZeroDivisionError):
            list(side_by_side(call(n) for n in range(9)))
        assert len(begun) <= 4
