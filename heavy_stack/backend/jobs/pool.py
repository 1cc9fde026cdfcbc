"""A small pool of warm child processes: one per task that a worker advances at the same time, replaced after each.

A child is new for each task, because a task may have left anything behind in it; it is warm, because importing what a
task needs takes longer than a small task.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from enum import StrEnum
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from heavy_stack.backend.jobs import child as child_module
from heavy_stack.backend.jobs.link import Committed, Job, Message

log = structlog.get_logger(__name__)

EVERY_KIND = "heavy_stack.backend.jobs.kinds:run_job"
_SECRET_PREFIXES = ("HEAVY_", "DATABASE_", "DB_", "PG", "REDIS_")
_LOOK_EVERY_S = 1.0
_END_WITHIN_S = 5.0


class Cause(StrEnum):
    """Why a child ended without an answer."""

    CRASHED = "crashed"  # nobody here ended it: kill -9, the kernel's out-of-memory killer, a fault in a C library
    OVERRAN = "overran"
    LOST = "lost"
    CANCELLED = "cancelled"
    STOPPED = "stopped"


class ChildEnded(Exception):
    """The child is gone; `cause` says why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Child:
    """One child process. Only the thread that took it talks to it; `kill` may come from any thread."""

    def __init__(self, target: str, memory_mb: int) -> None:
        ours, theirs = Pipe()
        arguments = [str(theirs.fileno()), str(os.getpid()), str(memory_mb), target]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", child_module.COMMAND, *arguments],
            stdin=subprocess.PIPE,  # its end tells the child that this process is gone
            pass_fds=[theirs.fileno()],
            env=_environment(),
        )
        theirs.close()
        self._connection: Connection[Any, Any] = ours
        self._lock = threading.Lock()
        self._cause: Cause | None = None
        self._closed = False

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group."""
        return self._process.pid

    def send(self, message: Job | Committed) -> None:
        """Hand it something.

        Raises:
            ChildEnded: It is gone.
        """
        try:
            self._connection.send(message)
        except OSError:
            raise ChildEnded(self._cause or Cause.CRASHED) from None

    def receive(self, until: float) -> Message:
        """Its next message; it is killed when it has not come `until` (monotonic clock).

        Raises:
            ChildEnded: It is gone.
        """
        try:
            while not self._connection.poll(max(0.02, min(_LOOK_EVERY_S, until - time.monotonic()))):
                if time.monotonic() >= until:
                    self.kill(Cause.OVERRAN)
            message: Message = self._connection.recv()
        except (EOFError, OSError):
            raise ChildEnded(self._cause or Cause.CRASHED) from None
        if self._cause is not None:  # a message that was sent before the kill comes too late
            raise ChildEnded(self._cause)
        return message

    def kill(self, cause: Cause) -> None:
        """End it and everything that it started, now; the first cause counts."""
        with self._lock:
            self._cause = self._cause or cause
            self._end_group()

    def close(self) -> int | None:
        """End it if it still runs, and free what it held here; its exit code."""
        with self._lock:
            self._end_group()
            self._closed = True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_WITHIN_S)
        self._connection.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        return self._process.returncode

    def _end_group(self) -> None:
        # Until `close` waits for it the process id stays taken, even when the child has ended: never another's group.
        if not self._closed:
            for end in (os.killpg, os.kill):  # the group exists a moment after the process
                with suppress(OSError):
                    end(self._process.pid, signal.SIGKILL)


class ChildPool:
    """Keeps `size` children warm.

    Args:
        size: Tasks advanced at the same time.
        memory_mb: Memory limit of each child, in MiB.
        target: What children run, as `module:function`; the module imports all that it needs at its top.
    """

    def __init__(self, size: int, *, memory_mb: int, target: str = EVERY_KIND) -> None:
        self._size = size
        self._memory_mb = memory_mb
        self._target = target
        self._warm: SimpleQueue[Child] = SimpleQueue()
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._starter = threading.Thread(target=self._start_children, name="children", daemon=True)

    def start(self) -> None:
        """Begin to warm children up; returns at once."""
        # One thread starts all of them and lives as long as the pool: when the thread that started a process ends,
        # the kernel tells the process that its parent died.
        self._starter.start()
        for _ in range(self._size):
            self._orders.put(True)

    def take(self, *, timeout_s: float | None = None) -> Child:
        """A warm child; waits for one that is being started.

        Raises:
            queue.Empty: None came in time.
        """
        return self._warm.get(timeout=timeout_s)

    def replace(self, child: Child) -> int | None:
        """End a used child and warm up another; the used one's exit code."""
        code = child.close()
        self._orders.put(True)
        return code

    def close(self) -> None:
        """End the warm children; taken ones are their takers' to end."""
        if self._starter.is_alive():
            self._orders.put(False)
            self._starter.join(_END_WITHIN_S)
        with suppress(Empty):
            while True:
                self._warm.get_nowait().close()

    def _start_children(self) -> None:
        while self._orders.get():
            try:
                self._warm.put(Child(self._target, self._memory_mb))
            except OSError as error:  # no memory or process left on this machine right now
                log.error("worker.child_not_started", error=type(error).__name__, errno=error.errno)
                time.sleep(_LOOK_EVERY_S)
                self._orders.put(True)


def _environment() -> dict[str, str]:
    """The child's environment: ours without what may be secret, and with our import path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET_PREFIXES)}
    return kept | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
