"""Server processes for tests, and a look at their process tree."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import psutil

from heavy_stack.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class TinyServer:
    """A running `tiny_server`."""

    def __init__(self, settings: Settings, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.settings = settings
        self.process = process
        self.port = port
        self.log = log

    def web_pid(self, *, within_s: float = 90.0) -> int:
        """Process id of the web worker that answers.

        Raises:
            TimeoutError: Nobody does.
        """
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/pid", timeout=1) as response:
                    return int(response.read())
            except (URLError, OSError):
                time.sleep(0.05)
        raise TimeoutError(f"the server does not answer; its log:\n{self.log.read_text()}")

    def worker_pid(self, child_pid: int) -> int:
        """Process id of the managed worker that has this child."""
        return psutil.Process(child_pid).ppid()

    def tree(self) -> list[psutil.Process]:
        """All processes of the server, its own first."""
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]


@contextmanager
def tiny_server(settings: Settings) -> Iterator[TinyServer]:
    """Start one; at the end it gets SIGTERM and must be gone, with all its processes."""
    port = free_port()
    address = settings.database_url
    given = {
        "data_dir": str(settings.data_dir),
        "database_url": address.get_secret_value() if address else None,
        "lease_s": settings.lease_s,
    }
    log = settings.data_dir.parent / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.tiny_server", str(port), json.dumps(given)],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
    server = TinyServer(settings, process, port, log)
    try:
        server.web_pid()
        yield server
    finally:
        processes = server.tree() if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(12)
        finally:
            _, alive = psutil.wait_procs(processes, timeout=2)
            for left in alive:
                left.kill()
            process.wait(5)
    if alive:
        raise AssertionError(f"{len(alive)} processes outlived the server; its log:\n{log.read_text()}")
