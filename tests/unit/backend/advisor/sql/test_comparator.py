"""The comparator decides what is called equal, so every tricky pair of results stands here as a case."""

from __future__ import annotations

import datetime as dt
import math
import random
import time
from decimal import Decimal
from typing import Any

import pytest

from heavy_stack.backend.advisor.ports import ResultSet
from heavy_stack.backend.advisor.sql.comparator import OrderKey, compare, same_order

NAN = float("nan")
INF = float("inf")


def result(types: str, *rows: tuple[Any, ...], names: str | None = None, truncated: bool = False) -> ResultSet:
    kinds = tuple(types.split("|"))
    labels = tuple(names.split("|")) if names else tuple(f"c{i}" for i in range(len(kinds)))
    return ResultSet(names=labels, types=kinds, rows=list(rows), truncated=truncated)


EQUAL: dict[str, tuple[ResultSet, ResultSet]] = {
    "nothing at all": (result("bigint"), result("bigint")),
    "another order of rows": (
        result("bigint|varchar", (1, "a"), (2, "b")),
        result("bigint|varchar", (2, "b"), (1, "a")),
    ),
    "duplicates as often": (result("bigint", (1,), (1,), (2,)), result("bigint", (2,), (1,), (1,))),
    "NULL and NULL": (result("bigint|double", (None, None)), result("bigint|double", (None, None))),
    "NaN and NaN": (result("double", (NAN,)), result("double", (float("nan"),))),
    "minus zero": (result("double", (-0.0,)), result("double", (0.0,))),
    "infinities": (result("double", (INF,), (-INF,)), result("double", (-INF,), (INF,))),
    "last bits of a double": (result("double", (0.1 + 0.2,)), result("double", (0.3,))),
    "a sum that cancels": (result("double", (0.1 + 0.2 - 0.3,)), result("double", (0.0,))),
    "decimals written differently": (
        result("decimal(5,2)", (Decimal("1.50"),)),
        result("decimal(5,2)", (Decimal("1.5"),)),
    ),
    "spaces and case in a type": (result("decimal(5, 2)", (Decimal(1),)), result("DECIMAL(5,2)", (Decimal(1),))),
    "floats that sort the other way, told apart by another float": (
        result("double|double", (1.0, 5.0), (1.0 + 1e-12, 3.0)),
        result("double|double", (1.0 + 1e-12, 5.0), (1.0, 3.0)),
    ),
    "floats within exact groups": (
        result("varchar|double", ("a", 1.0), ("b", 1.0 + 1e-12)),
        result("varchar|double", ("b", 1.0), ("a", 1.0 + 1e-12)),
    ),
    "arrays with doubles in them": (
        result("array(double)|bigint", ([0.1 + 0.2, None], 1)),
        result("array(double)|bigint", ([0.3, None], 1)),
    ),
    "maps": (result("map(varchar, bigint)", ({"a": 1, "b": 2},)), result("map(varchar, bigint)", ({"b": 2, "a": 1},))),
    "reals by their own resolution": (result("real", (1.0000001,)), result("real", (1.0,))),
    "dates and times": (
        result("date|timestamp(3)", (dt.date(2020, 2, 29), dt.datetime(2020, 1, 1, 1))),
        result("date|timestamp(3)", (dt.date(2020, 2, 29), dt.datetime(2020, 1, 1, 1))),
    ),
}

DIFFERENT: dict[str, tuple[ResultSet, ResultSet, str]] = {
    "one row more": (result("bigint", (1,)), result("bigint", (1,), (1,)), "1 rows became 2"),
    "other multiplicities": (result("bigint", (1,), (1,), (2,)), result("bigint", (1,), (2,), (2,)), "1 became 2"),
    "NULL is not zero": (result("bigint", (None,)), result("bigint", (0,)), "NULL became 0"),
    "NULL is not an empty string": (result("varchar", (None,)), result("varchar", ("",)), "NULL became "),
    "NULL is not NaN": (result("double", (None,)), result("double", (NAN,)), "NULL became NaN"),
    "NULL is not 0.0": (result("double", (None,)), result("double", (0.0,)), "NULL became 0.0"),
    "infinity is not its opposite": (result("double", (INF,)), result("double", (-INF,)), "inf became -inf"),
    "infinity is not the largest double": (result("double", (INF,)), result("double", (1.7e308,)), "inf became"),
    "a trailing space": (result("varchar", ("a",)), result("varchar", ("a ",)), "became a "),
    "the case of letters": (result("varchar", ("a",)), result("varchar", ("A",)), "a became A"),
    "a double beyond 1e-9": (result("double", (1.0,)), result("double", (1.0 + 3e-9,)), "became"),
    "a decimal's last digit": (
        result("decimal(5,2)", (Decimal("1.50"),)),
        result("decimal(5,2)", (Decimal("1.51"),)),
        "1.50 became 1.51",
    ),
    "a decimal's scale": (
        result("decimal(5,2)", (Decimal(1),)),
        result("decimal(5,1)", (Decimal(1),)),
        "decimal(5,2), became decimal(5,1)",
    ),
    "an integer that became a bigint": (result("integer", (1,)), result("bigint", (1,)), "integer, became bigint"),
    "a bounded varchar": (result("varchar(5)", ("a",)), result("varchar", ("a",)), "varchar(5), became varchar"),
    "a double for a decimal": (result("decimal(3,1)", (Decimal(1),)), result("double", (1.0,)), "became double"),
    "another column name": (result("bigint", (1,), names="n"), result("bigint", (1,), names="m"), "is named m"),
    "names the other way round": (
        result("bigint|bigint", (1, 1), names="a|b"),
        result("bigint|bigint", (1, 1), names="b|a"),
        "is named b",
    ),
    "a column less": (result("bigint|bigint", (1, 1)), result("bigint", (1,)), "2 columns became 1"),
    "values swapped between groups": (
        result("varchar|double", ("a", 1.0), ("b", 2.0)),
        result("varchar|double", ("a", 2.0), ("b", 1.0)),
        "rows differ",
    ),
    "floats paired only one by one": (
        result("double|double", (1.0, 5.0), (1.0, 3.0)),
        result("double|double", (1.0, 5.0), (1.0, 4.0)),
        "rows",
    ),
    "nested values": (result("array(bigint)", ([1, 2],)), result("array(bigint)", ([2, 1],)), "rows differ"),
}


class TestCompare:
    @pytest.mark.parametrize("name", EQUAL)
    def test_calls_equal_what_is_the_same_bag(self, name: str) -> None:
        expected, actual = EQUAL[name]
        outcome = compare(expected, actual)
        assert outcome.equal, outcome.detail
        assert compare(actual, expected).equal

    @pytest.mark.parametrize("name", DIFFERENT)
    def test_sees_what_differs_and_says_where(self, name: str) -> None:
        expected, actual, said = DIFFERENT[name]
        outcome = compare(expected, actual)
        assert not outcome.equal
        assert not outcome.undecided
        assert said in outcome.detail
        assert not compare(actual, expected).equal

    def test_gives_rebuilt_moments_more_room_and_only_them(self) -> None:
        expected, actual = result("double|double", (0.5, 2.0)), result("double|double", (0.5 + 1e-7, 2.0))
        assert compare(expected, actual, moments={0}).equal
        assert not compare(expected, actual, moments={1}).equal

    def test_finds_the_one_pairing_of_a_chain_of_near_values(self) -> None:
        step = 0.9e-9
        chain = [1.0 + step * i for i in range(40)]
        shifted = [1.0 + step * (i + 1) for i in range(40)]
        other = list(range(40))
        left = result("double|double", *[(a, float(b)) for a, b in zip(chain, other, strict=True)])
        right = result("double|double", *[(a, float(b)) for a, b in zip(shifted, other, strict=True)])
        assert compare(left, right).equal

    def test_needs_augmenting_paths_not_a_greedy_choice(self) -> None:
        left = result("double", (1.0,), (1.0 + 0.9e-9,))
        right = result("double", (1.0 + 0.9e-9,), (1.0 + 1.8e-9,))
        assert compare(left, right).equal

    def test_does_not_let_one_value_serve_two(self) -> None:
        left = result("double", (1.0,), (1.0,), (5.0,))
        right = result("double", (1.0 + 1e-12,), (5.0 + 1e-12,), (5.0,))
        assert not compare(left, right).equal

    def test_leaves_a_truncated_result_undecided(self) -> None:
        outcome = compare(result("bigint", (1,), truncated=True), result("bigint", (1,)))
        assert not outcome.equal
        assert outcome.undecided

    def test_never_prints_large_values(self) -> None:
        outcome = compare(result("varchar", ("x" * 100_000,)), result("varchar", ("y" * 100_000,)))
        assert len(outcome.detail) < 300

    @pytest.mark.timeout(60)
    def test_stays_fast_on_a_hundred_thousand_noisy_rows(self) -> None:
        draw = random.Random(1)
        rows = [(f"g{i % 50_000}", i, draw.random() * 1e6, draw.choice([None, 0.5, NAN])) for i in range(100_000)]
        noisy = [(a, b, c * (1 + 1e-13), d) for a, b, c, d in rows]
        draw.shuffle(noisy)
        begun = time.perf_counter()
        outcome = compare(result("varchar|bigint|double|double", *rows), result("varchar|bigint|double|double", *noisy))
        assert outcome.equal, outcome.detail
        assert time.perf_counter() - begun < 15

    def test_stays_fast_when_only_floats_tell_rows_apart(self) -> None:
        draw = random.Random(2)
        rows = [(draw.random(), draw.random()) for _ in range(50_000)]
        noisy = [(a * (1 + 1e-13), b * (1 - 1e-13)) for a, b in reversed(rows)]
        assert compare(result("double|double", *rows), result("double|double", *noisy)).equal

    def test_pairs_many_rows_that_are_all_near_each_other(self) -> None:
        rows = [(1.0 + i * 1e-14, 2.0) for i in range(5_000)]
        assert compare(
            result("double|double", *rows), result("double|double", *[(a + 1e-14, b) for a, b in rows])
        ).equal

    def test_agrees_with_a_plain_search_on_small_random_bags(self) -> None:
        draw = random.Random(3)
        values = [None, NAN, 0.0, 1.0, 1.0 + 0.8e-9, 1.0 + 1.6e-9, 2.0]
        for _ in range(400):
            size = draw.randint(1, 4)
            left = [(draw.choice("ab"), draw.choice(values), draw.choice(values)) for _ in range(size)]
            right = [(a, draw.choice([b, b, draw.choice(values)]), c) for a, b, c in left]
            draw.shuffle(right)
            expected = _some_permutation_fits(left, right)
            outcome = compare(result("varchar|double|double", *left), result("varchar|double|double", *right))
            assert outcome.equal == expected, (left, right, outcome.detail)


class TestOrder:
    ROWS = ((1, "b"), (1, "a"), (2, None))

    def test_ties_may_stand_in_any_order(self) -> None:
        left, right = (
            result("bigint|varchar", *self.ROWS),
            result("bigint|varchar", self.ROWS[1], self.ROWS[0], self.ROWS[2]),
        )
        assert compare(left, right, order=[OrderKey(0)]).equal

    def test_rows_out_of_order_are_seen(self) -> None:
        left, right = result("bigint|varchar", *self.ROWS), result("bigint|varchar", *reversed(self.ROWS))
        assert compare(left, right).equal
        assert "order" in compare(left, right, order=[OrderKey(0)]).detail
        assert compare(right, right, order=[OrderKey(0, descending=True)]).equal

    @pytest.mark.parametrize(
        ("values", "key", "sorted_so"),
        [
            ((1, None), OrderKey(0), True),
            ((None, 1), OrderKey(0), False),
            ((None, 1), OrderKey(0, nulls_first=True), True),
            ((None, 1), OrderKey(0, descending=True), False),
            ((1, NAN), OrderKey(0), True),
            ((NAN, 1), OrderKey(0), False),
            ((NAN, 1), OrderKey(0, descending=True), True),
            ((1.0 + 1e-13, 1.0), OrderKey(0), True),
            ((1.1, 1.0), OrderKey(0), False),
        ],
    )
    def test_follows_trinos_order_of_nulls_and_nan(
        self, values: tuple[Any, ...], key: OrderKey, sorted_so: bool
    ) -> None:
        rows = result("double", *[(None if v is None else float(v),) for v in values])
        assert compare(rows, rows, order=[key]).equal is sorted_so

    def test_two_specifications_are_the_same_only_key_by_key(self) -> None:
        assert same_order([OrderKey(0), OrderKey(1, True)], [OrderKey(0), OrderKey(1, True)])
        assert not same_order([OrderKey(0)], [OrderKey(0, nulls_first=True)])
        assert not same_order([OrderKey(0), OrderKey(1)], [OrderKey(1), OrderKey(0)])


def _some_permutation_fits(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> bool:
    if not left:
        return not right
    first, rest = left[0], left[1:]
    return any(
        _fits(first, other) and _some_permutation_fits(rest, right[:i] + right[i + 1 :])
        for i, other in enumerate(right)
    )


def _fits(mine: tuple[Any, ...], theirs: tuple[Any, ...]) -> bool:
    for a, b in zip(mine, theirs, strict=True):
        if isinstance(a, float) and isinstance(b, float):
            if math.isnan(a) != math.isnan(b) or (not math.isnan(a) and abs(a - b) > 1e-9 * max(abs(a), abs(b))):
                return False
        elif a != b:
            return False
    return True
