"""Tests of the pool with real child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty

import psutil
import pytest

from heavy_stack.backend.engines.options import EngineOptions
from heavy_stack.backend.jobs.link import Broken, Finished, Job, OutOfMemory, ProgressMade
from heavy_stack.backend.jobs.pool import Cause, Child, ChildEnded, ChildPool
from heavy_stack.shared_models.tasks import Stage
from tests.support.workers import is_gone

TARGETS = "tests.unit.backend.jobs.jobs_of_tests"


@pytest.fixture
def pool_of() -> Iterator[Callable[..., ChildPool]]:
    """Makes pools of one child that runs the named target."""
    pools: list[ChildPool] = []

    def make(target: str, memory_mb: int = 1024) -> ChildPool:
        pool = ChildPool(1, memory_mb=memory_mb, target=f"{TARGETS}:{target}")
        pools.append(pool)
        pool.start()
        return pool

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job."""
    return Job("task", b"request", None, {}, 60, 60, EngineOptions((), tmp_path))


def in_s(seconds: float) -> float:
    return time.monotonic() + seconds


def running_grandchild(child: Child) -> int:
    message = child.receive(in_s(20))
    if not isinstance(message, ProgressMade):
        raise TypeError(message)
    return int(message.activity)


class TestChild:
    def test_runs_one_job(self, pool_of: Callable[..., ChildPool], job: Job) -> None:
        child = pool_of("answer").take()
        child.send(job)
        assert child.receive(in_s(20)) == Finished(b"REQUEST", "etag")
        child.close()
        assert is_gone(child.pid)

    def test_a_child_that_does_not_come_back_in_time_is_ended_with_all_that_it_started(
        self, pool_of: Callable[..., ChildPool], job: Job
    ) -> None:
        child = pool_of("hang").take()
        child.send(job)
        grandchild = running_grandchild(child)
        begun = time.monotonic()
        with pytest.raises(ChildEnded) as ended:
            child.receive(in_s(0.3))
        assert ended.value.cause is Cause.OVERRAN
        assert time.monotonic() - begun < 2
        assert child.close() == -signal.SIGKILL
        assert is_gone(grandchild)

    def test_a_kill_from_another_thread_says_why(self, pool_of: Callable[..., ChildPool], job: Job) -> None:
        child = pool_of("hang").take()
        child.send(job)
        running_grandchild(child)
        threading.Timer(0.1, child.kill, (Cause.CANCELLED,)).start()
        with pytest.raises(ChildEnded) as ended:
            child.receive(in_s(20))
        assert ended.value.cause is Cause.CANCELLED
        child.close()

    def test_a_child_that_somebody_else_killed_has_crashed(self, pool_of: Callable[..., ChildPool], job: Job) -> None:
        child = pool_of("hang").take()
        child.send(job)
        grandchild = running_grandchild(child)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(ChildEnded) as ended:
            child.receive(in_s(20))
        assert ended.value.cause is Cause.CRASHED
        child.close()
        assert is_gone(grandchild)

    def test_lack_of_memory_is_told_with_the_stage(self, pool_of: Callable[..., ChildPool], job: Job) -> None:
        child = pool_of("hoard", memory_mb=256).take()
        child.send(job)
        messages = [child.receive(in_s(20)), child.receive(in_s(20))]
        assert messages[-1] == OutOfMemory(Stage.SELECT)
        child.close()

    def test_a_defect_is_told_without_its_messages(self, pool_of: Callable[..., ChildPool], job: Job) -> None:
        child = pool_of("break_down").take()
        child.send(job)
        child.receive(in_s(20))
        broken = child.receive(in_s(20))
        child.close()
        if not isinstance(broken, Broken):
            raise TypeError(broken)
        assert (broken.stage, broken.error) == (Stage.PARSE, "ValueError")
        assert any("break_down" in line for line in broken.frames)
        assert "KeyError" in broken.frames
        assert "hunter2" not in repr(broken)

    def test_sees_neither_secrets_nor_the_workers_modules(
        self, pool_of: Callable[..., ChildPool], job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HEAVY_AUTH_PASSWORD", "secret")
        monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@h/d")
        monkeypatch.setenv("PGPASSWORD", "secret")
        child = pool_of("environment").take()
        child.send(job)
        assert child.receive(in_s(20)) == Finished(b"", "etag")
        child.close()

    def test_ends_with_the_process_that_started_it(self) -> None:
        script = (
            "import time, sys; from heavy_stack.backend.jobs.pool import ChildPool\n"
            f"pool = ChildPool(1, memory_mb=256, target='{TARGETS}:hang'); pool.start()\n"
            "print(pool.take().pid, flush=True); time.sleep(600)"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        if parent.stdout is None:
            raise TypeError("no output")
        child = int(parent.stdout.readline())
        while psutil.pid_exists(child) and os.getpgid(child) != child:
            time.sleep(0.02)  # it has its own group once it follows its parent
        parent.kill()
        parent.wait()
        parent.stdout.close()
        assert is_gone(child, within_s=2)


class TestChildPool:
    def test_warms_another_child_up_after_each_job(self, pool_of: Callable[..., ChildPool], job: Job) -> None:
        pool = pool_of("answer")
        first = pool.take(timeout_s=20)
        pool.replace(first)
        second = pool.take(timeout_s=20)
        assert first.pid != second.pid
        pool.replace(second)

    def test_keeps_no_more_than_its_size(self, pool_of: Callable[..., ChildPool]) -> None:
        pool = pool_of("answer")
        child = pool.take(timeout_s=20)
        with pytest.raises(Empty):
            pool.take(timeout_s=0.3)
        pool.replace(child)

    def test_close_ends_the_warm_children(self) -> None:
        def children() -> set[int]:
            return {process.pid for process in psutil.Process().children()}

        others = children()  # a database server of another test, for one
        pool = ChildPool(2, memory_mb=256, target=f"{TARGETS}:answer")
        pool.start()
        until = time.monotonic() + 10
        while len(children() - others) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        pids = children() - others
        pool.close()
        assert len(pids) == 2
        assert all(is_gone(pid) for pid in pids)
