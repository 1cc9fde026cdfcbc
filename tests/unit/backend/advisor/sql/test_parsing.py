from __future__ import annotations

import time

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.sql.guards import SqlProblem, TooLarge
from heavy_stack.backend.advisor.sql.parsing import parse_statement, tokens_of
from heavy_stack.backend.advisor.sql.printing import trino_sql

LIMIT_S = 5.0  # far above what it takes alone; without the guards these take minutes or end the process


def problem_of(text: str) -> SqlProblem:
    with pytest.raises(SqlProblem) as caught:
        parse_statement(text)
    return caught.value


class TestParseStatement:
    def test_reads_one_statement_with_trailing_semicolons(self) -> None:
        assert isinstance(parse_statement("SELECT 1 ; ;"), exp.Select)

    @pytest.mark.parametrize("text", ["", "   ", ";", "-- nothing", "/* nothing */"])
    def test_refuses_a_text_without_a_statement(self, text: str) -> None:
        assert "no statement" in problem_of(text).message

    def test_refuses_two_statements_and_says_where_the_first_ends(self) -> None:
        problem = problem_of("SELECT 1;\nSELECT 2")
        assert (problem.message, problem.line, problem.column) == ("more than one statement", 1, 9)

    def test_says_where_it_does_not_parse(self) -> None:
        problem = problem_of("SELECT a\nFROM t\nWHERE = 3")
        assert problem.line == 3

    @pytest.mark.parametrize(
        ("text", "message", "column"),
        [
            ("SELECT 'abc", "a string without an end", 8),
            ('SELECT "abc', "a quoted name without an end", 8),
            ("SELECT 1 /* abc", "a comment without an end", 10),
            ("SELECT \0 1", "a NUL character", 8),
            ("SELECT 1abc", "identifiers must not start with a digit", 8),
            ("SELECT DECIMAL 'abc'", "not a decimal number", 16),
            ("SELECT {# 1 #} 2", "text that is no SQL", 8),
            ("SELECT a, FROM t", "nothing follows the comma", 9),
        ],
    )
    def test_names_what_is_wrong_and_its_place(self, text: str, message: str, column: int) -> None:
        problem = problem_of(text)
        assert (problem.message, problem.line, problem.column) == (message, 1, column)

    def test_says_that_a_flattened_comment_hides_the_rest(self) -> None:
        problem = problem_of("SELECT a, -- the key FROM t GROUP BY a")
        assert "-- comment at line 1, column 11" in problem.message
        assert (problem.line, problem.column) == (1, 11)

    def test_a_comment_at_the_end_of_a_whole_statement_is_no_problem(self) -> None:
        assert trino_sql(parse_statement("SELECT a FROM t -- done")) == "SELECT a FROM t"

    def test_keeps_literals_with_line_ends_and_letters_beyond_ascii(self) -> None:
        text = "SELECT 'one\ntwo', 'naïve → ß', \"größe\" FROM t"
        assert trino_sql(parse_statement(text)) == text

    def test_a_comment_ends_at_its_first_end(self) -> None:
        assert trino_sql(parse_statement("SELECT /* a /* b */ 1")) == "SELECT 1"


class TestFaithfulTrees:
    @pytest.mark.parametrize(
        ("text", "printed"),
        [
            ("DECIMAL '0.06'", "CAST('0.06' AS DECIMAL(2, 2))"),
            ("DECIMAL '-12.340'", "CAST('-12.340' AS DECIMAL(5, 3))"),
            ("decimal '007'", "CAST('007' AS DECIMAL(1, 0))"),
            ("CAST(x AS DECIMAL)", "CAST(x AS DECIMAL)"),
            ("CHAR 'abc'", "CAST('abc' AS CHAR(3))"),
            ("log10(x)", "LOG10(x)"),
            ("log2(x)", "LOG2(x)"),
            ("every(x)", "BOOL_AND(x)"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("x NOT LIKE 'a'", "NOT x LIKE 'a'"),
            ("x NOT LIKE 'a' ESCAPE '!'", "NOT x LIKE 'a' ESCAPE '!'"),
            ("date_trunc('month', x)", "DATE_TRUNC('MONTH', x)"),
            ("TIMESTAMP '2020-01-01 00:00:00'", "CAST('2020-01-01 00:00:00' AS TIMESTAMP(0))"),
        ],
    )
    def test_prints_what_was_written(self, text: str, printed: str) -> None:
        assert trino_sql(parse_statement(f"SELECT {text} FROM t")) == f"SELECT {printed} FROM t"

    def test_a_long_chain_prints_as_it_was_written(self) -> None:
        text = "SELECT a FROM t WHERE " + " OR ".join(f"a = {i}" for i in range(200))
        assert trino_sql(parse_statement(text)) == text


class TestGuards:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("over 1 MB", "SELECT '" + "x" * 1_000_001 + "'"),
            ("1 MB of two-byte letters", "SELECT '" + "ä" * 600_000 + "'"),
            ("a chain of 5,001 terms", "SELECT a FROM t WHERE " + " OR ".join(f"a={i}" for i in range(5001))),
            ("arithmetic of 1,001 terms", "SELECT " + " + ".join("a" for _ in range(1001))),
            ("400 parentheses", "SELECT " + "(" * 400 + "1" + ")" * 400),
            ("1,000 nested CASE", "SELECT " + "CASE WHEN a THEN " * 1000 + "1" + " END" * 1000),
            ("100,000 brackets", "[" * 100_000),
            ("a row of NOT", "SELECT " + "NOT " * 300 + "a"),
            ("a row of minus", "SELECT " + "- " * 300 + "a"),
            ("a path of 1,000 names", "SELECT a" + ".a" * 1000),
            ("a row of subscripts", "SELECT a" + "[1]" * 300),
            ("501 unions", " UNION ALL ".join("SELECT 1" for _ in range(502))),
            ("502 tables", "SELECT 1 FROM t" + " JOIN t ON true" * 501),
            ("60,000 items", "SELECT a FROM t WHERE a IN (" + ",".join(map(str, range(60_000))) + ")"),
        ],
        ids=lambda value: value if len(value) < 40 else "",
    )
    def test_keeps_aside_what_is_too_large(self, name: str, text: str) -> None:
        started = time.monotonic()
        with pytest.raises(TooLarge):
            parse_statement(text)
        assert time.monotonic() - started < LIMIT_S, name

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("20,000 items", "SELECT a FROM t WHERE a IN (" + ",".join(map(str, range(20_000))) + ")"),
            ("4,999 terms", "SELECT a FROM t WHERE " + " AND ".join(f"a<>{i}" for i in range(4999))),
            ("190 parentheses", "SELECT " + "(" * 190 + "1" + ")" * 190),
            ("190 nested CASE", "SELECT " + "CASE WHEN a THEN " * 190 + "1" + " END" * 190),
            ("190 nested queries", "SELECT * FROM (" * 190 + "SELECT 1" + ")" * 190),
        ],
        ids=lambda value: value if len(value) < 40 else "",
    )
    def test_reads_what_is_large_but_not_too_large(self, name: str, text: str) -> None:
        started = time.monotonic()
        parse_statement(text)
        assert time.monotonic() - started < LIMIT_S, name

    def test_says_no_literal_of_the_text(self) -> None:
        assert "secret" not in str(problem_of("SELECT 'secret' 'secret' = = 'secret'"))


class TestTokensOf:
    def test_keeps_the_places_of_the_text(self) -> None:
        text = "SELECT 'ä\nb', x -- c\nFROM t"
        assert [text[token.start : token.end + 1] for token in tokens_of(text)] == [
            "SELECT",
            "'ä\nb'",
            ",",
            "x",
            "FROM",
            "t",
        ]
