"""Signing in, sessions, the Origin check and the upload, as a browser sees them."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from tests.integration.full_run.test_api import is_problem
from tests.support.factories import workload_body
from tests.support.settings import TEST_PASSWORD
from tests.support.web_server import USER, WebServer, web_server

COOKIE = "heavy_session"
PUBLIC = "https://name-8000.forward.example"


@pytest.fixture
def stranger(server: WebServer) -> Iterator[httpx.Client]:
    """A browser that is not signed in."""
    with server.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A service that browsers see under another name."""
    with web_server(tmp_path_factory.mktemp("public") / "data", public_url=PUBLIC) as running:
        yield running


class TestSignIn:
    def test_pages_lead_to_it_and_back(self, server: WebServer, stranger: httpx.Client) -> None:
        sent = stranger.get("/tasks/abc?x=1")
        assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Ftasks%2Fabc%3Fx%3D1")
        form = stranger.get(sent.headers["location"])
        assert 'name="next" value="/tasks/abc?x=1"' in form.text
        assert form.headers["cache-control"] == "no-store"
        done = server.sign_in(stranger, "/tasks/abc?x=1")
        assert (done.status_code, done.headers["location"]) == (303, "/tasks/abc?x=1")
        assert stranger.get("/").status_code == 200
        assert stranger.get("/sign-in?next=/docs").headers["location"] == "/docs"

    def test_a_browser_that_opens_the_api_is_sent_there_too(self, stranger: httpx.Client) -> None:
        reply = stranger.get("/status?task_id=x")
        assert reply.headers["location"] == "/sign-in?next=/status%3Ftask_id%3Dx"

    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
        self, server: WebServer, stranger: httpx.Client
    ) -> None:
        cookie = SimpleCookie(server.sign_in(stranger).headers["set-cookie"])[COOKIE]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["secure"]
        assert TEST_PASSWORD not in cookie.value

    @pytest.mark.parametrize("user,password", [(USER, "wrong"), ("nobody", TEST_PASSWORD), ("", "")])
    def test_a_wrong_password_shows_the_form_again(self, stranger: httpx.Client, user: str, password: str) -> None:
        reply = stranger.post("/sign-in", data={"user": user, "password": password, "next": "/tasks/abc"})
        assert reply.status_code == 401
        assert "Wrong user name or password." in reply.text
        assert 'value="/tasks/abc"' in reply.text
        assert "set-cookie" not in reply.headers
        assert "www-authenticate" not in reply.headers

    @pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\tevil"])
    def test_leads_to_no_other_site(self, server: WebServer, stranger: httpx.Client, target: str) -> None:
        assert server.sign_in(stranger, target).headers["location"] == "/"
        assert "evil" not in stranger.get("/sign-in", params={"next": target}).text

    def test_is_for_our_own_form_only(self, server: WebServer, stranger: httpx.Client) -> None:
        stranger.headers["origin"] = "https://evil.example"
        reply = server.sign_in(stranger)
        assert reply.status_code == 403
        assert "set-cookie" not in reply.headers

    def test_signing_out_ends_it(self, browser: httpx.Client) -> None:
        assert browser.get("/").status_code == 200
        reply = browser.post("/sign-out")
        assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")
        assert browser.get("/").status_code == 303

    def test_a_forged_cookie_is_nobody_s(self, stranger: httpx.Client) -> None:
        stranger.cookies.set(COOKIE, "eyJzdWIiOiJhZG1pbiIsImV4cCI6NDEwMjQ0NDgwMH0.AAAA")
        assert stranger.get("/").status_code == 303

    def test_a_form_that_is_no_form_is_refused(self, stranger: httpx.Client) -> None:
        reply = stranger.post("/sign-in", content=b"x" * 100_000, headers={"accept": "*/*"})
        assert is_problem(reply, 413, "body_too_large")


class TestSessions:
    def test_a_signed_in_browser_may_use_the_api(self, browser: httpx.Client) -> None:
        task_id = browser.post("/new", content=workload_body()).json()["taskid"]
        assert browser.get(f"/status?{task_id}").json()["status"] == "RUNNING"

    @pytest.mark.parametrize("path", ["/new", "/upload", "/sign-out", "/tasks/x/cancel"])
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
    def test_another_site_changes_nothing(self, browser: httpx.Client, path: str, origin: str | None) -> None:
        browser.headers["accept"] = "*/*"
        if origin is None:
            del browser.headers["origin"]
        else:
            browser.headers["origin"] = origin
        assert is_problem(browser.post(path, content=workload_body()), 403, "foreign_origin")

    def test_basic_credentials_need_no_origin(self, client: httpx.Client) -> None:
        assert client.post("/new", content=workload_body(), headers={"origin": "https://x"}).status_code == 200


class TestUpload:
    def test_a_file_becomes_a_task(self, browser: httpx.Client) -> None:
        reply = browser.post("/upload", files={"file": ("w.json", workload_body(), "application/json")})
        assert reply.status_code == 303
        assert browser.get(reply.headers["location"]).status_code == 200

    def test_a_pasted_text_becomes_a_task(self, browser: httpx.Client) -> None:
        text = workload_body(queries=[{"queryid": "ä", "query": "SELECT 'ü'"}]).decode()
        files = {"workload": (None, text), "file": ("", b"", "application/octet-stream")}
        reply = browser.post("/upload", files=files, headers={"accept": "application/json"})
        assert len(reply.json()["taskid"]) == 36

    def test_what_is_wrong_is_said(self, browser: httpx.Client) -> None:
        empty = browser.post("/upload", files={"workload": (None, " ")}, headers={"accept": "*/*"})
        assert is_problem(empty, 422, "workload_missing")
        wrong = browser.post("/upload", files={"workload": (None, "{")})
        assert (wrong.status_code, wrong.headers["content-type"]) == (422, "text/html; charset=utf-8")
        assert "line 1, column 2" in wrong.text

    def test_a_session_that_ended_is_said_to_the_script(self, stranger: httpx.Client) -> None:
        reply = stranger.post("/upload", files={"workload": (None, "{}")}, headers={"accept": "application/json"})
        assert is_problem(reply, 401, "not_authenticated")

    def test_cancelling_with_a_form_leads_back(self, browser: httpx.Client) -> None:
        task_id = browser.post("/new", content=workload_body()).json()["taskid"]
        reply = browser.post(f"/tasks/{task_id}/cancel", data={"x": "y"})
        assert (reply.status_code, reply.headers["location"]) == (303, f"/tasks/{task_id}")


class TestBehindProxy:
    """The forwarding proxy of a codespace: Host is rewritten, Origin is the public name, TLS ends before us."""

    def test_the_public_address_is_ours(self, public: WebServer) -> None:
        with public.browser() as browser:
            browser.headers["origin"] = PUBLIC
            reply = public.sign_in(browser, "/tasks/abc")
            assert (reply.status_code, reply.headers["location"]) == (303, "/tasks/abc")
            assert SimpleCookie(reply.headers["set-cookie"])[COOKIE]["secure"]

    def test_guessing_is_slowed_down(self, public: WebServer, tmp_path: Path) -> None:
        with public.browser() as browser:
            for _ in range(10):
                assert browser.post("/sign-in", data={"user": USER, "password": "guess"}).status_code == 401
            reply = public.sign_in(browser)
            assert reply.status_code == 429
            assert 0 < int(reply.headers["retry-after"]) <= 60
            assert "Too many wrong passwords" in reply.text
        with public.client() as client:
            assert is_problem(client.get("/status"), 429, "too_many_attempts")
