"""SQL for reading."""

from __future__ import annotations

import pytest

from heavy_stack.frontend.components import sql_text
from heavy_stack.frontend.components.sql_text import compare_sql, format_sql, highlight, lay_out
from tests.support.reports import ORIGINAL, REWRITTEN


def plain(lines: tuple[sql_text.Line, ...]) -> str:
    """The text of coloured lines."""
    return "\n".join("".join(text for _, text in line) for line in lines)


class TestFormatSql:
    def test_it_lays_out_a_statement(self) -> None:
        assert format_sql("SELECT a,b FROM t WHERE x=1") == "select a, b from t where x = 1"
        assert format_sql(ORIGINAL).startswith("select\n    s.region,\n")

    @pytest.mark.parametrize("text", ["SELEC oops FROM 'über' ((", "", ")", "{% if %}", "'unclosed", "\x00"])
    def test_what_it_cannot_read_stays_as_it_is_or_readable(self, text: str) -> None:
        assert isinstance(format_sql(text), str)

    def test_an_unreadable_text_stays_as_it_is(self) -> None:
        assert format_sql("SELECT ')") == "SELECT ')"

    def test_a_very_long_text_stays_as_it_is(self) -> None:
        text = "SELECT " + ", ".join(f"c{n}" for n in range(30_000))
        assert format_sql(text) is text


class TestHighlight:
    @pytest.mark.parametrize("text", [ORIGINAL, "", "\n\n", "a\n", "SELECT 'two\nlines' -- end\n/* a\nb */", "ü 🎉"])
    def test_no_character_is_lost(self, text: str) -> None:
        assert plain(highlight(text)) == text

    def test_keywords_strings_numbers_and_comments_have_colours(self) -> None:
        classes = {name for line in highlight("SELECT 'x', 12 FROM t -- why") for name, _ in line}
        assert {"k", "s", "n", "c"} <= classes


class TestCompareSql:
    def test_both_sides_stand_beside_each_other(self) -> None:
        diff = compare_sql(ORIGINAL, REWRITTEN)
        left = plain(tuple(row.left for row in diff.rows if row.left is not None))
        right = plain(tuple(row.right for row in diff.rows if row.right is not None))
        assert left == format_sql(ORIGINAL)
        assert right == format_sql(REWRITTEN)
        assert any(row.changed for row in diff.rows)
        assert any(not row.changed for row in diff.rows)

    def test_equal_texts_have_no_change(self) -> None:
        assert not any(row.changed for row in compare_sql(ORIGINAL, ORIGINAL).rows)

    def test_a_very_long_difference_is_shortened_and_says_so(self) -> None:
        text = "SELECT\n" + ",\n".join(f"column_{n}" for n in range(3_000)) + "\nFROM t"
        assert compare_sql(text, "SELECT 1").shortened

    def test_one_text_alone(self) -> None:
        assert plain(lay_out("SELECT a FROM t")) == format_sql("SELECT a FROM t")
