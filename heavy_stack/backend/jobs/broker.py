"""The Dramatiq broker of the forms without Redis: the task rows are the queue.

A message is a hint that carries a task's id. The consumer looks for claimable rows and hands their ids out; the actor
claims the row with one conditional UPDATE, so two workers with the same hint do no harm: one of them gets nothing.
Acknowledging a message means only that a slot is free again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from dramatiq import Broker, Consumer, Message, MessageProxy, Middleware
from dramatiq.errors import QueueNotFound

ADVANCE: Final = "task.advance"
QUEUE: Final = "tasks"

LOOK_EVERY_S: Final = 1.0
"""Rows whose worker died ring no bell: an idle worker looks this often."""

_SAME_AGAIN_S: Final = 0.5
_FORGET_AFTER_S: Final = 900.0

log = structlog.get_logger(__name__)

ListClaimable = Callable[[int], Sequence[UUID]]


class WorkBroker(Broker):
    """Hands out claimable tasks.

    Args:
        slots: Tasks that this worker advances at the same time; no more are handed out.
        list_claimable: Ids of at most n claimable tasks, oldest first; called from consumer threads.
        middleware: All middleware; none is added.
    """

    def __init__(self, *, slots: int, list_claimable: ListClaimable, middleware: list[Middleware]) -> None:
        super().__init__(middleware=middleware)
        self.queues: dict[str, None] = {}
        self.slots = slots
        self.list_claimable = list_claimable
        self.held = False
        self._bell = threading.Event()
        self._later: dict[UUID, float] = {}
        self._options: dict[UUID, dict[str, Any]] = {}

    def ring(self) -> None:
        """There may be work, or a free slot. From any thread."""
        self._bell.set()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the bell rings; True when it did."""
        rung = self._bell.wait(timeout_s)
        self._bell.clear()
        return rung

    def hold(self) -> None:
        """Hand out nothing more: the worker is about to end."""
        self.held = True
        self._bell.set()

    def is_postponed(self, task_id: UUID) -> bool:
        """Is it not to be handed out here yet?"""
        return self._later.get(task_id, 0.0) > time.monotonic()

    def take_options(self, task_id: UUID) -> dict[str, Any]:
        """Options of the message that was enqueued for it last (how often it was retried)."""
        self._later.pop(task_id, None)
        return self._options.pop(task_id, {})

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; there is one."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Wake this worker up, `delay` milliseconds from now at the earliest: the row itself is the queued message."""
        self.emit_before("enqueue", message, delay)
        if delay:
            self._postpone(UUID(message.args[0]), delay / 1000, message.options)
        self.ring()
        self.emit_after("enqueue", message, delay)
        return message

    def _postpone(self, task_id: UUID, delay_s: float, options: dict[str, Any]) -> None:
        now = time.monotonic()
        for known in [known for known, at in self._later.items() if at < now - _FORGET_AFTER_S]:
            self.take_options(known)  # another worker took it meanwhile
        self._later[task_id] = now + delay_s
        self._options[task_id] = dict(options)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> Consumer:
        """A consumer; `timeout` in milliseconds. `prefetch` is not used: a hint that waits here would only grow old."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)  # type: ignore[no-untyped-call]
        return WorkConsumer(self, queue_name, timeout / 1000)

    def flush(self, queue_name: str) -> None:
        """Nothing to drop: tasks end by being answered, failed or cancelled."""

    def flush_all(self) -> None:
        """Nothing to drop."""

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until no task is claimable (tests only); `timeout` in milliseconds.

        Raises:
            TimeoutError: Tasks are left.
        """
        until = time.monotonic() + (timeout if timeout is not None else 60_000) / 1000
        while self.list_claimable(1):
            if time.monotonic() > until:
                raise TimeoutError("tasks are left")
            time.sleep(0.02)


class WorkConsumer(Consumer):
    """Looks for claimable rows when the bell rings, when a slot becomes free, and every second."""

    def __init__(self, broker: WorkBroker, queue_name: str, timeout_s: float) -> None:
        self._broker = broker
        self._queue_name = queue_name
        self._timeout_s = timeout_s
        self._ready: deque[UUID] = deque()
        self._out: set[UUID] = set()
        self._handed: dict[UUID, float] = {}
        self._look_at = 0.0

    def __next__(self) -> MessageProxy | None:
        """The next task's message, or None after `timeout_s` without one."""
        if not self._ready and self._has_room() and time.monotonic() >= self._look_at:
            self._look()
        if self._ready and not self._broker.held:
            return self._hand_out(self._ready.popleft())
        left_s = self._look_at - time.monotonic() if self._has_room() else self._timeout_s
        if self._broker.wait(max(0.01, min(self._timeout_s, left_s))):
            self._look_at = 0.0
        return None

    def ack(self, message: MessageProxy) -> None:
        """The slot is free again."""
        self._out.discard(UUID(message.args[0]))
        self._broker.ring()

    def nack(self, message: MessageProxy) -> None:
        """The same as `ack`: what became of the task stands in its row."""
        self.ack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Nothing to do: an unclaimed row is claimable for everybody."""

    def _has_room(self) -> bool:
        return not self._broker.held and len(self._out) < self._broker.slots

    def _look(self) -> None:
        now = time.monotonic()
        self._look_at = now + LOOK_EVERY_S
        self._handed = {task_id: at for task_id, at in self._handed.items() if now - at < _SAME_AGAIN_S}
        known = len(self._out) + len(self._handed)
        try:
            found = self._broker.list_claimable(self._broker.slots + known)
        except Exception as error:  # an edge: the database is away for a while; leases and rows survive that
            log.warning("worker.look_failed", error=type(error).__name__)
            return
        fresh = [task_id for task_id in found if self._is_new(task_id)]
        self._ready.extend(fresh[: self._broker.slots - len(self._out)])
        if len(fresh) < len(found):
            self._look_at = now + _SAME_AGAIN_S

    def _is_new(self, task_id: UUID) -> bool:
        # A row that could not be claimed a moment ago (another worker was faster) must not become a busy loop.
        return task_id not in self._out and task_id not in self._handed and not self._broker.is_postponed(task_id)

    def _hand_out(self, task_id: UUID) -> MessageProxy:
        self._out.add(task_id)
        self._handed[task_id] = time.monotonic()
        options = self._broker.take_options(task_id)
        return MessageProxy(
            Message(queue_name=self._queue_name, actor_name=ADVANCE, args=(str(task_id),), kwargs={}, options=options)
        )
