"""WorkManager: claims, leases, fences, ends. Real concurrency: tests/integration/postgres/test_claims.py."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text, update

from heavy_stack.backend.data.model_managers.work_managers import MAX_ATTEMPTS, ClaimedWork
from heavy_stack.backend.data.sql_models import SQLArtefact, SQLTask
from heavy_stack.backend.services import Services
from heavy_stack.errors import Conflict, TaskFailed
from heavy_stack.shared_models.tasks import Stage, TaskState
from heavy_stack.shared_models.users import User
from tests.support.factories import SMALL_URL, answer_body, claim, make_user, submit

WITH_PASSWORD = SMALL_URL + "?user=ann&password=planted"


@pytest.fixture
async def user(services: Services) -> User:
    return await make_user(services)


async def event_types(services: Services, user: User, task_id) -> list[str]:
    async with services.unit_of_work():
        return [event.type for event in await services.tasks.list_events(user, task_id)]


async def stored_credentials(services: Services) -> object:
    async with services.engines.main.reader.connect() as connection:
        return (await connection.execute(text("SELECT credentials FROM tasks"))).scalar_one()


class TestClaim:
    async def test_takes_the_oldest_task(self, services: Services, user: User) -> None:
        first, second = await submit(services, user), await submit(services, user)
        assert [(await claim(services)).task_id for _ in range(2)] == [first, second]
        assert await services.work.claim("w", 30) is None

    async def test_says_what_was_claimed(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, options={"budget_s": 90})
        work = await claim(services, "w7")
        assert (work.task_id, work.worker, work.kind, work.fence, work.attempts) == (task_id, "w7", "advise", 1, 1)
        assert work.budget_s == 90
        assert 0 <= work.elapsed_s < 5

    async def test_a_held_task_is_not_free(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        await claim(services)
        assert await services.work.claim("other", 30) is None
        assert await services.work.claim_task(task_id, "other", 30) is None
        assert await services.work.list_claimable(10) == []

    async def test_an_ended_lease_makes_it_free_again(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        await claim(services, "dead", lease_s=0.05)
        await asyncio.sleep(0.1)
        assert await services.work.list_claimable(10) == [task_id]
        again = await claim(services, "alive")
        assert (again.task_id, again.fence, again.attempts) == (task_id, 2, 2)
        assert again.elapsed_s > 0.05

    async def test_one_id_may_be_asked_for(self, services: Services, user: User) -> None:
        await submit(services, user)
        second = await submit(services, user)
        work = await services.work.claim_task(second, "w", 30)
        assert work is not None
        assert work.task_id == second

    async def test_a_task_that_kills_its_workers_fails(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, url=WITH_PASSWORD)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            assert (await claim(services, lease_s=0.001)).attempts == attempt
            await asyncio.sleep(0.01)
        assert await services.work.claim("w", 30) is None
        status = await services.tasks.get_status(user, task_id)
        assert (status.status, status.error) == (TaskState.FAILED, "killed_its_worker")
        assert await stored_credentials(services) is None
        assert (await event_types(services, user, task_id))[-1] == "task.failed"

    async def test_goes_on_to_the_next_after_ending_one(self, services: Services, user: User) -> None:
        await submit(services, user)
        for _ in range(MAX_ATTEMPTS):
            await claim(services, lease_s=0.001)
            await asyncio.sleep(0.01)
        second = await submit(services, user)
        assert (await claim(services)).task_id == second


class TestBeat:
    async def test_extends_the_lease_and_reports(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services, lease_s=0.2)
        beat = await services.work.beat(work, 30, 0.25, "Counting")
        assert (beat.held, beat.cancelled) == (True, False)
        await asyncio.sleep(0.3)
        assert await services.work.list_claimable(1) == []
        status = await services.tasks.get_status(user, task_id)
        assert (status.progress, status.activity, status.queued) == (0.25, "Counting", False)

    async def test_what_is_not_given_stays(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services)
        await services.work.beat(work, 30, 0.25, "Counting")
        await services.work.beat(work, 30)
        status = await services.tasks.get_status(user, task_id)
        assert (status.progress, status.activity) == (0.25, "Counting")

    async def test_a_lost_claim_is_not_held(self, services: Services, user: User) -> None:
        await submit(services, user)
        work = await claim(services, "slow", lease_s=0.001)
        await asyncio.sleep(0.01)
        await claim(services, "fast")
        assert not (await services.work.beat(work, 30)).held


class TestReadInputs:
    async def test_returns_request_credentials_and_artefacts(self, services: Services, user: User) -> None:
        await submit(services, user, url=WITH_PASSWORD)
        work = await claim(services)
        await services.work.save_stage(work, Stage.INGEST, b'{"a":1}')
        inputs = await services.work.read_inputs(work)
        assert b"planted" not in inputs.request
        assert b"lake.shop.sale" in inputs.request
        assert inputs.credentials == {"password": "planted"}
        assert inputs.artefacts == {Stage.INGEST: b'{"a":1}'}
        assert inputs.artefacts_current

    async def test_artefacts_of_another_version_are_left_out(self, services: Services, user: User) -> None:
        await submit(services, user)
        work = await claim(services)
        await services.work.save_stage(work, Stage.INGEST, b"{}")
        async with services.unit_of_work() as session:
            await session.exec(update(SQLArtefact).where(SQLArtefact.name == "ingest").values(version=0))
        inputs = await services.work.read_inputs(work)
        assert (inputs.artefacts_current, inputs.artefacts) == (False, {})
        assert await services.work.restart(work)
        assert (await services.work.read_inputs(work)).artefacts_current

    async def test_a_lost_claim_reads_nothing(self, services: Services, user: User) -> None:
        await submit(services, user)
        work = await claim(services, lease_s=0.001)
        await asyncio.sleep(0.01)
        await claim(services, "other")
        with pytest.raises(Conflict, match="another worker"):
            await services.work.read_inputs(work)


class TestSaveStage:
    async def test_moves_the_stage_on(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services)
        assert await services.work.save_stage(work, Stage.INGEST, b"{}")
        assert await services.work.save_stage(work, Stage.PARSE, b"{}")
        status = await services.tasks.get_status(user, task_id)
        assert (status.stage, status.progress) == (Stage.PARSE, 0.25)

    async def test_a_stage_may_be_saved_again(self, services: Services, user: User) -> None:
        await submit(services, user)
        work = await claim(services)
        for content in (b"first", b"second"):
            assert await services.work.save_stage(work, Stage.INGEST, content)
        assert (await services.work.read_inputs(work)).artefacts == {Stage.INGEST: b"second"}


class TestFinish:
    async def test_ends_the_task_and_stores_the_answer(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, url=WITH_PASSWORD)
        work = await claim(services)
        body = answer_body(task_id)
        assert await stored_credentials(services) is not None
        assert await services.work.finish(work, body, '"e1"')
        status = await services.tasks.get_status(user, task_id)
        assert (status.status, status.stage, status.progress) == (TaskState.DONE, Stage.REPORT, 1.0)
        answer = await services.tasks.get_answer(user, task_id)
        assert (answer.body_gzip, answer.etag) == (body, '"e1"')
        assert await stored_credentials(services) is None

    async def test_nothing_can_be_written_afterwards(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services)
        await services.work.finish(work, answer_body(task_id), "e1")
        assert not await services.work.finish(work, b"other", "e2")
        assert not await services.work.fail(work, "x", "y")
        assert not await services.work.save_stage(work, Stage.PARSE, b"{}")
        assert (await services.tasks.get_answer(user, task_id)).etag == "e1"


class TestFail:
    async def test_keeps_code_and_message(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, url=WITH_PASSWORD)
        assert await services.work.fail(await claim(services), "sql_syntax", "Line 1 does not parse.")
        with pytest.raises(TaskFailed, match="Line 1 does not parse") as caught:
            await services.tasks.get_answer(user, task_id)
        assert caught.value.code == "sql_syntax"
        assert await stored_credentials(services) is None


class TestRelease:
    async def test_frees_the_task_and_does_not_count(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        for _ in range(MAX_ATTEMPTS + 3):
            assert await services.work.release(await claim(services))
        assert (await services.tasks.get_status(user, task_id)).queued
        again = await claim(services)
        assert (again.attempts, again.fence) == (1, MAX_ATTEMPTS + 4)


class TestRestart:
    async def test_forgets_what_was_made(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services)
        await services.work.save_stage(work, Stage.INGEST, b"{}")
        assert await services.work.restart(work)
        assert (await services.work.read_inputs(work)).artefacts == {}
        status = await services.tasks.get_status(user, task_id)
        assert (status.stage, status.progress) == (None, 0.0)


class TestFence:
    @pytest.fixture
    async def lost(self, services: Services, user: User) -> ClaimedWork:
        """A claim whose lease ended and which another worker has taken over, under the same name even."""
        await submit(services, user)
        work = await claim(services, "same name", lease_s=0.001)
        await asyncio.sleep(0.01)
        await claim(services, "same name")
        return work

    async def test_refuses_every_write_of_an_old_claim(self, services: Services, user: User, lost: ClaimedWork) -> None:
        before = await event_types(services, user, lost.task_id)
        assert not (await services.work.beat(lost, 30, 0.9)).held
        assert not await services.work.save_stage(lost, Stage.INGEST, b"{}")
        assert not await services.work.finish(lost, b"", "e")
        assert not await services.work.fail(lost, "x", "y")
        assert not await services.work.release(lost)
        assert not await services.work.restart(lost)
        status = await services.tasks.get_status(user, lost.task_id)
        assert (status.status, status.stage, status.progress) == (TaskState.RUNNING, None, 0.0)
        assert await event_types(services, user, lost.task_id) == before
        async with services.engines.main.reader.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM artefacts"))).scalar_one() == 1


class TestEvents:
    async def test_tell_the_whole_story_in_order(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services)
        await services.work.save_stage(work, Stage.INGEST, b"{}")
        await services.work.finish(work, answer_body(task_id), "e")
        async with services.unit_of_work():
            events = await services.tasks.list_events(user, task_id)
            later = await services.tasks.list_events(user, task_id, after=events[1].seq)
        assert [e.type for e in events] == ["task.submitted", "task.claimed", "stage.finished", "task.done"]
        assert [e.seq for e in events] == sorted(e.seq for e in events)
        assert events[2].data["stage"] == "ingest"
        assert later == events[2:]


class TestBudget:
    async def test_counts_from_the_first_claim(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        first = await claim(services)
        async with services.unit_of_work() as session:
            row = await session.get(SQLTask, task_id)
            assert row is not None
            started_at = row.started_at
        await services.work.release(first)
        await claim(services)
        assert (await self._started(services, task_id)) == started_at

    @staticmethod
    async def _started(services: Services, task_id: object) -> object:
        async with services.unit_of_work() as session:
            row = await session.get(SQLTask, task_id)
            assert row is not None
            return row.started_at
