"""The task API on a real server, as a client sees it."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from heavy_stack.backend.services import Services
from heavy_stack.settings import Settings
from tests.support.factories import answer_body, make_user, submit, workload_body
from tests.support.web_server import USER, WebServer, web_server

PROBLEM = "application/problem+json"


def submitted(client: httpx.Client) -> str:
    """A new task's id."""
    reply = client.post("/new", content=workload_body())
    assert reply.status_code == 200, reply.text
    return str(reply.json()["taskid"])


async def finished(services: Services, client: httpx.Client) -> str:
    """A task that a worker has answered; other tasks of the queue are let go by the way."""
    task_id = UUID(submitted(client))
    work = await services.work.claim_task(task_id, "test", 60)
    assert work is not None
    assert await services.work.finish(work, answer_body(task_id), "tag-of-the-answer")
    return str(task_id)


async def failed(services: Services, client: httpx.Client) -> str:
    """A task that ended without an answer."""
    work = await services.work.claim_task(UUID(submitted(client)), "test", 60)
    assert work is not None
    assert await services.work.fail(work, "sql_syntax", "DDL statement 1 does not parse at line 2, column 7")
    return str(work.task_id)


def is_problem(reply: httpx.Response, status: int, code: str) -> bool:
    """True for that problem+json; nothing of the inside shows."""
    content = reply.json()
    assert reply.headers["content-type"] == PROBLEM
    assert reply.headers["cache-control"] == "no-store"
    assert "Traceback" not in reply.text
    assert content["status"] == reply.status_code == status, reply.text
    assert content["title"]
    assert content["detail"]
    assert content["instance"] == reply.request.url.path
    return bool(content["code"] == code)


class TestStatus:
    @pytest.mark.parametrize("spelling", ["task_id={}", "taskid={}", "{}", "{}="])
    def test_every_spelling_finds_the_task(self, client: httpx.Client, spelling: str) -> None:
        task_id = submitted(client)
        content = client.get("/status?" + spelling.format(task_id)).json()
        assert (content["taskid"], content["status"], content["queued"]) == (task_id, "RUNNING", True)

    def test_head_is_get_without_the_body(self, client: httpx.Client) -> None:
        path = f"/status?{submitted(client)}"
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]

    @pytest.mark.parametrize("path", ["/status", "/getresult"])
    def test_what_is_unknown_is_not_found(self, client: httpx.Client, path: str) -> None:
        assert is_problem(client.get(f"{path}?task_id={uuid4()}"), 404, "not_found")
        assert is_problem(client.get(f"{path}?task_id=no-id"), 404, "not_found")
        assert is_problem(client.get(path), 400, "task_id_missing")

    async def test_the_task_of_another_looks_unknown(self, server_services: Services, client: httpx.Client) -> None:
        other = await make_user(server_services, f"other-{uuid4()}")
        task_id = await submit(server_services, other)
        for path in ("/status?{}", "/getresult?{}", "/tasks/{}/download"):
            reply = client.get(path.format(task_id))
            assert is_problem(reply, 404, "not_found")
            assert reply.json()["detail"] == client.get(path.format(uuid4())).json()["detail"]
        assert is_problem(client.post(f"/tasks/{task_id}/cancel"), 404, "not_found")


class TestGetResult:
    def test_before_the_end_says_when_to_come_back(self, client: httpx.Client) -> None:
        reply = client.get(f"/getresult?{submitted(client)}")
        assert is_problem(reply, 409, "not_finished")
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.json()["task_status"] == "RUNNING"

    async def test_of_a_failed_task_says_why(self, server_services: Services, client: httpx.Client) -> None:
        task_id = await failed(server_services, client)
        reply = client.get(f"/getresult?{task_id}")
        assert is_problem(reply, 422, "sql_syntax")
        assert "line 2, column 7" in reply.json()["detail"]
        status = client.get(f"/status?{task_id}").json()
        assert (status["status"], status["error"]) == ("FAILED", "sql_syntax")

    async def test_has_the_three_keys_and_the_envelope(self, server_services: Services, client: httpx.Client) -> None:
        task_id = await finished(server_services, client)
        for spelling in ("task_id={}", "taskid={}", "{}"):
            content = client.get("/getresult?" + spelling.format(task_id)).json()
            assert {"ddl", "migrations", "queries", "report"} <= set(content)
            assert (content["taskid"], content["status"]) == (task_id, "DONE")
            assert content["result"] == {"ok": True, "meta": {"tokens_used": 0}}

    async def test_is_sent_as_it_is_stored_or_unpacked(self, server_services: Services, client: httpx.Client) -> None:
        path = f"/getresult?{await finished(server_services, client)}"
        packed = client.get(path, headers={"accept-encoding": "gzip"})
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.json() == plain.json()
        assert len(gzip.compress(plain.content)) <= int(packed.headers["content-length"]) * 2
        assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"

    async def test_is_not_sent_twice(self, server_services: Services, client: httpx.Client) -> None:
        path = f"/getresult?{await finished(server_services, client)}"
        for encoding in ("gzip", "identity"):
            tag = client.get(path, headers={"accept-encoding": encoding}).headers["etag"]
            again = client.get(path, headers={"if-none-match": tag, "accept-encoding": encoding})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"if-none-match": '"older"'}).status_code == 200
        assert client.head(path).headers["etag"]


class TestDownload:
    async def test_is_a_zip(self, server_services: Services, client: httpx.Client) -> None:
        reply = client.get(f"/tasks/{await finished(server_services, client)}/download")
        assert reply.headers["content-type"] == "application/zip"
        assert "attachment" in reply.headers["content-disposition"]
        assert zipfile.ZipFile(io.BytesIO(reply.content)).testzip() is None

    def test_before_the_end_is_a_conflict(self, client: httpx.Client) -> None:
        assert is_problem(client.get(f"/tasks/{submitted(client)}/download"), 409, "not_finished")


class TestCancel:
    def test_ends_a_waiting_task_once_and_for_all(self, client: httpx.Client) -> None:
        task_id = submitted(client)
        for _ in range(2):
            content = client.post(f"/tasks/{task_id}/cancel").json()
            assert (content["status"], content["error"]) == ("FAILED", "cancelled")
        assert is_problem(client.get(f"/getresult?{task_id}"), 422, "cancelled")

    async def test_of_a_finished_task_is_a_conflict(self, server_services: Services, client: httpx.Client) -> None:
        task_id = await finished(server_services, client)
        assert is_problem(client.post(f"/tasks/{task_id}/cancel"), 409, "already_finished")


class TestAddresses:
    def test_health_needs_no_credentials(self, server: WebServer) -> None:
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
        assert httpx.head(f"{server.url}/healthz").status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("GET", "/new", "POST"),
            ("PUT", "/new", "POST"),
            ("POST", "/status", "GET, HEAD"),
            ("DELETE", "/getresult", "GET, HEAD"),
            ("POST", "/healthz", "GET, HEAD"),
            ("GET", "/upload", "POST"),
            ("GET", "/sign-out", "POST"),
        ],
    )
    def test_a_wrong_method_is_told_the_right_ones(
        self, client: httpx.Client, method: str, path: str, allow: str
    ) -> None:
        reply = client.request(method, path)
        assert is_problem(reply, 405, "method_not_allowed")
        assert reply.headers["allow"] == allow

    @pytest.mark.parametrize(
        "path",
        [
            "/api",
            "/api/v1/new",
            "/x.py",
            "/static/py/nope.py",
            "/.env",
            "/new/x",
            "/static/../heavy_stack/main.py",
            "/%ff%00",
        ],
    )
    @pytest.mark.parametrize("accept", ["*/*", "text/html"])
    def test_reserved_names_and_files_are_never_a_page(self, client: httpx.Client, path: str, accept: str) -> None:
        reply = client.get(path, headers={"accept": accept})
        assert reply.status_code == 404
        if path != "/%ff%00":
            assert reply.headers["content-type"] == PROBLEM

    def test_an_unknown_page_is_a_page_for_a_browser_only(self, client: httpx.Client) -> None:
        assert is_problem(client.get("/nowhere"), 404, "not_found")
        reply = client.get("/nowhere", headers={"accept": "text/html"})
        assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")

    def test_every_answer_has_the_security_headers(self, client: httpx.Client) -> None:
        for path in ("/healthz", "/status", "/nowhere", "/docs", "/sign-in", "/openapi.json", "/static/css/app.css"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["referrer-policy"] == "same-origin"

    def test_documentation_comes_from_here_alone(self, server: WebServer) -> None:
        page = httpx.get(f"{server.url}/docs")
        assert "'unsafe-" not in page.headers["content-security-policy"]
        assert "http" not in page.text.replace(server.url, "").replace('charset="utf-8"', "")
        assert httpx.get(f"{server.url}/openapi.json").json()["openapi"] == "3.1.0"
        for file in ("swagger-ui-bundle.js", "swagger-ui.css"):
            assert httpx.get(f"{server.url}/static/vendor/swagger-ui/{file}").status_code == 200


class TestCredentials:
    @pytest.mark.parametrize("path", ["/status", "/getresult", "/tasks/9d8edbee-5f4a-4259-bd5e-151dfa9d7742/download"])
    def test_are_asked_for_with_a_challenge(self, server: WebServer, path: str) -> None:
        for auth in (None, (USER, "wrong")):
            reply = httpx.get(server.url + path, auth=auth)
            assert is_problem(reply, 401, "not_authenticated")
            assert reply.headers["www-authenticate"].startswith("Basic ")

    def test_a_script_of_a_page_gets_no_challenge(self, server: WebServer) -> None:
        reply = httpx.get(f"{server.url}/status", headers={"sec-fetch-mode": "cors"})
        assert is_problem(reply, 401, "not_authenticated")
        assert "www-authenticate" not in reply.headers

    def test_are_looked_at_before_the_body(self, server: WebServer) -> None:
        before = server.resident_bytes()
        reply = httpx.post(f"{server.url}/new", content=b"x" * 30_000_000, auth=(USER, "wrong"), timeout=30)
        assert reply.status_code == 401
        assert server.resident_bytes() - before < 25_000_000


class TestOnPostgresql:
    def test_the_three_calls(self, postgresql_settings: Settings, tmp_path: Path) -> None:
        assert postgresql_settings.database_url is not None
        address = postgresql_settings.database_url.get_secret_value()
        with web_server(tmp_path / "web", database_url=address, web_workers=2) as server, server.client() as client:
            task_id = submitted(client)
            assert client.get(f"/status?{task_id}").json()["status"] == "RUNNING"
            assert is_problem(client.get(f"/getresult?{task_id}"), 409, "not_finished")
            assert client.post(f"/tasks/{task_id}/cancel").json()["error"] == "cancelled"
            assert is_problem(client.get(f"/getresult?{task_id}"), 422, "cancelled")
            log = server.log.read_text()
        assert '"kind": "postgresql"' in log
        assert address not in log
