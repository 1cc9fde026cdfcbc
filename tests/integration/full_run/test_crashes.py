"""kill −9 at any process of a running server: with no human action the task is done, and its effects happened once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest

from heavy_stack.backend.services import Services
from heavy_stack.bootstrap import build_services
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import TaskId, TaskState
from tests.support.databases import PostgresqlDatabases, SqliteDatabases
from tests.support.servers import TinyServer, tiny_server
from tests.support.settings import make_settings
from tests.support.workers import child_at, ended, events_of, is_gone, status_of, submit, user_of

ALONE_S = 5.0  # what the task takes when nothing is killed, on a busy machine
GRACE_S = 15.0


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_databases: SqliteDatabases
) -> Iterator[TinyServer]:
    """One running server for each kind of database."""
    folder = tmp_path_factory.mktemp("server") / "data"
    if request.param == "sqlite":
        sqlite_databases.create(folder)
        with tiny_server(make_settings(folder)) as server:
            yield server
    else:
        databases: PostgresqlDatabases = request.getfixturevalue("postgresql_databases")
        name = databases.create()
        with tiny_server(make_settings(folder, databases.url(name))) as server:
            yield server
        databases.drop(name)


@pytest.fixture
async def services(server: TinyServer) -> AsyncIterator[Services]:
    """Services on the server's database."""
    services = build_services(server.settings)
    yield services
    await services.close()


async def _done_once(services: Services, task_id: TaskId, killed_at: float) -> None:
    status = await ended(services, task_id, within_s=60)
    assert status.status is TaskState.DONE
    assert time.monotonic() - killed_at < ALONE_S + GRACE_S
    events = await events_of(services, task_id)
    assert events.count("task.done") == 1
    assert events.count("stage.finished") == 8
    user = await user_of(services)
    async with services.unit_of_work():
        assert (await services.tasks.get_answer(user, task_id)).body_gzip


class TestKill:
    async def test_the_child_is_replaced_at_once(self, services: Services) -> None:
        task_id = await submit(services, verify="slow")
        os.kill(await child_at(services, task_id, "verify"), signal.SIGKILL)
        await _done_once(services, task_id, time.monotonic())

    async def test_the_worker_process_is_replaced_and_its_child_ends_with_it(
        self, server: TinyServer, services: Services
    ) -> None:
        task_id = await submit(services, verify="slow")
        child = await child_at(services, task_id, "verify")
        os.kill(server.worker_pid(child), signal.SIGKILL)
        killed_at = time.monotonic()
        assert is_gone(child, within_s=1)
        await _done_once(services, task_id, killed_at)

    async def test_the_web_worker_is_replaced_and_the_task_goes_on(
        self, server: TinyServer, services: Services
    ) -> None:
        task_id = await submit(services, verify="slow")
        await child_at(services, task_id, "verify")
        web = server.web_pid()
        os.kill(web, signal.SIGKILL)
        killed_at = time.monotonic()
        assert server.web_pid(within_s=10) != web
        await _done_once(services, task_id, killed_at)
        assert (await events_of(services, task_id)).count("task.claimed") == 1


class TestCancel:
    async def test_no_process_of_the_task_is_left(self, server: TinyServer, services: Services) -> None:
        task_id = await submit(services, verify="hang")
        child = await child_at(services, task_id, "verify")
        user = await user_of(services)
        async with services.unit_of_work():
            await services.tasks.cancel(user, task_id)
        assert (await ended(services, task_id, within_s=5)).error == "cancelled"
        assert is_gone(child)
        assert child not in [process.pid for process in server.tree()]


class TestEndOfServer:
    async def test_a_server_that_is_told_to_stop_gives_its_task_back(self, sqlite_settings: Settings) -> None:
        services = build_services(sqlite_settings)
        with tiny_server(sqlite_settings) as server:
            task_id = await submit(services, verify="slow", slow_s=4.0)
            child = await child_at(services, task_id, "verify")
            server.process.send_signal(signal.SIGTERM)
            stopped_at = time.monotonic()
            server.process.wait(10)
            assert time.monotonic() - stopped_at < 8
            assert is_gone(child, within_s=0.5)
            assert (await status_of(services, task_id)).queued
        await services.close()

    async def test_a_killed_main_process_takes_everything_with_it_and_a_new_server_goes_on(
        self, sqlite_settings: Settings
    ) -> None:
        services = build_services(sqlite_settings)
        with tiny_server(sqlite_settings) as server:
            task_id = await submit(services, verify="slow")
            await child_at(services, task_id, "verify")
            processes = server.tree()
            os.kill(server.process.pid, signal.SIGKILL)
            killed_at = time.monotonic()
            _, alive = psutil.wait_procs(processes[1:], timeout=10)
            assert not alive
        with tiny_server(sqlite_settings):
            await _done_once(services, task_id, killed_at)
        await services.close()
