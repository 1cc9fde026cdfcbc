"""Tests of the watchdog with processes that only look like some; tests/integration/full_run has real ones."""

from __future__ import annotations

from typing import Any, cast

from sanic.worker.constants import ProcessState
from sanic.worker.manager import WorkerManager

from heavy_stack.backend.jobs.supervision import Watchdog


class Process:
    """As the watchdog sees one."""

    exitcode = -9

    def __init__(self, name: str, state: ProcessState = ProcessState.ACKED) -> None:
        self.name = name
        self.state = state
        self.pid = 100
        self.alive = True

    def is_alive(self) -> bool:
        return self.alive

    def restart(self) -> None:
        self.pid += 1
        self.alive = True


class Manager:
    """As the watchdog sees it; restarts are only noted."""

    _shutting_down = False

    def __init__(self, *processes: Process) -> None:
        self.transient_processes = processes
        self.monitor_publisher = self
        self.asked: list[str] = []

    def send(self, name: Any) -> None:
        self.asked.append(name)


def watching(*processes: Process) -> tuple[Watchdog, Manager]:
    manager = Manager(*processes)
    dog = Watchdog(cast(WorkerManager, manager))
    dog.look(0.0)
    return dog, manager


class TestWatchdog:
    def test_a_process_that_died_after_a_long_life_is_restarted_at_once(self) -> None:
        web = Process("Sanic-Server-0-0")
        dog, manager = watching(web)
        web.alive = False
        dog.look(1000.0)
        assert manager.asked == ["Sanic-Server-0-0"]

    def test_one_that_keeps_dying_is_restarted_later_and_later(self) -> None:
        worker = Process("Sanic-HeavyWorker0-0", ProcessState.STARTED)
        dog, manager = watching(worker)
        now, waits = 0.0, []
        for deaths in range(1, 9):
            worker.alive = False
            died = now
            while len(manager.asked) < deaths:
                now += 0.25
                dog.look(now)
            waits.append(now - died)
            worker.restart()
            now += 0.25
            dog.look(now)
        assert waits[0] <= 0.5
        assert waits == sorted(waits)
        assert 25 <= waits[-1] <= 31

    def test_it_asks_once_and_again_only_if_nothing_happens(self) -> None:
        web = Process("Sanic-Server-0-0")
        dog, manager = watching(web)
        web.alive = False
        for step in range(100):
            dog.look(1000.0 + step * 0.25)
        assert len(manager.asked) == 1
        dog.look(1031.0)
        assert len(manager.asked) == 2

    def test_a_restarting_process_is_left_alone(self) -> None:
        web = Process("Sanic-Server-0-0")
        dog, manager = watching(web)
        web.alive, web.state = False, ProcessState.RESTARTING
        dog.look(1000.0)
        assert manager.asked == []

    def test_until_all_web_workers_reported_sanic_itself_watches(self) -> None:
        web, worker = Process("Sanic-Server-0-0", ProcessState.STARTED), Process("Sanic-HeavyWorker0-0")
        dog, manager = watching(web, worker)
        worker.alive = False
        dog.look(1000.0)
        assert manager.asked == []

    def test_nothing_is_restarted_during_a_shutdown(self) -> None:
        web = Process("Sanic-Server-0-0")
        dog, manager = watching(web)
        web.alive, manager._shutting_down = False, True
        dog.look(1000.0)
        assert manager.asked == []
