"""The embedded engine answers like a real Trino: every allow-listed construct against recorded answers."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Any

import duckdb
import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.function_types import RULES
from heavy_stack.backend.advisor.sql.guards import SqlProblem
from heavy_stack.backend.advisor.sql.output_names import output_names
from heavy_stack.backend.advisor.sql.types import output_types
from heavy_stack.backend.engines.duckdb_sql import FUNCTIONS, HANDLERS, output_columns, to_duckdb
from heavy_stack.backend.engines.duckdb_writer import Writer
from tests.support.trino_cases import CATALOG, SCHEMA, Case, Recording, cases, recordings, tables


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog(table for table, _ in tables())


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        db.execute(f"ATTACH ':memory:' AS {CATALOG}")
        db.execute(f"CREATE SCHEMA {CATALOG}.{SCHEMA}")
        for table, rows in tables():
            columns = ", ".join(f'"{column.name}" {column.type.replace("(6)", "")}' for column in table.columns)
            db.execute(f"CREATE TABLE {table.name} ({columns})")
            for row in rows:
                db.execute(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(row))})", list(row))
        yield db


def same_value(one: Any, other: Any, kind: str) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return one == other or math.isclose(one, other, rel_tol=1e-6 if kind == "real" else 1e-9)
    if isinstance(one, datetime.date) or isinstance(other, datetime.date):
        return type(one) is type(other) and one == other
    return type(one) is type(other) and one == other


def sort_key(row: Sequence[Any]) -> list[tuple[bool, str]]:
    return [(value is None, f"{value:.8e}" if isinstance(value, float) else str(value)) for value in row]


def as_trino(value: Any, kind: str) -> Any:
    """A value of DuckDB as the type that Trino gives the column; a decimal keeps only its value."""
    if isinstance(value, Decimal) and kind.startswith("decimal"):
        with localcontext(prec=80):
            return value.quantize(Decimal(1).scaleb(-int(kind.rstrip(")").rsplit(",", 1)[1])))
    return value


def differences(expected: Recording, rows: list[tuple[Any, ...]], ordered: bool) -> list[str]:
    actual = [tuple(as_trino(v, kind) for v, kind in zip(row, expected.types, strict=True)) for row in rows]
    wanted = list(expected.rows)
    if not ordered:
        actual, wanted = sorted(actual, key=sort_key), sorted(wanted, key=sort_key)
    if len(actual) != len(wanted):
        return [f"{len(actual)} rows instead of {len(wanted)}"]
    return [
        f"{mine} instead of {theirs}"
        for mine, theirs in zip(actual, wanted, strict=True)
        if not all(map(same_value, mine, theirs, expected.types))
    ]


def is_ordered(sql: str, catalog: Catalog) -> bool:
    return qualified(sql, catalog).args.get("order") is not None


CHECKED = [case for case in cases() if not case.not_checkable]
REFUSED = [case for case in cases() if case.not_checkable]


class TestToDuckdb:
    @pytest.mark.parametrize("case", CHECKED, ids=lambda case: case.sql)
    def test_answers_like_trino(self, case: Case, catalog: Catalog, engine: duckdb.DuckDBPyConnection) -> None:
        expected = recordings()[case.sql]
        if expected.error is not None:
            with pytest.raises((NotCheckable, duckdb.Error)):
                engine.execute(to_duckdb(case.sql, catalog)).fetchall()
            return
        written = to_duckdb(case.sql, catalog)
        rows = engine.execute(written).fetchall()
        assert differences(expected, rows, is_ordered(case.sql, catalog)) == [], written

    @pytest.mark.parametrize("case", CHECKED, ids=lambda case: case.sql)
    def test_names_and_types_columns_like_trino(self, case: Case, catalog: Catalog) -> None:
        expected = recordings()[case.sql]
        if expected.error is None:
            assert output_columns(case.sql, catalog) == list(zip(expected.names, expected.types, strict=True))

    @pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.sql)
    def test_refuses_what_is_not_known_to_be_equal(self, case: Case, catalog: Catalog) -> None:
        with pytest.raises(NotCheckable):
            to_duckdb(case.sql, catalog)

    @pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.sql)
    def test_never_guesses_a_type(self, case: Case, catalog: Catalog) -> None:
        expected = recordings()[case.sql]
        try:
            tree = qualified(case.sql, catalog)
        except SqlProblem:
            return
        if expected.error is None:
            for mine, theirs in zip(output_types(tree), expected.types, strict=True):
                assert mine in (None, theirs)
            assert output_names(tree) == list(expected.names)


class TestAllowList:
    def test_each_construct_has_a_recorded_case(self, catalog: Catalog) -> None:
        kinds, names = covered(catalog)
        assert [kind.__name__ for kind in HANDLERS if kind not in kinds] == []
        assert [name for name in FUNCTIONS if name not in names] == []

    def test_each_type_rule_has_a_recorded_case(self, catalog: Catalog) -> None:
        kinds, _ = covered(catalog, CHECKED + REFUSED)
        assert [kind.__name__ for kind in RULES if kind not in kinds] == []


def covered(catalog: Catalog, chosen: Sequence[Case] = CHECKED) -> tuple[set[type[exp.Expr]], set[str]]:
    kinds: set[type[exp.Expr]] = set()
    names: set[str] = set()
    for case in chosen:
        if recordings()[case.sql].error is not None:
            continue
        try:
            tree = qualified(case.sql, catalog)
        except SqlProblem:
            continue
        for node in tree.walk():
            kinds.add(type(node))
            if isinstance(node, exp.Anonymous):
                names.add(str(node.this).lower())
    return kinds, names


class TestRefusals:
    @pytest.mark.parametrize(
        ("sql", "named"),
        [
            ("SELECT approx_distinct(g) FROM sales", "approx_distinct()"),
            ("SELECT levenshtein_distance(g, h) FROM sales", "levenshtein_distance()"),
            ("SELECT id FROM sales WHERE day >= '2020-01-01'", "date beside varchar(10)"),
            ("SELECT CAST(f AS varchar) FROM sales", "a CAST from double to varchar"),
            ("SELECT id FROM sales TABLESAMPLE BERNOULLI (10)", "SAMPLE"),
            ("SELECT regexp_like(g, '(?i)x') FROM sales", "flags in a regular expression"),
            ("SELECT id FROM sales WHERE NOT (g, q) IN (SELECT g, weight FROM labels)", "IN with a row"),
            ("SELECT nope FROM sales", "column nope is not known"),
            ("SELECT id FROM sales LIMIT", "expression"),
        ],
    )
    def test_names_the_construct(self, catalog: Catalog, sql: str, named: str) -> None:
        with pytest.raises(NotCheckable) as caught:
            to_duckdb(sql, catalog)
        assert named.lower() in str(caught.value).lower()

    def test_says_no_literal(self, catalog: Catalog) -> None:
        with pytest.raises(NotCheckable) as caught:
            to_duckdb("SELECT levenshtein_distance(g, 'secret') FROM sales", catalog)
        assert "secret" not in str(caught.value)

    def test_never_loses_a_modifier(self, catalog: Catalog) -> None:
        tree = qualified("SELECT greatest(q, 1) AS k FROM sales", catalog).copy()
        for node in tree.find_all(exp.Greatest):
            node.set("ignore_nulls", True)
        with pytest.raises(NotCheckable, match="ignore nulls"):
            Writer(HANDLERS, FUNCTIONS).write(tree)

    def test_deep_text_is_refused_not_fatal(self, catalog: Catalog) -> None:
        deep = "SELECT " + "abs(" * 190 + "q" + ")" * 190 + " FROM sales"
        assert to_duckdb(deep, catalog).count("ABS(") == 190


class TestPlain:
    def test_is_shorter_and_inexact(self, catalog: Catalog, engine: duckdb.DuckDBPyConnection) -> None:
        sql = "SELECT sum(p) / count(*) AS x FROM sales"
        exact, plain = to_duckdb(sql, catalog), to_duckdb(sql, catalog, plain=True)
        assert len(plain) < len(exact)
        assert engine.execute(exact).fetchall() != engine.execute(plain).fetchall()


class TestOutputColumns:
    def test_refuses_columns_whose_type_is_not_known(self, catalog: Catalog) -> None:
        with pytest.raises(NotCheckable, match="output column Names"):
            output_columns("SELECT array_agg(g ORDER BY id) AS Names FROM sales", catalog)
