"""What is sent, and what is said about it."""

from __future__ import annotations

import pytest

from heavy_stack.backend.advisor.artefacts import RewrittenText
from heavy_stack.shared_models.reports import AsOf, Evidence
from heavy_stack.shared_models.verdicts import Reason, Verdict
from heavy_stack.shared_models.workloads import EngineKind
from tests.unit.backend.advisor.report.conftest import ONE, SALE, TWO, Silent, Task, design_table, queries_of, verdict


class TestAnswer:
    def test_statements_stand_in_order(self, task: Task) -> None:
        answer = task.answer()
        assert answer.ddl == (
            "CREATE SCHEMA lake.hs_1",
            "CREATE TABLE lake.hs_1.one (city varchar, n bigint)",
            "CREATE TABLE lake.hs_1.two (city varchar, n bigint)",
        )
        assert [statement[:28] for statement in answer.migrations] == [
            "INSERT INTO lake.hs_1.one SE",
            "INSERT INTO lake.hs_1.two SE",
        ]

    def test_every_queryid_is_there_once_in_its_order(self, task: Task) -> None:
        assert task.answer().queries == (
            ("q1", "rewritten 0"),
            ("q2", "rewritten 1"),
            ("q3", "answer 2"),
            ("q4", "rewritten 0"),
            ("q5", "SELECT FROM"),
        )

    @pytest.mark.parametrize(
        ("reason", "detail"),
        [(Reason.DIFFERENT, "one row more"), (Reason.NOT_CHECKABLE, "no engine"), (Reason.OUT_OF_TIME, None)],
    )
    def test_what_is_not_known_to_be_equal_is_not_sent(self, task: Task, reason: Reason, detail: str | None) -> None:
        evidence = (Evidence(kind="data_set", name="nulls", outcome="different"),)
        bad = verdict(1, 3.0, 0.5, verdict=Verdict.UNCHANGED, reason=reason, detail=detail, evidence=evidence)
        answer = task.change("verdicts", texts=(verdict(0, 8.0, 2.0), bad)).answer()
        assert queries_of(answer)["q2"] == "answer 1"
        text = answer.report.texts[1]
        assert (text.verdict, text.reason, text.detail) == (Verdict.UNCHANGED, reason, detail)
        assert (text.rewritten, text.tables, text.rules) == (None, [], [])
        assert text.evidence == list(evidence)

    def test_a_rewrite_without_a_verdict_is_out_of_time(self, task: Task) -> None:
        answer = task.change("verdicts", texts=(verdict(0, 8.0, 2.0),)).answer()
        assert queries_of(answer)["q2"] == "answer 1"
        assert answer.report.texts[1].reason is Reason.OUT_OF_TIME

    def test_a_verdict_without_a_rewrite_sends_nothing_new(self, task: Task) -> None:
        answer = task.change("rewrite", texts=task.rewrite.texts[:1]).answer()
        assert queries_of(answer)["q2"] == "answer 1"
        assert answer.report.texts[1].verdict is Verdict.UNCHANGED

    def test_a_rewrite_measured_slower_is_not_sent(self, task: Task) -> None:
        answer = task.change("verdicts", texts=(verdict(0, 8.0, 2.0), verdict(1, 0.5, 0.5))).answer()
        assert queries_of(answer)["q2"] == "answer 1"
        assert (answer.report.texts[1].reason, answer.report.texts[1].ratio) == (Reason.NO_GAIN, 1.0)

    def test_reasons_come_from_the_stage_that_gave_up(self, task: Task) -> None:
        texts = task.answer().report.texts
        assert (texts[2].reason, texts[2].detail) == (Reason.NO_GAIN, "no aggregate")
        assert (texts[3].reason, texts[3].detail) == (Reason.UNPARSABLE, "unexpected FROM")
        assert (texts[3].line, texts[3].column) == (1, 8)
        failed = task.change("rewrite", texts=task.rewrite.texts[:1], failed={1: "a correlated subquery"})
        failed = failed.change("verdicts", texts=(verdict(0, 8.0, 2.0),))
        assert failed.answer().report.texts[1].detail == "a correlated subquery"
        classed = task.change("plan", reasons={2: Reason.NONDETERMINISTIC})
        assert classed.answer().report.texts[2].reason is Reason.NONDETERMINISTIC


class TestTablesNobodyReads:
    def test_they_go_with_their_statements(self, task: Task) -> None:
        answer = task.change("verdicts", texts=(verdict(1, 3.0, 0.5),)).answer()
        assert answer.ddl == ("CREATE SCHEMA lake.hs_1", "CREATE TABLE lake.hs_1.two (city varchar, n bigint)")
        assert len(answer.migrations) == 1
        report = answer.report
        assert [table.name for table in report.tables] == ["lake.hs_1.two"]
        assert report.rollback == ["DROP TABLE IF EXISTS lake.hs_1.two", "DROP SCHEMA IF EXISTS lake.hs_1"]
        assert report.maintenance == ["ANALYZE lake.hs_1.two"]
        assert len(report.refresh) == 1
        assert report.storage_new_bytes == 400
        assert [item.candidate for item in report.rejected] == ["c9", "lake.hs_1.one"]

    def test_a_table_below_another_stays(self, task: Task) -> None:
        layered = task.change("rewrite", tables=(design_table(ONE), design_table(TWO, sources=(ONE,))))
        answer = layered.change("verdicts", texts=(verdict(1, 3.0, 0.5),)).answer()
        assert [table.name for table in answer.report.tables] == ["lake.hs_1.one", "lake.hs_1.two"]

    def test_without_any_table_the_schema_is_still_created(self, task: Task) -> None:
        answer = task.change("verdicts", texts=(), tables=()).answer()
        assert answer.ddl == ("CREATE SCHEMA lake.hs_1",)
        assert answer.migrations == ()
        assert answer.report.rollback == ["DROP SCHEMA IF EXISTS lake.hs_1"]
        assert answer.report.headline == "No rewrite is offered: 5 queries answered as sent."


class TestTableReports:
    def test_what_a_table_is_and_serves(self, task: Task) -> None:
        one, two = task.answer().report.tables
        assert (one.dimensions, one.measures) == (["city"], ["is_new", "n"])
        assert (one.serves_queries, one.serves_runs) == (2, 10)
        assert (two.serves_queries, two.serves_runs) == (1, 5)
        assert (one.rows, one.bytes, one.build_s, one.share_of_source) == (20, 600, 1.5, 0.02)
        assert one.source_tables == [str(SALE)]
        assert one.refresh.startswith("CREATE OR REPLACE TABLE lake.hs_1.one AS")

    def test_what_nobody_measured_is_none(self, task: Task) -> None:
        one = task.change("verdicts", tables=()).answer().report.tables[0]
        assert (one.rows, one.bytes, one.build_s, one.share_of_source) == (None, None, None, None)

    def test_names_that_need_quotes_get_them(self, task: Task) -> None:
        odd = type(ONE)("lake", "hs_1", "order")
        changed = task.change("rewrite", tables=(design_table(odd),), texts=(RewrittenText(0, "r", (odd,), ()),))
        report = changed.answer().report
        assert report.maintenance == ['ANALYZE lake.hs_1."order"']
        assert report.rollback[0] == 'DROP TABLE IF EXISTS lake.hs_1."order"'


class TestSentences:
    def test_as_of_a_snapshot(self, task: Task) -> None:
        as_of = task.answer().report.as_of
        assert (as_of.kind, as_of.snapshot, as_of.at) == ("snapshot", "abc", "2024-01-01T00:00:00+00:00")
        assert as_of.sentence == (
            "Equal as of snapshot abc (2024-01-01T00:00:00+00:00); stale after the next write: run the refresh "
            "statements then."
        )

    def test_without_an_engine_no_snapshot_is_claimed(self, task: Task) -> None:
        changed = task.change("profile", engine=None, reachable=False, snapshot=None, at=None, note="not there")
        changed.now = None
        report = changed.answer().report
        assert report.as_of.kind == "no_engine"
        assert report.as_of == AsOf(kind="no_engine", sentence=report.as_of.sentence)
        assert "Equal" not in report.as_of.sentence
        assert (report.engine, report.engine_reachable, report.engine_note) == (None, False, "not there")

    def test_data_that_changed_meanwhile_is_a_warning(self, task: Task) -> None:
        assert task.answer().report.warnings == [
            "from verify",
            "1 unchanged query not measured: ratio 1 in x (T = A), left out of ΣQA/ΣQT.",
            "1 of 4 query texts have no faithful form in DuckDB's SQL.",
        ]
        task.now = "abd"
        assert any("changed while this task ran" in warning for warning in task.answer().report.warnings)

    def test_the_headline_counts_queries_runs_and_tables(self, task: Task) -> None:
        assert task.answer().report.headline == (
            "3 of 5 queries rewritten (75 % of all runs) onto 2 tables: x = 3.8 (mean of the ratios), total time 3.8 "
            "times smaller, z = 3.6."
        )


class TestNative:
    def test_the_same_statements_for_duckdb(self, task: Task) -> None:
        native = task.answer().report.duckdb
        assert list(native) == ["setup", "ddl", "migrations", "queries", "rollback"]
        assert native["setup"] == ["setup"]
        assert native["ddl"][0] == "native CREATE SCHEMA lake.hs_1"
        assert len(native["ddl"]) == 3
        assert native["queries"] == [
            '-- queryid "q1" and 1 more\nnative rewritten 0',
            '-- queryid "q2"\nnative rewritten 1',
            '-- queryid "q3"\nnative answer 2',
        ]
        assert native["rollback"][-1] == "native DROP SCHEMA IF EXISTS lake.hs_1"

    def test_what_the_time_leaves_out_is_counted(self, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
        left = iter([100.0, 100.0, 1.0, 1.0])
        monkeypatch.setattr(Silent, "left_s", lambda self: next(left))
        report = task.answer().report
        assert report.duckdb["queries"] == [
            '-- queryid "q1" and 1 more\nnative rewritten 0',
            '-- queryid "q2"\nnative rewritten 1',
        ]
        assert "2 of 4 query texts were not written in DuckDB's SQL: the time ended." in report.warnings

    def test_a_queryid_cannot_leave_its_comment(self, task: Task) -> None:
        queries = (*task.workload.queries[:1], type(task.workload.queries[0])("x\nDROP TABLE t", 1, 1))
        native = task.change("workload", queries=queries).answer().report.duckdb
        assert native["queries"][1].splitlines() == ['-- queryid "x\\nDROP TABLE t"', "native rewritten 1"]

    def test_other_engines_get_none(self, task: Task) -> None:
        assert task.change("workload", engine=EngineKind.TRINO).answer().report.duckdb == {}

    def test_a_design_without_a_form_leaves_it_out(self, task: Task) -> None:
        tables = (design_table(type(ONE)("lake", "hs_1", "refused")), *task.rewrite.tables)
        texts = (RewrittenText(0, "r", (tables[0].name,), ()),)
        report = task.change("rewrite", tables=tables, texts=texts).answer().report
        assert report.duckdb == {}
        assert "4 of 4 query texts have no faithful form in DuckDB's SQL." in report.warnings


class TestBaselines:
    def test_a_text_without_a_rewrite_counts_with_its_own_time(self, task: Task) -> None:
        plain = task.change("verdicts", texts=(), tables=())
        timed = plain.change("verdicts", baseline_s={0: 2.0})
        assert plain.answer().report.texts[0].before_s is None
        assert timed.answer().report.texts[0].before_s == 2.0
        assert timed.answer().report.texts[0].ratio == 1.0
