"""The score, from measured times."""

from __future__ import annotations

import pytest

from dev_scripts.bench import summary, tables_of_figures
from dev_scripts.bench.figures import (
    Measured,
    by_cpu,
    hit_share,
    rewritten_share,
    score,
    shifted_figures,
    slowest,
    verdict_counts,
    wrong,
)


def query(queryid: str, before: float, after: float, runs: int = 1, verdict: str = "EQUAL_ON_DATA") -> Measured:
    return Measured(queryid, runs, before, after, verdict, before_cpu_s=before, after_cpu_s=after)


FAST = query("fast", 8.0, 1.0, runs=3)
SAME = query("same", 2.0, 2.0, verdict="UNCHANGED")


class TestScore:
    def test_is_a_mean_of_ratios_times_the_root_of_the_storage_share(self) -> None:
        row = score([FAST, SAME], source_bytes=7, design_bytes=1)["runs"]
        x = (3 * 8 + 1) / 4
        assert row["x"] == pytest.approx(x)
        assert row["time_ratio"] == pytest.approx((3 * 8 + 2) / (3 * 1 + 2))
        assert row["z_total"] == pytest.approx(x * (7 / 8) ** (1 / 3))
        assert row["z_new"] == pytest.approx(x * 7 ** (1 / 3))

    def test_weighs_queries_three_ways(self) -> None:
        table = score([FAST, SAME], 1, 0)
        assert table["equal"]["x"] == pytest.approx(4.5)
        assert table["load"]["x"] == pytest.approx((24 * 8 + 2 * 1) / 26)
        assert table["load"]["z_new"] is None

    def test_counts_cpu_seconds_beside(self) -> None:
        busy = Measured("busy", 1, 900.0, 1.0, "EQUAL_ON_DATA", before_cpu_s=6.0, after_cpu_s=2.0)
        assert score(by_cpu([busy]), 1, 0)["runs"]["x"] == 3.0


class TestShares:
    def test_count_a_hit_only_when_it_is_clearly_faster(self) -> None:
        slow = query("slow", 1.0, 0.8, runs=4)
        assert hit_share([FAST, slow, SAME]) == pytest.approx(3 / 8)
        assert rewritten_share([FAST, slow, SAME]) == pytest.approx(7 / 8)

    def test_find_the_slowest_and_the_wrong(self) -> None:
        bad = Measured("bad", 1, 1.0, 2.0, "EQUAL_BY_RULE", equal=False)
        found = slowest([FAST, bad, SAME])
        assert found is bad
        assert wrong([FAST, bad, SAME]) == [bad]
        assert verdict_counts([FAST, bad]) == {"EQUAL_ON_DATA": 1, "EQUAL_BY_RULE": 1}


class TestShifted:
    def test_hard_kept_looks_only_at_hits_whose_row_filter_moved(self) -> None:
        before = [query("a", 4, 1), query("b", 4, 1), query("c", 4, 1), SAME]
        after = [query("a", 4, 1), query("b", 4, 4, verdict="UNCHANGED"), query("c", 4, 1), SAME]
        figures = shifted_figures(before, after, {"a", "b", "c"}, {"a", "b", "same"})
        assert figures["hard_kept"] == pytest.approx(0.5)
        assert figures["hard_weight"] == pytest.approx(0.5)
        assert (figures["hit_before"], figures["hit_after"]) == (0.75, 0.5)
        assert figures["lost"] == ["b"]

    def test_says_when_too_little_moved_to_prove_anything(self) -> None:
        row = shifted_figures([FAST, SAME], [FAST, SAME], set(), set())
        row |= {"groups": 4, "groups_moved": 2, "restored": 0, "z_shifted": 6.0, "queries": [vars(FAST)]}
        figures = {"source_bytes": 7, "design_bytes": 1, "shifted": {"1": row}}
        text = tables_of_figures.shifted_table(figures, [FAST, SAME])
        assert "proves little" in text
        assert "hard kept - " in text


class TestTables:
    def test_print_what_is_bad_too(self) -> None:
        figures = {
            "workload": "w",
            "answer_s": 3.0,
            "build_s": 1.0,
            "tables": 2,
            "source_bytes": 100,
            "design_bytes": 3,
        }
        bad = Measured("bad", 1, 1.0, 2.0, "EQUAL_BY_RULE", equal=False)
        text = tables_of_figures.main_table(figures, [FAST, bad, SAME])
        assert "wrong             1 bad" in text
        assert "below 0.9×: 1 bad 0.50" in text
        assert "3 of 100 bytes = 3.00%" in text
        assert tables_of_figures.all_wrong({"shifted": {"2": {"wrong": ["q"]}}}, [bad]) == ["bad", "q (seed 2)"]
        baseline = {"plain copy": {"bytes": 100, "queries": [{**vars(SAME)}]}}
        assert "z_total 0.79" in tables_of_figures.baseline_table(baseline, 100)


class TestSummary:
    def test_has_a_line_for_each_run_and_seed(self) -> None:
        row = shifted_figures([FAST, SAME], [FAST, SAME], {"fast"}, {"fast"})
        row |= {"groups": 4, "groups_moved": 2, "restored": 0, "z_shifted": 6.0, "queries": [vars(FAST)]}
        run = {
            "workload": "w",
            "at": "2026-01-01 10:00",
            "answer_s": 3.0,
            "build_s": 1.0,
            "tables": 2,
            "source_bytes": 1_000_000,
            "design_bytes": 30_000,
            "queries": [vars(FAST), vars(SAME)],
            "baselines": {"plain copy": {"bytes": 1_000_000, "queries": [vars(SAME)]}},
            "shifted": {"1": row},
        }
        text = summary.tables([run])
        assert "| w | 1 of 2 | 75% | 75% | 0 | 2 | 3.0% of 1 MB | 1 s | 3 s | 8.00× (fast) | 0 |" in text
        assert "| w | plain copy | 100% | 1.00 | 1.00 | 0.79 | 1.00 |" in text
        assert "| w | 1 | 75% of the runs | 100% of 75% | 6.00 |" in text
        assert "1 EQUAL_ON_DATA, 1 UNCHANGED" in text
