"""The whole service as a process: `python -m heavy_stack serve` on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from heavy_stack.settings import Settings
from tests.support.servers import ROOT, free_port
from tests.support.settings import TEST_KEY, TEST_PASSWORD, make_settings

USER = "admin"


@dataclass(frozen=True)
class WebServer:
    """A running service."""

    url: str
    settings: Settings
    log: Path
    process: subprocess.Popen[bytes]

    def client(self) -> httpx.Client:
        """A client with Basic credentials."""
        return httpx.Client(base_url=self.url, auth=(USER, TEST_PASSWORD), timeout=60, trust_env=False)

    def browser(self) -> httpx.Client:
        """A client that behaves like a page of the service: no credentials, its Origin, cookies."""
        headers = {"origin": self.url, "accept": "text/html,*/*", "sec-fetch-mode": "navigate"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def sign_in(self, browser: httpx.Client, next_path: str = "/") -> httpx.Response:
        """Send the sign-in form."""
        return browser.post("/sign-in", data={"user": USER, "password": TEST_PASSWORD, "next": next_path})

    def resident_bytes(self) -> int:
        """Memory of all processes of the service."""
        main = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in [main, *main.children(recursive=True)])


@contextmanager
def web_server(data_dir: Path, *, within_s: float = 120.0, **settings: object) -> Iterator[WebServer]:
    """Start one; at the end it gets SIGTERM and must be gone in time.

    Args:
        data_dir: Its data folder, with the SQLite database.
        within_s: How long the start may take.
        settings: Settings by field name, handed over through the environment.
    """
    port = free_port()
    given = {
        "data_dir": data_dir,
        "port": port,
        "auth_password": TEST_PASSWORD,
        "secret_keys": TEST_KEY,
        "worker_processes": 0,
        **settings,
    }
    log = data_dir.parent / f"web-{port}.log"
    environment = {f"HEAVY_{name.upper()}": str(value) for name, value in given.items()}
    path = os.pathsep.join([str(ROOT), str(ROOT / "brython")])
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "heavy_stack", "serve"],
            cwd=data_dir.parent,  # a .env of the checkout is not read there
            stdout=output,
            stderr=output,
            env={**os.environ, **environment, "PYTHONPATH": path},
            start_new_session=True,
        )
    server = WebServer(f"http://127.0.0.1:{port}", make_settings(data_dir, port=port), log, process)
    try:
        wait_until_up(server.url, process, log, within_s)
        yield server
    finally:
        main = psutil.Process(process.pid) if process.poll() is None else None
        processes = [main, *main.children(recursive=True)] if main else []
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            for left in processes:
                if left.is_running():
                    left.kill()
            process.wait(5)


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path, within_s: float) -> None:
    """Return once `/healthz` answers.

    Raises:
        TimeoutError: It does not, or the process has ended; with its log.
    """
    until = time.monotonic() + within_s
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(f"the server does not answer; its log:\n{log.read_text()}")
