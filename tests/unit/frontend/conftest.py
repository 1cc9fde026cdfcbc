"""For page tests: services on a database of their own, and a signed-in user."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from reactpy import config
from reactpy.types import Component

from heavy_stack import bootstrap
from heavy_stack.backend.services import Services
from heavy_stack.frontend.pages.page_root import PageRoot
from heavy_stack.frontend.reactpy_util import PageSession
from heavy_stack.settings import Settings
from heavy_stack.shared_models.users import User
from tests.support.factories import make_user
from tests.support.screens import Screen


@pytest.fixture(autouse=True)
def _as_served() -> None:
    """Render as the adapter does."""
    config.REACTPY_ASYNC_RENDERING.current = False


@pytest.fixture
async def page_services(sqlite_settings: Settings) -> AsyncIterator[Services]:
    """Services on a SQLite database of their own."""
    services = bootstrap.build_services(sqlite_settings)
    await services.start()
    yield services
    await services.close()


@pytest.fixture
async def ann(page_services: Services) -> User:
    """A stored user."""
    return await make_user(page_services)


@pytest.fixture
def show(page_services: Services, ann: User) -> Callable[[Any], Screen]:
    """Makes a screen that shows a page to Ann."""

    def make(page: Component) -> Screen:
        return Screen(PageRoot(PageSession(user=ann, services=page_services), page))

    return make
