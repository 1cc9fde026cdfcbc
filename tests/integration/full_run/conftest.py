"""One server for all tests of a module that only talk to the API: no worker, so a task stays as the test made it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from heavy_stack.backend.services import Services
from heavy_stack.bootstrap import build_services
from tests.support.web_server import WebServer, web_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A service without workers, on SQLite."""
    with web_server(tmp_path_factory.mktemp("server") / "data", max_open_tasks=1000) as running:
        yield running


@pytest.fixture
def client(server: WebServer) -> Iterator[httpx.Client]:
    """A client with Basic credentials."""
    with server.client() as opened:
        yield opened


@pytest.fixture
def browser(server: WebServer) -> Iterator[httpx.Client]:
    """A browser that is signed in."""
    with server.browser() as opened:
        assert server.sign_in(opened).status_code == 303
        yield opened


@pytest.fixture
async def server_services(server: WebServer) -> AsyncIterator[Services]:
    """Services on the server's database, to play the worker's part."""
    services = build_services(server.settings)
    yield services
    await services.close()
