"""Use cases around users."""

from __future__ import annotations

from uuid import UUID

from heavy_stack.backend.data.model_managers.base import BaseManager
from heavy_stack.backend.data.model_mungers.user_model_mungers import UserModelMunger
from heavy_stack.backend.data.repositories.user_repositories import UserRepository
from heavy_stack.backend.data.sql_models.users import SQLUser
from heavy_stack.errors import NotFound
from heavy_stack.shared_models.users import User


class UserManager(BaseManager[UserRepository, UserModelMunger]):
    """Use cases around users."""

    async def ensure_user(self, external_id: str, name: str | None = None) -> User:
        """The user whom the sign-in system calls that; made at the first call. Safe from several processes at once."""
        found = await self.repository.find_by_external_id(external_id)
        if found is None:
            await self.repository.add_if_new(SQLUser(external_id=external_id, name=name or external_id))
            found = await self.repository.find_by_external_id(external_id)
        if found is None:
            raise NotFound("the user vanished while it was made")
        return self.munger.to_shared(found)

    async def get_user(self, user_id: UUID) -> User:
        """The user.

        Raises:
            NotFound: There is no such user.
        """
        return self.munger.to_shared(await self.repository.get(user_id))
