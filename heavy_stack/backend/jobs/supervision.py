"""Keeps a server's processes alive: the managed workers and Sanic's own web workers.

Sanic starts processes but never replaces one that died, and with one web worker a dead one leaves a port that accepts
and never answers. A watchdog in the main process asks Sanic's manager to start them again. If the main process itself
dies, nothing is left behind: every process follows the one that started it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any, Final

import psutil
import structlog
from sanic import Sanic
from sanic.worker.constants import ProcessState
from sanic.worker.manager import WorkerManager
from sanic.worker.process import WorkerProcess

from heavy_stack.backend.jobs import process as worker_process
from heavy_stack.backend.jobs.pool import EVERY_KIND
from heavy_stack.backend.jobs.process import BuildServices
from heavy_stack.settings import Settings

_LOOK_EVERY_S: Final = 0.25
_END_WITHIN_S: Final = 8.0
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 30.0
_START_WITHIN_S: Final = 120.0
"""A busy machine imports slowly; Sanic itself gives up after 30 seconds and kills everything."""
_STEADY_AFTER_S: Final = 30.0
"""A process that lived this long died of something new: it is started again without a pause."""

_RUNS_OR_RAN = frozenset({ProcessState.STARTED, ProcessState.ACKED, ProcessState.FAILED, ProcessState.COMPLETED})

log = structlog.get_logger(__name__)


def supervise(
    app: Sanic[Any, Any], settings: Settings, build_services: BuildServices, *, target: str = EVERY_KIND
) -> None:
    """Make this app's server start and keep `settings.worker_processes` workers, and keep its web workers.

    Call it once where the app is built; it registers listeners and does nothing else. Without Sanic's process manager
    (`single_process`) there is nobody to do it, and workers must be started by themselves.

    Args:
        app: The web app.
        settings: What the workers get.
        build_services: `bootstrap.build_services`, or another module-level function like it: it must be picklable.
        target: What the workers' child processes run, as `module:function`.
    """
    app.register_listener(partial(_start_workers, settings, build_services, target), "main_process_ready")
    app.register_listener(_follow_main_process, "before_server_start")


def _start_workers(settings: Settings, build_services: BuildServices, target: str, app: Sanic[Any, Any]) -> None:
    manager = app.manager
    _let_start_be_stopped(manager)
    # `Server` in a name would make Sanic wait for its acknowledgement. Transient: an auto-reload restarts it too.
    for number in range(settings.worker_processes):
        arguments = {"settings": settings, "build_services": build_services, "target": target}
        manager.manage(f"HeavyWorker{number}", worker_process.run, arguments, transient=True)
    Watchdog(manager).start()


def _let_start_be_stopped(manager: WorkerManager) -> None:
    # While Sanic waits for the web workers' first word it puts the message "stop" back again and again: a server that
    # gets SIGTERM before all of them have started would never end.
    everybody_reported = manager._all_workers_ack

    def reported_or_stopping() -> bool:
        return bool(manager._shutting_down or everybody_reported())  # type: ignore[no-untyped-call]

    manager._all_workers_ack = reported_or_stopping  # type: ignore[method-assign]
    manager.THRESHOLD = int(_START_WITHIN_S * 10)  # counted in tenths of a second


def _follow_main_process(_app: Sanic[Any, Any]) -> None:
    main = parent_process()
    if main is None or main.pid is None:
        return
    # Sanic's own helper process (shared state) started before this one, and follows nobody.
    beside = [process for process in psutil.Process(main.pid).children() if process.pid != os.getpid()]
    threading.Thread(target=_end_after, args=(main.sentinel, beside), name="lifeline", daemon=True).start()


def _end_after(main: int, beside: list[psutil.Process]) -> None:
    """When the main process is gone, end what it leaves beside us, then this web worker."""
    wait([main])
    for process in beside:
        with suppress(psutil.Error):  # psutil refuses when the id belongs to another process by now
            process.terminate()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_WITHIN_S)
    os._exit(1)


@dataclass
class _Watched:
    """One process: since when its present incarnation lives, how often it died young, when to start it again."""

    pid: int
    since: float
    early_deaths: int = 0
    start_at: float | None = None


class Watchdog:
    """Asks the manager to restart processes that died: the first time at once, then later and later."""

    def __init__(self, manager: WorkerManager) -> None:
        self._manager = manager
        self._watched: dict[str, _Watched] = {}
        self._serving = False

    def start(self) -> None:
        """Watch, from a thread of its own, until the server shuts down."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        while not self._manager._shutting_down:
            time.sleep(_LOOK_EVERY_S)
            with suppress(BrokenPipeError, ConnectionError, EOFError):  # the server shuts down right now
                self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Look at all processes once. Until every web worker has reported for the first time, Sanic watches them."""
        processes = list(self._manager.transient_processes)
        self._serving = self._serving or all(
            process.state is ProcessState.ACKED for process in processes if WorkerProcess.SERVER_LABEL in process.name
        )
        if self._serving:
            for process in processes:
                self._look_at(process, now)

    def _look_at(self, process: WorkerProcess, now: float) -> None:
        if process.pid is None or process.state not in _RUNS_OR_RAN:
            return
        known = self._watched.get(process.name)
        if known is None or known.pid != process.pid:
            deaths = 0 if known is None else known.early_deaths
            known = self._watched[process.name] = _Watched(process.pid, now, deaths)
        if process.is_alive():  # type: ignore[no-untyped-call]
            return
        if known.start_at is None:
            known.early_deaths = 0 if now - known.since > _STEADY_AFTER_S else known.early_deaths + 1
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (known.early_deaths - 1)) if known.early_deaths else 0
            known.start_at = now + pause_s
            log.warning("process.died", name=process.name, exit_code=process.exitcode, restart_in_s=pause_s)
        if now >= known.start_at and not self._manager._shutting_down:
            known.start_at = now + _LONGEST_PAUSE_S  # the manager's loop does it; ask again if it does not
            self._manager.monitor_publisher.send(process.name)
