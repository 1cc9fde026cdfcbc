"""Tests of the event loop on a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from heavy_stack.backend.jobs.loop_thread import LoopThread


async def thread_name() -> str:
    return threading.current_thread().name


class TestLoopThread:
    def test_runs_coroutines_of_other_threads(self) -> None:
        loop = LoopThread()
        loop.start()
        assert loop.call(thread_name()) == "services"
        loop.stop()

    def test_a_call_that_takes_too_long_is_cancelled(self) -> None:
        cancelled = threading.Event()

        async def sleep() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise

        loop = LoopThread()
        loop.start()
        with pytest.raises(TimeoutError):
            loop.call(sleep(), timeout_s=0.05)
        assert cancelled.wait(2)
        loop.stop()

    def test_stop_cancels_what_still_runs(self) -> None:
        loop = LoopThread()
        loop.start()
        future = loop.submit(asyncio.sleep(60))
        loop.stop()
        assert future.cancelled()

    def test_a_stopped_loop_refuses_work(self) -> None:
        loop = LoopThread()
        loop.start()
        loop.stop()
        with pytest.raises(RuntimeError, match="not running"):
            loop.call(thread_name())
