from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.sql.allowed import find_problem
from heavy_stack.backend.advisor.sql.catalog import Catalog
from heavy_stack.backend.advisor.sql.parsing import parse_statement
from heavy_stack.shared_models.verdicts import Reason


class TestFindProblem:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT a FROM t",
            "WITH w AS (SELECT a FROM t) SELECT * FROM w, LATERAL (SELECT w.a + 1 AS k) x",
            "SELECT a FROM t UNION SELECT a FROM u ORDER BY 1 LIMIT 3",
            "SELECT x FROM UNNEST(SEQUENCE(1, 3)) AS q(x)",
            "SELECT * FROM (VALUES (1, 2)) v(p, q) LEFT JOIN t ON t.a = p",
            "SELECT a FROM t FETCH FIRST 3 ROWS ONLY",
            "TABLE t",
        ],
    )
    def test_lets_queries_over_the_ddl_pass(self, catalog: Catalog, sql: str) -> None:
        assert find_problem(parse_statement(sql), catalog) is None

    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO t SELECT * FROM u",
            "DELETE FROM t",
            "UPDATE t SET a = 1",
            "DROP TABLE t",
            "CREATE TABLE x AS SELECT 1 AS a",
            "EXPLAIN SELECT 1",
            "SHOW TABLES",
            "CALL c.system.run()",
            "ALTER TABLE t EXECUTE optimize",
            "SET SESSION a = 1",
            "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
        ],
    )
    def test_refuses_other_statements(self, catalog: Catalog, sql: str) -> None:
        problem = find_problem(parse_statement(sql), catalog)
        assert problem is not None and problem.reason == Reason.NOT_A_SELECT

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM nope",
            "SELECT * FROM x.s.t",
            "SELECT * FROM a.b.c.d.e",
            "SELECT * FROM 'file.parquet'",
            'SELECT * FROM s."t$files"',
            "SELECT (SELECT max(a) FROM hidden) FROM t",
        ],
    )
    def test_refuses_tables_that_the_ddl_does_not_have(self, catalog: Catalog, sql: str) -> None:
        problem = find_problem(parse_statement(sql), catalog)
        assert problem is not None and problem.reason == Reason.UNKNOWN_TABLE
        assert problem.line == 1

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM TABLE(c.system.query(query => 'DROP TABLE t'))",
            "SELECT * FROM read_parquet('x')",
            "SELECT * FROM sequence(1, 3)",
            "WITH FUNCTION f(x bigint) RETURNS bigint RETURN x SELECT f(1)",
            "SELECT c.s.f(a) FROM t",
            "SELECT a FROM t WHERE a = ?",
            "SELECT a FROM t FOR VERSION AS OF 3",
            "SELECT a INTO x FROM t",
            "SELECT a FROM t FOR UPDATE",
            "SELECT * FROM t PIVOT (sum(a) FOR b IN (1))",
            "SELECT * FROM t NATURAL JOIN u",
        ],
    )
    def test_refuses_what_could_do_more_than_read_the_ddls_tables(self, catalog: Catalog, sql: str) -> None:
        problem = find_problem(parse_statement(sql), catalog)
        assert problem is not None and problem.reason == Reason.NOT_CHECKABLE
