"""Which SELECTs share a scan, and that the counts are right."""

from __future__ import annotations

import duckdb

from heavy_stack.backend.engines.group_counts import MAX_COUNTS_PER_SCAN, SharedScan, shared_scans


def count(scan: SharedScan, *, exact: bool) -> dict[str, int]:
    with duckdb.connect() as db:
        db.execute("ATTACH ':memory:' AS c; CREATE SCHEMA c.s; CREATE TABLE c.s.t (a INTEGER, b VARCHAR)")
        db.execute("INSERT INTO c.s.t VALUES (1, 'x'), (1, 'x'), (1, NULL), (NULL, NULL), (2, 'x'), (NULL, 'y')")
        row = db.execute(scan.counting(scan.sql, exact=exact)).fetchone()
    assert row is not None
    return dict(zip(scan.ids, row, strict=True))


class TestSharedScans:
    def test_selects_over_the_same_rows_share_one(self) -> None:
        scans = shared_scans(
            {
                "a": "SELECT a FROM c.s.t",
                "ab": "SELECT a AS x, b AS y FROM c.s.t",
                "expression": "SELECT DISTINCT a + 1, b FROM c.s.t",
                "filtered": "SELECT a FROM c.s.t WHERE b = 'x'",
            }
        )
        assert sorted(scan.ids for scan in scans) == [("a", "ab", "expression"), ("filtered",)]
        shared = next(scan for scan in scans if len(scan.ids) == 3)
        assert shared.tables == {"c.s.t"}
        for exact in (True, False):
            assert count(shared, exact=exact) == {"a": 3, "ab": 5, "expression": 5}

    def test_a_grouping_or_computed_select_is_counted_alone(self) -> None:
        for sql in (
            "SELECT a, count(*) FROM c.s.t GROUP BY a",
            "SELECT * FROM c.s.t",
            "SELECT a FROM c.s.t LIMIT 2",
            "SELECT row_number() OVER (ORDER BY a) FROM c.s.t",
            "SELECT a FROM c.s.t UNION SELECT 1",
            "WITH w AS (SELECT a FROM c.s.t) SELECT a FROM w",
        ):
            (scan,) = shared_scans({"only": sql})
            assert scan.columns == (None,)
            assert scan.sql == sql
        (grouped,) = shared_scans({"g": "SELECT a, count(*) FROM c.s.t GROUP BY a"})
        assert count(grouped, exact=True) == {"g": 3}

    def test_a_scan_holds_so_many_counts_only(self) -> None:
        scans = shared_scans({str(i): f"SELECT a + {i} FROM c.s.t" for i in range(MAX_COUNTS_PER_SCAN + 1)})
        assert [len(scan.ids) for scan in scans] == [MAX_COUNTS_PER_SCAN, 1]

    def test_what_does_not_parse_is_left_to_the_engine(self) -> None:
        (scan,) = shared_scans({"bad": "SELECT FROM WHERE"})
        assert scan.columns == (None,)
