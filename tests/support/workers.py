"""Workers and tasks for tests: submit a task that a child of `slow_job` plays, run a worker here, wait for its end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from dramatiq import Worker

from heavy_stack.backend.jobs.process import make_broker
from heavy_stack.backend.services import Services
from heavy_stack.bootstrap import build_services
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import TaskId, TaskState, TaskStatus
from heavy_stack.shared_models.users import User

SLOW_JOB = "tests.support.slow_job:run_job"


def body(options: dict[str, Any] | None = None, **wish: Any) -> bytes:
    """A request whose only query tells `slow_job` what to do."""
    return json.dumps(
        {
            "options": options or {},
            "url": "jdbc:trino://nowhere.invalid:8080/lake/shop",
            "ddl": [{"statement": "CREATE TABLE lake.shop.sales (id bigint)"}],
            "queries": [{"queryid": "q1", "query": json.dumps(wish), "runquantity": 1}],
        }
    ).encode()


async def user_of(services: Services) -> User:
    """The user who owns the tests' tasks."""
    async with services.unit_of_work():
        return await services.users.ensure_user("tester")


async def submit(services: Services, **wish: Any) -> TaskId:
    """Store a task for `slow_job`."""
    user = await user_of(services)
    async with services.unit_of_work():
        return await services.tasks.submit(user, body(**wish))


async def status_of(services: Services, task_id: TaskId) -> TaskStatus:
    """The task's status."""
    user = await user_of(services)
    async with services.unit_of_work():
        return await services.tasks.get_status(user, task_id)


async def events_of(services: Services, task_id: TaskId) -> list[str]:
    """Types of the task's events, in order."""
    user = await user_of(services)
    async with services.unit_of_work():
        return [event.type for event in await services.tasks.list_events(user, task_id)]


async def ended(services: Services, task_id: TaskId, *, within_s: float = 30.0) -> TaskStatus:
    """The task's status once it is DONE or FAILED.

    Raises:
        TimeoutError: It still runs.
    """
    until = time.monotonic() + within_s
    while (status := await status_of(services, task_id)).status is TaskState.RUNNING:
        if time.monotonic() > until:
            raise TimeoutError(f"still running: {status}")
        await asyncio.sleep(0.05)
    return status


async def child_at(services: Services, task_id: TaskId, stage: str, *, within_s: float = 30.0) -> int:
    """Process id of the child that runs `stage` now, as its activity tells.

    Raises:
        TimeoutError: It did not come that far.
    """
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        activity = (await status_of(services, task_id)).activity or ""
        if activity.startswith(f"{stage} by "):
            return int(activity.rpartition(" ")[2])
        await asyncio.sleep(0.02)
    raise TimeoutError(f"stage {stage} did not start")


async def execute(services: Services, statement: str) -> None:
    """Change rows behind everybody's back."""
    async with services.engines.main.writer.begin() as connection:
        await connection.exec_driver_sql(statement)


def is_gone(pid: int, *, within_s: float = 5.0) -> bool:
    """Does no such process run any more, `within_s` at the latest?"""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@contextmanager
def working(settings: Settings, target: str = SLOW_JOB) -> Iterator[Worker]:
    """A Dramatiq worker in this process, on a broker of its own; its children are real."""
    broker = make_broker(settings, build_services, target=target)
    broker.emit_after("process_boot")
    worker = Worker(broker, worker_threads=settings.worker_concurrency, worker_timeout=100)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(timeout=5000)
        broker.close()
