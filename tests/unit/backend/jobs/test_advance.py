"""Tests of how a task's time is planned; tests/integration/full_run advances tasks with real children and databases."""

from __future__ import annotations

import pytest

from heavy_stack.backend.jobs.advance import LAST_GRACE_S, plan_time


class TestPlanTime:
    def test_the_stages_stop_before_the_budget_ends_and_the_child_is_ended_in_time_for_another(self) -> None:
        plan = plan_time(720, 0, hurry=False)
        assert 680 <= plan.left_s < plan.kill_s < 720

    def test_time_spent_in_the_queue_counts(self) -> None:
        assert plan_time(720, 300, hurry=False).left_s == plan_time(720, 0, hurry=False).left_s - 300

    @pytest.mark.parametrize("elapsed_s", [58.5, 60, 5000])
    def test_a_task_whose_budget_is_spent_is_only_written_down(self, elapsed_s: float) -> None:
        plan = plan_time(60, elapsed_s, hurry=False)
        assert plan.left_s <= 0
        assert plan.kill_s == LAST_GRACE_S

    def test_a_child_in_a_hurry_finds_its_deadline_passed(self) -> None:
        assert plan_time(720, 10, hurry=True).left_s <= 0

    def test_the_smallest_budget_leaves_time_to_work(self) -> None:
        plan = plan_time(5, 0, hurry=False)
        assert plan.left_s >= 3
        assert plan.kill_s <= 5

    def test_even_the_last_grace_ends_before_clients_give_up(self) -> None:
        assert 720 + LAST_GRACE_S < 900
