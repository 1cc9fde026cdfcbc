"""The wheel in a clean environment: everything that `heavy-stack serve` needs is inside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

START_S = 60
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("packaging")]


def _run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HEAVY_", "PYTHON", "DB_", "DATABASE_"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    _run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    pip = [folder / "venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=folder)
    _run(*pip, "--no-deps", wheel, cwd=folder)
    return folder / "venv"


@pytest.fixture
def server(environment: Path, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {"PATH": os.environ["PATH"], "HEAVY_PORT": str(port), "HEAVY_DATA_DIR": str(tmp_path / "data")}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [environment / "bin/heavy-stack", "serve"], cwd=tmp_path, env=env, stdout=log, stderr=log
    )
    try:
        end = time.monotonic() + START_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).read()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        log.close()


class TestWheel:
    def test_has_migrations_static_files_and_both_brython_packages(self, wheel: Path) -> None:
        names = zipfile.ZipFile(wheel).namelist()
        for wanted in (
            "heavy_stack/_bundled/alembic/env.py",
            "heavy_stack/_bundled/static/samples/retail.json",
            "heavy_stack_brython/navigate.py",
            "reactpy_bridge/__init__.py",
        ):
            assert wanted in names
        assert any(name.startswith("heavy_stack/_bundled/alembic/versions/0001") for name in names)
        assert not [name for name in names if name.startswith(("tests/", "alembic/", "static/"))]

    def test_serves_api_and_pages_from_the_installed_package(self, server: str, tmp_path: Path) -> None:
        password = (tmp_path / "data" / "password").read_text().strip()
        handler = urllib.request.HTTPBasicAuthHandler(urllib.request.HTTPPasswordMgrWithPriorAuth())
        handler.passwd.add_password(None, server, "admin", password, is_authenticated=True)  # type: ignore[call-arg]
        opener = urllib.request.build_opener(handler)
        body = {
            "url": "jdbc:duckdb:/nowhere",
            "ddl": [{"statement": "CREATE TABLE c.s.t (a integer, b varchar)"}],
            "queries": [{"queryid": "q", "query": "SELECT b, count(*) AS n FROM c.s.t GROUP BY b", "runquantity": 3}],
        }
        request = urllib.request.Request(
            f"{server}/new", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        task = json.load(opener.open(request, timeout=10))["taskid"]
        end = time.monotonic() + 60
        while (status := json.load(opener.open(f"{server}/status?task_id={task}", timeout=10)))["status"] == "RUNNING":
            assert time.monotonic() < end, status
            time.sleep(0.2)
        answer = json.load(opener.open(f"{server}/getresult?task_id={task}", timeout=10))
        assert status["status"] == "DONE"
        assert [query["queryid"] for query in answer["queries"]] == ["q"]
        assert urllib.request.urlopen(f"{server}/sign-in", timeout=10).status == 200
        assert urllib.request.urlopen(f"{server}/openapi.json", timeout=10).status == 200
