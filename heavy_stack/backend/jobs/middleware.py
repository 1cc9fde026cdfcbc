"""Dramatiq middleware: retry only what says so, log context, and the worker's life around it. No Prometheus."""

from __future__ import annotations

from typing import Any, Final, Protocol

import structlog
from dramatiq import Broker, MessageProxy, Middleware, Worker
from dramatiq.common import compute_backoff

from heavy_stack.errors import HeavyStackError

log = structlog.get_logger(__name__)

_FIRST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 15_000


class RetryRetryable(Middleware):
    """Retries an actor that raised a `retryable` HeavyStackError, later and later; anything else is not retried."""

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """Enqueue again with a pause, or mark the message as failed."""
        if exception is None:
            return
        if not (isinstance(exception, HeavyStackError) and exception.retryable):
            message.fail()
            return
        retries = message.options.get("retries", 0)
        _, pause_ms = compute_backoff(retries, factor=_FIRST_PAUSE_MS, max_backoff=_LONGEST_PAUSE_MS)
        message.options["retries"] = retries + 1
        log.info("worker.retry_later", code=exception.code, pause_ms=pause_ms)
        broker.enqueue(message._message, delay=pause_ms)


class LogContext(Middleware):
    """Every log line of an actor carries its task's id."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Bind."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(task_id=message.args[0] if message.args else None)

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """Unbind: the thread goes on to another task."""
        structlog.contextvars.clear_contextvars()

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """Unbind."""
        structlog.contextvars.clear_contextvars()


class Life(Protocol):
    """What starts before a worker takes work and ends with it."""

    def start(self) -> None:
        """Open connections, warm children up."""

    def give_back(self) -> None:
        """Stop working: running tasks go back at once, for another worker."""

    def close(self) -> None:
        """Close what `start` opened."""


class WorkerLife(Middleware):
    """Ties a `Life` to the worker's start and end, whoever started it (the `dramatiq` command, or `worker.run`)."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Start."""
        self._life.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Give running tasks back, so that the threads below end soon."""
        self._life.give_back()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Close."""
        self._life.close()
