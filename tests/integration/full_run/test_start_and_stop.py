"""Starting and stopping the server, also when somebody changes their mind in between."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.servers import ROOT, free_port
from tests.support.settings import TEST_KEY, TEST_PASSWORD
from tests.support.web_server import wait_until_up, web_server


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """What a server's process gets."""
    given = {
        "HEAVY_DATA_DIR": str(data_dir),
        "HEAVY_PORT": str(port),
        "HEAVY_AUTH_PASSWORD": TEST_PASSWORD,
        "HEAVY_SECRET_KEYS": TEST_KEY,
        "HEAVY_WORKER_PROCESSES": "0",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "brython")]),
    }
    return {**os.environ, **given}


def refused(data_dir: Path, port: int) -> str:
    """What `serve` says when it does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "heavy_stack", "serve"],
        cwd=data_dir.parent,
        env=environment(data_dir, port),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


class TestStop:
    def test_a_server_that_has_not_quite_started_stops_too(self, tmp_path: Path) -> None:
        with web_server(tmp_path / "data", web_workers=2) as server:
            # The first web process answers; the other one may not have reported yet.
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0


class TestRefusals:
    def test_a_taken_port_is_said_before_anything_is_made(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            assert f"cannot listen on 127.0.0.1:{port}" in refused(tmp_path / "data", port)
        assert not (tmp_path / "data" / "heavy_stack.db").exists()

    def test_a_database_of_another_project_is_left_alone(self, tmp_path: Path) -> None:
        data_dir = tmp_path / "data"
        data_dir.mkdir()
        with sqlite3.connect(data_dir / "heavy_stack.db") as connection:
            connection.execute("CREATE TABLE theirs (a)")
        connection.close()
        assert "tables that this project did not make" in refused(data_dir, free_port())


class TestSanicCommand:
    def test_the_factory_serves_in_one_process(self, tmp_path: Path) -> None:
        port = free_port()
        command = ["sanic", "heavy_stack.main:create_app", "--factory", "--single-process", "--port", str(port)]
        log = tmp_path / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=tmp_path,
                env=environment(tmp_path / "data", port),
                stdout=output,
                stderr=output,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_up(url, process, log, within_s=120)
            reply = httpx.get(f"{url}/status?x", auth=("admin", TEST_PASSWORD))
            assert reply.json()["code"] == "not_found"
        finally:
            process.terminate()
            assert process.wait(60) == 0
