"""One run of a task by this worker: the lease that is kept alive for it, and the child that ends with the lease."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import Final

import structlog

from heavy_stack.backend.data.model_managers.work_managers import ClaimedWork, WorkManager
from heavy_stack.backend.jobs.loop_thread import LoopThread
from heavy_stack.backend.jobs.pool import Cause, Child

_NEWS_EVERY_S: Final = 1.0
"""Progress is stored with a beat, and sooner than the next one when there is something new to show."""

log = structlog.get_logger(__name__)


class Run:
    """Who may end it: its heartbeat (lease lost, cancelled), the worker (shutting down). The first cause counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: Child | None = None
        self.cause: Cause | None = None

    def attach(self, child: Child) -> None:
        """The child that works for it from now on; it is ended at once if the run was."""
        with self._lock:
            self._child = child
            if self.cause is not None:
                child.kill(self.cause)

    def end(self, cause: Cause) -> None:
        """End it, and its child. From any thread."""
        with self._lock:
            self.cause = self.cause or cause
            if self._child is not None:
                self._child.kill(self.cause)


class Heartbeat:
    """Extends a lease three times in its length, on the services' loop; ends the run when the lease is gone.

    Args:
        loop: Where it runs.
        work: The worker side's manager.
        claimed: The claim.
        lease_s: Length of the lease.
        run: What ends with it.
    """

    def __init__(self, loop: LoopThread, work: WorkManager, claimed: ClaimedWork, lease_s: float, run: Run) -> None:
        self._loop = loop
        self._work = work
        self._claimed = claimed
        self._lease_s = lease_s
        self._run = run
        self._news: tuple[float, str] | None = None
        self._future: Future[None] | None = None
        self._held_until = time.monotonic() + lease_s

    def __enter__(self) -> Heartbeat:
        self._future = self._loop.submit(self._beat_on())
        return self

    def __exit__(self, *_: object) -> None:
        if self._future is not None:
            self._future.cancel()

    def tell(self, done: float, activity: str) -> None:
        """Progress (0..1 over the whole task) and a phrase, for the next beat."""
        self._news = (done, activity)

    async def _beat_on(self) -> None:
        while self._run.cause is None:
            await self._pause()
            news, self._news = self._news, None
            try:
                beat = await asyncio.wait_for(
                    self._work.beat(self._claimed, self._lease_s, *(news or ())), self._lease_s
                )
            except Exception as error:  # an edge: the database may be back before the lease ends
                log.warning("worker.beat_failed", task_id=str(self._claimed.task_id), error=type(error).__name__)
                if time.monotonic() > self._held_until:
                    self._run.end(Cause.LOST)  # another worker may have the task by now
                continue
            if not beat.held:
                self._run.end(Cause.LOST)
            elif beat.cancelled:
                self._run.end(Cause.CANCELLED)
            self._held_until = time.monotonic() + self._lease_s

    async def _pause(self) -> None:
        """A third of the lease; less when there are news to store by then."""
        third_s = self._lease_s / 3
        for _ in range(max(1, round(third_s / _NEWS_EVERY_S))):
            await asyncio.sleep(min(_NEWS_EVERY_S, third_s))
            if self._news is not None:
                return
