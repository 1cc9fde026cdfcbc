"""Database work belongs to the service: a client that hangs up does not cut it in two."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from heavy_stack.backend.api.web_context import finish_owned_work, run_owned

_session: ContextVar[str | None] = ContextVar("_session", default=None)


class TestRunOwned:
    async def test_goes_on_when_the_handler_is_cancelled(self) -> None:
        done: list[str] = []
        started = asyncio.Event()

        async def work() -> None:
            started.set()
            await asyncio.sleep(0.05)
            done.append("committed")

        handler = asyncio.ensure_future(run_owned(work()))
        await started.wait()
        handler.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handler
        assert done == []
        await finish_owned_work()
        assert done == ["committed"]

    async def test_returns_what_the_work_returns_and_raises_what_it_raises(self) -> None:
        async def good() -> int:
            return 7

        async def bad() -> int:
            raise KeyError("x")

        assert await run_owned(good()) == 7
        with pytest.raises(KeyError):
            await run_owned(bad())

    async def test_context_variables_do_not_leak_into_the_connection(self) -> None:
        async def work() -> str | None:
            _session.set("mine")
            return _session.get()

        assert await run_owned(work()) == "mine"
        assert _session.get() is None

    async def test_an_error_that_nobody_waits_for_is_not_reported_as_lost(
        self, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def work() -> None:
            await asyncio.sleep(0.01)
            raise KeyError("x")

        handler = asyncio.ensure_future(run_owned(work()))
        await asyncio.sleep(0)
        handler.cancel()
        await asyncio.sleep(0.05)
        await finish_owned_work()
        assert caplog.records == []
        assert len(recwarn) == 0
