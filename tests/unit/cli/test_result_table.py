"""Figures for the terminal: measured ones with sensible digits, others said not to be."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from heavy_stack.cli.result_table import NOT_MEASURED, figure, megabytes, milliseconds, show_answer
from tests.support.reports import full_report, unmeasured_report


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


class TestShowAnswer:
    def test_says_what_is_gained_and_what_it_relies_on(self) -> None:
        console = Console(width=160, record=True, file=open_nowhere())
        report = full_report()
        show_answer(console, {"report": report.model_dump(mode="json")})
        shown = " ".join(console.export_text().split())
        assert report.net_gain is not None
        assert report.net_gain.sentence in shown
        assert "rely on 2 conditions that must stay true" in shown

    def test_says_nothing_of_a_gain_that_nobody_measured(self) -> None:
        console = Console(width=160, record=True, file=open_nowhere())
        show_answer(console, {"report": unmeasured_report().model_dump(mode="json")})
        assert "less a day" not in console.export_text()


def open_nowhere() -> io.StringIO:
    """A file that nobody reads; the console keeps its own record."""
    return io.StringIO()
