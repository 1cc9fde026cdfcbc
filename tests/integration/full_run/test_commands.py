"""The two commands that start a worker by itself, on a database that a server may share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from heavy_stack.bootstrap import build_services
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import TaskState
from tests.support.servers import ROOT
from tests.support.settings import TEST_KEY, TEST_PASSWORD
from tests.support.workers import ended, submit

COMMANDS = {
    "heavy-stack": [sys.executable, "-m", "heavy_stack", "worker"],
    "dramatiq": [
        *(sys.executable, "-m", "dramatiq", "heavy_stack.worker:setup"),
        *("--processes", "1", "--threads", "1", "--use-spawn", "--skip-logging"),
    ],
}


@contextmanager
def started(command: list[str], settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """The command, with these settings in its environment."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HEAVY_DATA_DIR": str(settings.data_dir),
        "HEAVY_AUTH_PASSWORD": TEST_PASSWORD,
        "HEAVY_SECRET_KEYS": TEST_KEY,
    }
    if settings.database_url is not None:
        environment["HEAVY_DATABASE_URL"] = settings.database_url.get_secret_value()
    process = subprocess.Popen(command, cwd=settings.data_dir, env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


class TestCommands:
    @pytest.mark.parametrize(("name", "database"), [("heavy-stack", "sqlite"), ("dramatiq", "postgresql")])
    async def test_answers_a_task_and_stops_in_time(
        self, name: str, database: str, request: pytest.FixtureRequest
    ) -> None:
        settings: Settings = request.getfixturevalue(f"{database}_settings")
        services = build_services(settings)
        with started(COMMANDS[name], settings) as process:
            task_id = await submit(services)  # its only query does not parse: answered as it is
            assert (await ended(services, task_id, within_s=60)).status is TaskState.DONE
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            told_at = time.monotonic()
            assert process.wait(10) == 0
            assert time.monotonic() - told_at < 8
            _, alive = psutil.wait_procs(family, timeout=2)
            assert not alive
        await services.close()
