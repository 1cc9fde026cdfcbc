"""Chromium for tests."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str:
    """The browser's program; skips the test when there is none."""
    found = os.environ.get("HEAVY_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("Chromium is missing; bring it with: apt-get install --yes chromium")
    return found


@dataclass(frozen=True)
class Chromium:
    """A running browser that gives the thread back between tests.

    Playwright's synchronous API leaves its event loop marked as running for as long as it is open, and with it no async
    test of the same process could start. So the mark is set only while a browser test runs.
    """

    browser: Browser
    loop: asyncio.AbstractEventLoop | None

    @contextmanager
    def turn(self) -> Iterator[Browser]:
        """The browser, usable inside."""
        asyncio._set_running_loop(self.loop)
        try:
            yield self.browser
        finally:
            asyncio._set_running_loop(None)


@contextmanager
def running_chromium() -> Iterator[Chromium]:
    """Start one; skips the test when there is none."""
    path = chromium_path()
    playwright = sync_playwright().start()
    chromium = Chromium(playwright.chromium.launch(executable_path=path, args=list(FLAGS)), asyncio._get_running_loop())
    asyncio._set_running_loop(None)
    try:
        yield chromium
    finally:
        with chromium.turn():
            chromium.browser.close()
            playwright.stop()
