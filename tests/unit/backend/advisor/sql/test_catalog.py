from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Column, Table, TableName
from heavy_stack.backend.advisor.sql.catalog import Catalog, qualified
from heavy_stack.backend.advisor.sql.guards import SqlProblem, UnknownName
from heavy_stack.backend.advisor.sql.output_names import output_names
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.backend.advisor.sql.printing import trino_sql
from heavy_stack.backend.advisor.sql.types import output_types, type_name


def printed(sql: str, catalog: Catalog) -> str:
    return trino_sql(qualified(sql, catalog)).replace('"', "")


class TestQualified:
    def test_writes_full_tables_and_the_owner_of_each_column(self, catalog: Catalog) -> None:
        assert printed("SELECT a, T.b FROM t", catalog) == "SELECT t.a AS a, t.b AS b FROM c.s.t AS t"

    def test_an_alias_of_the_select_is_visible_in_order_by_only(self, catalog: Catalog) -> None:
        sql = "SELECT month(d) AS month, count(*) FROM t WHERE month = 3 GROUP BY month(d), month ORDER BY month"
        assert "WHERE t.month = 3 GROUP BY MONTH(t.d), t.month ORDER BY month" in printed(sql, catalog)

    def test_finds_the_owner_of_columns_in_having(self, catalog: Catalog) -> None:
        assert "HAVING t.a > 1 AND SUM(t.b) > 2" in printed(
            "SELECT a FROM t GROUP BY a HAVING a > 1 AND sum(b) > 2", catalog
        )

    def test_folds_schema_qualified_columns(self, catalog: Catalog) -> None:
        assert printed("SELECT s.t.a, c.s.t.b FROM t", catalog) == "SELECT t.a AS a, t.b AS b FROM c.s.t AS t"

    @pytest.mark.parametrize(
        ("sql", "message", "column"),
        [
            ("SELECT nope FROM t", "column nope is not known", 8),
            ("SELECT t.nope FROM t", "column nope is not known", 10),
            ("SELECT a FROM t, u", "column a is ambiguous", 8),
            ("SELECT z.a FROM t", "column a is not known", 10),
            ("SELECT a FROM nope", "table nope is not known", 15),
            ("SELECT a AS k FROM t GROUP BY a HAVING k > 1", "column k is not known", 40),
            ("SELECT other.t.a FROM t", "column a is not known", 16),
        ],
    )
    def test_refuses_unknown_names_with_their_place(
        self, catalog: Catalog, sql: str, message: str, column: int
    ) -> None:
        with pytest.raises(UnknownName) as caught:
            qualified(sql, catalog)
        assert (caught.value.message, caught.value.line, caught.value.column) == (message, 1, column)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT a, count(*) FROM t",
            "SELECT a, b FROM t GROUP BY a",
            "SELECT a, sum(sum(b)) OVER (ORDER BY b) FROM t GROUP BY a",
            "SELECT a FROM t GROUP BY a HAVING b > 1",
        ],
    )
    def test_refuses_columns_that_are_neither_grouped_nor_aggregated(self, catalog: Catalog, sql: str) -> None:
        with pytest.raises(SqlProblem, match="neither grouped nor aggregated"):
            qualified(sql, catalog)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT b FROM t WHERE count(*) > 1 GROUP BY b",
            "SELECT count(*) FROM t GROUP BY sum(a)",
            "SELECT sum(max(a)) FROM t",
            "SELECT count(*) FROM t JOIN t AS u ON max(t.a) = u.a",
        ],
    )
    def test_refuses_aggregates_where_single_rows_are_asked(self, catalog: Catalog, sql: str) -> None:
        with pytest.raises(SqlProblem, match="stands where single rows are asked"):
            qualified(sql, catalog)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT a + 1, sum(b) FROM t GROUP BY a + 1",
            "SELECT a, rank() OVER (ORDER BY sum(b)) FROM t GROUP BY 1",
            "SELECT a, b FROM t GROUP BY ROLLUP (a, b)",
            "SELECT t.a, (SELECT max(x) FROM u WHERE u.a = t.a) FROM t GROUP BY t.a",
            "SELECT 'x', count(*) FILTER (WHERE b > 1) FROM t",
        ],
    )
    def test_accepts_what_trino_accepts_in_a_grouped_select(self, catalog: Catalog, sql: str) -> None:
        qualified(sql, catalog)

    def test_says_that_a_flattened_comment_ate_the_grouping(self, catalog: Catalog) -> None:
        with pytest.raises(SqlProblem) as caught:
            qualified("SELECT a, count(*) FROM t -- by key GROUP BY a", catalog)
        assert "hides the rest" in caught.value.message
        assert caught.value.column == 27

    def test_refuses_statements_that_are_no_query(self, catalog: Catalog) -> None:
        with pytest.raises(SqlProblem, match="not a query"):
            qualified("DELETE FROM t", catalog)

    def test_returns_the_same_tree_for_the_same_text(self, catalog: Catalog) -> None:
        assert qualified("SELECT a FROM t", catalog) is qualified("SELECT a FROM t", catalog)

    def test_forgets_old_trees(self, catalog: Catalog) -> None:
        first = qualified("SELECT 0 AS n FROM t", catalog)
        for number in range(1, 300):
            qualified(f"SELECT {number} AS n FROM t", catalog)
        assert qualified("SELECT 0 AS n FROM t", catalog) is not first

    def test_its_text_means_the_same_tree(self, catalog: Catalog) -> None:
        tree = qualified(
            "WITH w AS (SELECT a, sum(n) AS s FROM t GROUP BY a) SELECT * FROM w JOIN u USING (a)", catalog
        )
        assert parse_statement(trino_sql(tree)) == tree


class TestOutputNames:
    @pytest.mark.parametrize(
        ("sql", "names"),
        [
            ("SELECT A, b AS Bee, count(*) OVER (), 'x' FROM t", ["A", "Bee", "_col2", "_col3"]),
            ("SELECT * FROM u", ["a", "x", "y"]),
            (
                "SELECT x.*, 1 FROM (SELECT count(*), a AS Foo, 3 FROM t GROUP BY a) x",
                ["_col0", "Foo", "_col2", "_col3"],
            ),
            ("WITH W(One, two) AS (SELECT a, b FROM t) SELECT * FROM w", ["One", "two"]),
            ("SELECT A FROM t UNION ALL SELECT x AS Other FROM u ORDER BY a", ["A"]),
            ("SELECT a, a FROM t", ["a", "a"]),
            ("SELECT * FROM t JOIN u USING (a)", ["a", "b", "d", "n", "f", "name", "month", "x", "y"]),
            ('SELECT "A" AS "Mixed Case" FROM t', ["Mixed Case"]),
            ("(SELECT 5, A FROM t LIMIT 3)", ["_col0", "A"]),
        ],
    )
    def test_are_what_trino_would_call_them(self, catalog: Catalog, sql: str, names: list[str]) -> None:
        assert output_names(qualified(sql, catalog)) == names

    def test_stand_in_the_printed_text_too(self, catalog: Catalog) -> None:
        text = trino_sql(qualified("SELECT count(*), sum(b) AS Total FROM t ORDER BY total, 1", catalog))
        assert text == (
            'SELECT COUNT(*) AS "_col0", SUM("t"."b") AS "Total" FROM "c"."s"."t" AS "t" ORDER BY "Total", "_col0"'
        )


class TestCatalog:
    def test_finds_tables_in_any_case(self, catalog: Catalog) -> None:
        found = catalog.table(TableName("C", "S", "FLIGHTS"))
        assert found is not None and found.name.name == "Flights"
        assert catalog.column_type(found, "ORIGIN") == "varchar"

    def test_with_tables_sees_old_and_new(self, catalog: Catalog) -> None:
        more = catalog.with_tables([Table(TableName("c", "design", "r"), (Column("k", "bigint"),))])
        assert output_types(qualified("SELECT r.k, t.a FROM c.design.r, c.s.t", more)) == ["bigint", "integer"]

    def test_a_stored_varchar_has_no_length(self, catalog: Catalog) -> None:
        assert output_types(qualified("SELECT name FROM t", catalog)) == ["varchar"]


class TestTypes:
    def test_knows_every_expression_of_a_real_workload(self) -> None:
        workload = json.loads((Path(__file__).parents[5] / "static/samples/retail.json").read_text("utf-8"))
        tables = []
        for entry in workload["ddl"]:
            create = parse_statement(entry["statement"])
            parts = [part.name for part in create.this.this.parts]
            columns = tuple(
                Column(item.name, item.args["kind"].sql(dialect="trino").lower()) for item in create.this.expressions
            )
            tables.append(Table(TableName(*parts), columns))
        catalog = Catalog(tables)
        for entry in workload["queries"]:
            if "approx" in entry["query"]:
                continue
            tree = qualified(entry["query"], catalog)
            unknown = [
                node.sql(dialect="trino")
                for node in tree.walk()
                if isinstance(node, (exp.Column, exp.Binary, exp.Func)) and type_name(node) is None
            ]
            assert unknown == [], entry["queryid"]

    def test_does_not_guess(self, catalog: Catalog) -> None:
        tree = qualified(
            "SELECT array_agg(a), levenshtein_distance(name, 'x'), TRY(a / b) FROM t GROUP BY name, a, b", catalog
        )
        assert output_types(tree) == [None, None, None]

    def test_survives_a_copy(self, catalog: Catalog) -> None:
        tree = qualified("SELECT sum(n) * 1.5 FROM t", catalog).copy()
        assert type_name(tree.selects[0]) == "decimal(38,3)"
