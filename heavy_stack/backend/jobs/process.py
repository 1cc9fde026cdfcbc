"""A worker process: what it opens, the broker that it takes work from, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID, uuid4

import structlog
from dramatiq import Broker, Worker
from dramatiq.middleware import TimeLimit

from heavy_stack.backend.engines.processes import die_with_parent
from heavy_stack.backend.jobs.actors import declare
from heavy_stack.backend.jobs.advance import TaskRunner
from heavy_stack.backend.jobs.broker import WorkBroker
from heavy_stack.backend.jobs.loop_thread import LoopThread
from heavy_stack.backend.jobs.middleware import LogContext, RetryRetryable, WorkerLife
from heavy_stack.backend.jobs.pool import EVERY_KIND, ChildPool
from heavy_stack.backend.jobs.scratch import remove_stale_scratch
from heavy_stack.backend.jobs.wake_up import watch_for_work
from heavy_stack.backend.services import MessageSender, Services
from heavy_stack.observability import set_up_logging
from heavy_stack.settings import Settings

_IDLE_WAKE_MS: Final = 500
_STOP_WITHIN_MS: Final = 5_000
_EXIT_WITHIN_S: Final = 7.5  # whoever manages this process kills it after 8 to 10 seconds
_CLOSE_WITHIN_S: Final = 1.0
_LOOK_WITHIN_S: Final = 30.0

log = structlog.get_logger(__name__)


class BuildServices(Protocol):
    """`bootstrap.build_services`: this package lies below it, so it is passed in."""

    def __call__(self, settings: Settings, *, sender: MessageSender | None = None) -> Services:
        """Services that are connected to nothing yet."""


class WorkerParts:
    """All that a worker process has; made at once, so that a wrong setting shows, and started when work begins."""

    def __init__(self, settings: Settings, build_services: BuildServices, target: str) -> None:
        self._services = build_services(settings)
        settings = self._services.settings
        self._scratch_dir = settings.scratch_dir
        self._loop = LoopThread()
        self._pool = ChildPool(settings.worker_concurrency, memory_mb=settings.child_memory_mb, target=target)
        name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._runner = TaskRunner(settings, self._loop, self._services.work, self._pool, worker=name)
        self.broker = WorkBroker(
            slots=settings.worker_concurrency,
            list_claimable=self._list_claimable,
            middleware=[LogContext(), TimeLimit(), RetryRetryable(), WorkerLife(self)],
        )
        self._wake_up = watch_for_work(settings, self._loop, self.broker.ring)
        declare(self.broker, self._runner.advance)

    def start(self) -> None:
        """Open connections, warm children up."""
        self._loop.start()
        self._pool.start()
        self._wake_up.start()
        remove_stale_scratch(self._scratch_dir)

    def give_back(self) -> None:
        """Take nothing more, and free running tasks for other workers at once."""
        self.broker.hold()
        self._runner.give_back()

    def close(self) -> None:
        """Close what `start` opened."""
        self._wake_up.stop()
        self._pool.close()
        self._loop.call(self._services.close(), timeout_s=_CLOSE_WITHIN_S)
        self._loop.stop()

    def _list_claimable(self, limit: int) -> Sequence[UUID]:
        return self._loop.call(self._services.work.list_claimable(limit), timeout_s=_LOOK_WITHIN_S)


def make_broker(settings: Settings, build_services: BuildServices, *, target: str = EVERY_KIND) -> Broker:
    """The broker with its actors and all that they need; nothing runs until a Dramatiq worker starts on it.

    Args:
        settings: As read.
        build_services: `bootstrap.build_services`.
        target: What child processes run, as `module:function`.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    return WorkerParts(settings, build_services, target).broker


def run(settings: Settings, build_services: BuildServices, *, target: str = EVERY_KIND) -> None:
    """Work until SIGTERM or SIGINT, then give running tasks back and return within 8 seconds.

    When this process was started by another one through multiprocessing, it also ends when that one does.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    die_with_parent(signal.SIGTERM)
    set_up_logging(settings)
    broker = make_broker(settings, build_services, target=target)
    broker.emit_after("process_boot")
    worker = Worker(broker, worker_threads=settings.worker_concurrency, worker_timeout=_IDLE_WAKE_MS)
    worker.start()
    log.info("worker.ready", slots=settings.worker_concurrency)
    stop.wait()
    last_resort = threading.Timer(_EXIT_WITHIN_S, os._exit, (1,))
    last_resort.daemon = True
    last_resort.start()
    worker.stop(timeout=_STOP_WITHIN_MS)
    broker.close()
    last_resort.cancel()
    log.info("worker.stopped")
