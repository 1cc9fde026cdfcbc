"""Both sides on disk, and runs in fresh processes."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dev_scripts.bench import fresh
from dev_scripts.bench.measure import Bench, Plan, without_limit
from dev_scripts.bench.service import Answer, unpack
from dev_scripts.bench.shifted_runs import Rows
from dev_scripts.bench.sides import build_design, write_base, write_projection
from dev_scripts.bench.texts import Query, Texts, sample
from dev_scripts.bench.workloads import load
from heavy_stack.backend.advisor.artefacts import TableName

CREATE = "CREATE TABLE c.s.t (k integer, v integer, unread varchar)"
DESIGN = "CREATE TABLE c.fast.sums (k integer, total bigint) WITH (format = 'PARQUET', sorted_by = ARRAY['k'])"
QUERY = "SELECT k, SUM(v) AS total FROM c.s.t GROUP BY k ORDER BY total DESC LIMIT 2"
REWRITE = "SELECT k, total FROM c.fast.sums ORDER BY total DESC LIMIT 2"
BODY: dict[str, Any] = {
    "url": "jdbc:duckdb:/nowhere",
    "ddl": [{"statement": CREATE}],
    "queries": [
        {"queryid": "a", "query": QUERY, "runquantity": 3},
        {"queryid": "b", "query": "SELECT COUNT(*) AS n FROM c.s.t", "runquantity": 1},
    ],
}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    folder = tmp_path / "lake" / "s" / "t"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        rows = "SELECT CAST(i % 5 AS INTEGER) AS k, CAST(i AS INTEGER) AS v, 'x' AS unread FROM range(100) r(i)"
        connection.execute(f"COPY ({rows}) TO '{folder / 'part.parquet'}' (FORMAT parquet)")
    return tmp_path / "lake"


def bench(lake: Path, tmp_path: Path, insert: str) -> Bench:
    texts = Texts(BODY)
    base = write_base(texts.tables, lake, tmp_path / "written")
    statements = {
        "ddl": ['CREATE SCHEMA "c"."fast"', 'CREATE TABLE "c"."fast"."sums" ("k" INTEGER, "total" BIGINT)'],
        "migrations": [f'INSERT INTO "c"."fast"."sums" {insert}'],
    }
    design, tables = build_design(statements, [DESIGN], base, tmp_path / "design")
    return Bench(texts, base, design, tables, lambda line: None)


def answer() -> Answer:
    report = {
        "queries": [{"queryid": "a", "text": 0}, {"queryid": "b", "text": 1}],
        "texts": [{"verdict": "EQUAL_ON_DATA"}, {"verdict": "UNCHANGED", "reason": "NO_GAIN"}],
    }
    queries = [{"queryid": "a", "query": REWRITE}, {"queryid": "b", "query": BODY["queries"][1]["query"]}]
    return Answer("id", 1.0, {"queries": queries, "report": report}, {})


class TestMeasure:
    def test_compares_the_rows_and_times_both_sides(self, lake: Path, tmp_path: Path) -> None:
        made = bench(lake, tmp_path, 'SELECT k, SUM(v) FROM "c"."s"."t" GROUP BY k')
        first, second = made.measure(made.texts.queries, answer(), Plan(rounds=1))
        assert (first.queryid, first.equal, first.runs, first.rewritten) == ("a", True, 3, True)
        assert first.before_s > 0
        assert first.after_s > 0
        assert (second.verdict, second.reason, second.ratio) == ("UNCHANGED", "NO_GAIN", 1.0)

    def test_finds_wrong_rows(self, lake: Path, tmp_path: Path) -> None:
        made = bench(lake, tmp_path, 'SELECT k, SUM(v) + 1 FROM "c"."s"."t" GROUP BY k')
        assert made.measure(made.texts.queries[:1], answer(), Plan(rounds=1))[0].equal is False

    def test_a_tie_at_the_cut_is_no_difference(self, lake: Path, tmp_path: Path) -> None:
        made = bench(lake, tmp_path, 'SELECT k, 1 FROM "c"."s"."t" GROUP BY k')
        texts = Texts({**BODY, "queries": [{**BODY["queries"][0], "query": QUERY.replace("SUM(v)", "COUNT(*) / 20")}]})
        made.texts = texts
        assert made.measure(texts.queries, answer(), Plan(rounds=1))[0].equal is True

    def test_a_rewrite_that_fails_counts_ten_minutes(self, lake: Path, tmp_path: Path) -> None:
        made = bench(lake, tmp_path, "SELECT 1, 1")
        broken = answer()
        broken.body["queries"][0]["query"] = "SELECT k, total / CAST('x' AS bigint) AS total FROM c.fast.sums"
        found = made.measure(made.texts.queries[:1], broken, Plan(rounds=1))[0]
        assert (found.after_s, found.equal) == (fresh.LIMIT_S, False)

    def test_a_projection_holds_what_queries_read(self, lake: Path, tmp_path: Path) -> None:
        made = bench(lake, tmp_path, "SELECT 1, 1")
        read = made.texts.columns_read()
        assert read == {TableName("c", "s", "t"): {"k", "v"}}
        side = write_projection(made.texts.tables, read, made.base, tmp_path / "written")
        assert 0 < side.bytes < made.base.bytes
        again = made.again(made.measure(made.texts.queries, answer(), Plan(rounds=1)), side)
        assert [one.verdict for one in again] == ["BASELINE", "BASELINE"]

    def test_a_design_that_cannot_be_built_is_said(self, lake: Path, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match="could not be built"):
            bench(lake, tmp_path, "SELECT nothing")

    def test_takes_the_limit_off(self) -> None:
        assert without_limit("SELECT a FROM t ORDER BY a LIMIT 5") == "SELECT a FROM t"
        assert without_limit("SELECT a FROM t ORDER BY a") is None


class TestSample:
    def test_a_few_of_each_shape_stand_for_the_others(self) -> None:
        queries = [Query(f"q{n}", 1, str(n), "x" if n < 10 else "y") for n in range(11)]
        chosen = sample(queries, 2)
        assert len(chosen) == 3
        assert sorted(q.queryid for members in chosen.values() for q in members) == sorted(q.queryid for q in queries)
        assert all({q.shape for q in members} == {members[0].shape} for members in chosen.values())


class TestFresh:
    def test_a_run_sees_nothing_of_an_earlier_one(self) -> None:
        fresh.run(fresh.Job((), "CREATE TABLE seen AS SELECT 1"))
        assert "seen" in (fresh.run(fresh.Job((), "FROM seen")).error or "")

    def test_a_run_over_the_limit_is_ended(self) -> None:
        outcome = fresh.run(
            fresh.Job((), "SELECT SUM(a.i * b.i) FROM range(3000000) a(i), range(3000000) b(i)"), limit_s=0.5
        )
        assert outcome.seconds == fresh.LIMIT_S
        assert "longer than" in (outcome.error or "")


class TestWorkloads:
    def test_an_unknown_name_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match="no file of that name"):
            load("nothing", None, None, tmp_path)

    def test_a_file_needs_a_folder(self, tmp_path: Path, lake: Path) -> None:
        file = tmp_path / "w.json"
        file.write_text(json.dumps({**BODY, "url": "jdbc:trino://x"}))
        with pytest.raises(SystemExit, match="LAKE="):
            load(str(file), None, None, tmp_path)
        assert load(str(file), None, lake, tmp_path).body["url"] == f"jdbc:duckdb:{lake}"


class TestUnpack:
    def test_reads_the_statements_in_order(self) -> None:
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in (("duckdb/ddl/00002.sql", "two"), ("duckdb/ddl/00001.sql", "one"), ("ddl/1.sql", "no")):
                archive.writestr(name, text)
        assert unpack(buffer.getvalue()) == {"ddl": ["one", "two"]}


class TestRows:
    def test_knows_which_texts_return_rows(self, lake: Path, tmp_path: Path) -> None:
        made = bench(lake, tmp_path, "SELECT 1, 1")
        for _ in range(2):  # the second time from the file
            rows = Rows(made.texts, made.base, tmp_path / "rows.json")
            assert rows.any("SELECT k FROM c.s.t WHERE v = 7")
            assert not rows.any("SELECT k FROM c.s.t WHERE v = -7")
            assert rows.any("SELECT k FROM c.s.unknown")  # does not run: says nothing
            rows.close()
