"""SQLRepositoryBase."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from heavy_stack.backend.data.repositories.user_repositories import UserRepository
from heavy_stack.backend.data.sql_models import SQLUser
from heavy_stack.errors import NotFound


class TestSQLRepositoryBase:
    class TestSession:
        async def test_is_the_current_session(self, db_session: AsyncSession) -> None:
            assert UserRepository().session is db_session

        def test_says_where_database_access_is_allowed_when_there_is_none(self) -> None:
            with pytest.raises(RuntimeError, match="db_session variable is not set.*heavy_use_effect or heavy_event"):
                _ = UserRepository().session

    class TestGet:
        async def test_returns_what_was_added(self, db_session: AsyncSession) -> None:
            repository = UserRepository()
            added = await repository.add(SQLUser(external_id="ann"))
            assert (await repository.get(added.id)).external_id == "ann"

        async def test_unknown_key_is_not_found(self, db_session: AsyncSession) -> None:
            with pytest.raises(NotFound, match="no user with that id"):
                await UserRepository().get(uuid4())

    class TestRollback:
        @pytest.mark.parametrize("again", [1, 2])
        async def test_nothing_is_left_of_the_test_before(self, db_session: AsyncSession, again: int) -> None:
            assert await UserRepository().find_by_external_id("left behind") is None
            await UserRepository().add(SQLUser(external_id="left behind"))
