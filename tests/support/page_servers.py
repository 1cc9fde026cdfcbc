"""A real server for browser tests, with a look into its database and its log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from heavy_stack import bootstrap
from heavy_stack.backend.services import Services
from tests.support.web_server import WebServer, web_server

T = TypeVar("T")


@dataclass
class PageServer:
    """A running service.

    Attributes:
        web: Its process.
    """

    web: WebServer
    _read: int = 0

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return self.web.url

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.web.url.rsplit(":", 1)[1])

    def new_log(self) -> str:
        """What was logged since the last look."""
        text = self.web.log.read_text(errors="replace")
        new, self._read = text[self._read :], len(text)
        return new

    def do(self, work: Callable[[Services], Awaitable[T]]) -> T:
        """Run `work` with services on the server's database."""

        async def with_services() -> T:
            services = bootstrap.build_services(self.web.settings)
            try:
                return await work(services)
            finally:
                await services.close()

        # In a thread: Playwright's own event loop is running in this one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(with_services())).result()


@contextmanager
def page_server(data_dir: Path, **settings: object) -> Iterator[PageServer]:
    """A server without workers: tests play the worker through the database layer.

    Args:
        data_dir: For all of its files.
        settings: Settings by field name.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REACTPY_DEBUG", "1")  # it checks each tree, and errors say what they are
        with web_server(data_dir, **settings) as web:
            yield PageServer(web)
