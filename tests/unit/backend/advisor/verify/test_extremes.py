"""Numbers that doubles cannot add up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from heavy_stack.backend.advisor.verify.column_types import read_type
from heavy_stack.backend.advisor.verify.extremes import NEARLY, UNEVEN, VANISHING, losing


class TestLosing:
    @pytest.mark.parametrize("name", ["decimal(10,2)", "decimal(12,2)", "decimal(12,4)", "decimal(14,0)"])
    def test_so_many_of_it_lose_a_unit(self, name: str) -> None:
        kind = read_type(name)
        value, times = losing(kind)
        total = 0.0
        for _ in range(times):
            total += float(value)
        assert round(Decimal(total), kind.scale) != value * times

    @pytest.mark.parametrize("name", ["decimal(5,2)", "decimal(7,2)", "decimal(38,2)"])
    def test_says_where_too_many_would_be_needed_or_fewer_do(self, name: str) -> None:
        assert losing(read_type(name))[1] == 0


class TestMoments:
    @pytest.mark.parametrize(("value", "sign"), [(UNEVEN[0], 1), (UNEVEN[1], -1), (UNEVEN[2], 1), (UNEVEN[3], -1)])
    def test_what_is_left_of_equal_squares_is_not_zero(self, value: float, sign: int) -> None:
        number = float(value)
        squares = number * number + number * number + number * number
        assert sign * (squares - (number + number + number) ** 2 / 3) > 0

    def test_tiny_numbers_have_no_square(self) -> None:
        assert VANISHING * VANISHING == 0.0 < VANISHING < NEARLY
