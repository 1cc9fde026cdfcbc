"""Users: stored form to shared form."""

from __future__ import annotations

from heavy_stack.backend.data.model_mungers.base import ModelMunger
from heavy_stack.backend.data.sql_models.users import SQLUser
from heavy_stack.shared_models.users import User


class UserModelMunger(ModelMunger[SQLUser, User]):
    """SQLUser → User."""

    def to_shared(self, row: SQLUser) -> User:
        """The user."""
        return User(id=row.id, external_id=row.external_id, email=row.email, name=row.name)
