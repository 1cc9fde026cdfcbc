"""Processes that never outlive the one that started them: worker → child → engine, whatever kills the one above."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import TypeVar

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
_LAST_SECONDS = 10.0  # a process told to end gently (SIGTERM) is ended anyway after this


def die_with_parent(
    sig: signal.Signals = signal.SIGKILL, *, lifeline: int | None = None, parent: int | None = None
) -> None:
    """End this process by `sig` when its parent ends, however that happened.

    Call it first thing in the new process, from its main thread. Two means, because each has a hole: the kernel's
    parent-death signal (Linux only, and it also fires when the *thread* that started this process ends: start
    processes from a thread that lives as long as they should), and a watch for the end of a pipe that only the parent
    holds open.

    Args:
        sig: SIGKILL for processes with nothing to give back, SIGTERM for those that release what they hold.
        lifeline: Read end of a pipe whose write end only the parent has; default: multiprocessing's own.
        parent: Process id of the parent; default: multiprocessing's. A process that was started by neither has no
            parent to follow, and nothing happens.
    """
    origin = parent_process()
    if origin is not None:
        parent = origin.pid if parent is None else parent
        lifeline = origin.sentinel if lifeline is None else lifeline
    if parent is None and lifeline is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if parent is not None and os.getppid() != parent:  # it died before the call above
        os.kill(os.getpid(), sig)
    if lifeline is not None:
        threading.Thread(target=_follow, args=(lifeline, sig), name="lifeline", daemon=True).start()


class Starter:
    """One thread that starts processes for others: the kernel ends a process with the thread that started it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="starter")

    def run(self, start: Callable[[], T]) -> T:
        """What `start` returns or raises."""
        return self._thread.submit(start).result()

    def close(self) -> None:
        """End the thread, and with it what it started."""
        self._thread.shutdown()


def _follow(lifeline: int, sig: signal.Signals) -> None:
    wait([lifeline])
    os.kill(os.getpid(), sig)
    time.sleep(_LAST_SECONDS)
    os._exit(1)
