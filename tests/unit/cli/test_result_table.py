"""Figures for the terminal: measured ones with sensible digits, others said not to be."""

from __future__ import annotations

import pytest

from heavy_stack.cli.result_table import NOT_MEASURED, figure, megabytes, milliseconds


class TestFigure:
    @pytest.mark.parametrize(
        ("value", "shown"), [(None, NOT_MEASURED), (1.0, "1"), (12.345, "12.3"), (12345.6, "12,346")]
    )
    def test_says_what_was_measured(self, value: float | None, shown: str) -> None:
        assert figure(value) == shown


class TestMilliseconds:
    def test_says_when_nobody_measured(self) -> None:
        assert milliseconds(None) == NOT_MEASURED

    def test_shows_seconds_as_milliseconds(self) -> None:
        assert milliseconds(1.2345) == "1,234.5 ms"


class TestMegabytes:
    def test_counts_in_millions(self) -> None:
        assert megabytes(1_500_000) == "1.50 MB"
