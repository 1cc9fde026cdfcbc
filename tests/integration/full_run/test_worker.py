"""A worker with real children on a real database: every way in which a task may end."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from heavy_stack.backend.jobs import message_sender
from heavy_stack.backend.jobs.wake_up import PostgresSender
from heavy_stack.backend.services import Message, Services
from heavy_stack.bootstrap import build_services
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import Stage, TaskState
from tests.support.workers import child_at, ended, events_of, execute, is_gone, status_of, submit, user_of, working


@pytest.fixture
async def embedded(sqlite_settings: Settings) -> AsyncIterator[Services]:
    """Services on SQLite."""
    services = build_services(sqlite_settings)
    yield services
    await services.close()


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


class TestEnds:
    """How a task may end; whatever the database."""

    async def test_each_task_has_a_child_of_its_own(self, embedded: Services) -> None:
        with working(embedded.settings):
            tasks = [await submit(embedded) for _ in range(3)]
            for task_id in tasks:
                await ended(embedded, task_id)
        pids = set()
        user = await user_of(embedded)
        for task_id in tasks:
            async with embedded.unit_of_work():
                answer = await embedded.tasks.get_answer(user, task_id)
            pids.add(json.loads(gzip.decompress(answer.body_gzip))["pid"])
        assert len(pids) == 3

    async def test_a_task_that_always_kills_its_child_is_given_up(self, embedded: Services) -> None:
        with working(embedded.settings):
            task_id = await submit(embedded, select="die")
            status = await ended(embedded, task_id, within_s=60)
        assert (status.status, status.error) == (TaskState.FAILED, "killed_its_worker")
        assert (await events_of(embedded, task_id)).count("task.claimed") == 5

    async def test_the_second_lack_of_memory_fails_the_task(self, embedded: Services) -> None:
        with working(embedded.settings.model_copy(update={"child_memory_mb": 256})):
            once = await submit(embedded, rewrite="memory_once")
            always = await submit(embedded, rewrite="memory")
            assert (await ended(embedded, once)).status is TaskState.DONE
            status = await ended(embedded, always)
        assert status.error == "out_of_memory"
        assert "256 MiB" in (status.message or "")

    async def test_a_defect_fails_the_task_without_telling_data(self, embedded: Services) -> None:
        with working(embedded.settings):
            status = await ended(embedded, await submit(embedded, verify="defect"))
        assert (status.error, "ValueError" in (status.message or "")) == ("stage_error", True)
        assert "hunter2" not in (status.message or "")

    async def test_a_refusal_keeps_its_own_code_and_message(self, embedded: Services) -> None:
        with working(embedded.settings):
            status = await ended(embedded, await submit(embedded, parse="refuse"))
        assert (status.error, status.message) == ("sql_syntax", "The DDL is no DDL.")

    async def test_what_is_retryable_is_tried_again_later(self, embedded: Services) -> None:
        with working(embedded.settings):
            task_id = await submit(embedded, profile="away_once")
            status = await ended(embedded, task_id)
        assert status.status is TaskState.DONE
        assert (await events_of(embedded, task_id)).count("task.claimed") == 2

    async def test_a_child_that_overruns_the_budget_is_replaced_by_one_in_a_hurry(self, embedded: Services) -> None:
        with working(embedded.settings):
            task_id = await submit(embedded, verify="hang", options={"budget_s": 5})
            status = await ended(embedded, task_id, within_s=20)
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


class TestLostLease:
    async def test_a_worker_that_lost_its_claim_ends_its_child_and_writes_nothing(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, verify="hang")
            pid = await child_at(services, task_id, "verify")
            await execute(services, "UPDATE tasks SET fence = fence + 1, lease_owner = 'another worker'")
            assert is_gone(pid, within_s=4)
            status = await status_of(services, task_id)
        assert (status.status, status.stage, status.queued) == (TaskState.RUNNING, Stage.REWRITE, False)
        assert (await events_of(services, task_id))[-1] == "stage.finished"


class TestOtherVersion:
    async def test_artefacts_of_another_version_restart_the_task_from_ingest(self, services: Services) -> None:
        with working(services.settings):
            task_id = await submit(services, select="slow", slow_s=2.0)
            await child_at(services, task_id, "select")
        await execute(services, "UPDATE artefacts SET version = 0 WHERE name = 'profile'")
        with working(services.settings):
            assert (await ended(services, task_id)).status is TaskState.DONE
        events = await events_of(services, task_id)
        assert events.count("task.restarted") == 1
        assert events.count("stage.finished") == 4 + 8


class TestSeveralWorkers:
    async def test_each_task_is_claimed_and_answered_once(self, services: Services) -> None:
        settings = services.settings.model_copy(update={"worker_concurrency": 2})
        with working(settings), working(settings):
            tasks = [await submit(services, parse="slow", slow_s=0.3) for _ in range(6)]
            for task_id in tasks:
                assert (await ended(services, task_id)).status is TaskState.DONE
        for task_id in tasks:
            events = await events_of(services, task_id)
            assert (events.count("task.claimed"), events.count("task.done")) == (1, 1)


class TestPickUp:
    async def test_an_idle_worker_takes_a_new_task_within_a_tenth_of_a_second(self, services: Services) -> None:
        sender = message_sender(services.settings)
        waits = []
        with working(services.settings):
            await asyncio.sleep(2)  # until its child is warm
            for _ in range(3):
                task_id = await submit(services)
                await sender.send([Message("task.advance", task_id)])
                begun = time.monotonic()
                while (await status_of(services, task_id)).queued:
                    await asyncio.sleep(0.005)
                waits.append(time.monotonic() - begun)
                await ended(services, task_id)
                await asyncio.sleep(1.5)
        if isinstance(sender, PostgresSender):
            await sender.close()
        assert min(waits) < 0.1
