"""Which literals may be others next time, and what texts have in common beside them."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.sql.literal_sites import Shape, round_steps, shape_of
from heavy_stack.backend.advisor.sql.parsing import tokens_of
from heavy_stack.backend.advisor.sql.printed_literals import printed_text


def shape(text: str) -> Shape:
    return shape_of(tokens_of(text))


def values(condition: str) -> list[tuple[str, ...]]:
    return [site.values for site in shape(f"SELECT a FROM t WHERE {condition}").sites]


class TestSites:
    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("a = 5 AND b <> 'x' AND 7 < c", [("5",), ("x",), ("7",)]),
            ("a BETWEEN -5 AND 3.50 OR b BETWEEN 0 AND 9", [("5",), ("3.50",), ("9",)]),
            ("a IN (1, 2, 3) AND b IN ('x')", [("1", "2", "3"), ("x",)]),
            ("a IN (-4, 2) AND d IN (DATE '2024-01-01')", [("4",), ("2",), ("2024-01-01",)]),
            ("d >= DATE '2024-01-01' - INTERVAL '3' DAY", [("2024-01-01",)]),
            ("d < CAST('2024-02-01' AS timestamp(6)) AND d > date('2024-01-01')", [("2024-02-01",), ("2024-01-01",)]),
            ("p = DECIMAL '1.50' AND q > 1e5", [("1.50",), ("1e5",)]),
            # What another value makes another question, or is written in an unusual way.
            ("a NOT IN (4, 5) AND b LIKE 'x%' AND c = '' AND d = 0 AND e = 1", []),
            ("a = 1_000 AND b > .5 AND c = 99999999999999999999 AND d = DATE 'tomorrow'", []),
            ("round(a, 2) = b AND date_trunc('month', d) = e AND a IN (b, 5) AND a = x'0f'", []),
        ],
    )
    def test_are_literals_that_something_is_compared_with(self, condition: str, found: list[tuple[str, ...]]) -> None:
        assert values(condition) == found

    def test_limits_are_sites_but_positions_and_frames_are_not(self) -> None:
        frame = "ORDER BY b ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING"
        text = f"SELECT sum(a) OVER ({frame}) FROM t ORDER BY 4 OFFSET 7 LIMIT 9"
        assert [site.values for site in shape(text).sites] == [("7",), ("9",)]


class TestShape:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("a = 5", "a  = /* all */ 6"),
            ("a IN (5, 6)", "a IN (7, 8, 9, 10)"),
            ("s = 'x'", "s = 'it''s -- ü'"),
            ("d >= DATE '2024-01-01'", "d >= DATE '2023-12-01'"),
            ("a > 5 AND b > 5", "a > 7 AND b > 7"),
        ],
    )
    def test_is_the_same_for_other_literals(self, one: str, other: str) -> None:
        assert shape(f"SELECT a FROM t WHERE {one}").key == shape(f"SELECT a FROM t WHERE {other}").key

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("a = 5", "a = 5.0"),
            ("a = 5.0", "a = 5.00"),
            ("a = 5", "a = 5000000000"),
            ("a = 5", "a = -5"),
            ("a = 5", "a = 1"),
            ("a = 5", "a = 0"),
            ("s = 'x'", "s = ''"),
            ("s = 'x'", "s = '0'"),
            ("s = 'x'", "\"s\" = 'x'"),
            ("a = 5", "A = 5"),
            ("a IN (5)", "a IN (5, 6)"),
            ("a IN (5, 6)", "a IN (5, 0)"),
            ("a NOT IN (5)", "a NOT IN (6)"),
            ("s LIKE 'x'", "s LIKE 'y'"),
            ("d >= DATE '2024-01-01'", "d >= DATE '2024-01-15'"),
            ("d <= DATE '2024-01-31'", "d <= DATE '2024-02-29'"),
            ("d <= DATE '2024-01-30'", "d <= DATE '2024-04-30'"),
            ("at > TIMESTAMP '2024-01-02 00:00:00'", "at > TIMESTAMP '2024-01-02 05:00:00'"),
            ("at > TIMESTAMP '2024-01-02 05:00:00'", "at > TIMESTAMP '2024-01-02 05:30:00'"),
            ("at > TIMESTAMP '2024-01-02 05:30:00'", "at > TIMESTAMP '2024-01-02 05:30:01'"),
            ("at > TIMESTAMP '2024-01-02 05:30:01'", "at > TIMESTAMP '2024-01-02 05:30:01.5'"),
            ("a > 5 AND b > 5", "a > 5 AND b > 7"),
        ],
    )
    def test_is_another_where_more_than_a_value_differs(self, one: str, other: str) -> None:
        assert shape(f"SELECT a FROM t WHERE {one}").key != shape(f"SELECT a FROM t WHERE {other}").key

    def test_counts_a_list_as_one_unit(self) -> None:
        long, short = (
            shape("SELECT a FROM t WHERE a IN (5, 6, 7) AND b = 8"),
            shape("SELECT a FROM t WHERE a IN (5, 6)"),
        )
        assert [long.unit_of(token) for token in (7, 8, 9, 12, 13)] == [7, 8, None, None, 9]
        assert [long.token_of(unit) for unit in (7, 8, 9)] == [7, 8, 13]
        assert short.token_of(9) == 11


class TestRoundSteps:
    @pytest.mark.parametrize(
        ("number", "steps"), [("7", set()), ("12", {2}), ("50", {2, 5, 10, 50}), ("2.5", set()), ("4.00", {2})]
    )
    def test_are_those_that_divide_the_number(self, number: str, steps: set[int]) -> None:
        (site,) = shape(f"SELECT a FROM t WHERE a > {number}").sites
        assert round_steps(site) == steps


class TestPrintedText:
    def test_takes_a_text_apart(self) -> None:
        one = printed_text("SELECT a, 2 FROM t WHERE s IN ('x', 'it''s') AND b = 5")
        other = printed_text("SELECT a, 3 FROM t WHERE s IN ('y') AND b = 6")
        assert [literal.value for literal in one.literals] == [
            (False, ("2",)), (True, ("x", "it's")), (False, ("5",))
        ]  # fmt: skip
        assert one.rest == other.rest
        assert one.plain
