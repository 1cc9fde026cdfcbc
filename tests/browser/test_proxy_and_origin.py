"""Behind a proxy that rewrites Host, and against pages of other sites."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from heavy_stack.frontend.reactpy_sanic import STREAM_PATH
from tests.browser.conftest import Proxied, Visiting
from tests.support.factories import workload_body
from tests.support.page_servers import PageServer


class TestBehindAProxy:
    def test_signing_in_submitting_and_live_pages_work(self, visiting: Visiting, proxied: Proxied) -> None:
        page = visiting(address=proxied.address).open("/")
        page.fill("#workload-text", workload_body().decode())
        page.click("text=Submit workload")
        page.wait_for_selector("text=Waiting for a worker")
        assert page.url.startswith(f"{proxied.address}/tasks/")
        page.click("text=Cancel task")
        page.click("text=Yes, cancel it")
        page.wait_for_selector("text=This task was cancelled.")
        page.click("text=Sign out")
        page.wait_for_url("**/sign-in")

    def test_what_the_server_logged_has_no_error(self, proxied: Proxied) -> None:
        assert "Traceback" not in proxied.server.new_log()


class TestForeignPages:
    def test_a_page_of_another_origin_gets_no_socket(self, visiting: Visiting, server: PageServer) -> None:
        visit = visiting()
        visit.open("/")
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in visit.context.cookies())
        url = f"{server.address.replace('http', 'ws', 1)}{STREAM_PATH}?path=/"
        with connect(url, origin=server.address, additional_headers={"Cookie": cookies}) as own:  # type: ignore[arg-type]
            assert "New task" in str(own.recv(10))
        for origin in ("https://evil.example", "null", f"{server.address}.evil.example", None):
            with (
                pytest.raises(InvalidStatus) as refused,
                connect(url, origin=origin, additional_headers={"Cookie": cookies}),  # type: ignore[arg-type]
            ):
                pass
            assert refused.value.response.status_code == 403
