"""Constraints test values, and suggest ones on both sides of what they ask."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.verify.column_types import read_type
from heavy_stack.backend.advisor.verify.constraints import Constraint, candidates
from heavy_stack.backend.advisor.verify.literals import constant


class TestHolds:
    @pytest.mark.parametrize(
        ("constraint", "value", "holds"),
        [
            (Constraint("compare", "<", 3), 2, True),
            (Constraint("compare", "<", 3), 3, False),
            (Constraint("compare", "=", Decimal("1.5")), 1.5, True),
            (Constraint("compare", ">=", dt.date(2020, 1, 1)), dt.datetime(2020, 1, 1), True),
            (Constraint("compare", "=", 3), None, False),
            (Constraint("is_null"), None, True),
            (Constraint("is_null"), 0, False),
            (Constraint("in", value=("a", "b")), "b", True),
            (Constraint("not_in", value=("a", "b")), "b", False),
            (Constraint("part", "=", 12, "month"), dt.date(2020, 12, 1), True),
            (Constraint("part", "=", (6, 7), "dow"), dt.date(2024, 6, 1), True),
            (Constraint("prefix", value="ab"), "abc", True),
            (Constraint("length", ">", 2), "ab", False),
            (Constraint("compare", "<", 3), "text", False),
        ],
    )
    def test_decides(self, constraint: Constraint, value: Any, holds: bool) -> None:
        assert constraint.holds(value) is holds


class TestCandidates:
    def test_lie_inside_all_bounds(self) -> None:
        asked = [Constraint("compare", ">=", 10), Constraint("compare", "<", 12)]
        assert set(candidates(read_type("integer"), asked, [], random.Random(1))) == {10, 11}

    def test_find_a_day_for_several_parts(self) -> None:
        asked = [
            Constraint("part", "=", 2019, "year"),
            Constraint("part", "=", 12, "month"),
            Constraint("part", ">=", 20, "day"),
        ]
        found = candidates(read_type("date"), asked, [], random.Random(2))
        assert found
        assert all((day.year, day.month) == (2019, 12) and day.day >= 20 for day in found)

    def test_match_a_regular_expression_by_construction(self) -> None:
        found = candidates(read_type("varchar"), [Constraint("regexp", value="^N[0-9]$")], ["zzz"], random.Random(3))
        assert found
        assert all(len(text) == 2 and text[0] == "N" for text in found)

    def test_are_none_where_nothing_fits(self) -> None:
        asked = [Constraint("compare", ">", 5), Constraint("compare", "<", 5)]
        assert candidates(read_type("integer"), asked, [4, 5, 6], random.Random(4)) == []


class TestSuggestions:
    def test_stand_on_both_sides_of_a_constant(self) -> None:
        found = Constraint("compare", ">", 10).suggestions(read_type("bigint"), random.Random(5))
        assert {9, 10, 11} <= set(found)

    def test_hit_and_miss_a_pattern(self) -> None:
        asked = Constraint("like", value="Nor%")
        found = asked.suggestions(read_type("varchar"), random.Random(6))
        assert any(asked.holds(text) for text in found)
        assert any(not asked.holds(text) for text in found)

    def test_fit_the_type(self) -> None:
        assert Constraint("compare", "=", 1000).suggestions(read_type("tinyint"), random.Random(7)) == []


class TestConstant:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("-1.5", Decimal("-1.5")),
            ("2001 + 1", 2002),
            ("DATE '2020-01-31' + INTERVAL '1' MONTH", dt.date(2020, 2, 29)),
            ("TIMESTAMP '2020-01-01 10:00:00' - INTERVAL '2' DAY", dt.datetime(2019, 12, 30, 10)),
            ("date_add('month', -1, DATE '2020-03-31')", dt.date(2020, 2, 29)),
            ("CAST('2020-01-01' AS date)", dt.date(2020, 1, 1)),
            ("DECIMAL '0.06'", Decimal("0.06")),
            ("NULL", None),
            ("current_date", None),
            ("'x'", "x"),
        ],
    )
    def test_is_what_the_text_says(self, text: str, value: Any) -> None:
        tree = parse_statement(f"SELECT {text}")
        assert isinstance(tree, exp.Select)
        assert constant(tree.selects[0].unalias()) == value
