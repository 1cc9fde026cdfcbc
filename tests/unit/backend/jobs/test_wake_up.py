"""Tests of the wake-up without Redis, on real databases."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from heavy_stack.backend.data.unit_of_work import Message, SilentSender
from heavy_stack.backend.jobs.loop_thread import LoopThread
from heavy_stack.backend.jobs.wake_up import PostgresSender, message_sender, watch_for_work
from heavy_stack.backend.services import Services
from heavy_stack.bootstrap import build_services
from heavy_stack.settings import Settings
from tests.support.workers import submit


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A running loop."""
    loop = LoopThread()
    loop.start()
    yield loop
    loop.stop()


async def rung(bell: threading.Event, within_s: float) -> bool:
    return await asyncio.to_thread(bell.wait, within_s)


class TestWatchForWork:
    async def test_a_committed_task_rings_within_a_tenth_of_a_second(
        self, database_settings: Settings, loop: LoopThread
    ) -> None:
        sender = message_sender(database_settings)
        services = build_services(database_settings, sender=sender)
        bell = threading.Event()
        watch = watch_for_work(database_settings, loop, bell.set)
        watch.start()
        await submit(services)  # connections are open from here on
        await rung(bell, 5)
        await asyncio.sleep(0.3)
        waits = []
        for _ in range(3):
            bell.clear()
            await submit(services)
            committed = time.monotonic()
            assert await rung(bell, 2)
            waits.append(time.monotonic() - committed)
            await asyncio.sleep(0.15)
        assert min(waits) < 0.1
        watch.stop()
        if isinstance(sender, PostgresSender):
            await sender.close()
        await services.close()

    async def test_an_idle_database_does_not_ring(self, services: Services, loop: LoopThread) -> None:
        bell = threading.Event()
        watch = watch_for_work(services.settings, loop, bell.set)
        watch.start()
        await rung(bell, 2)  # once, because something may have been missed
        bell.clear()
        assert not await rung(bell, 0.4)
        watch.stop()


class TestMessageSender:
    def test_sqlite_needs_none(self, sqlite_settings: Settings) -> None:
        assert isinstance(message_sender(sqlite_settings), SilentSender)

    async def test_a_server_that_is_away_fails_no_request(self) -> None:
        sender = PostgresSender(make_url("postgresql+asyncpg://nobody@127.0.0.1:1/none"))
        begun = time.monotonic()
        await sender.send([Message("task.advance", uuid4())])
        assert time.monotonic() - begun < 0.05
        await sender.close()
