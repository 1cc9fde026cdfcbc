"""TaskManager: what owners see."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from heavy_stack import bootstrap
from heavy_stack.backend.services import Message, Services
from heavy_stack.errors import Conflict, NotFound, TaskFailed, WorkloadFormat
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import Stage, TaskState
from heavy_stack.shared_models.users import User
from tests.support.factories import SMALL_URL, answer_body, claim, make_user, submit, workload_body

PLANTED = "planted-password-7291"


class RecordingSender:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def send(self, messages: list[Message]) -> None:
        self.sent.extend(messages)


@pytest.fixture
def sender() -> RecordingSender:
    return RecordingSender()


@pytest.fixture
async def services(database_settings: Settings, sender: RecordingSender):
    services = bootstrap.build_services(database_settings, sender=sender)
    yield services
    await services.close()


@pytest.fixture
async def user(services: Services) -> User:
    return await make_user(services)


@pytest.fixture
async def stranger(services: Services) -> User:
    return await make_user(services, "stranger")


class TestSubmit:
    async def test_stores_a_waiting_task_and_tells_a_worker(
        self, services: Services, user: User, sender: RecordingSender
    ) -> None:
        task_id = await submit(services, user)
        status = await services.tasks.get_status(user, task_id)
        assert (status.status, status.queued, status.stage, status.progress) == (TaskState.RUNNING, True, None, 0.0)
        assert sender.sent == [Message("task.advance", task_id)]

    async def test_keeps_what_the_lists_show(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, options={"verify": "none", "budget_s": 60})
        async with services.unit_of_work():
            task = await services.tasks.get_task(user, task_id)
        assert (task.url, task.query_count, task.table_count, task.kind) == (SMALL_URL, 1, 1, "advise")

    async def test_a_broken_body_stores_and_sends_nothing(
        self, services: Services, user: User, sender: RecordingSender
    ) -> None:
        with pytest.raises(WorkloadFormat):
            await submit(services, user, ddl=[])
        async with services.unit_of_work():
            assert await services.tasks.list_tasks(user) == []
        assert sender.sent == []

    async def test_a_rollback_drops_task_and_message(
        self, services: Services, user: User, sender: RecordingSender
    ) -> None:
        with pytest.raises(ZeroDivisionError):
            async with services.unit_of_work():
                await services.tasks.submit(user, workload_body())
                raise ZeroDivisionError
        async with services.unit_of_work():
            assert await services.tasks.list_tasks(user) == []
        assert sender.sent == []

    async def test_no_file_ever_holds_the_password(self, services: Services, user: User, tmp_path: Path) -> None:
        await submit(services, user, url=f"{SMALL_URL}?user=ann&password={PLANTED}")
        async with services.engines.main.reader.connect() as connection:
            for table in ("tasks", "artefacts", "events"):
                rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()
                assert rows
                assert PLANTED not in repr(rows)
        content = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
        assert PLANTED.encode() not in content

    async def test_the_limit_of_open_tasks_holds(self, database_settings: Settings) -> None:
        services = bootstrap.build_services(database_settings.model_copy(update={"max_open_tasks": 2}))
        user = await make_user(services)
        first, _ = await submit(services, user), await submit(services, user)
        with pytest.raises(Conflict, match="2 of your tasks") as caught:
            await submit(services, user)
        assert (caught.value.code, caught.value.status) == ("too_many_tasks", 429)
        async with services.unit_of_work():
            await services.tasks.cancel(user, first)
        await submit(services, user)
        await services.close()


class TestOwnership:
    async def test_another_users_task_looks_unknown(self, services: Services, user: User, stranger: User) -> None:
        task_id = await submit(services, user)
        unknown = uuid4()
        calls = ["get_status", "get_task", "list_events", "cancel", "get_answer", "get_result", "get_report"]
        for name in [*calls, "get_download"]:
            messages = []
            for wanted in (task_id, unknown):
                with pytest.raises(NotFound) as caught:
                    async with services.unit_of_work():
                        await getattr(services.tasks, name)(stranger, wanted)
                messages.append((caught.value.message, caught.value.code, caught.value.context))
            assert messages[0] == messages[1], name
        assert (await services.tasks.get_status(user, task_id)).status is TaskState.RUNNING

    async def test_a_kept_answer_stays_its_owners(self, services: Services, user: User, stranger: User) -> None:
        task_id = await submit(services, user)
        await services.work.finish(await claim(services), answer_body(task_id), "e")
        await services.tasks.get_answer(user, task_id)
        with pytest.raises(NotFound):
            await services.tasks.get_answer(stranger, task_id)

    async def test_lists_are_the_users_own_newest_first(self, services: Services, user: User, stranger: User) -> None:
        mine = [await submit(services, user) for _ in range(3)]
        await submit(services, stranger)
        async with services.unit_of_work():
            assert [task.id for task in await services.tasks.list_tasks(user)] == mine[::-1]
            assert [task.id for task in await services.tasks.list_tasks(user, limit=1)] == mine[-1:]


class TestGetStatus:
    async def test_is_one_select_of_columns(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        statements: list[str] = []
        for engine in (services.engines.main.reader, services.engines.main.writer):
            event.listen(
                engine.sync_engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
            )
        await services.tasks.get_status(user, task_id)
        assert len(statements) == 1
        assert statements[0].startswith("SELECT tasks.id, tasks.state")
        assert "credentials" not in statements[0]

    async def test_sees_what_its_own_unit_of_work_wrote(self, services: Services, user: User) -> None:
        async with services.unit_of_work():
            task_id = await services.tasks.submit(user, workload_body())
            assert (await services.tasks.get_status(user, task_id)).queued

    async def test_estimates_the_time_left(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, options={"budget_s": 60})
        work = await claim(services)
        assert (await services.tasks.get_status(user, task_id)).seconds_left is None
        await services.work.beat(work, 30, 0.5)
        left_s = (await services.tasks.get_status(user, task_id)).seconds_left
        assert left_s is not None
        assert 0 <= left_s <= 60


class TestCancel:
    async def test_ends_a_waiting_task_at_once(self, services: Services, user: User) -> None:
        task_id = await submit(services, user, url=f"{SMALL_URL}?password={PLANTED}")
        async with services.unit_of_work():
            status = await services.tasks.cancel(user, task_id)
            events = [e.type for e in await services.tasks.list_events(user, task_id)]
        assert (status.status, status.error) == (TaskState.FAILED, "cancelled")
        assert events == ["task.submitted", "task.cancelled"]
        assert await services.work.claim("w", 30) is None
        async with services.engines.main.reader.connect() as connection:
            assert (await connection.execute(text("SELECT credentials FROM tasks"))).scalar_one() is None

    async def test_asks_the_worker_of_a_held_task(
        self, services: Services, user: User, sender: RecordingSender
    ) -> None:
        task_id = await submit(services, user)
        work = await claim(services)
        async with services.unit_of_work():
            assert (await services.tasks.cancel(user, task_id)).status is TaskState.RUNNING
        assert sender.sent[-1] == Message("task.cancel", task_id)
        beat = await services.work.beat(work, 30)
        assert (beat.held, beat.cancelled) == (True, True)
        assert await services.work.fail(work, "cancelled", "The task was cancelled.")
        async with services.unit_of_work():
            events = [e.type for e in await services.tasks.list_events(user, task_id)]
        assert events == ["task.submitted", "task.claimed", "task.cancelled"]

    async def test_a_claim_ends_what_a_dead_worker_left(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services, lease_s=30)
        async with services.unit_of_work():
            await services.tasks.cancel(user, task_id)
        # The worker was told, gives the task back, and the next claim ends it.
        await services.work.release(work)
        assert await services.work.claim("next", 30) is None
        assert (await services.tasks.get_status(user, task_id)).error == "cancelled"

    async def test_ends_a_task_whose_worker_is_gone(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        work = await claim(services, lease_s=0.0)
        async with services.unit_of_work():
            status = await services.tasks.cancel(user, task_id)
        assert status.status is TaskState.FAILED
        assert not await services.work.save_stage(work, Stage.INGEST, b"{}")

    async def test_twice_is_no_error(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        for _ in range(2):
            async with services.unit_of_work():
                assert (await services.tasks.cancel(user, task_id)).error == "cancelled"
        async with services.unit_of_work():
            assert len(await services.tasks.list_events(user, task_id)) == 2

    async def test_what_is_done_stays_done(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        await services.work.finish(await claim(services), answer_body(task_id), "e")
        with pytest.raises(Conflict, match="DONE already") as caught:
            async with services.unit_of_work():
                await services.tasks.cancel(user, task_id)
        assert caught.value.code == "already_finished"


class TestGetAnswer:
    async def test_before_the_end_is_a_conflict(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        with pytest.raises(Conflict) as caught:
            await services.tasks.get_answer(user, task_id)
        assert caught.value.code == "not_finished"
        assert caught.value.context["status"] == "RUNNING"
        assert caught.value.context["retry_after_s"] > 0

    async def test_after_a_failure_tells_the_tasks_own_error(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        await services.work.fail(await claim(services), "no_ddl", "No table is left.")
        with pytest.raises(TaskFailed, match="No table is left") as caught:
            await services.tasks.get_answer(user, task_id)
        assert (caught.value.code, caught.value.status) == ("no_ddl", 422)

    async def test_asks_the_database_once(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        await services.work.finish(await claim(services), answer_body(task_id), "e")
        first = await services.tasks.get_answer(user, task_id)
        await services.close()
        assert await services.tasks.get_answer(user, task_id) is first


class TestGetResult:
    async def test_parses_the_answer(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        body = answer_body(task_id, ddl=[{"statement": "CREATE SCHEMA lake.advised_1"}])
        await services.work.finish(await claim(services), body, "e")
        view = await services.tasks.get_result(user, task_id)
        assert view.taskid == task_id
        assert [item.statement for item in view.ddl] == ["CREATE SCHEMA lake.advised_1"]
        assert [(q.queryid, q.query) for q in view.queries] == [("q1", "SELECT 1")]
        assert view.report == await services.tasks.get_report(user, task_id)
        assert json.loads(gzip.decompress(body))["report"]["headline"] == view.report.headline


class TestGetDownload:
    async def test_is_a_zip(self, services: Services, user: User) -> None:
        task_id = await submit(services, user)
        await services.work.finish(await claim(services), answer_body(task_id), "e")
        assert (await services.tasks.get_download(user, task_id))[:4] == b"PK\x03\x04"
