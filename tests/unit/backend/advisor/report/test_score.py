"""The score by hand. Runs: text 0 ten (two queryids), text 1 five, text 2 three, text 3 (unparsable) two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heavy_stack.backend.advisor.artefacts import TableFacts, TableMeasure
from heavy_stack.shared_models.reports import ScoreReport
from heavy_stack.shared_models.verdicts import Verdict
from tests.unit.backend.advisor.report.conftest import ONE, SALE, TWO, Task, verdict


class TestScore:
    def test_all_readings(self, task: Task) -> None:
        report = task.answer().report
        # Ratios: text 0 8/2 = 4, text 1 3/0.5 = 6, text 2 unchanged 1, text 3 unchanged and not measured 1.
        x = (10 * 4 + 5 * 6 + 3 * 1 + 2 * 1) / 20
        x_equal = (4 + 6 + 1 + 4 + 1) / 5
        y_total, y_new = 7000 / 8000, 7000 / 1000
        assert report.score.x == pytest.approx(x) == 3.75
        assert report.score.sum_ratio == pytest.approx((10 * 8 + 5 * 3 + 3 * 1) / (10 * 2 + 5 * 0.5 + 3 * 1))
        assert report.score.y_total == pytest.approx(y_total)
        assert report.score.y_new == pytest.approx(y_new)
        assert report.score.z_total == pytest.approx(x * y_total ** (1 / 3))
        assert report.score.z_new == pytest.approx(x * y_new ** (1 / 3))
        assert report.score.x_equal_weights == pytest.approx(x_equal)
        assert report.score.sum_ratio_equal_weights == pytest.approx((8 + 3 + 1 + 8) / (2 + 0.5 + 1 + 2))
        assert report.score.z_total_equal_weights == pytest.approx(x_equal * y_total ** (1 / 3))
        assert report.score.z_new_equal_weights == pytest.approx(x_equal * y_new ** (1 / 3))
        assert (report.storage_before_bytes, report.storage_new_bytes) == (7000, 1000)

    def test_texts_carry_their_times(self, task: Task) -> None:
        texts = task.answer().report.texts
        assert [(text.before_s, text.after_s, text.ratio) for text in texts] == [
            (8.0, 2.0, 4.0),
            (3.0, 0.5, 6.0),
            (1.0, 1.0, 1.0),
            (None, None, None),
        ]

    def test_nothing_measured_is_no_score(self, task: Task) -> None:
        unmeasured = (verdict(0, None, None, verdict=Verdict.EQUAL_BY_RULE), verdict(1, None, None))
        report = task.change("verdicts", texts=unmeasured, tables=()).answer().report
        assert report.score == ScoreReport()
        assert report.headline.endswith("; times were not measured.")
        assert report.storage_new_bytes is None
        assert report.warnings[0] == "from verify"

    def test_a_rewrite_that_was_not_measured_is_in_no_figure(self, task: Task) -> None:
        texts = (verdict(0, 8.0, 2.0), verdict(1, 3.0, None), *task.verdicts.texts[2:])
        report = task.change("verdicts", texts=texts).answer().report
        assert report.score.x == pytest.approx((10 * 4 + 3 + 2) / 15)
        assert report.score.sum_ratio == pytest.approx((80 + 3) / (20 + 3))
        assert "1 rewritten query not measured: in no figure." in report.warnings

    def test_times_of_other_texts_of_the_shape_count_and_are_said_to(self, task: Task) -> None:
        texts = (replace(task.verdicts.texts[0], measured_texts=3), *task.verdicts.texts[1:])
        report = task.change("verdicts", texts=texts, baseline_s={3: 4.0}, baseline_texts={3: 5}).answer().report
        assert [text.measured_texts for text in report.texts] == [3, None, None, 5]
        assert report.score.x == pytest.approx(3.75)
        words = "3 queries not timed: counted with the median of texts that differ from them in literals only."
        assert words in report.warnings

    def test_only_unchanged_queries_score_one(self, task: Task) -> None:
        texts = (verdict(2, 1.0, None, verdict=Verdict.UNCHANGED),)
        score = task.change("verdicts", texts=texts, tables=()).answer().report.score
        assert (score.x, score.sum_ratio, score.y_total, score.y_new, score.z_total) == (1.0, 1.0, 1.0, None, 1.0)

    def test_no_runs_at_all_is_no_mean(self, task: Task) -> None:
        queries = tuple(type(query)(query.queryid, query.text, 0) for query in task.workload.queries)
        report = task.change("workload", queries=queries).answer().report
        assert (report.score.x, report.score.sum_ratio, report.score.z_total) == (None, None, None)
        assert report.score.x_equal_weights == pytest.approx((4 + 6 + 1 + 4 + 1) / 5)
        assert report.headline == "3 of 5 queries rewritten onto 2 tables."

    def test_storage_before_comes_from_the_facts_when_verify_has_none(self, task: Task) -> None:
        unknown = task.change("verdicts", storage_before_bytes=None)
        assert unknown.answer().report.storage_before_bytes == 7000
        partly = unknown.change("profile", facts={str(SALE): TableFacts(rows=1)})
        assert partly.answer().report.storage_before_bytes is None
        score = partly.answer().report.score
        assert (score.y_total, score.z_total) == (None, None)
        assert score.x == pytest.approx(3.75)

    def test_one_table_without_a_size_is_no_storage_ratio(self, task: Task) -> None:
        report = task.change("verdicts", tables=(TableMeasure(ONE, 1, 600), TableMeasure(TWO, 1))).answer().report
        assert (report.storage_new_bytes, report.score.y_new) == (None, None)
