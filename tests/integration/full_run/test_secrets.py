"""A planted password is nowhere but in the one encrypted column: searched for in every file and every answer."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from heavy_stack.shared_models.tasks import TaskState
from tests.support.factories import workload_body
from tests.support.settings import TEST_PASSWORD
from tests.support.web_server import WebServer, web_server

PLANTED = "pl4nted&P@ss/w0rd?"
"""With every character that could cut it in two; written escaped, raw, and in the user info."""
PIECES = ("pl4nted", "P@ss", "w0rd", "P%40ss")
URLS = (
    f"jdbc:trino://nowhere.invalid:8443/lake/shop?user=ann&password={quote(PLANTED, safe='')}&SSL=true",
    f"jdbc:trino://nowhere.invalid:8443/lake/shop?password={PLANTED}",
    f"jdbc:trino://ann:{PLANTED}@nowhere.invalid:8443/lake/shop",
    f"jdbc:trino://nowhere.invalid:8443/lake/shop?accessToken={quote(PLANTED, safe='')}",
    f"jdbc:duckdb:/nowhere;motherduck_token={quote(PLANTED, safe='')}",
)
WITHIN_S = 90


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A service with a worker, at its most talkative."""
    folder = tmp_path_factory.mktemp("secrets") / "data"
    with web_server(folder, worker_processes=1, log_level="DEBUG", task_budget_s=60) as running:
        yield running


def _has_planted(content: bytes) -> list[str]:
    return [piece for piece in PIECES if piece.encode() in content]


def _files(server: WebServer) -> list[Path]:
    return [server.log, *(path for path in server.settings.data_dir.rglob("*") if path.is_file())]


def _ended(client: httpx.Client, task_id: str) -> dict[str, object]:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        status: dict[str, object] = client.get(f"/status?{task_id}").json()
        if status["status"] != TaskState.RUNNING:
            return status
        time.sleep(0.2)
    raise TimeoutError(str(status))


class TestPlantedPassword:
    @pytest.mark.parametrize("url", URLS)
    def test_is_in_no_file_and_no_answer(self, working: WebServer, url: str) -> None:
        with working.client() as client, working.browser() as browser:
            working.sign_in(browser)
            reply = client.post("/new", content=workload_body(url=url, password=PLANTED))
            task_id = reply.json()["taskid"]
            answers = [reply, client.get(f"/status?{task_id}"), browser.get(f"/tasks/{task_id}")]
            status = _ended(client, task_id)
            answers += [client.get(f"/status?{task_id}"), client.get(f"/getresult?{task_id}")]
            answers += [browser.get(path) for path in ("/", f"/tasks/{task_id}", f"/tasks/{task_id}/result")]
            assert [_has_planted(answer.content) for answer in answers] == [[]] * len(answers)
            assert status["status"] == TaskState.DONE, status
            archive = zipfile.ZipFile(io.BytesIO(client.get(f"/tasks/{task_id}/download").content))
            assert [name for name in archive.namelist() if _has_planted(archive.read(name))] == []
        assert {str(path): found for path in _files(working) if (found := _has_planted(path.read_bytes()))} == {}

    @pytest.mark.parametrize(
        "body",
        [
            workload_body(url=URLS[0], queries=[]),
            workload_body(url=URLS[0])[:-1],
            workload_body(url=[PLANTED]),
            workload_body(url=URLS[0] + "x" * 20_000),
            workload_body(options={"verify": PLANTED}),
            gzip.compress(workload_body(url=URLS[0])),
        ],
    )
    def test_is_in_no_refusal(self, working: WebServer, body: bytes) -> None:
        with working.client() as client:
            reply = client.post("/new", content=body)
        assert reply.status_code == 422
        assert _has_planted(reply.content) == []
        assert _has_planted(working.log.read_bytes()) == []


class TestOwnPassword:
    def test_is_in_no_file_and_no_answer(self, working: WebServer) -> None:
        with working.client() as client, working.browser() as browser:
            answers = [working.sign_in(browser), browser.get("/"), client.get("/status"), client.get("/openapi.json")]
            wrong = httpx.get(f"{working.url}/status", auth=("admin", TEST_PASSWORD + "x"))
            shown = b"".join(answer.content + str(answer.headers).encode() for answer in [*answers, wrong])
        assert TEST_PASSWORD.encode() not in shown
        files = [path for path in _files(working) if TEST_PASSWORD.encode() in path.read_bytes()]
        assert files == []

    def test_generated_secrets_are_files_of_their_owner(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with web_server(data, auth_password="", secret_keys="") as server:
            password = (data / "password").read_text().strip()
            assert oct(data.stat().st_mode & 0o777) == "0o700"
            assert {oct((data / name).stat().st_mode & 0o777) for name in ("password", "secret.key")} == {"0o600"}
            reply = httpx.get(f"{server.url}/status", auth=("admin", password))
            assert reply.status_code == 400
            log = server.log.read_text()
            assert password not in log
            assert str(data / "password") in log
