"""Claims under real concurrency: several processes, each with several loops, on one database."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter

import pytest
from sqlalchemy import text

from heavy_stack.backend.data.model_managers.work_managers import ClaimedWork
from heavy_stack.backend.services import Services
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import Stage
from tests.architecture.repository import ROOT
from tests.support.factories import claim, make_user, submit

TASKS = 60
PROCESSES = 4


class TestClaims:
    async def test_no_task_is_claimed_twice(self, services: Services, database_settings: Settings) -> None:
        user = await make_user(services)
        tasks = [await submit(services, user) for _ in range(TASKS)]
        given = database_settings.database_url
        command = [
            *(sys.executable, "-m", "tests.integration.postgres.claiming_process"),
            *(str(database_settings.data_dir), given.get_secret_value() if given else ""),
        ]
        processes = [
            subprocess.Popen([*command, f"process-{n}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for n in range(PROCESSES)
        ]
        claimed: list[list[str]] = []
        for process in processes:
            output, _ = await asyncio.to_thread(process.communicate, timeout=120)
            assert process.returncode == 0
            claimed.append(json.loads(output))
        counts = Counter(task for tasks_of_one in claimed for task in tasks_of_one)
        assert counts == Counter(map(str, tasks))
        async with services.engines.main.reader.connect() as connection:
            row = (await connection.execute(text("SELECT count(*), max(attempts), max(fence) FROM tasks"))).one()
            ended = (
                await connection.execute(text("SELECT count(*) FROM events WHERE type = 'task.done'"))
            ).scalar_one()
        assert (*row, ended) == (TASKS, 1, 1, TASKS)

    async def test_one_task_has_one_winner(self, services: Services) -> None:
        user = await make_user(services)
        task_id = await submit(services, user)
        found = await asyncio.gather(*(services.work.claim_task(task_id, f"w{n}", 60) for n in range(12)))
        assert len([work for work in found if work is not None]) == 1

    async def test_one_dead_workers_task_has_one_heir(self, services: Services) -> None:
        user = await make_user(services)
        await submit(services, user)
        dead = await claim(services, "dead", lease_s=0.01)
        await asyncio.sleep(0.05)
        found = await asyncio.gather(*(services.work.claim(f"w{n}", 60) for n in range(12)))
        (heir,) = [work for work in found if work is not None]
        assert heir.fence == dead.fence + 1

    async def test_only_one_of_two_rivals_writes(self, services: Services) -> None:
        """A worker that stalls past its lease, its heir, and both saving at the same moment."""
        user = await make_user(services)
        task_id = await submit(services, user)
        for _ in range(3):
            slow = await claim(services, "slow", lease_s=0.01)
            await asyncio.sleep(0.05)
            heir = await claim(services, "heir", lease_s=0.01)

            async def save(work: ClaimedWork, content: bytes) -> bool:
                return await services.work.save_stage(work, Stage.INGEST, content)

            assert await asyncio.gather(save(slow, b"slow"), save(heir, b"heir")) == [False, True]
            assert (await services.work.read_inputs(heir)).artefacts == {Stage.INGEST: b"heir"}
            await services.work.release(heir)
        async with services.unit_of_work():
            events = [event.type for event in await services.tasks.list_events(user, task_id)]
        assert events.count("stage.finished") == 3

    async def test_cancel_and_finish_at_once_leave_one_end(self, services: Services) -> None:
        user = await make_user(services)
        for _ in range(10):
            task_id = await submit(services, user)
            work = await claim(services, lease_s=0.0)  # its lease is over, so a cancel may end it at once

            async def cancel(task_id: object = task_id) -> None:
                async with services.unit_of_work():
                    await services.tasks.cancel(user, task_id)

            finished, _ = await asyncio.gather(
                services.work.finish(work, b"answer", "e"), cancel(), return_exceptions=True
            )
            async with services.unit_of_work():
                events = [event.type for event in await services.tasks.list_events(user, task_id)]
                task = await services.tasks.get_task(user, task_id)
            assert events[2:] == (["task.done"] if finished else ["task.cancelled"])
            assert task.state == ("DONE" if finished else "FAILED")


class TestStatusUnderLoad:
    @pytest.mark.timeout(60)
    async def test_reads_do_not_wait_for_writers(self, services: Services) -> None:
        user = await make_user(services)
        task_id = await submit(services, user)
        slowest_s = 0.0
        async with services.unit_of_work():
            await services.users.ensure_user("holds the write lock on SQLite")
            for _ in range(50):
                start = time.monotonic()
                await asyncio.create_task(self._status_elsewhere(services, user, task_id))
                slowest_s = max(slowest_s, time.monotonic() - start)
        assert slowest_s < 1

    @staticmethod
    async def _status_elsewhere(services: Services, user: object, task_id: object) -> None:
        from heavy_stack.backend.data.db_connection import db_session

        db_session.set(None)  # another request's context
        assert (await services.tasks.get_status(user, task_id)).queued
