"""How numbers and times are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from heavy_stack.frontend.components import figures


class TestNotMeasured:
    @pytest.mark.parametrize(
        "write", [figures.count, figures.seconds, figures.size, figures.ratio, figures.score, figures.share]
    )
    def test_a_missing_figure_says_so(self, write: Callable[[Any], str]) -> None:
        assert write(None) == "not measured"


class TestSeconds:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.0, "0.0 ms"),
            (0.0004, "0.4 ms"),
            (0.011, "11 ms"),
            (0.9994, "999 ms"),
            (0.9999, "1 s"),
            (1.236, "1.24 s"),
            (12.34, "12.3 s"),
            (99.96, "1 min 40 s"),
            (140.2, "2 min 20 s"),
            (7_300, "2 h 1 min"),
        ],
    )
    def test_it_picks_a_unit(self, value: float, text: str) -> None:
        assert figures.seconds(value) == text


class TestClock:
    @pytest.mark.parametrize(("value", "text"), [(-1, "0:00"), (7.9, "0:07"), (754, "12:34"), (3_723, "1:02:03")])
    def test_whole_seconds(self, value: float, text: str) -> None:
        assert figures.clock(value) == text


class TestSize:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 B"),
            (812, "812 B"),
            (4_240_000, "4.2 MB"),
            (999_600, "1.0 MB"),
            (1_284_000_000, "1.3 GB"),
            (140_000, "140 kB"),
        ],
    )
    def test_decimal_units(self, value: int, text: str) -> None:
        assert figures.size(value) == text


class TestRatio:
    @pytest.mark.parametrize(
        ("value", "text"), [(0.931, "0.93×"), (0.9999, "1.0×"), (4.21, "4.2×"), (99.96, "100×"), (35_050.0, "35,050×")]
    )
    def test_times_faster(self, value: float, text: str) -> None:
        assert figures.ratio(value) == text


class TestScore:
    @pytest.mark.parametrize(
        ("value", "text"), [(0.9821, "0.982"), (12.44, "12.4"), (999.6, "1,000"), (1_250.4, "1,250")]
    )
    def test_three_digits(self, value: float, text: str) -> None:
        assert figures.score(value) == text


class TestShare:
    @pytest.mark.parametrize(
        ("value", "text"), [(0.0, "0 %"), (0.000216, "0.022 %"), (0.018, "1.8 %"), (0.125, "12 %")]
    )
    def test_per_cent(self, value: float, text: str) -> None:
        assert figures.share(value) == text


class TestPlural:
    @pytest.mark.parametrize(
        ("value", "noun", "text"),
        [
            (1, "query", "1 query"),
            (20_000, "query", "20,000 queries"),
            (0, "table", "0 tables"),
            (2, "run", "2 runs"),
            (9, "day", "9 days"),
        ],
    )
    def test_it_agrees_with_the_number(self, value: int, noun: str, text: str) -> None:
        assert figures.plural(value, noun) == text


class TestWhen:
    def test_a_moment_is_shown_in_the_readers_zone(self) -> None:
        moment = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
        assert figures.when(moment, "Asia/Tokyo") == "21 Nov 2026, 08:30:00"
        assert figures.when(moment, "America/New_York") == "20 Nov 2026, 18:30:00"

    def test_a_moment_without_a_zone_is_utc(self) -> None:
        assert figures.when(datetime(2026, 1, 2, 3, 4, 5), "UTC") == "2 Jan 2026, 03:04:05"

    @pytest.mark.parametrize("name", ["", "Nowhere/Land", "../../etc/passwd", "\x00", "a" * 300])
    def test_an_unknown_zone_is_none(self, name: str) -> None:
        assert figures.find_zone(name) is None


class TestFindMoment:
    def test_only_iso_texts(self) -> None:
        assert figures.find_moment("2026-11-20T23:30:00+00:00") == datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
        assert figures.find_moment("yesterday") is None
        assert figures.find_moment(None) is None
