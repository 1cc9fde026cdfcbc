"""Strings that match a user's patterns, without ever running a user's pattern."""

from __future__ import annotations

import random
import re
import time

import pytest

from heavy_stack.backend.advisor.verify.patterns import like_matches, like_samples, near_misses, regexp_samples


class TestLike:
    @pytest.mark.parametrize("pattern", ["Nor%", "%north%", "a_c", "", "%", "_", "%_%", "100!%", "a!_b%", "é→%"])
    def test_samples_match(self, pattern: str) -> None:
        for sample in like_samples(pattern, "!", random.Random(1)):
            assert like_matches(pattern, "!", sample)

    @pytest.mark.parametrize(
        ("pattern", "text", "matches"),
        [
            ("a%", "a", True),
            ("a%", "ba", False),
            ("%a", "bba", True),
            ("%a%b%", "xxaxxb", True),
            ("%a%b%", "xxbxxa", False),
            ("_", "", False),
            ("_", "ab", False),
            ("a!%", "a%", True),
            ("a!%", "ab", False),
            ("A", "a", False),
        ],
    )
    def test_means_what_sql_means(self, pattern: str, text: str, matches: bool) -> None:
        assert like_matches(pattern, "!", text) is matches

    def test_is_not_exponential(self) -> None:
        begun = time.perf_counter()
        assert not like_matches("%a" * 50 + "b", None, "a" * 300)
        assert time.perf_counter() - begun < 2


class TestRegexp:
    @pytest.mark.parametrize(
        "pattern",
        [
            "^N[0-9][A-Z]{4}$",
            "^N[0-9]{2,}[A-Z]*$",
            "(foo|bar)+baz?",
            r"\d{3}-\w+\s.",
            "[^abc]x",
            r"a\.b\$",
            "(?:ab){2}",
            "x*?y+",
        ],
    )
    def test_samples_match(self, pattern: str) -> None:
        samples = regexp_samples(pattern, random.Random(2), 10)
        assert samples
        for sample in samples:
            assert re.search(pattern, sample)

    @pytest.mark.parametrize(
        "pattern", ["(?i)x", r"\bfoo", r"\p{L}", "(a", "a)", "[", "a{2", "*a", "(?=x)", "x" * 5000]
    )
    def test_gives_nothing_for_what_it_does_not_know(self, pattern: str) -> None:
        assert regexp_samples(pattern, random.Random(3)) == []

    def test_never_takes_long(self) -> None:
        begun = time.perf_counter()
        regexp_samples("(a+)+" * 200, random.Random(4), 4)
        regexp_samples("(" * 3000, random.Random(4))
        assert time.perf_counter() - begun < 2

    def test_nested_repeats_stay_small(self) -> None:
        assert len(regexp_samples("((a{9}){9}){9}", random.Random(5), 1)[0]) == 729
        assert regexp_samples("((((a{50}){50}){50}){50}){50}", random.Random(5)) == []


class TestNearMisses:
    def test_are_near_and_different(self) -> None:
        misses = near_misses("Nord", random.Random(6))
        assert "nORD" in misses
        assert "Nord " in misses
        assert "Nord" not in misses

    def test_of_the_empty_string_are_not_empty(self) -> None:
        assert near_misses("", random.Random(7)) == ["x", " "]
