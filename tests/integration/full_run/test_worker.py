"""A worker with real children on a real database: every way in which a task may end."""

from __future__ import annotations

import gzip
import json
import os
import signal

from heavy_stack.backend.services import Services
from heavy_stack.shared_models.tasks import Stage, TaskState
from tests.support.workers import child_at, ended, events_of, is_gone, status_of, submit, user_of, working


class TestAdvance:
    async def test_a_task_is_answered_with_one_event_per_stage(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services)
            status = await ended(services, task_id)
        assert status.status is TaskState.DONE
        assert status.stage is Stage.REPORT
        stages = ["stage.finished"] * 8
        assert await events_of(services, task_id) == ["task.submitted", "task.claimed", *stages, "task.done"]
        user = await user_of(services)
        async with services.unit_of_work():
            answer = await services.tasks.get_answer(user, task_id)
        assert json.loads(gzip.decompress(answer.body_gzip))["taskid"] == str(task_id)

    async def test_each_task_has_a_child_of_its_own(self, services: Services) -> None:
        with working(services.settings):
            tasks = [await submit(services) for _ in range(3)]
            for task_id in tasks:
                await ended(services, task_id)
        pids = set()
        user = await user_of(services)
        for task_id in tasks:
            async with services.unit_of_work():
                answer = await services.tasks.get_answer(user, task_id)
            pids.add(json.loads(gzip.decompress(answer.body_gzip))["pid"])
        assert len(pids) == 3

    async def test_a_killed_child_is_replaced_and_finished_stages_are_kept(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, profile="slow", slow_s=1.5)
            os.kill(await child_at(services, task_id, "profile"), signal.SIGKILL)
            status = await ended(services, task_id)
        assert status.status is TaskState.DONE
        events = await events_of(services, task_id)
        assert events.count("task.claimed") == 2
        assert events.count("stage.finished") == 8
        assert events.count("task.done") == 1

    async def test_a_task_that_always_kills_its_child_is_given_up(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, select="die")
            status = await ended(services, task_id, within_s=60)
        assert (status.status, status.error) == (TaskState.FAILED, "killed_its_worker")
        assert (await events_of(services, task_id)).count("task.claimed") == 5

    async def test_the_second_lack_of_memory_fails_the_task(self, services: Services) -> None:
        with working(services.settings.model_copy(update={"child_memory_mb": 256})):
            once = await submit(services, rewrite="memory_once")
            always = await submit(services, rewrite="memory")
            assert (await ended(services, once)).status is TaskState.DONE
            status = await ended(services, always)
        assert status.error == "out_of_memory"
        assert "256 MiB" in (status.message or "")

    async def test_a_defect_fails_the_task_without_telling_data(self, services: Services) -> None:
        with working(services.settings):
            status = await ended(services, await submit(services, verify="defect"))
        assert (status.error, "ValueError" in (status.message or "")) == ("stage_error", True)
        assert "hunter2" not in (status.message or "")

    async def test_a_refusal_keeps_its_own_code_and_message(self, services: Services) -> None:
        with working(services.settings):
            status = await ended(services, await submit(services, parse="refuse"))
        assert (status.error, status.message) == ("sql_syntax", "The DDL is no DDL.")

    async def test_what_is_retryable_is_tried_again_later(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, profile="away_once")
            status = await ended(services, task_id)
        assert status.status is TaskState.DONE
        assert (await events_of(services, task_id)).count("task.claimed") == 2

    async def test_a_child_that_overruns_the_budget_is_replaced_by_one_in_a_hurry(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, verify="hang", options={"budget_s": 5})
            status = await ended(services, task_id, within_s=20)
        assert status.status is TaskState.DONE


class TestCancel:
    async def test_a_cancelled_task_ends_and_so_does_its_child(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, verify="hang")
            pid = await child_at(services, task_id, "verify")
            user = await user_of(services)
            async with services.unit_of_work():
                await services.tasks.cancel(user, task_id)
            status = await ended(services, task_id, within_s=5)
            assert (status.status, status.error) == (TaskState.FAILED, "cancelled")
            assert is_gone(pid)
        assert (await events_of(services, task_id)).count("task.cancelled") == 1


class TestStop:
    async def test_a_stopping_worker_gives_its_task_back_unharmed(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, select="slow", slow_s=2.0)
            pid = await child_at(services, task_id, "select")
        assert is_gone(pid)
        assert (await status_of(services, task_id)).queued
        with working(services.settings):
            assert (await ended(services, task_id)).status is TaskState.DONE
        assert (await events_of(services, task_id)).count("stage.finished") == 8
