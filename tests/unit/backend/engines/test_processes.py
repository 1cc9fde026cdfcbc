"""Tests of processes that follow the one that started them, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from heavy_stack.backend.engines.processes import Starter
from tests.support.workers import is_gone

FOLLOW = (
    "import os, sys, signal, time\n"
    "from heavy_stack.backend.engines.processes import die_with_parent\n"
    "{before}\n"
    "die_with_parent(signal.{signal}, lifeline={lifeline}, parent={parent})\n"
    "print('follows', flush=True)\n"
    "time.sleep(600)"
)
START = (
    "import subprocess, sys, os, time\n"
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    "child.stdout.readline()\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(600)"
)


def killed_parents_child(script: str) -> int:
    """Start a parent with a child that follows it, kill the parent; the child's process id."""
    with subprocess.Popen([sys.executable, "-c", START, script], stdout=subprocess.PIPE, text=True) as parent:
        if parent.stdout is None:
            raise TypeError("no output")
        child = int(parent.stdout.readline())
        parent.kill()
    return child


class TestDieWithParent:
    @pytest.mark.parametrize(("lifeline", "parent"), [("None", "os.getppid()"), ("0", "None"), ("0", "os.getppid()")])
    def test_ends_when_its_parent_is_killed(self, lifeline: str, parent: str) -> None:
        script = FOLLOW.format(before="", signal="SIGKILL", lifeline=lifeline, parent=parent)
        assert is_gone(killed_parents_child(script), within_s=2)

    def test_a_parent_that_died_before_is_noticed(self) -> None:
        script = FOLLOW.format(before="", signal="SIGKILL", lifeline="None", parent="1 << 22")
        process = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=20, check=False)
        assert process.returncode == -signal.SIGKILL
        assert b"follows" not in process.stdout

    def test_a_gentle_signal_can_be_answered(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        note = tmp_path_factory.mktemp("note") / "released"
        answer = f"signal.signal(signal.SIGTERM, lambda *_: (open({str(note)!r}, 'w').close(), os._exit(0)))"
        script = FOLLOW.format(before=answer, signal="SIGTERM", lifeline="0", parent="os.getppid()")
        assert is_gone(killed_parents_child(script), within_s=2)
        assert note.exists()

    def test_a_process_without_a_parent_to_follow_goes_on(self) -> None:
        from heavy_stack.backend.engines.processes import die_with_parent

        die_with_parent()
        assert os.getpid()


class TestStarter:
    def test_a_process_outlives_the_thread_that_asked_for_it(self) -> None:
        starter = Starter()
        script = FOLLOW.format(before="", signal="SIGKILL", lifeline="None", parent="os.getppid()")

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)

        started: list[subprocess.Popen[bytes]] = []
        asking = threading.Thread(target=lambda: started.append(starter.run(start)))
        asking.start()
        asking.join()
        process = started[0]
        with process:
            if process.stdout is None:
                raise TypeError("no output")
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.3)
            starter.close()
            assert process.wait(10) == -signal.SIGKILL

    def test_hands_errors_on(self) -> None:
        starter = Starter()
        with pytest.raises(FileNotFoundError):
            starter.run(lambda: subprocess.Popen(["/nowhere/at/all"]))
        starter.close()
