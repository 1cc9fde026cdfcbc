"""UserManager."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from heavy_stack.backend.services import Services
from heavy_stack.errors import NotFound
from tests.support.factories import make_user


class TestEnsureUser:
    async def test_makes_a_user_once(self, services: Services) -> None:
        first, second = await make_user(services), await make_user(services)
        assert first == second
        assert (first.external_id, first.name) == ("ann", "ann")

    async def test_at_the_same_moment_from_many(self, services: Services) -> None:
        users = await asyncio.gather(*(make_user(services, "bob") for _ in range(8)))
        assert len({user.id for user in users}) == 1
        async with services.engines.main.reader.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM users"))).scalar_one() == 1

    async def test_finds_its_own_uncommitted_user(self, services: Services) -> None:
        async with services.unit_of_work():
            first = await services.users.ensure_user("eve", "Eve")
            assert await services.users.ensure_user("eve") == first
            assert first.name == "Eve"


class TestGetUser:
    async def test_returns_the_user(self, services: Services) -> None:
        user = await make_user(services)
        async with services.unit_of_work():
            assert await services.users.get_user(user.id) == user

    async def test_unknown_is_not_found(self, services: Services) -> None:
        with pytest.raises(NotFound, match="no user"):
            async with services.unit_of_work():
                await services.users.get_user(uuid4())
