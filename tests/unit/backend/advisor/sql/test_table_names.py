from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.table_names import complete_names, quoted_if_needed
from tests.unit.backend.advisor.sql.conftest import TABLES


class TestCompleteNames:
    @pytest.mark.parametrize(
        ("text", "completed"),
        [
            ("SELECT * FROM t;", "SELECT * FROM c.s.t"),
            ("SELECT * FROM s.t ;  ", "SELECT * FROM c.s.t   "),
            ("SELECT * FROM c.s.t", "SELECT * FROM c.s.t"),
            ("SELECT t.a, 't' FROM \"T\" /* t */ , u -- t\n WHERE 't' = 't'", None),
            ("SELECT f.origin FROM FLIGHTS f", "SELECT f.origin FROM c.s.FLIGHTS f"),
            ("TABLE t", "TABLE c.s.t"),
            ("SELECT * FROM odd", 'SELECT * FROM c."my schema".odd'),
            ("SELECT 'é→' FROM t; -- done", "SELECT 'é→' FROM c.s.t -- done"),
            ("SELECT * FROM s . t", "SELECT * FROM c.s . t"),
        ],
    )
    def test_changes_only_table_names_and_the_last_semicolon(
        self, catalog: Catalog, text: str, completed: str | None
    ) -> None:
        if completed is None:
            completed = "SELECT t.a, 't' FROM c.s.\"T\" /* t */ , c.s.u -- t\n WHERE 't' = 't'"
        assert complete_names(text, catalog) == completed

    @pytest.mark.parametrize(
        "text",
        [
            "SELECT * FROM twice",
            "SELECT * FROM nowhere.at_all",
            "SELECT * FROM a.b.c.d.e",
            "SELECT * FROM other_catalog.s.t",
            "WITH t AS (SELECT 1 AS a) SELECT * FROM t JOIN T ON true",
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t",
            "SELECT * FROM UNNEST(ARRAY[1]) AS t(a)",
            "SELECT t.a FROM (SELECT 1 AS a) AS t",
        ],
    )
    def test_leaves_names_that_mean_no_single_table_of_the_ddl(self, catalog: Catalog, text: str) -> None:
        assert complete_names(text, catalog) == text

    def test_a_cte_hides_a_table_only_where_it_is_visible(self, catalog: Catalog) -> None:
        text = "WITH a AS (SELECT * FROM t), t AS (SELECT * FROM t) SELECT * FROM (SELECT * FROM t) x, u, s.t"
        assert complete_names(text, catalog) == (
            "WITH a AS (SELECT * FROM c.s.t), t AS (SELECT * FROM c.s.t)"
            " SELECT * FROM (SELECT * FROM t) x, c.s.u, c.s.t"
        )

    def test_a_cte_of_an_inner_query_hides_nothing_outside(self, catalog: Catalog) -> None:
        text = "SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t) x, t"
        assert complete_names(text, catalog) == "SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t) x, c.s.t"

    def test_takes_missing_parts_from_the_address_where_it_names_them(self) -> None:
        catalog = Catalog(TABLES, "c", "other")
        assert complete_names("SELECT * FROM twice, s.t", catalog) == "SELECT * FROM c.other.twice, c.s.t"
        assert complete_names("SELECT * FROM t", catalog) == "SELECT * FROM t"


class TestQuotedIfNeeded:
    @pytest.mark.parametrize(
        ("name", "written"),
        [
            ("plain_1", "plain_1"),
            ("Upper", '"Upper"'),
            ("1st", '"1st"'),
            ("a b", '"a b"'),
            ("select", '"select"'),
            ('q"q', '"q""q"'),
        ],
    )
    def test_quotes_what_would_be_read_otherwise(self, name: str, written: str) -> None:
        assert quoted_if_needed(name) == written
