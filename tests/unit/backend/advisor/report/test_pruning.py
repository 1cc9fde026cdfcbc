"""Tables that cost more than they save are given up once that is measured."""

from __future__ import annotations

from dataclasses import replace

from heavy_stack.backend.advisor.artefacts import RewrittenText, TableMeasure
from heavy_stack.shared_models.verdicts import Reason, Verdict
from tests.unit.backend.advisor.report.conftest import ONE, TWO, Task, queries_of, verdict


class TestPrune:
    def test_gives_up_a_table_whose_bytes_cost_more_than_it_saves(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, 70_000, 2.5))
        small_gain = (verdict(0, 8.0, 2.0), verdict(1, 3.0, 2.5), verdict(2, 1.0, None, verdict=Verdict.UNCHANGED))
        answer = task.change("verdicts", tables=tables, texts=small_gain).answer()
        assert [table.name for table in answer.report.tables] == [str(ONE)]
        assert queries_of(answer)["q2"] == "answer 1"
        assert answer.report.texts[1].reason is Reason.NO_GAIN
        assert any("1000.0 % of the storage" in rejected.why for rejected in answer.report.rejected)

    def test_weighs_a_table_without_what_emulating_exact_numbers_costs(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, 5_000, 2.5))
        rest = verdict(2, 1.0, None, verdict=Verdict.UNCHANGED)
        slow = verdict(1, 3.0, 2.5)
        fast = replace(slow, before_plain_s=2.9, after_plain_s=0.01)
        kept = [
            [table.name for table in task.change("verdicts", tables=tables, texts=texts).answer().report.tables]
            for texts in ((verdict(0, 8.0, 2.0), slow, rest), (verdict(0, 8.0, 2.0), fast, rest))
        ]
        assert kept == [[str(ONE)], [str(ONE), str(TWO)]]

    def test_keeps_a_large_table_that_saves_more_than_it_costs(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, 700, 2.5))
        assert len(task.change("verdicts", tables=tables).answer().report.tables) == 2

    def test_gives_up_what_saves_least_where_the_tables_take_more_than_is_allowed(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, 700, 2.5))
        answer = task.change("verdicts", tables=tables).change("workload", max_storage_bytes=1000).answer()
        assert len(answer.report.tables) == 1
        assert any("more than the 1,000 bytes allowed" in rejected.why for rejected in answer.report.rejected)

    def test_gives_up_a_small_table_for_a_large_one_that_saves_more(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 400, 1.5), TableMeasure(TWO, 30, 900, 2.5))
        texts = (verdict(0, 2.0, 1.0), verdict(1, 30.0, 0.5), verdict(2, 1.0, None, verdict=Verdict.UNCHANGED))
        limited = task.change("verdicts", tables=tables, texts=texts).change("workload", max_storage_bytes=1000)
        assert [table.name for table in limited.answer().report.tables] == [str(TWO)]

    def test_sends_what_read_it_another_way_that_was_verified(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, 70_000, 2.5))
        texts = (verdict(0, 8.0, 2.0), verdict(1, 3.0, 2.5), verdict(2, 1.0, None, verdict=Verdict.UNCHANGED))
        ways = (RewrittenText(1, "slow 1", (ONE,), ("roll_up",)), RewrittenText(1, "other 1", (ONE,), ("roll_up",)))
        changed = task.change("rewrite", others={1: ways})
        spare = (verdict(1, 3.0, 2.7, way=1), verdict(1, 3.0, 2.6, way=2))
        answer = changed.change("verdicts", tables=tables, texts=texts, spare=spare).answer()
        assert [table.name for table in answer.report.tables] == [str(ONE)]
        assert queries_of(answer)["q2"] == "other 1"
        assert answer.report.texts[1].after_s == 2.6

    def test_keeps_everything_where_a_size_is_not_known(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 1.5), TableMeasure(TWO, 30, None, 2.5))
        assert len(task.change("verdicts", tables=tables).answer().report.tables) == 2


class TestNetGain:
    def test_sets_the_seconds_saved_a_day_against_one_refresh(self, task: Task) -> None:
        # q1 and q4 run 10 times and save 6 s, q2 runs 5 times and saves 2.5 s: 72.5 s in 30 days.
        found = task.answer().report.net_gain
        assert found is not None
        assert round(found.saved_s_per_day * 30, 6) == 72.5
        assert found.refresh_s == 4.0
        assert "not worth" not in found.sentence and "every 2 days" in found.sentence

    def test_follows_the_days_that_the_run_quantities_cover(self, task: Task) -> None:
        found = task.change("workload", window_days=1).answer().report.net_gain
        assert found is not None and found.worth_refreshes_per_day == 72.5 / 4
        assert "at most 18 times a day" in found.sentence

    def test_says_when_no_refresh_is_worth_it(self, task: Task) -> None:
        tables = (TableMeasure(ONE, 20, 600, 500.0), TableMeasure(TWO, 30, 400, 2.5))
        found = task.change("verdicts", tables=tables).answer().report.net_gain
        assert found is not None and "not worth a refresh" in found.sentence

    def test_is_not_made_up_where_nothing_was_built(self, task: Task) -> None:
        assert task.change("verdicts", tables=()).answer().report.net_gain is None
